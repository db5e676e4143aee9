"""``reject``: say no to an action that waits for a yes."""

from __future__ import annotations

import argparse

from entrypoints.cli.decision import add_decision, decide
from entrypoints.cli.terminal import Screen

EXAMPLES = """\
examples:
  ./frontdesk reject 3f2a9c1b refund_guest --reason "the bill is right"

It is never carried out, also when the case is assessed again.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_decision(parser, reason=True)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Reject the action for good."""
    return decide(args, screen, "reject")
