"""``show``: everything about one case."""

from __future__ import annotations

import argparse
import json
import re
from datetime import UTC, datetime
from typing import Any

from entrypoints.cli import local
from entrypoints.cli.api import Api, RefusedError
from entrypoints.cli.exits import DONE, CliError, UsageError
from entrypoints.cli.follow import read_case
from entrypoints.cli.report import report, report_head, report_memory, report_trace, report_usage
from entrypoints.cli.terminal import Screen

EXAMPLES = """\
examples:
  ./frontdesk show last              the newest case
  ./frontdesk show 3f2a9c1b          a case by the beginning of its id
  ./frontdesk show last --trace      and what happened when, and why
  ./frontdesk show last --memory     and what each agent was told and said
"""
_PREFIX = re.compile(r"[0-9a-fA-F-]{6,36}")
_WHOLE = 36
_PAGE = 100
_PAGES = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "case", metavar="CASE", help="a case's id, its first 6 or more characters, or last"
    )
    parser.add_argument("--trace", action="store_true", help="what happened when, and why")
    parser.add_argument("--memory", action="store_true", help="each agent's messages")
    parser.add_argument("--json", action="store_true", help="print the case as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print the case."""
    if args.case != "last" and not _PREFIX.fullmatch(args.case):
        raise UsageError(f"{args.case!r} is no case id: give 6 or more of its characters, or last")
    with local.reach(args, screen.err, model=False) as api:
        answer = _case(api, whole_id(api, args.case.lower()))
    if args.json:
        screen.json(json.dumps(answer, ensure_ascii=False, indent=2))
        return DONE
    case = read_case(answer)
    report_head(case, screen.out, datetime.now(UTC))
    report(case, screen.out)
    if args.memory:
        report_memory(case, screen.out)
    if args.trace:
        report_trace(case, screen.out)
    report_usage(case, screen.out)
    return DONE


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
    found: list[str] = []
    for _ in range(_PAGES):
        page = api.cases(limit=_PAGE, cursor=cursor)
        found += [e["case_id"] for e in page["cases"] if e["case_id"].startswith(given)]
        cursor = page.get("next")
        if cursor is None:
            break
    if len(found) > 1:
        raise UsageError(f"{given} may be {' or '.join(found[:5])}: give more of the id")
    if not found:
        raise UsageError(
            f"none of the last {_PAGE * _PAGES} cases begins with {given}: "
            "give the whole id, or see ./frontdesk cases"
        )
    return found[0]


def _case(api: Api, case_id: str) -> dict[str, Any]:
    try:
        return api.case(case_id)
    except RefusedError as error:
        if error.status == 404:
            raise UsageError(f"there is no case {case_id}") from None
        raise
