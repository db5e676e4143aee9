"""Decisions on actions: rows that survive everything, once each, and only for what was shown."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.domain.case import ActionView
from shared.errors import RequestError
from tests.support.decisions import HELP, PAY, a_case, action, carried_out, minutes
from tests.support.proposals import proposing
from tests.support.world import World


async def test_what_the_desk_lets_through_is_carried_out_and_the_rest_waits() -> None:
    world, case_id = await a_case(HELP, PAY, ("pay", {"amount": 400}), ("sell", {}))

    case = await world.case(case_id)
    assert carried_out(world) == [("send_help", {"place": "room 4"})]
    assert action(case, "send_help").state == "done"
    assert action(case, "send_help").receipt == "number 1"
    assert action(case, "pay").state == "waiting"
    assert (case.status, case.status_reason) == ("escalated", "waits for a yes: pay")
    assert {d.name: d.why for d in case.dropped_actions} == {
        "pay": "amount: more than 100, the most that may go out",
        "sell": "not in the desk's catalogue",
    }
    assert case.decision[-4:] == (
        "carried out send_help: the desk lets it be carried out at once",
        "waits for a yes: pay: a person's yes is needed every time",
        "refused pay: amount: more than 100, the most that may go out",
        "refused sell: not in the desk's catalogue",
    )


async def test_a_yes_carries_out_what_was_shown_and_the_trace_says_whose_and_why() -> None:
    world, case_id = await a_case(PAY)
    own_id = action(await world.case(case_id), "pay").id

    decided = await world.app.acts.decide(case_id, own_id, "approve", "ana", "charged twice", "x")
    assert decided.state == "under_way"
    await world.deliver()

    case = await world.case(case_id)
    pay = action(case, "pay")
    assert carried_out(world) == [("pay", {"amount": 40.0})]
    assert world.backend.ledger[0].key == f"{case_id}-action-{own_id}"
    assert (pay.state, pay.decided_by, pay.decided_why, pay.via) == (
        "done", "ana", "charged twice", "x"
    )  # fmt: skip
    said = [(e.who, e.event, e.detail) for e in case.trace if e.event == "approve"]
    assert said == [("ana", "approve", f"{own_id} (x): charged twice")]
    assert await world.open_marks() == 0


async def test_a_no_is_final_and_a_later_run_does_not_ask_again() -> None:
    world, case_id = await a_case(PAY)
    await world.app.acts.decide(case_id, "pay", "reject", "ana", "already paid")
    with pytest.raises(RequestError, match="was rejected by ana"):
        await world.app.acts.decide(case_id, "pay", "approve", "bob", "")

    await world.app.acts.replay(case_id, "ana", "again", ["escalation"])
    await world.deliver()

    case = await world.case(case_id)
    assert carried_out(world) == []
    assert [(a.name, a.state) for a in case.actions] == [("pay", "rejected")]
    assert [d.why for d in case.dropped_actions] == ["rejected by ana"]


async def test_the_same_decision_twice_is_fine_and_done_once() -> None:
    world, case_id = await a_case(PAY)
    await world.app.acts.decide(case_id, "pay", "approve", "ana", "")
    await world.app.acts.decide(case_id, "pay", "approve", "bob", "")
    await world.deliver()

    pay = action(await world.case(case_id), "pay")
    assert (pay.state, pay.decided_by) == ("done", "ana")
    assert len(world.backend.ledger) == 1


@pytest.mark.parametrize("seed", range(8))
async def test_of_a_yes_and_a_no_at_once_one_counts(seed: int) -> None:
    world, case_id = await a_case(PAY)
    acts = world.app.acts
    tries = [
        acts.decide(case_id, "pay", "approve" if (n + seed) % 2 else "reject", f"p{n}", "")
        for n in range(6)
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    await world.deliver()

    view = await world.store.read(case_id)
    (decision,) = [act for act in view.acts if act.act in ("approve", "reject")]
    assert all(isinstance(r, ActionView | RequestError) for r in results)
    assert len(carried_out(world)) == (decision.act == "approve")


async def test_an_old_yes_authorises_no_other_arguments() -> None:
    world, case_id = await a_case(PAY)
    old = action(await world.case(case_id), "pay").id
    await world.app.acts.replay(case_id, "ana", "wrong amount", ["escalation"])
    world.model.script |= proposing(("pay", {"amount": 90}))
    with pytest.raises(RequestError, match="without pay as it was"):
        await world.app.acts.decide(case_id, old, "approve", "ana", "too late")
    await world.deliver()
    with pytest.raises(RequestError, match="without pay as it was"):
        await world.app.acts.decide(case_id, old, "approve", "ana", "too late")

    case = await world.case(case_id)
    assert [(a.arguments["amount"], a.state) for a in case.actions] == [
        (40.0, "superseded"),
        (90.0, "waiting"),
    ]
    assert carried_out(world) == []

    await world.app.acts.decide(case_id, "pay", "approve", "ana", "by its name, the one that waits")
    await world.deliver()
    assert carried_out(world) == [("pay", {"amount": 90.0})]


async def test_a_yes_given_before_the_stage_ran_again_holds_for_what_it_was_given_for() -> None:
    world, case_id = await a_case(PAY)
    await world.app.acts.decide(case_id, "pay", "approve", "ana", "")
    await world.app.acts.replay(case_id, "ana", "again", ["escalation"])
    world.model.script |= proposing(PAY, ("pay", {"amount": 90}))
    await world.deliver()

    case = await world.case(case_id)
    assert carried_out(world) == [("pay", {"amount": 40.0})]
    assert [(a.arguments["amount"], a.state) for a in case.actions] == [
        (40.0, "done"),
        (90.0, "waiting"),
    ]


async def test_a_stage_that_runs_again_carries_nothing_out_twice() -> None:
    world, case_id = await a_case(HELP)
    for place in ("room 4", "Room 4, please"):
        await world.app.acts.replay(case_id, "ana", "again", ["escalation"])
        world.model.script |= proposing(("send_help", {"place": place}))
        await world.deliver()

    case = await world.case(case_id)
    assert len(world.backend.ledger) == 1
    assert [(a.state, a.approval) for a in case.actions] == [("done", "auto"), ("waiting", "human")]
    assert "other arguments" in case.actions[1].rule


async def test_the_customers_next_message_may_need_the_same_again() -> None:
    world, case_id = await a_case(HELP, PAY)
    await world.app.intake.follow_up(case_id, "Still dirty!")
    await world.deliver()

    case = await world.case(case_id)
    assert len(world.backend.ledger) == 2
    assert [(a.turn, a.name, a.state) for a in case.actions] == [
        (1, "send_help", "done"), (1, "pay", "waiting"),
        (2, "send_help", "done"), (2, "pay", "waiting"),
    ]  # fmt: skip
    with pytest.raises(RequestError, match="More than one action of that name"):
        await world.app.acts.decide(case_id, "pay", "approve", "ana", "")


async def test_money_without_a_yes_is_counted_over_all_messages_of_a_case() -> None:
    world, case_id = await a_case(("gift", {"amount": 10}))
    await world.app.intake.follow_up(case_id, "More!")
    await world.deliver()

    case = await world.case(case_id)
    assert carried_out(world) == [("gift", {"amount": 10.0})]
    assert case.actions[1].rule == "more than 15 in one case after 10 before"


async def test_two_messages_at_once_do_not_spend_together_what_one_may() -> None:
    world = World(proposing(("gift", {"amount": 10})))
    case_id = await world.open(desk="acting")
    await world.app.intake.follow_up(case_id, "More!")
    await world.deliver()
    assert len(world.backend.ledger) <= 1


async def test_a_cancelled_case_begins_nothing_and_takes_no_decision() -> None:
    world, case_id = await a_case(PAY)
    await world.app.acts.cancel(case_id, "ana", "a duplicate")
    with pytest.raises(RequestError, match="case was cancelled"):
        await world.app.acts.decide(case_id, "pay", "approve", "bob", "")
    await minutes(world, 600)

    assert carried_out(world) == []
    assert action(await world.case(case_id), "pay").state == "lapsed"
    assert [a.request.key for a in world.email.ledger] == ["escalated-1"]


async def test_a_resolved_case_waits_for_nobody() -> None:
    world, case_id = await a_case(PAY)
    await world.app.acts.resolve(case_id, "ana", "phoned")
    with pytest.raises(RequestError, match="case was resolved"):
        await world.app.acts.decide(case_id, "pay", "approve", "bob", "")
    await minutes(world, 600)

    assert action(await world.case(case_id), "pay").state == "lapsed"
    assert len(world.email.ledger) == 1


async def test_what_the_desk_no_longer_allows_is_neither_approved_nor_carried_out() -> None:
    world, case_id = await a_case(PAY)
    await world.app.acts.decide(case_id, "pay", "approve", "ana", "")
    desk = world.app.desks.get("acting")
    assert desk is not None
    known = desk.action("pay")
    assert known is not None
    assert known.money is not None
    object.__setattr__(known, "money", known.money.model_copy(update={"most": 5}))
    try:
        await world.deliver()
        other = await world.open(desk="acting")
        world.model.script |= proposing(("pay", {"amount": 3}))
        await world.deliver()
        object.__setattr__(known, "money", known.money.model_copy(update={"most": 1}))
        with pytest.raises(RequestError, match="more than 1"):
            await world.app.acts.decide(other, "pay", "approve", "ana", "")
    finally:
        object.__setattr__(known, "money", known.money.model_copy(update={"most": 100}))

    pay = action(await world.case(case_id), "pay")
    assert (pay.state, pay.error and pay.error.code) == ("refused", "action_not_allowed")
    assert carried_out(world) == []


@pytest.mark.parametrize(
    ("name", "act", "status", "title"),
    [
        ("nothing", "approve", 404, "No such action"),
        ("pay", "done", 409, "Nothing to tick off"),
        ("send_help", "approve", 409, "Nothing to decide"),
    ],
)
async def test_what_cannot_be_decided_is_told(name: str, act: str, status: int, title: str) -> None:
    world, case_id = await a_case(HELP, PAY)
    with pytest.raises(RequestError) as refused:
        await world.app.acts.decide(case_id, name, act, "ana", "")  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.title) == (status, title)


async def test_without_an_answer_people_are_reminded_and_then_management_is_asked() -> None:
    world, case_id = await a_case(PAY)
    await minutes(world, 119)
    assert [a.request.key for a in world.email.ledger] == ["escalated-1"]
    await minutes(world, 2)
    await minutes(world, 1)
    first, second = world.email.ledger
    assert (second.request.about, second.request.to) == ("reminder", ("duty@example.com",))
    assert first.request.to == ("duty@example.com",)

    await minutes(world, 6 * 60)
    third = world.email.ledger[-1]
    assert (third.request.about, third.request.to) == ("unanswered", ("boss@example.com",))
    for _ in range(3):
        await minutes(world, 24 * 60)
    assert len(world.email.ledger) == 3
    assert (await world.case(case_id)).status == "escalated"


async def test_a_case_that_waits_costs_nothing_until_its_hour() -> None:
    world, case_id = await a_case(PAY)
    assert await world.open_marks() == 0
    world.clock.advance(60)
    counts = await world.app.sweeper.sweep()
    assert counts["looked_at"] + counts["woken"] == 0

    await world.app.acts.decide(case_id, "pay", "approve", "ana", "")
    await world.deliver()
    await minutes(world, 600)
    await minutes(world, 600)
    assert len(world.email.ledger) == 1, "nobody is asked for what was decided"
    until = world.clock.now() + timedelta(days=90)
    assert await world.index.wakes(until, 10) == []


async def test_what_management_decides_is_asked_of_management_alone() -> None:
    world, _ = await a_case(("close", {}), PAY)
    asked = {a.request.key.rpartition("-")[0]: a.request.to for a in world.email.ledger}
    assert asked == {"escalated": ("duty@example.com",), "management-1": ("boss@example.com",)}


async def test_a_run_that_asks_for_something_new_tells_people_of_it() -> None:
    world, case_id = await a_case(PAY)
    for amount in (40, 41):
        await world.app.acts.replay(case_id, "ana", "again", ["escalation"])
        world.model.script |= proposing(("pay", {"amount": amount}))
        await world.deliver()
    keys = [a.request.key for a in world.email.ledger]
    assert len(keys) == 2
    assert keys[0] == "escalated-1"
    assert keys[1].startswith("escalated-1-")
