"""``approvals``: the cases in which an action waits for a yes, or for a person to do it."""

from __future__ import annotations

import argparse
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
  ./frontdesk approvals
  ./frontdesk show CASE                        what is proposed, with what arguments, and why
  ./frontdesk approve CASE ACTION --reason TEXT
  ./frontdesk reject CASE ACTION --reason TEXT
  ./frontdesk done CASE ACTION                 once somebody carried it out by hand
"""
_NONE = "nothing waits for a yes, and nothing is to be done by hand"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_paging(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print one page of cases that wait."""
    with local.reach(args, screen.err, work=False) as api:
        page = api.approvals(limit=args.limit, cursor=args.cursor)
    return show_page(args, screen, page, _listing, _NONE, "approvals")


def _listing(entries: list[IndexEntry], out: Terminal, now: datetime) -> None:
    """A line a case: which, since when, which actions wait for a yes, and which are to be done."""
    rows = [
        (
            short_id(entry.case_id, out),
            entry.desk,
            f"{age((now - entry.updated_at).total_seconds())} ago",
            Ink(", ".join(entry.waiting), "yellow"),
            Ink(", ".join(entry.to_do), "yellow"),
            entry.subject,
        )
        for entry in entries
    ]
    table(("CASE", "DESK", "CHANGED", "WAITS FOR A YES", "TO DO BY HAND", "SUBJECT"), rows, out)
