"""Mistakes that the simulator found, told as tests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.case import IndexEntry, Status
from shared.domain.partition import Partition
from shared.errors import RetryableError
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


@pytest.mark.parametrize("act", ["cancel", "resolve"])
async def test_an_act_that_is_repeated_puts_right_what_it_left_in_the_listing(act: str) -> None:
    """Given an act whose listing failed, when it comes again, then the case is listed as it is."""
    world = World()
    case_id = await world.open()
    if act == "resolve":
        await world.deliver()
    put, storage_answers = world.index.put, [True, True, False]

    async def put_or_fail(entry: IndexEntry) -> None:
        if storage_answers and not storage_answers.pop(0):
            raise RetryableError("storage_down")
        await put(entry)

    world.index.put = put_or_fail  # type: ignore[method-assign]
    do = getattr(world.app.acts, act)
    with pytest.raises(RetryableError):
        await do(case_id, "ana", "a duplicate")
    status: Status = "cancelled" if act == "cancel" else "resolved"
    assert await listed(world, status) == []
    await do(case_id, "ana", "a duplicate")
    assert await listed(world, status) == [case_id]


async def listed(world: World, status: Status) -> list[str]:
    entries, _ = await world.index.page(["hotel"], [status], None, None, 10)
    return [entry.case_id for entry in entries]
