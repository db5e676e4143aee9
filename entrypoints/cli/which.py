"""Which case is meant: its id, the beginning of it, or ``last``."""

from __future__ import annotations

import argparse
import re

from entrypoints.cli.api import Api
from entrypoints.cli.exits import CliError, UsageError

_PREFIX = re.compile(r"[0-9a-f-]{6,36}")
_DIGEST = re.compile(r"digest:([^:]+):(\d{4}-\d\d-\d\dT\d{4}Z)")
_WHOLE = 36
_PAGE = 100
_PAGES = 5


def add_case(
    parser: argparse.ArgumentParser, nargs: str | None = None, *, digests: bool = False
) -> None:
    """Add CASE, which may be the name of a digest too where ``digests`` says so."""
    also = ", or a digest as ./frontdesk parked names it" if digests else ""
    parser.add_argument(
        "case",
        metavar="CASE",
        nargs=nargs,
        type=_case_or_digest if digests else _written,
        help=f"a case's id, its first 6 or more characters, or last{also}",
    )


def name_of_digest(desk: str, window: str) -> str:
    """How a digest is written where a case could be."""
    return f"digest:{desk}:{window}"


def digest_of(given: str) -> tuple[str, str] | None:
    """The desk and the window of a digest's name; None for a case."""
    found = _DIGEST.fullmatch(given)
    return (found[1], found[2]) if found else None


def _case_or_digest(text: str) -> str:
    return text if digest_of(text) else _written(text)


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
