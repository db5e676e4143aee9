"""Which case is meant: its id, the beginning of it, or ``last``."""

from __future__ import annotations

import argparse
import re

from entrypoints.cli.api import Api
from entrypoints.cli.exits import CliError, UsageError

_PREFIX = re.compile(r"[0-9a-f-]{6,36}")
_WHOLE = 36
_PAGE = 100
_PAGES = 5


def add_case(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """Add CASE."""
    parser.add_argument(
        "case",
        metavar="CASE",
        nargs=nargs,
        type=_written,
        help="a case's id, its first 6 or more characters, or last",
    )


def _written(text: str) -> str:
    given = text.lower()
    if given != "last" and not _PREFIX.fullmatch(given):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no case id: give 6 or more of its characters, or last"
        )
    return given


def whole_id(api: Api, given: str) -> str:
    """The id that ``last`` or the beginning of an id means, among the most recent cases.

    Raises:
        CliError: No case, or more than one, is meant.
    """
    if len(given) == _WHOLE:
        return given
    if given == "last":
        newest = api.cases(limit=1)["cases"]
        if not newest:
            raise CliError("there are no cases yet")
        return str(newest[0]["case_id"])
    cursor: str | None = None
    found: dict[str, None] = {}
    for _ in range(_PAGES):
        page = api.cases(limit=_PAGE, cursor=cursor)
        # A case that has just changed its status may be listed under both.
        found |= {e["case_id"]: None for e in page["cases"] if e["case_id"].startswith(given)}
        cursor = page.get("next")
        if cursor is None:
            break
    if len(found) > 1:
        raise UsageError(f"{given} may be {' or '.join(list(found)[:5])}: give more of the id")
    if not found:
        raise UsageError(
            f"none of the last {_PAGE * _PAGES} cases begins with {given}: "
            "give the whole id, or see ./frontdesk cases"
        )
    return next(iter(found))
