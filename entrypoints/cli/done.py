"""``done``: a person has carried an action out by hand."""

from __future__ import annotations

import argparse

from entrypoints.cli.decision import add_decision, decide
from entrypoints.cli.terminal import Screen

EXAMPLES = """\
examples:
  ./frontdesk done 3f2a9c1b request_callback --reason "called, all well"

For actions that people carry out by hand, and for those that their backend refused or may have
carried out.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_decision(parser, reason=False)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Note that a person has carried the action out."""
    return decide(args, screen, "done")
