"""Cases in which actions are proposed, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.case import ActionView, SupportCase
from tests.support.proposals import proposing
from tests.support.world import World

PAY = ("pay", {"amount": 40})
HELP = ("send_help", {"place": "room 4"})


async def a_case(*actions: tuple[str, Mapping[str, object]]) -> tuple[World, str]:
    world = World(proposing(*actions))
    case_id = await world.open(desk="acting")
    await world.deliver()
    return world, case_id


def action(case: SupportCase, name: str) -> ActionView:
    (found,) = [a for a in case.actions if a.name == name]
    return found


def carried_out(world: World) -> list[tuple[str, object]]:
    return [
        (a.request.action.name, a.request.action.arguments)
        for a in world.backend.ledger
        if a.request.action
    ]


async def minutes(world: World, count: int) -> None:
    """Lets time pass with a sweep at its end."""
    world.clock.advance(60 * count)
    await world.app.sweeper.sweep()
    await world.deliver()
