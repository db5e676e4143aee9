"""Mistakes with tickets: made twice, or unknown to their case."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.simulation import tickets

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


def makes_without_look_up(simulation: Simulation, stack: ExitStack) -> None:
    """A ticket whose answer was lost is made again without asking for it."""

    async def unknown(_: Any) -> None:
        return None

    for sink in simulation.ticketing.values():
        stack.enter_context(patch.object(sink, "find", unknown))


def looks_up_at_once(simulation: Simulation, stack: ExitStack) -> None:
    """The vendor gets no time to end what it is at before it is asked."""
    stack.enter_context(patch.object(tickets, "UNSEEN", 0.0))


def forgets_found_tickets(simulation: Simulation, stack: ExitStack) -> None:
    """That a ticket is there is enough; which one it is, nobody keeps."""
    for sink in simulation.ticketing.values():

        async def found(call: Any, true: Any = sink.find) -> str | None:
            return None if await true(call) is None else "there"

        stack.enter_context(patch.object(sink, "find", found))
