"""``resolve``: a person has dealt with a case, or with a digest that did not reach everybody."""

from __future__ import annotations

import argparse

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.terminal import Ink, Screen
from entrypoints.cli.which import add_case, digest_of, whole_id
from entrypoints.cli.who import add_who, signed

EXAMPLES = """\
examples:
  ./frontdesk resolve 3f2a9c1b --reason "called the guest, room cleaned"
  ./frontdesk resolve digest:hotel:2026-03-29T0600Z --reason "everybody has read the mail"

The case needs nobody any more. The next message of its customer opens it again.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_case(parser, digests=True)
    add_who(parser, reason=True)
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Note that a person has dealt with the case."""
    with local.reach(args, screen.err, work=False) as api:
        if digest := digest_of(args.case):
            desk, window = digest
            api.act_on_digest(desk, "resolve", {**signed(args), "window": window})
            screen.out.line(Ink(args.case, "bold"), "  resolved")
            return DONE
        case_id = whole_id(api, args.case)
        api.act(case_id, "resolve", signed(args))
    screen.out.line("case ", Ink(case_id, "bold"), "  resolved")
    return DONE
