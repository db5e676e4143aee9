"""``parked``: the cases that need a person because something could not be finished."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.table import age, short_id, table
from entrypoints.cli.terminal import Ink, Screen, Terminal

if TYPE_CHECKING:
    from shared.domain.case import IndexEntry

EXAMPLES = """\
examples:
  ./frontdesk parked
  ./frontdesk parked --json | jq -r '.cases[].case_id'

What to do with them:
  ./frontdesk show CASE --trace             what happened
  ./frontdesk replay CASE                   run what failed again; --all-parked for every case
  ./frontdesk resolve CASE --reason TEXT    a person has dealt with it
"""
_PREFACE = "a person is needed, not finished: "
_LIMIT = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="N", help=f"how many (default {_LIMIT})"
    )
    parser.add_argument("--cursor", metavar="C", help="go on where an earlier listing ended")
    parser.add_argument("--json", action="store_true", help="print the page as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print one page of parked cases."""
    with local.reach(args, screen.err, work=False) as api:
        page = api.parked(limit=args.limit, cursor=args.cursor)
    if args.json:
        screen.json(json.dumps(page, ensure_ascii=False, indent=2))
        return DONE
    from shared.domain.case import IndexEntry

    entries = [IndexEntry.model_validate(entry) for entry in page["cases"]]
    if entries:
        listing(entries, screen.out, datetime.now(UTC))
    else:
        screen.err.line("nothing is parked")
    if page.get("next"):
        limit = "" if args.limit == _LIMIT else f"--limit {args.limit} "
        more = f"more: ./frontdesk parked {limit}--cursor {page['next']}"
        screen.out.line(Ink(more, "dim"))
    return DONE


def listing(entries: list[IndexEntry], out: Terminal, now: datetime) -> None:
    """A line a case: which, since when, and what could not be finished."""
    rows = [
        (
            short_id(entry.case_id, out),
            entry.desk,
            f"{age((now - entry.updated_at).total_seconds())} ago",
            Ink(entry.reason.removeprefix(_PREFACE), "red"),
            entry.subject,
        )
        for entry in entries
    ]
    table(("CASE", "DESK", "WHEN", "NOT FINISHED", "SUBJECT"), rows, out)
