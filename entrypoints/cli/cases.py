"""``cases``: the listing, newest first."""

from __future__ import annotations

import argparse
import json
import shlex
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
  ./frontdesk cases
  ./frontdesk cases --desk hotel --sentiment Negative
  ./frontdesk cases --status escalated --limit 5 --json | jq '.cases[].case_id'
"""
STATUSES = (
    "open",
    "working",
    "answered",
    "waiting_customer",
    "escalated",
    "resolved",
    "cancelled",
)
_LIMIT = 20
_STATUS_STYLES = {"escalated": "yellow", "answered": "green", "resolved": "green"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--desk", metavar="NAME", help="only this desk's")
    parser.add_argument("--status", choices=STATUSES, metavar="STATUS", help=", ".join(STATUSES))
    parser.add_argument(
        "--sentiment",
        type=str.capitalize,
        choices=("Positive", "Negative"),
        help="only cases of this sentiment",
    )
    parser.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="N", help=f"how many (default {_LIMIT})"
    )
    parser.add_argument("--cursor", metavar="C", help="go on where an earlier listing ended")
    parser.add_argument("--json", action="store_true", help="print the page as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print one page of cases."""
    with local.reach(args, screen.err, work=False) as api:
        page = api.cases(
            desk=args.desk,
            status=args.status,
            sentiment=args.sentiment,
            limit=args.limit,
            cursor=args.cursor,
        )
    if args.json:
        screen.json(json.dumps(page, ensure_ascii=False, indent=2))
        return DONE
    from shared.domain.case import IndexEntry

    entries = [IndexEntry.model_validate(entry) for entry in page["cases"]]
    if entries:
        listing(entries, screen.out, datetime.now(UTC))
    else:
        screen.err.line("no such cases" if _filtered(args) else _NONE_YET)
    if page.get("next"):
        screen.out.line(Ink(f"more: ./frontdesk cases {_next_page(args, page['next'])}", "dim"))
    return DONE


_NONE_YET = 'no cases yet: ./frontdesk ask --desk hotel "My room is dirty and nobody came."'


def _next_page(args: argparse.Namespace, cursor: str) -> str:
    given = {"--desk": args.desk, "--status": args.status, "--sentiment": args.sentiment}
    given |= {"--limit": None if args.limit == _LIMIT else str(args.limit), "--cursor": cursor}
    return shlex.join(part for option, value in given.items() if value for part in (option, value))


def _filtered(args: argparse.Namespace) -> bool:
    return any((args.desk, args.status, args.sentiment, args.cursor))


def listing(entries: list[IndexEntry], out: Terminal, now: datetime) -> None:
    """A line a case, with why a person is needed before the subject."""
    heads = ("CASE", "AGE", "DESK", "STATUS", "SENTIMENT", "URGENCY", "SUBJECT")
    rows = [
        (
            short_id(entry.case_id, out),
            age((now - entry.created_at).total_seconds()),
            entry.desk,
            Ink(entry.status, _STATUS_STYLES.get(entry.status, "cyan")),
            Ink(entry.sentiment or "-", "red" if entry.sentiment == "Negative" else "green"),
            entry.urgency or "-",
            f"{entry.reason}  {entry.subject}" if entry.reason else entry.subject,
        )
        for entry in entries
    ]
    table(heads, rows, out)
