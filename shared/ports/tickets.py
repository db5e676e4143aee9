"""Ticket systems, and the ledger that is one of them when nothing is set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.domain.stage import Urgency


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
        priority: The case's urgency, or what the desk file says; empty for the system's own.
        labels: What it is sorted by.
        look: Where to see the case: a URL, or a command.
        queue: Where in the system it goes, in the system's own form; empty for what is set.
        since: UTC; it was not made before.
    """

    reference: str
    desk: str
    title: str
    text: str
    case_id: str
    at: datetime
    priority: Urgency | Literal[""] = ""
    labels: tuple[str, ...] = ()
    look: str = ""
    queue: str = ""
    since: datetime | None = None


def number_of(reference: str) -> str:
    """What people call a ticket of the ledger: short, and the same for the same reference."""
    return f"T-{hashlib.sha256(reference.encode()).hexdigest()[:8]}"


class TicketSystem(Protocol):
    """Where tickets go. Each has a module in ``shared.adapters.tickets``."""

    async def find(self, ticket: Ticket) -> str | None:
        """The number and address of the ticket of that reference; None when there is none.

        Raises:
            RetryableError: The system cannot say now.
            PermanentError: It will not say before somebody changes a setting.
        """

    async def create(self, ticket: Ticket) -> str:
        """Makes a ticket and returns its number and address.

        Raises:
            RetryableError: It surely was not made; later it may be.
            UncertainError: It may have been made.
            PermanentError: It never will be.
        """

    async def check(self, queue: str) -> str:
        """Reads something as itself and says what is there; makes nothing.

        Args:
            queue: As in a ticket.

        Raises:
            RetryableError, PermanentError: Tickets cannot be made there, and why.
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
