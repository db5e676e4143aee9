"""``cancel``: stop a case."""

from __future__ import annotations

import argparse

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.terminal import Ink, Screen
from entrypoints.cli.which import add_case, whole_id
from entrypoints.cli.who import add_who, signed

EXAMPLES = """\
examples:
  ./frontdesk cancel 3f2a9c1b --reason "sent twice"
  ./frontdesk cancel last --reason "a test" --by maria

Nothing more of the case begins. What has been done already, such as a mail that was sent, stays.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_case(parser)
    add_who(parser, reason=True)
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Cancel the case; nothing more of it begins."""
    with local.reach(args, screen.err, work=False) as api:
        case_id = whole_id(api, args.case)
        api.act(case_id, "cancel", signed(args))
    screen.out.line("case ", Ink(case_id, "bold"), "  cancelled")
    return DONE
