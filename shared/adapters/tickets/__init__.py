"""Ticket systems: a module for each, found by its name in the desk file.

A module has ``TICKETS``, a class; those of vendors are subclasses of VendorTickets. Nothing else
needs to know of it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.ports.tickets import TicketSystem


class TicketModule(Protocol):
    """What a module's ``TICKETS`` offers.

    Attributes:
        settings: What can be set, by the last part of the name, with a line for people.
    """

    @property
    def settings(self) -> Mapping[str, str]: ...

    def queue_problem(self, queue: str) -> str:
        """What is wrong with a queue as a desk file has it; empty when nothing is."""

    def missing(self, around: Around, desk: str, queue: str) -> str:
        """Why no ticket can be made for this desk in this installation; empty when one can."""

    def system(self, around: Around, desk: str) -> TicketSystem:
        """The system, as the desk is known to it."""


def names() -> tuple[str, ...]:
    """Every ticket system that there is."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> TicketModule:
    """The ticket system of that name, one of ``names()``."""
    return cast("TicketModule", import_module(f"{__name__}.{name}").TICKETS)


def unknown_settings(given: Iterable[str], desks: Iterable[str]) -> list[str]:
    """Settings that no desk and system has, by their whole names.

    Args:
        given: By what follows FRONTDESK_TICKETS_.
        desks: Names of desks as they stand in settings.
    """
    prefixes = ("", *(f"{desk}_" for desk in desks))
    known = {
        f"{prefix}{system.upper()}_{name}"
        for system in names()
        for name in load(system).settings
        for prefix in prefixes
    }
    return [f"FRONTDESK_TICKETS_{name}" for name in sorted(set(given) - known)]
