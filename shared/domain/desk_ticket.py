"""What a desk file says of tickets that are opened in a ticket system."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from shared.domain.stage import EffectRequest, Urgency
from shared.domain.written import Line, Name, Part

#: The label of every ticket that we open.
LABEL = "frontdesk"
#: The sink of tickets that escalations open.
SINK = "ticket"


class TicketPlace(Part):
    """Where a ticket goes and how it is sorted.

    Attributes:
        system: A ticket system.
        queue: Where in it, in the system's own form; without it what the installation sets.
        priority: Without it the case's urgency.
        labels: Besides ``frontdesk``.
    """

    system: Name = "ledger"
    queue: Line | None = None
    priority: Urgency | None = None
    labels: Annotated[tuple[Name, ...], Field(max_length=10)] = ()


class Escalation(Part):
    """What an escalation does besides telling people.

    Attributes:
        ticket: The ticket that it opens: a system alone, or a system with fields.
    """

    ticket: TicketPlace | None = None

    @field_validator("ticket", mode="before")
    @classmethod
    def _system_alone(cls, value: object) -> object:
        return {"system": value} if isinstance(value, str) else value

    def opens(self, turn: int) -> tuple[EffectRequest, ...]:
        """The effect that opens the ticket of a turn: one, whatever in it needs a person."""
        if self.ticket is None:
            return ()
        to = (self.ticket.system,)
        return (EffectRequest(key=f"ticket-{turn}", sink=SINK, to=to, turn=turn),)
