"""``parked``: the cases and digests that need a person: something could not be finished."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from entrypoints.cli import local
from entrypoints.cli.paging import add_paging, show_page
from entrypoints.cli.table import age, short_id, table
from entrypoints.cli.terminal import Ink, Part, Screen, Terminal
from entrypoints.cli.which import name_of_digest

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

Channels of digests that failed come first; replay and resolve take their names, digest:DESK:WINDOW.
"""
_PREFACE = "a person is needed, not finished: "


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_paging(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print one page of parked cases."""
    with local.reach(args, screen.err, work=False) as api:
        page = api.parked(limit=args.limit, cursor=args.cursor)
    failed = page.get("digests", [])
    lines = partial(listing, failed=failed)
    return show_page(args, screen, page, lines, "nothing is parked", "parked", failed)


def listing(
    entries: list[IndexEntry],
    out: Terminal,
    now: datetime,
    failed: Sequence[Mapping[str, str]] = (),
) -> None:
    """A line a channel or case: which, since when, and what could not be finished."""
    rows: list[tuple[Part, ...]] = [
        (
            name_of_digest(channel["desk"], channel["window"]),
            channel["desk"],
            f"{age((now - datetime.fromisoformat(channel['at'])).total_seconds())} ago",
            Ink(f"{channel['channel']}: {channel['state']}: {channel['reason']}", "red"),
            "digest",
        )
        for channel in failed
    ]
    rows += [
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
