"""``approvals``: the cases in which an action waits for somebody's yes."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.table import age, short_id, table
from entrypoints.cli.terminal import Ink, Screen

EXAMPLES = """\
examples:
  ./frontdesk approvals
  ./frontdesk show CASE                        what is proposed, with what arguments, and why
  ./frontdesk approve CASE ACTION --reason TEXT
  ./frontdesk reject CASE ACTION --reason TEXT
"""
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
    """Print one page of cases that wait."""
    with local.reach(args, screen.err, work=False) as api:
        page = api.approvals(limit=args.limit, cursor=args.cursor)
    if args.json:
        screen.json(json.dumps(page, ensure_ascii=False, indent=2))
        return DONE
    from shared.domain.case import IndexEntry

    now = datetime.now(UTC)
    entries = [IndexEntry.model_validate(entry) for entry in page["cases"]]
    rows = [
        (
            short_id(entry.case_id, screen.out),
            entry.desk,
            f"{age((now - entry.updated_at).total_seconds())} ago",
            Ink(", ".join(entry.waiting), "yellow"),
            entry.subject,
        )
        for entry in entries
    ]
    if rows:
        table(("CASE", "DESK", "CHANGED", "WAITS FOR A YES", "SUBJECT"), rows, screen.out)
    else:
        screen.err.line("nothing waits for a yes")
    if page.get("next"):
        limit = "" if args.limit == _LIMIT else f"--limit {args.limit} "
        more = f"more: ./frontdesk approvals {limit}--cursor {page['next']}"
        screen.out.line(Ink(more, "dim"))
    return DONE
