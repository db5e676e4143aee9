"""``parked``: the cases that need a person because something could not be finished."""

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
  ./frontdesk parked
  ./frontdesk parked --json | jq -r '.cases[].case_id'

What to do with them:
  ./frontdesk show CASE --trace             what happened
  ./frontdesk replay CASE                   run what failed again; --all-parked for every case
  ./frontdesk resolve CASE --reason TEXT    a person has dealt with it
"""
_PREFACE = "a person is needed, not finished: "


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_paging(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print one page of parked cases."""
    with local.reach(args, screen.err, work=False) as api:
        page = api.parked(limit=args.limit, cursor=args.cursor)
    return show_page(args, screen, page, listing, "nothing is parked", "parked")


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
