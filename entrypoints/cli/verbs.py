"""The verbs: a row and a module each.

A verb's module has three names, and is imported only when its verb is used:

    EXAMPLES              shown at the end of its --help
    arguments(parser)     adds its options
    run(args, screen)     does it and returns the exit code
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    import argparse

    from entrypoints.cli.terminal import Screen


class VerbModule(Protocol):
    """What a verb's module offers."""

    EXAMPLES: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the verb's options to its parser."""

    def run(self, args: argparse.Namespace, screen: Screen) -> int:
        """Do it.

        Returns:
            The exit code.

        Raises:
            CliError: It could not be done; the line to print and the exit code.
        """


class Verb(NamedTuple):
    """A verb: what people type, what it does, and where."""

    name: str
    summary: str
    module: str

    def load(self) -> VerbModule:
        """Import the verb's module."""
        return cast("VerbModule", import_module(self.module))


VERBS = (
    Verb("ask", "Send one message through every agent and follow its case.", "entrypoints.cli.ask"),
    Verb("run", "Bring the local stack up and keep it up until Ctrl-C.", "entrypoints.cli.run"),
    Verb("cases", "List cases, newest first.", "entrypoints.cli.cases"),
    Verb("show", "Show one case in full.", "entrypoints.cli.show"),
    Verb("message", "Send what the customer of a case writes next.", "entrypoints.cli.message"),
    Verb(
        "approvals",
        "List what waits for somebody's yes, or is to be done by hand.",
        "entrypoints.cli.approvals",
    ),
    Verb("approve", "Say yes to an action.", "entrypoints.cli.approve"),
    Verb("reject", "Say no to an action.", "entrypoints.cli.reject"),
    Verb("done", "Tick off an action that a person carried out.", "entrypoints.cli.done"),
    Verb("parked", "List what could not be finished and needs a person.", "entrypoints.cli.parked"),
    Verb("replay", "Run what could not be finished again.", "entrypoints.cli.replay"),
    Verb("resolve", "Say that a person has dealt with a case.", "entrypoints.cli.resolve"),
    Verb("cancel", "Stop a case: nothing more of it begins.", "entrypoints.cli.cancel"),
    Verb("digest", "Show or send a desk's digest.", "entrypoints.cli.digest"),
    Verb("budget", "Show what desks may use of the model, and did.", "entrypoints.cli.budget"),
    Verb("quarantine", "List queue messages that make no sense.", "entrypoints.cli.quarantine"),
    Verb("webhook", "Send a delivery as a CRM would, or check one.", "entrypoints.cli.webhook"),
    Verb("actions", "Serve a stand-in for actions, or check them.", "entrypoints.cli.actions"),
    Verb("emulate", "Serve a model that does what a script says.", "entrypoints.cli.emulate"),
    Verb("eval", "Measure prompts, rules and a model.", "entrypoints.cli.evaluate"),
    Verb("chaos", "Kill hosts while they work and check the rest.", "entrypoints.cli.chaos"),
)


def find(name: str) -> Verb | None:
    """The verb of that name."""
    return next((verb for verb in VERBS if verb.name == name), None)
