"""Backend ``ticket``: a ticket in the system that the desk names, or in the built-in ledger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from shared.adapters import tickets
from shared.adapters.action_texts import action_of, gap_problems, gap_values
from shared.adapters.backends import Around, Backend, Shape
from shared.domain.letters import visible
from shared.domain.templates import fill
from shared.domain.written import Line, Name, Part, Text
from shared.errors import PermanentError
from shared.ports.tickets import Ticket

if TYPE_CHECKING:
    from shared.domain.desk_action import CatalogueAction
    from shared.ports import EffectCall

_TITLE_CHARS = 150
_TEXT_CHARS = 10_000


class Options(Part):
    """Where the ticket goes and what it says.

    Attributes:
        system: A ticket system.
        title: With gaps for arguments; without it the action's description.
        text: With gaps for arguments; without it the arguments.
    """

    system: Name = "ledger"
    title: Line | None = None
    text: Text | None = None


class TicketBackend(Backend):
    """The backend."""

    options = Options

    def problems(self, said: Options, shape: Shape) -> Iterable[tuple[str, str]]:
        """What is wrong with system and texts."""
        if said.system not in tickets.names():
            yield "system", f"{said.system!r} is not one of {', '.join(tickets.names())}"
        for field in ("title", "text"):
            if text := getattr(said, field):
                yield from gap_problems(field, text, shape, whole=False)

    def missing(self, said: Options, shape: Shape, around: Around) -> str:
        """Why no ticket can be made here."""
        del shape
        return tickets.load(said.system).missing(around)

    def sink(self, around: Around) -> TicketActions:
        """What makes the tickets."""
        return TicketActions(around)


class TicketActions:
    """Sink ``action-ticket``: the system is asked for our reference before it gets another."""

    kind: Literal["keyed", "queryable", "unkeyed"] = "queryable"
    window = 0.0

    def __init__(self, around: Around) -> None:
        self._around = around

    async def send(self, call: EffectCall) -> str:
        action, known = action_of(call)
        said = _options(known)
        values = gap_values(call, action)
        title = fill(said.title or known.description, values)
        arguments = "\n".join(f"{name}: {value}" for name, value in action.arguments.items())
        text = fill(said.text, values) if said.text else arguments
        parts = [visible(text, _TEXT_CHARS)]
        if action.reason:
            parts.append(f"Why: {visible(action.reason, _TITLE_CHARS)}")
        parts.append(f"Case {call.case.case_id}, desk {call.desk.name}, action {action.id}.")
        ticket = Ticket(
            reference=call.idempotency_key,
            desk=call.desk.name,
            title=" ".join(visible(title, _TITLE_CHARS).split()),
            text="\n\n".join(part for part in parts if part),
            case_id=call.case.case_id,
            at=self._around.clock.now(),
        )
        return await tickets.load(said.system).system(self._around).create(ticket)

    async def find(self, call: EffectCall) -> str | None:
        """The ticket of an earlier attempt."""
        said = _options(action_of(call)[1])
        system = tickets.load(said.system).system(self._around)
        return await system.find(call.idempotency_key, call.desk.name)


def _options(known: CatalogueAction) -> Options:
    said = Options.model_validate(known.backend.options)
    if said.system not in tickets.names():
        raise PermanentError("ticket_system_missing", f"there is no ticket system {said.system}")
    return said


BACKEND = TicketBackend()
