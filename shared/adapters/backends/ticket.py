"""Backend ``ticket``: a ticket in the system that the desk names, or in the built-in ledger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from shared.adapters import tickets
from shared.adapters.action_texts import action_of, gap_problems, gap_values
from shared.adapters.backends import Around, Backend, Shape
from shared.adapters.ticket_orders import TicketOrders
from shared.domain.desk_ticket import TicketPlace
from shared.domain.templates import fill
from shared.domain.written import Line, Text

if TYPE_CHECKING:
    from shared.domain.desk_action import CatalogueAction
    from shared.ports import EffectCall

_REASON_CHARS = 150


class Options(TicketPlace):
    """Where the ticket goes and what it says.

    Attributes:
        title: With gaps for arguments; without it the action's description.
        text: With gaps for arguments; without it the arguments.
    """

    title: Line | None = None
    text: Text | None = None


class TicketBackend(Backend):
    """The backend."""

    options = Options

    def problems(self, said: Options, shape: Shape) -> Iterable[tuple[str, str]]:
        """What is wrong with system and texts."""
        yield from place_problems(said)
        for field in ("title", "text"):
            if text := getattr(said, field):
                yield from gap_problems(field, text, shape, whole=False)

    def missing(self, said: Options, shape: Shape, around: Around) -> str:
        """Why no ticket can be made here."""
        return tickets.load(said.system).missing(around, shape.desk, said.queue or "")

    async def reach(self, said: Options, shape: Shape, around: Around) -> str:
        """The system lets us read; nothing is made."""
        found = await TicketOrders(around).system(said.system, shape.desk).check(said.queue or "")
        return f"{said.system} {found}"

    def sink(self, around: Around) -> TicketActions:
        """What makes the tickets."""
        return TicketActions(around)


def place_problems(place: TicketPlace) -> Iterable[tuple[str, str]]:
    """What is wrong with where a ticket goes: field and reason."""
    if place.system not in tickets.names():
        yield "system", f"{place.system!r} is not one of {', '.join(tickets.names())}"
    elif why := tickets.load(place.system).queue_problem(place.queue or ""):
        yield "queue", why


class TicketActions:
    """Sink ``action-ticket``: the system is asked for our reference before it gets another."""

    kind: Literal["keyed", "queryable", "unkeyed"] = "queryable"
    window = 0.0

    def __init__(self, around: Around) -> None:
        self._orders = TicketOrders(around)

    async def send(self, call: EffectCall) -> str:
        action, known = action_of(call)
        said = _options(known)
        values = gap_values(call, action)
        title = fill(said.title or known.description, values)
        arguments = "\n".join(f"{name}: {value}" for name, value in action.arguments.items())
        text = fill(said.text, values) if said.text else arguments
        if action.reason:
            text += f"\n\nWhy: {action.reason[:_REASON_CHARS]}"
        footer = f"Case {call.case.case_id}, desk {call.desk.name}, action {action.id}."
        return await self._orders.create(call, said, title, text, footer)

    async def find(self, call: EffectCall) -> str | None:
        """The ticket of an earlier attempt."""
        return await self._orders.find(call, _options(action_of(call)[1]))


def _options(known: CatalogueAction) -> Options:
    return Options.model_validate(known.backend.options)


BACKEND = TicketBackend()
