"""``approve``: say yes to an action that waits for it."""

from __future__ import annotations

import argparse

from entrypoints.cli.decision import add_decision, decide
from entrypoints.cli.terminal import Screen

EXAMPLES = """\
examples:
  ./frontdesk approve 3f2a9c1b refund_guest --reason "charged twice"
  ./frontdesk approve last refund_guest-1-3fa2b1c4d5 --by maria

It is carried out once, with the arguments that ./frontdesk show prints. ./frontdesk approvals lists
what waits for a yes.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_decision(parser, reason=False)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Approve the action; it is carried out once, as it was shown."""
    return decide(args, screen, "approve")
