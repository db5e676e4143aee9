"""``message``: what the customer of a case writes next."""

from __future__ import annotations

import argparse

from entrypoints.cli import local
from entrypoints.cli.ask import add_waiting, see_through
from entrypoints.cli.question import read_message
from entrypoints.cli.terminal import Ink, Screen
from entrypoints.cli.which import add_case, whole_id

EXAMPLES = """\
examples:
  ./frontdesk message last "Thank you, the room is clean now."
  ./frontdesk message 3f2a9c1b --file letter.txt
  pbpaste | ./frontdesk message 3f2a9c1b -

A new turn of the case, in which every agent works again. Waits for it and shows it, with the exit
codes of ask.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_case(parser)
    parser.add_argument(
        "message", nargs="*", metavar="TEXT", help="what the customer writes; - reads stdin"
    )
    parser.add_argument("--file", metavar="PATH", help="read the message from a UTF-8 file")
    add_waiting(parser)
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Send the message, follow its case and print what became of it."""
    message = read_message(args, screen.err)
    progress = None if args.quiet else screen.err
    with local.reach(args, progress) as api:
        case_id = whole_id(api, args.case)
        api.follow_up(case_id, message)
        if progress:
            progress.line("case ", Ink(case_id, "bold"))
        return see_through(api, case_id, args, screen)
