"""Budgets of cases and of desks' days, as people meet them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.scripted_model import ScriptedModel
from shared.domain.budget import DaySpend
from shared.domain.rows import StageRow
from shared.domain.stage import Usage
from shared.errors import ConfigError, PermanentError, RetryableError
from shared.ports import ModelAnswer, ModelCall
from tests.support.world import DESKS, NEGATIVE, World, a_desk

#: A call uses at most 200 tokens, so a claim reserves 400; the script's answers use 120 to 180.
BOUND = Usage(calls=1, prompt_tokens=100, completion_tokens=100)


def budgeted(**budget: float) -> World:
    desks = (a_desk("default"), a_desk("hotel", "duty@example.com", budget=budget))
    world = World(NEGATIVE, desks=desks)
    world.model.bound = BOUND
    return world


async def rows(world: World, case_id: str) -> dict[str, StageRow]:
    return {row.stage: row for row in (await world.store.read(case_id)).stage_rows}


async def spent(world: World) -> DaySpend:
    day = world.clock.now().date().isoformat()
    return (await world.spending.read("hotel", day))[0]


async def test_a_case_within_its_budget_notices_nothing() -> None:
    world = budgeted(case_tokens=1200)
    case_id = await world.open()
    await world.deliver()

    case = await world.case(case_id)

    assert [stage.state for stage in case.stages] == ["finished", "finished", "finished"]
    assert all(row.counted == row.usage for row in (await rows(world, case_id)).values())


async def test_a_claim_holds_the_most_that_it_can_use_until_it_is_over() -> None:
    world = budgeted(case_tokens=1200)
    held: list[Usage] = []

    async def look(call: ModelCall, ask: Any = world.model.complete) -> ModelAnswer:
        held.extend(row.reserved for row in (await rows(world, case_id)).values())
        answer: ModelAnswer = await ask(call)
        return answer

    world.model.complete = look  # type: ignore[method-assign]
    case_id = await world.open()
    await world.run(world.nudges.sent[0].nudge)

    assert [usage.tokens for usage in held] == [400]
    assert [row.reserved for row in (await rows(world, case_id)).values()] == [Usage()]


async def test_over_its_budget_a_stage_goes_to_a_person_without_a_call() -> None:
    world = budgeted(case_tokens=810)
    case_id = await world.open()
    await world.deliver()
    assert (await world.case(case_id)).status == "escalated"
    used = (await world.case(case_id)).usage.tokens
    world.model.calls.clear()

    await world.app.intake.follow_up(case_id, "And another thing.")
    await world.deliver()

    case = await world.case(case_id)
    stopped = [stage for stage in case.stages if stage.error]
    # What the reply would have taken is free for a stage that can do with less.
    assert [call.stage for call in world.model.calls] == ["sentiment"]
    assert {stage.error.code for stage in stopped if stage.error} == {"case_budget_used_up"}
    assert f"{used} of 810 tokens used; customer_query could take" in str(stopped[0].error)
    assert "customer_query: case_budget_used_up" in case.status_reason
    parked = [event for event in case.trace if event.event == "parked"]
    assert parked[0].detail.startswith("case_budget_used_up: ")
    assert {effect.key for effect in case.effects} >= {"parked-2"}


async def test_two_stages_claimed_at_once_leave_room_for_each_other() -> None:
    world = budgeted(case_tokens=700)
    case_id = await world.open()

    await world.deliver()

    # One alone would fit: 400 of 700. Neither can know that the other does not begin meanwhile.
    codes = [s.error.code for s in (await world.case(case_id)).stages if s.error]
    assert codes == ["case_budget_used_up"]
    assert len(world.model.calls) == 1


async def test_a_call_whose_answer_was_lost_counts_in_full() -> None:
    world = budgeted(case_tokens=1200)
    world.model.script["sentiment"] = RetryableError("timeout")
    world.model.script["customer_query"] = RetryableError("rate_limited", usage=Usage())
    case_id = await world.open()
    await world.deliver()

    found = await rows(world, case_id)
    assert found["sentiment"].counted.tokens == BOUND.tokens
    assert found["customer_query"].counted.tokens == 0
    assert (await world.case(case_id)).usage == Usage()


async def test_what_a_dead_worker_reserved_stays_counted() -> None:
    world = budgeted(case_tokens=1200)

    async def die(call: ModelCall) -> ModelAnswer:
        raise KeyboardInterrupt

    case_id = await world.open()
    nudge = world.nudges.sent[0].nudge
    answering, world.model.complete = world.model.complete, die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await world.run(nudge)
    world.model.complete = answering  # type: ignore[method-assign]
    world.clock.advance(600)
    await world.run(nudge)

    row = (await rows(world, case_id))[nudge.stage]
    assert (row.state, row.presumed.tokens) == ("finished", 400)


async def test_a_long_answer_leaves_no_room_for_a_re_ask() -> None:
    world = budgeted()
    long = Usage(calls=1, prompt_tokens=100, completion_tokens=150)

    async def talkative(call: ModelCall) -> ModelAnswer:
        return ModelAnswer("Well.", long, "m", "r", 1)

    world.model.complete = talkative  # type: ignore[method-assign]
    case_id = await world.open()
    await world.deliver()

    case = await world.case(case_id)
    assert {s.error.code for s in case.stages if s.error} == {"case_budget_used_up"}
    assert case.usage.calls == 2


async def test_a_day_within_its_budget_is_settled_to_what_was_used() -> None:
    world = budgeted(day_tokens=5000)
    case_id = await world.open()
    await world.deliver()

    spend = await spent(world)

    assert spend.counted == (await world.case(case_id)).usage
    assert spend.held == {}


async def test_over_the_days_budget_people_take_over_until_tomorrow() -> None:
    world = budgeted(day_tokens=700)
    first = await world.open()
    await world.deliver()
    second = await world.open("It is still dirty.", delivery_id="again")
    await world.deliver()

    case = await world.case(second)
    assert (await world.case(first)).support_response
    assert case.status == "escalated"
    assert {s.error.code for s in case.stages if s.error} == {"desk_budget_used_up"}
    assert "of 700 tokens used on" in str([s.error for s in case.stages])
    assert (await spent(world)).counted.tokens <= 700

    world.clock.advance(timedelta(days=1).total_seconds())
    await world.app.acts.replay(second, "an operator", "a new day")
    await world.deliver()
    assert (await world.case(second)).support_response


async def test_what_others_hold_is_waited_for_without_using_attempts_up() -> None:
    world = budgeted(day_tokens=700)
    day = world.clock.now().date().isoformat()
    others = DaySpend(desk="hotel", day=day).reserve(
        "another", Usage(calls=2, prompt_tokens=400), world.clock.now() + timedelta(seconds=200)
    )
    await world.spending.write(others, None)
    case_id = await world.open()
    outcomes = await world.deliver()

    assert outcomes == ["customer_query: deferred", "sentiment: deferred"]
    found = await rows(world, case_id)
    assert [row.attempts for row in found.values()] == [0, 0]
    assert found["sentiment"].error is not None
    assert found["sentiment"].error.code == "desk_budget_reserved"
    assert world.model.calls == []

    spend, etag = await world.spending.read("hotel", day)
    await world.spending.write(spend.settle("another", Usage(calls=1, prompt_tokens=50)), etag)
    world.make_visible()
    await world.deliver()
    assert (await world.case(case_id)).support_response


async def test_a_budget_that_cannot_be_read_begins_nothing() -> None:
    world = budgeted(day_tokens=700)

    async def down(desk: str, day: str) -> Any:
        raise RetryableError("storage_unavailable")

    world.spending.read = down  # type: ignore[method-assign]
    case_id = await world.open()
    with pytest.raises(RetryableError):
        await world.run(world.nudges.sent[0].nudge)
    assert await rows(world, case_id) == {}
    assert world.model.calls == []


async def test_without_a_limit_on_days_no_day_is_read_or_written() -> None:
    world = budgeted(case_tokens=1200)
    world.spending.read = world.spending.write = None  # type: ignore[method-assign, assignment]
    await world.open()
    assert [o.split(": ")[1] for o in await world.deliver()][:3] == ["finished"] * 3


async def test_a_stage_costs_four_calls_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    world = budgeted()
    await world.open()
    calls: list[str] = []

    def counted(name: str) -> None:
        true = getattr(world.store, name)

        async def call(*args: Any) -> Any:
            calls.append(name)
            return await true(*args)

        monkeypatch.setattr(world.store, name, call)

    for name in ("read", "insert", "replace"):
        counted(name)
    await world.run(world.nudges.sent[0].nudge)
    assert calls == ["read", "insert", "replace", "read"]


def test_a_limit_in_money_without_a_price_stops_the_start() -> None:
    with pytest.raises(ConfigError, match=r"FRONTDESK_PRICES.*customer_query, sentiment"):
        budgeted(day_cost=5)


async def test_money_is_limited_where_there_are_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    priced = BOUND.model_copy(update={"cost": 1.0})
    monkeypatch.setattr(ScriptedModel, "most", lambda self, call: priced)
    world = budgeted(case_cost=3.9)
    case_id = await world.open()
    await world.deliver()

    case = await world.case(case_id)
    # Each reserves 2.0, and leaves 2.0 for the other.
    assert [s.error.code for s in case.stages if s.error] == ["case_budget_used_up"]
    assert "cost 0 of 3.9 used; customer_query could take 400 tokens, cost 2" in str(
        [s.error for s in case.stages]
    )


async def test_a_desk_without_limits_of_its_own_has_the_general_ones() -> None:
    world = World(NEGATIVE, desks=(*DESKS[:1], a_desk("own", budget={"case_tokens": 9})))
    default, own = (world.app.desks.get(name) for name in ("default", "own"))
    assert default is not None
    assert own is not None
    assert world.app.budgets.of(default).case_tokens == 500_000
    assert world.app.budgets.of(own).case_tokens == 9


async def test_a_bug_in_another_stage_stops_only_that_stage() -> None:
    world = budgeted(case_tokens=1200)

    def broken(case: Any, desk: Any) -> Any:
        raise PermanentError("no_such_view")

    world.agents["sentiment"].conversation = broken  # type: ignore[method-assign]
    try:
        case_id = await world.open()
        await world.deliver()
    finally:
        del world.agents["sentiment"].conversation
    states = {s.stage: s.state for s in (await world.case(case_id)).stages}
    assert (states["customer_query"], states["sentiment"]) == ("finished", "error")
