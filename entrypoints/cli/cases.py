"""``cases``: the listing, newest first."""

from __future__ import annotations

import argparse
import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from entrypoints.cli import local
from entrypoints.cli.paging import add_paging, show_page
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
    add_paging(parser)


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
    none = "no such cases" if _filtered(args) else _NONE_YET
    return show_page(args, screen, page, listing, none, shlex.join(["cases", *_given(args)]))


_NONE_YET = 'no cases yet: ./frontdesk ask --desk hotel "My room is dirty and nobody came."'


def _given(args: argparse.Namespace) -> list[str]:
    given = {"--desk": args.desk, "--status": args.status, "--sentiment": args.sentiment}
    return [part for option, value in given.items() if value for part in (option, value)]


def _filtered(args: argparse.Namespace) -> bool:
    return bool(_given(args) or args.cursor)


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
