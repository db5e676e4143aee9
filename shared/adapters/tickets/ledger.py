"""Ticket system ``ledger``: tickets in a table beside the cases. Nothing needs to be set for it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from shared.errors import ConfigError, ConflictError
from shared.ports.tickets import number_of

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.ports.tickets import Ticket, TicketLedger, TicketSystem


def missing(around: Around) -> str:
    """Nothing ever is."""
    del around
    return ""


def system(around: Around) -> TicketSystem:
    """The ledger as a ticket system."""
    if around.ledger is None:
        raise ConfigError("the ledger of tickets needs storage")
    return LedgerTickets(around.ledger)


class LedgerTickets:
    """A reference is a row's key, so that no ticket is there twice."""

    def __init__(self, ledger: TicketLedger) -> None:
        self._ledger = ledger

    async def find(self, reference: str, desk: str) -> str | None:
        kept = await self._ledger.get(desk, reference)
        return number_of(reference) if kept else None

    async def create(self, ticket: Ticket) -> str:
        # A conflict is our own ticket, whose answer was lost.
        with suppress(ConflictError):
            await self._ledger.insert(ticket)
        return number_of(ticket.reference)
