"""Mistakes that the simulator found, told as tests."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.partition import Partition
from shared.pipeline.intake import Arrival
from tests.support.world import World


async def test_deliveries_of_one_millisecond_share_an_open_mark_and_keep_it() -> None:
    """Given a delivery that comes twice within a millisecond, then the case stays marked."""
    world = World()
    arrival = Arrival(text="Hello", desk="hotel", delivery_id="d-1")
    first = await world.app.intake.accept(arrival)
    read, blind = world.store.read, [True]

    async def read_too_early(case_id: str) -> Partition:
        return Partition(case_id, ()) if blind and blind.pop() else await read(case_id)

    world.store.read = read_too_early  # type: ignore[method-assign]
    world.clock._now += timedelta(microseconds=100)
    again = await world.app.intake.accept(arrival)
    assert (again.case_id, again.redelivered) == (first.case_id, True)
    assert await world.open_marks() == 1
