"""What ``approve``, ``reject`` and ``done`` have in common: a decision on one action of a case."""

from __future__ import annotations

import argparse
from typing import Literal

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.terminal import Ink, Screen
from entrypoints.cli.which import add_case, whole_id
from entrypoints.cli.who import add_who, signed

_OUTCOMES = {"approve": "approved", "reject": "rejected", "done": "noted as done"}
_LATER = "no stack is running: what follows happens when one does (./frontdesk run)"


def add_decision(parser: argparse.ArgumentParser, *, reason: bool) -> None:
    """Add CASE, ACTION, and the reason, needed or not."""
    add_case(parser)
    parser.add_argument(
        "action",
        metavar="ACTION",
        help="an action's id as ./frontdesk show prints it, or its name when one can be meant",
    )
    add_who(parser, reason=reason)
    local.add_address(parser)


def decide(
    args: argparse.Namespace, screen: Screen, act: Literal["approve", "reject", "done"]
) -> int:
    """Decide, and say on what."""
    later = _LATER if act == "approve" else ""
    with local.reach(args, screen.err, work=False, later=later) as api:
        case_id = whole_id(api, args.case)
        action = api.decide(case_id, args.action, act, signed(args))
    name = Ink(action["name"], "cyan")
    screen.out.line("case ", Ink(case_id, "bold"), "  ", name, f"  {_OUTCOMES[act]}")
    if action["state"] == "to_do":
        screen.err.line(f"a person does it, and says so: ./frontdesk done {case_id} {action['id']}")
    return DONE
