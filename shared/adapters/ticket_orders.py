"""Tickets as they are handed to ticket systems, whoever asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.adapters import tickets
from shared.domain.desk_ticket import LABEL, TicketPlace
from shared.domain.letter_text import visible, where_to_look
from shared.domain.masking import mask
from shared.errors import PermanentError
from shared.ports.tickets import Ticket, TicketSystem

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.ports import EffectCall

_TITLE_CHARS = 150
_TEXT_CHARS = 10_000


class TicketOrders:
    """Makes tickets of effects, and finds those of earlier attempts. Each system is made once."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._made: dict[tuple[str, str], TicketSystem] = {}

    async def create(
        self, call: EffectCall, place: TicketPlace, title: str, text: str, footer: str
    ) -> str:
        """Makes a ticket of somebody else's words and our own footer; returns the receipt."""
        system = self.system(place.system, call.desk.name)
        return await system.create(self._ticket(call, place, title, text, footer))

    async def find(self, call: EffectCall, place: TicketPlace) -> str | None:
        """The receipt of an earlier attempt; None when there was none."""
        system = self.system(place.system, call.desk.name)
        return await system.find(self._ticket(call, place))

    def system(self, name: str, desk: str) -> TicketSystem:
        """A desk's ticket system.

        Raises:
            PermanentError: ``ticket_system_missing``.
        """
        if name not in tickets.names():
            raise PermanentError("ticket_system_missing", f"there is no ticket system {name}")
        if (name, desk) not in self._made:
            self._made[name, desk] = tickets.load(name).system(self._around, desk)
        return self._made[name, desk]

    def _ticket(
        self,
        call: EffectCall,
        place: TicketPlace,
        title: str = "",
        text: str = "",
        footer: str = "",
    ) -> Ticket:
        case = call.case
        parts = (visible(mask(text).text, _TEXT_CHARS), footer)
        return Ticket(
            reference=call.idempotency_key,
            desk=call.desk.name,
            title=" ".join(visible(mask(title).text, _TITLE_CHARS).split()),
            text="\n\n".join(part for part in parts if part),
            case_id=case.case_id,
            at=self._around.clock.now(),
            priority=place.priority or case.urgency or "",
            labels=(LABEL, *place.labels),
            look=where_to_look(self._around.public_url, case.case_id),
            queue=place.queue or "",
            since=case.created_at,
        )
