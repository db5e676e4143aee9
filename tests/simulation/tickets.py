"""Ticket systems of the simulated world: a vendor's, which makes all it is told to, and the ledger.

The product's own sinks ask for the tickets; only what is behind the ports is simulated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from shared.adapters.backends import Around
from shared.adapters.backends.ticket import TicketActions
from shared.adapters.escalation_tickets import EscalationTickets
from shared.adapters.memory import MemoryTickets
from shared.adapters.memory_sinks import Applied
from shared.errors import PermanentError, UncertainError
from shared.ports.tickets import number_of
from tests.simulation.ports import TrueClock
from tests.simulation.world import instantly

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from shared.ports import EffectCall
    from shared.ports.tickets import Ticket
    from tests.simulation.faults import Fault
    from tests.simulation.world import World

#: As desk files name the vendor's; the simulated one is nobody's in particular.
VENDOR = "jira"
#: Seconds after a lost answer within which the vendor may still make the ticket.
UNSEEN = 60.0
#: As for a queryable receiver: a request that leaves later meets another worker's look-up.
_SLOWEST = 5.0


class SimulatedTickets:
    """TicketSystem of the vendor, and TicketLedger.

    Attributes:
        made: When, which, and what people know it by, in order.
        asked: The latest attempt at each reference.
    """

    def __init__(self, world: World) -> None:
        self.made: list[tuple[datetime, Ticket, str]] = []
        self.asked: dict[str, EffectCall] = {}
        self._kept = MemoryTickets()
        self._clock = TrueClock(world)
        self._world = world

    def receipts(self, reference: str) -> list[str]:
        """What people know the tickets of that reference by."""
        return [receipt for _, ticket, receipt in self.made if ticket.reference == reference]

    async def create(self, ticket: Ticket) -> str:
        def act() -> str:
            number = f"OPS-{len(self.made) + 1}"
            receipt = f"{number} https://tickets.example.com/{number}"
            self.made.append((self._clock.now(), ticket, receipt))
            return receipt

        def refused(_: Fault) -> str:
            raise PermanentError("ticket_refused", "HTTP 403")

        def unsure(_: Fault) -> str:
            raise UncertainError("answer_lost", "simulated, not made", UNSEEN)

        def belated(fault: Fault) -> str:
            self._world.later(fault.seconds, act)
            raise UncertainError("answer_lost", "simulated, made later", UNSEEN)

        troubles = {"refused": refused, "unsure": unsure, "belated": belated}
        about = ticket.reference[:8]
        return await self._world.call("tickets.create", about, act, troubles, _SLOWEST)

    async def find(self, ticket: Ticket) -> str | None:
        def act() -> str | None:
            return next(iter(self.receipts(ticket.reference)), None)

        return await self._world.call("tickets.find", ticket.reference[:8], act)

    async def check(self, queue: str) -> str:
        raise AssertionError(f"nobody asks here: {queue}")

    async def insert(self, ticket: Ticket) -> None:
        def act() -> None:
            instantly(self._kept.insert(ticket))
            self.made.append((self._clock.now(), ticket, number_of(ticket.reference)))

        await self._world.call("tickets.insert", ticket.reference[:8], act)

    async def get(self, desk: str, reference: str) -> Ticket | None:
        return await self._world.call(
            "tickets.get", reference[:8], lambda: instantly(self._kept.get(desk, reference))
        )

    async def entries(self, desk: str, limit: int) -> list[Ticket]:
        return await self._kept.entries(desk, limit)


class TicketSink:
    """One of the product's sinks of tickets, over the simulated systems."""

    window = 0.0

    def __init__(
        self, tickets: SimulatedTickets, product: TicketActions | EscalationTickets, name: str
    ) -> None:
        self.kind: Literal["keyed", "queryable", "unkeyed"] = product.kind
        self.product = product
        self._tickets = tickets
        self._name = name

    @property
    def ledger(self) -> list[Applied]:
        """What was made for its effects."""
        asked = ((at, self._tickets.asked[t.reference]) for at, t, _ in self._tickets.made)
        return [
            Applied(call.idempotency_key, call.request, at)
            for at, call in asked
            if call.request.sink == self._name
        ]

    async def send(self, call: EffectCall) -> str:
        self._tickets.asked[call.idempotency_key] = call
        return await self.product.send(call)

    async def find(self, call: EffectCall) -> str | None:
        return await self.product.find(call)


def ticket_sinks(tickets: SimulatedTickets, desks: Iterable[str]) -> dict[str, TicketSink]:
    """The product's sinks of tickets by name, for these desks."""
    around = Around(clock=tickets._clock, ledger=tickets)
    found: dict[str, Any] = {
        "ticket": EscalationTickets(around),
        "action-ticket": TicketActions(around),
    }
    for product in found.values():
        product._orders._made |= {(VENDOR, desk): tickets for desk in desks}
    return {name: TicketSink(tickets, product, name) for name, product in found.items()}
