"""Ticket systems, and the ledger that is one of them when nothing is set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ticket:
    """Something for other people to do, in whatever system they work with.

    Attributes:
        reference: Ours, unlike any other ticket's; the system is asked for it before it gets
            another.
        title: One line.
        text: What is to be done, and where it came from.
        case_id: The case that it belongs to.
        at: UTC.
    """

    reference: str
    desk: str
    title: str
    text: str
    case_id: str
    at: datetime


def number_of(reference: str) -> str:
    """What people call a ticket of the ledger: short, and the same for the same reference."""
    return f"T-{hashlib.sha256(reference.encode()).hexdigest()[:8]}"


class TicketSystem(Protocol):
    """Where tickets go. Each has a module in ``shared.adapters.tickets``."""

    async def find(self, reference: str, desk: str) -> str | None:
        """The number or address of the ticket of that reference; None when there is none.

        Raises:
            RetryableError: The system cannot say now.
        """

    async def create(self, ticket: Ticket) -> str:
        """Makes a ticket and returns its number or address.

        Raises:
            RetryableError: It surely was not made; later it may be.
            UncertainError: It may have been made.
            PermanentError: It never will be.
        """


class TicketLedger(Protocol):
    """Tickets kept beside the cases, for people to read."""

    async def insert(self, ticket: Ticket) -> None:
        """Keeps a ticket.

        Raises:
            ConflictError: One of that reference is there, perhaps because our own answer was lost.
        """

    async def get(self, desk: str, reference: str) -> Ticket | None:
        """The ticket of that reference; None when there is none."""

    async def entries(self, desk: str, limit: int) -> list[Ticket]:
        """Up to ``limit`` tickets of a desk, newest first."""
