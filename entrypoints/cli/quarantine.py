"""``quarantine``: queue messages that nobody could make sense of."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.table import age
from entrypoints.cli.terminal import Ink, Screen

EXAMPLES = """\
examples:
  ./frontdesk quarantine
  ./frontdesk quarantine --json | jq -r '.messages[].body'

Nothing is dropped: a message that is no nudge, or that names no case, is kept here for a person.
"""
_LIMIT = 20
_SHOWN_CHARS = 400


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="N", help=f"how many (default {_LIMIT})"
    )
    parser.add_argument("--json", action="store_true", help="print the messages as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print kept messages, newest first."""
    with local.reach(args, screen.err, work=False) as api:
        kept = api.quarantine(args.limit)
    if args.json:
        screen.json(json.dumps(kept, ensure_ascii=False, indent=2))
        return DONE
    out, now = screen.out, datetime.now(UTC)
    for message in kept["messages"]:
        ago = age((now - datetime.fromisoformat(message["at"])).total_seconds())
        out.line(Ink(message["queue"], "cyan"), f"  {ago} ago  ", Ink(message["reason"], "red"))
        body = message["body"]
        out.text(body[:_SHOWN_CHARS])
        if len(body) > _SHOWN_CHARS:
            rest = len(body) - _SHOWN_CHARS
            out.line(Ink(f"  … {rest:,} more characters: see --json", "dim"))
    if not kept["messages"]:
        screen.err.line("nothing is in quarantine")
    return DONE
