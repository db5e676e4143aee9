"""Ticket system ``ledger``: tickets in a table beside the cases. Nothing needs to be set for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from shared.errors import ConfigError, ConflictError, RetryableError, UncertainError
from shared.ports.tickets import number_of

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.ports.tickets import Ticket, TicketLedger, TicketSystem


class LedgerTickets:
    """A reference is a row's key, so that no ticket is there twice."""

    settings: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def system(cls, around: Around, desk: str) -> TicketSystem:
        """The ledger as a ticket system."""
        del desk
        if around.ledger is None:
            raise ConfigError("the ledger of tickets needs storage")
        return cls(around.ledger)

    @classmethod
    def queue_problem(cls, queue: str) -> str:
        """It has none."""
        return "the ledger has no queues; leave this out" if queue else ""

    @classmethod
    def missing(cls, around: Around, desk: str, queue: str) -> str:
        """Nothing ever is."""
        del around, desk, queue
        return ""

    def __init__(self, ledger: TicketLedger) -> None:
        self._ledger = ledger

    async def find(self, ticket: Ticket) -> str | None:
        kept = await self._ledger.get(ticket.desk, ticket.reference)
        return number_of(ticket.reference) if kept else None

    async def create(self, ticket: Ticket) -> str:
        try:
            await self._ledger.insert(ticket)
        except ConflictError:
            pass  # our own, whose answer was lost
        except RetryableError as error:
            raise UncertainError(error.code, error.detail) from None
        return number_of(ticket.reference)

    async def check(self, queue: str) -> str:
        del queue
        return "beside the cases"


TICKETS = LedgerTickets
