"""The SLA clock from message to end: the sweep sets states, and waiting costs nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.adapters.memory import MemoryCaseStore
from shared.domain.partition import Partition
from tests.support.world import NEGATIVE, POSITIVE, World

AT_RISK, BREACHED = timedelta(hours=6), timedelta(hours=8)


class CountingStore(MemoryCaseStore):
    """Counts readings."""

    readings = 0

    async def read(self, case_id: str) -> Partition:
        self.readings += 1
        return await super().read(case_id)


async def escalated(world: World) -> str:
    """A case of a desk that promises an end within eight hours, waiting for a person."""
    case_id = await world.open(desk="prompt")
    await world.deliver()
    assert (await world.case(case_id)).status == "escalated"
    return case_id


async def pass_time(world: World, time: timedelta) -> dict[str, int]:
    world.clock.advance(time.total_seconds())
    counts = await world.app.sweeper.sweep()
    await world.deliver()
    return counts


async def standings(world: World, case_id: str) -> dict[str, str]:
    case = await world.case(case_id)
    return {view.target: view.standing for view in case.targets}


async def listed(world: World, case_id: str) -> tuple[Any, ...]:
    entries, _ = await world.index.page(["prompt"], ["escalated", "open"], None, None, 10)
    [entry] = [entry for entry in entries if entry.case_id == case_id]
    return entry.status, entry.sla


async def test_a_case_that_waits_for_a_person_is_at_risk_and_then_late() -> None:
    world = World(NEGATIVE)
    case_id = await escalated(world)
    assert await standings(world, case_id) == {"first_reply": "met", "resolution": "running"}

    await pass_time(world, AT_RISK)
    assert await standings(world, case_id) == {"first_reply": "met", "resolution": "at_risk"}
    assert await listed(world, case_id) == ("escalated", "at_risk")

    await pass_time(world, BREACHED - AT_RISK)
    assert await standings(world, case_id) == {"first_reply": "met", "resolution": "breached"}
    assert await listed(world, case_id) == ("escalated", "breached")
    events = [(e.event, e.detail) for e in (await world.case(case_id)).trace if e.who == "sla"]
    assert events == [("at_risk", "resolution of turn 1"), ("breached", "resolution of turn 1")]


async def test_waiting_costs_no_reading_of_the_case() -> None:
    world = World(NEGATIVE, store=(store := CountingStore()))
    await escalated(world)
    store.readings = 0

    for _ in range(30):
        await pass_time(world, timedelta(minutes=5))

    assert store.readings == 0


async def test_what_passed_during_an_outage_is_set_once_as_late() -> None:
    world = World(NEGATIVE)
    case_id = await escalated(world)

    counts = await pass_time(world, timedelta(days=3))

    assert counts["breached"] == 1
    assert counts["at_risk"] == 0
    assert await world.index.wakes(world.clock.now(), 10) == []
    assert (await pass_time(world, timedelta(days=3)))["woken"] == 0
    assert await standings(world, case_id) == {"first_reply": "met", "resolution": "breached"}


async def test_a_person_who_resolves_in_time_stops_the_clock() -> None:
    world = World(NEGATIVE)
    case_id = await escalated(world)
    world.clock.advance(3600)
    await world.app.acts.resolve(case_id, "Ada", "called the guest")

    counts = await pass_time(world, timedelta(days=1))

    assert (counts["at_risk"], counts["breached"]) == (0, 0)
    assert await standings(world, case_id) == {"first_reply": "met", "resolution": "met"}
    assert await world.index.wakes(world.clock.now(), 10) == []


async def test_a_person_who_resolves_late_does_not_undo_it() -> None:
    world = World(NEGATIVE)
    case_id = await escalated(world)
    await pass_time(world, BREACHED)
    await world.app.acts.resolve(case_id, "Ada", "called the guest")

    await pass_time(world, timedelta(days=1))

    assert await standings(world, case_id) == {"first_reply": "met", "resolution": "breached"}
    entries, _ = await world.index.page(["prompt"], ["resolved"], None, None, 10)
    assert [(entry.sla, entry.due_at) for entry in entries] == [("", None)]


async def test_an_answered_case_has_no_clock_left() -> None:
    world = World(POSITIVE)
    case_id = await world.open(desk="prompt")
    await world.deliver()

    assert await standings(world, case_id) == {"first_reply": "met", "resolution": "met"}
    assert await world.index.wakes(world.clock.now() + timedelta(days=9), 10) == []


async def test_a_new_message_in_an_open_stretch_starts_no_second_clock() -> None:
    world = World(NEGATIVE)
    case_id = await escalated(world)
    world.clock.advance(3600)
    await world.app.intake.follow_up(case_id, "Hello?")
    await world.deliver()

    case = await world.case(case_id)
    assert [(view.turn, view.target) for view in case.targets] == [
        (1, "first_reply"),
        (1, "resolution"),
    ]


async def test_a_message_after_the_end_starts_the_clock_anew() -> None:
    world = World(NEGATIVE)
    case_id = await escalated(world)
    await world.app.acts.resolve(case_id, "Ada", "done")
    await pass_time(world, timedelta(days=2))
    await world.app.intake.follow_up(case_id, "It is dirty again.")
    await world.deliver()

    await pass_time(world, BREACHED)

    case = await world.case(case_id)
    assert [(view.turn, view.standing) for view in case.targets if view.target == "resolution"] == [
        (1, "met"),
        (2, "breached"),
    ]


async def test_a_case_whose_stage_hangs_is_listed_as_late() -> None:
    world = World(NEGATIVE)
    case_id = await world.open(desk="prompt")

    world.clock.advance(31 * 60)
    await world.app.sweeper.sweep()

    assert (await listed(world, case_id)) == ("open", "breached")


async def test_a_cancelled_case_is_late_for_nobody() -> None:
    world = World(NEGATIVE)
    case_id = await escalated(world)
    await world.app.intake.follow_up(case_id, "Hello?")
    await world.app.acts.cancel(case_id, "Ada", "duplicate")
    await world.deliver()

    counts = await pass_time(world, timedelta(days=2))

    assert (counts["at_risk"], counts["breached"]) == (0, 0)
