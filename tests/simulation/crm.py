"""A CRM in the simulated world: tickets that customers write into, and an API that has troubles.

Of ``thin`` customers' tickets its webhooks only say that something came, several times for one
message, and also when we ourselves wrote; the words are fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from shared.adapters.memory import MemoryConnectors
from shared.domain.inbound import CustomerWords, InboundMessage
from shared.errors import PermanentError, RetryableError
from tests.simulation.ports import SimulatedSink

if TYPE_CHECKING:
    from shared.ports import EffectCall
    from shared.ports.crm import Connector
    from tests.simulation.faults import Fault
    from tests.simulation.watch import Watch
    from tests.simulation.world import World

#: The sink's name and the vendor's.
VENDOR = "crm"


class SimulatedCrm:
    """The vendor.

    Attributes:
        tickets: Customers' messages by ticket: id and text.
    """

    kind = "queryable"
    window = 0.0
    drafts = False
    polls = False

    def __init__(self, world: World, watch: Watch) -> None:
        self.tickets: dict[str, list[tuple[str, str]]] = {}
        self._world = world
        self._watch = watch

    @property
    def connectors(self) -> MemoryConnectors:
        """This vendor at the desk ``hotel``."""
        connector: Any = self
        found: dict[tuple[str, str], Connector] = {("hotel", VENDOR): connector}
        return MemoryConnectors(found)

    def write(self, ticket: str, name: str, text: str) -> None:
        """A customer writes."""
        self.tickets.setdefault(ticket, []).append((name, text))

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        who = self._world.current()

        def act() -> list[CustomerWords]:
            return [CustomerWords(id=n, text=t) for n, t in self.tickets.get(ticket_id, ())]

        def refused(_: Fault) -> list[CustomerWords]:
            raise PermanentError("crm_ticket_missing")

        def busy(fault: Fault) -> list[CustomerWords]:
            self._watch.model_refused(who, fault.seconds)
            raise RetryableError("crm_rate_limited", fault.seconds)

        troubles = {"refused": refused, "busy": busy}
        return await self._world.call("connector.fetch", ticket_id, act, troubles)


class CrmSimulatedSink(SimulatedSink):
    """Our words in its tickets.

    Attributes:
        told: Called with the ticket whenever something was written into it.
    """

    told: Callable[[str], None]

    def _apply(self, call: EffectCall) -> str:
        before = len(self.inner.ledger)
        receipt = super()._apply(call)
        if len(self.inner.ledger) > before:
            self.told(call.request.to[0])
        return receipt


def event(ticket: str, name: str, text: str | None) -> InboundMessage:
    """One event of a webhook: with the text, or only that there is one."""
    return InboundMessage(
        event="message",
        kind="follow_up",
        ticket_id=ticket,
        delivery_id=name,
        text=text or "",
        fetch=None if text else "all",
    )
