"""A model that does not answer: stages wait, and nothing is used up meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.stage import Usage
from shared.errors import RetryableError
from shared.ports import RESTING
from tests.support.world import NEGATIVE, World, a_desk


async def test_a_stage_waits_in_one_write_and_without_an_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.model.resting = 40
    case_id = await world.open()
    nudge = world.nudges.sent.pop(0).nudge
    writes: list[Any] = []
    true = world.store.insert

    async def insert(case_id: str, row: Any) -> str:
        writes.append(row)
        return await true(case_id, row)

    monkeypatch.setattr(world.store, "insert", insert)
    assert await world.run(nudge) == "deferred"

    (row,) = writes
    assert (row.state, row.attempts, row.counted) == ("deferred", 0, Usage())
    assert row.error.code == RESTING
    sent = world.nudges.sent[-1]
    assert (sent.nudge, 40 <= sent.delay <= 48) == (nudge, True)
    assert world.model.calls == []
    case = await world.case(case_id)
    assert (case.status, case.stages[0].state) == ("working", "waiting")


async def test_when_the_model_answers_again_the_case_goes_on_as_if_nothing_had_been() -> None:
    world = World()
    world.model.resting = 200
    case_id = await world.open()
    for _ in range(10):
        await world.deliver()
        world.make_visible()
    world.model.resting = 0
    await world.deliver()

    case = await world.case(case_id)
    assert case.status == "escalated"
    assert [stage.attempts for stage in case.stages] == [1, 1, 1]


async def test_at_the_turns_deadline_a_person_takes_over() -> None:
    world = World(desks=(a_desk("default"), a_desk("hotel", "duty@example.com")))
    world.model.resting = 300
    case_id = await world.open()
    began = world.clock.now()
    for _ in range(30):
        await world.deliver()
        world.make_visible()

    case = await world.case(case_id)
    assert case.status == "escalated"
    assert {s.error.code for s in case.stages if s.error} == {"deadline_passed"}
    assert f"last error {RESTING}" in str([s.error for s in case.stages])
    late = [s.finished_at for s in case.stages if s.finished_at]
    assert all(3600 < (at - began).total_seconds() < 3700 for at in late)


async def test_a_call_that_is_refused_after_the_claim_is_no_attempt_either() -> None:
    world = World()
    world.model.script["sentiment"] = RetryableError(RESTING, 30, usage=Usage())
    case_id = await world.open()
    await world.deliver()

    row = (await world.store.read(case_id)).stage(1, "sentiment")
    assert row is not None
    assert row.row is not None
    assert (row.row.state, row.row.attempts) == ("deferred", 0)


async def test_a_re_ask_that_is_refused_was_an_attempt() -> None:
    world = World()
    said: list[Any] = ["no json", RetryableError(RESTING, 30, usage=Usage())]
    world.model.script["sentiment"] = lambda call: said.pop(0)
    case_id = await world.open()
    await world.deliver()

    row = (await world.store.read(case_id)).stage(1, "sentiment")
    assert row is not None
    assert row.row is not None
    assert (row.row.state, row.row.attempts) == ("deferred", 1)
    assert NEGATIVE["sentiment"]
