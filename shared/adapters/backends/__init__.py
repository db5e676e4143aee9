"""What carries actions out: a module for each backend, found by its name in the desk file.

A module has ``BACKEND``, and nothing else needs to know of it. docs/actions.md walks through adding
one.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from shared.domain.proposed import sink_of
from shared.domain.written import Part

if TYPE_CHECKING:
    from shared.adapters.backends.python import Function
    from shared.adapters.mail import Mailer
    from shared.ports import Clock, Sink
    from shared.ports.tickets import TicketLedger


@dataclass(frozen=True, slots=True)
class Shape:
    """An action as far as a backend has to know it when a desk file is read.

    Attributes:
        desk: The desk's name.
        action: The action's name.
        arguments: Whether each is required, by name.
        hosts: The desk's ``service_hosts``.
    """

    desk: str
    action: str
    arguments: Mapping[str, bool]
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What backends find around them.

    Attributes:
        addresses: Where the desks' services are, by desk's name in capitals; ``""`` for all others.
        secrets: By name in capitals, ``-`` written as ``_``.
        development: Whether this runs on a developer's machine.
        mailer: Hands mail in; None where no way is set.
        functions: Functions of the installation's own, by name.
        ledger: Tickets beside the cases; None while only desk files are read.
        tickets: Settings of ticket systems, by what follows FRONTDESK_TICKETS_.
        public_url: Where people reach this app; empty for the command instead.
    """

    clock: Clock
    addresses: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    development: bool = False
    mailer: Mailer | None = None
    functions: Mapping[str, Function] = field(default_factory=dict)
    ledger: TicketLedger | None = None
    tickets: Mapping[str, str] = field(default_factory=dict, repr=False)
    public_url: str = ""

    def address_of(self, desk: str) -> str:
        """Where a desk's service is; empty when nobody said."""
        return self.addresses.get(setting_name(desk)) or self.addresses.get("", "")


class Backend:
    """One way to carry actions out. Subclasses change what they need.

    Attributes:
        options: What a desk file may say besides the type.
    """

    options: type[Part] = Part

    def problems(self, said: Any, shape: Shape) -> Iterable[tuple[str, str]]:
        """What is wrong with the options for this action: field and reason."""
        del said, shape
        return ()

    def missing(self, said: Any, shape: Shape, around: Around) -> str:
        """Why the action cannot be carried out so in this installation; empty when it can."""
        del said, shape, around
        return ""

    async def reach(self, said: Any, shape: Shape, around: Around) -> str:
        """Tries whatever carries the action out as far as it can be without doing anything.

        Asked only where nothing is missing.

        Returns:
            What was tried and found, in a few words.

        Raises:
            RetryableError, PermanentError: It cannot be reached, or refuses us.
        """
        del said, shape, around
        return "people do it"

    def sink(self, around: Around) -> Sink | None:
        """What carries the actions out; None when people do."""
        del around
        return None


def names() -> tuple[str, ...]:
    """Every backend that there is."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Backend:
    """The backend of that name, one of ``names()``."""
    return cast("Backend", import_module(f"{__name__}.{name}").BACKEND)


def sinks(around: Around) -> dict[str, Sink]:
    """The sinks of all backends, by the names that effects call them."""
    made = {sink_of(name): load(name).sink(around) for name in names()}
    return {name: sink for name, sink in made.items() if sink is not None}


def setting_name(name: str) -> str:
    """A name as it ends a setting's: ``front-office`` becomes ``FRONT_OFFICE``."""
    return name.upper().replace("-", "_")
