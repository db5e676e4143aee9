"""``show``: everything about one case."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.follow import read_case
from entrypoints.cli.report import report, report_head, report_memory, report_trace, report_usage
from entrypoints.cli.terminal import Screen
from entrypoints.cli.which import add_case, whole_id

EXAMPLES = """\
examples:
  ./frontdesk show last              the newest case
  ./frontdesk show 3f2a9c1b          a case by the beginning of its id
  ./frontdesk show last --trace      and what happened when, and why
  ./frontdesk show last --memory     and what each agent was told and said
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_case(parser)
    parser.add_argument("--trace", action="store_true", help="what happened when, and why")
    parser.add_argument("--memory", action="store_true", help="each agent's messages")
    parser.add_argument("--json", action="store_true", help="print the case as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print the case."""
    with local.reach(args, screen.err, work=False) as api:
        answer = api.case(whole_id(api, args.case))
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
