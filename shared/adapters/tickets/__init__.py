"""Ticket systems: a module for each, found by its name in the desk file.

A module has ``missing(around)``, why it cannot be used here, empty when it can, and
``system(around)``, the ticket system. Nothing else needs to know of it.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.ports.tickets import TicketSystem


class TicketModule(Protocol):
    """What a ticket system's module offers."""

    def missing(self, around: Around) -> str:
        """Why it cannot be used in this installation."""

    def system(self, around: Around) -> TicketSystem:
        """The system."""


def names() -> tuple[str, ...]:
    """Every ticket system that there is."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> TicketModule:
    """The ticket system of that name, one of ``names()``."""
    return cast("TicketModule", import_module(f"{__name__}.{name}"))
