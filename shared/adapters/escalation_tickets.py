"""Sink ``ticket``: the ticket that an escalation opens, where the desk wants one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shared.adapters.ticket_orders import TicketOrders
from shared.domain.letters import escalation_ticket
from shared.errors import PermanentError

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.domain.desk_ticket import TicketPlace
    from shared.ports import EffectCall


class EscalationTickets:
    """The system is asked for our reference before it gets another ticket."""

    kind: Literal["keyed", "queryable", "unkeyed"] = "queryable"
    window = 0.0

    def __init__(self, around: Around) -> None:
        self._orders = TicketOrders(around)

    async def send(self, call: EffectCall) -> str:
        title, text = escalation_ticket(call.case, call.desk)
        footer = f"Case {call.case.case_id}, message {call.request.turn}."
        return await self._orders.create(call, _place(call), title, text, footer)

    async def find(self, call: EffectCall) -> str | None:
        return await self._orders.find(call, _place(call))


def _place(call: EffectCall) -> TicketPlace:
    place = call.desk.escalation.ticket
    if place is None or (place.system,) != call.request.to:
        raise PermanentError("ticket_not_wanted", "the desk file no longer asks for this ticket")
    return place
