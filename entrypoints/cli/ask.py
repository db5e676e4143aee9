"""``ask``: one message through every agent."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from entrypoints.cli import local
from entrypoints.cli.api import Api
from entrypoints.cli.exits import DONE, PERSON_NEEDED, CliError
from entrypoints.cli.follow import follow, read_case
from entrypoints.cli.question import local_desks, read_question
from entrypoints.cli.report import report, report_usage
from entrypoints.cli.terminal import Ink, Screen, Terminal

if TYPE_CHECKING:
    from shared.domain.case import StageView, SupportCase

EXAMPLES = """\
examples:
  ./frontdesk ask                                   asks for the scene, then for the message
  ./frontdesk ask --desk hotel "My room is dirty and nobody came."
  ./frontdesk ask --scene "A bakery in Lyon." "Merci, the bread was lovely."
  ./frontdesk ask --desk bank --file letter.txt     the message from a file
  pbpaste | ./frontdesk ask --desk bank             the message from a pipe
  ./frontdesk ask --desk hotel --json "Hi" | jq .status

Starts the local stack when none answers, and stops what it started. Progress goes to stderr, the
result to stdout.

exit codes: 0 finished, 2 bad usage, 3 a person is needed because a stage could not be finished,
1 anything else, 130 interrupted.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "message", nargs="*", metavar="MESSAGE", help="what the customer writes; - reads stdin"
    )
    scene = parser.add_mutually_exclusive_group()
    scene.add_argument("--desk", metavar="NAME", help=f"a desk: {', '.join(local_desks())}")
    scene.add_argument("--scene", metavar="TEXT", help="or a scene of your own, in a sentence")
    parser.add_argument("--file", metavar="PATH", help="read the message from a UTF-8 file")
    add_waiting(parser)
    local.add_address(parser)


def add_waiting(parser: argparse._ActionsContainer) -> None:
    """Add the options of waiting for a case."""
    parser.add_argument(
        "--timeout",
        type=local.seconds,
        default=180.0,
        metavar="SECONDS",
        help="how long to wait for the case (default 180); it is stored all the same",
    )
    parser.add_argument("--json", action="store_true", help="print the final case as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Send the message, follow its case and print what became of it."""
    elsewhere = local.elsewhere(args)
    desks = elsewhere.desks() if elsewhere else local_desks()
    question = read_question(args, screen.err, desks)
    progress = None if args.quiet else screen.err
    with local.reach(args, progress) as api:
        case_id = api.receive(question.about, question.message)
        if progress:
            about = question.about.get("desk", "a free scene")
            progress.line("case ", Ink(case_id, "bold"), f"  {about}")
        return see_through(api, case_id, args, screen)


def see_through(api: Api, case_id: str, args: argparse.Namespace, screen: Screen) -> int:
    """Follow a case that was just handed in, print what became of it, return the exit code."""
    progress = None if args.quiet else screen.err
    answer = _follow(api, case_id, screen.err, progress, args.timeout)
    case = read_case(answer)
    if args.json:
        screen.json(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        report(case, screen.out)
        report_usage(case, screen.out)
        screen.out.line(Ink(f"look again: ./frontdesk show {case_id[:8]}", "dim"))
    failed = [stage.stage for stage in case.stages if _is_open(stage, case)]
    if failed:
        names = ", ".join(failed)
        screen.err.line(Ink(f"a person is needed: {names} could not be finished", "red"))
    return PERSON_NEEDED if failed else DONE


def _is_open(stage: StageView, case: SupportCase) -> bool:
    """True for what could not be finished and nobody has dealt with since."""
    dealt_with = [event.at for event in case.trace if event.event == "resolve"]
    begun = stage.claimed_at
    return stage.state == "error" and not (begun and any(at > begun for at in dealt_with))


def _follow(
    api: Api, case_id: str, err: Terminal, progress: Terminal | None, timeout: float
) -> dict[str, object]:
    later = (
        f"case {case_id} is stored and goes on whenever the stack runs (./frontdesk run); "
        f"look again with ./frontdesk show {case_id[:8]}"
    )
    try:
        return follow(api, case_id, progress, timeout)
    except CliError as error:
        raise CliError(f"{error}; {later}", error.code) from None
    except KeyboardInterrupt:
        err.line()
        err.line(later)
        raise
