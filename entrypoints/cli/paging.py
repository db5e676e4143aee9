"""Listings that come in pages: their options, and what is printed of one page."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.terminal import Ink, Screen, Terminal

if TYPE_CHECKING:
    from shared.domain.case import IndexEntry

_LIMIT = 20


def add_paging(parser: argparse.ArgumentParser) -> None:
    """Add the options of a page, and where the API is."""
    parser.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="N", help=f"how many (default {_LIMIT})"
    )
    parser.add_argument("--cursor", metavar="C", help="go on where an earlier listing ended")
    parser.add_argument("--json", action="store_true", help="print the page as JSON")
    local.add_address(parser)


def show_page(
    args: argparse.Namespace,
    screen: Screen,
    page: Mapping[str, Any],
    listing: Callable[[list[IndexEntry], Terminal, datetime], None],
    none: str,
    more: str,
    besides: Sequence[object] = (),
) -> int:
    """Print one page of cases and how to get the next; returns the exit code.

    Args:
        listing: Prints entries on a terminal, with the time in UTC for their ages.
        none: What is said when there are no entries.
        more: The command that lists the next page, without limit and cursor.
        besides: What ``listing`` prints beside cases.
    """
    if args.json:
        screen.json(json.dumps(page, ensure_ascii=False, indent=2))
        return DONE
    from shared.domain.case import IndexEntry

    entries = [IndexEntry.model_validate(entry) for entry in page["cases"]]
    if entries or besides:
        listing(entries, screen.out, datetime.now(UTC))
    else:
        screen.err.line(none)
    if page.get("next"):
        limit = [] if args.limit == _LIMIT else ["--limit", str(args.limit)]
        onward = shlex.join([*limit, "--cursor", str(page["next"])])
        screen.out.line(Ink(f"more: ./frontdesk {more} {onward}", "dim"))
    return DONE
