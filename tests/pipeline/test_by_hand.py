"""What a person carries out by hand: left to people, reminded of, and ticked off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.hours import Hours
from shared.errors import RequestError
from tests.support.decisions import PAY, a_case, action, minutes
from tests.support.proposals import proposing
from tests.support.world import ACTING, POSITIVE, World, a_desk


async def test_what_people_do_by_hand_is_ticked_off() -> None:
    world, case_id = await a_case(("call", {}))
    case = await world.case(case_id)
    assert action(case, "call").state == "to_do"
    with pytest.raises(RequestError, match="needs nobody's yes"):
        await world.app.acts.decide(case_id, "call", "approve", "ana", "")

    await world.app.acts.decide(case_id, "call", "done", "ana", "left a message")
    await world.app.acts.decide(case_id, "call", "done", "ana", "twice")
    done = action(await world.case(case_id), "call")
    assert (done.state, done.decided_by, done.decided_why) == ("done", "ana", "left a message")
    assert world.backend.ledger == []


async def test_a_yes_to_what_its_backend_does_no_longer_leaves_it_to_a_person() -> None:
    world, case_id = await a_case(PAY)
    desk = world.app.desks.get("acting")
    known = desk.action("pay") if desk else None
    assert known is not None
    backend = known.backend
    object.__setattr__(known, "backend", backend.model_copy(update={"type": "manual"}))
    try:
        decided = await world.app.acts.decide(case_id, "pay", "approve", "ana", "")
    finally:
        object.__setattr__(known, "backend", backend)
    await world.deliver()
    assert decided.state == action(await world.case(case_id), "pay").state == "to_do"
    assert world.backend.ledger == []

    await world.app.acts.decide(case_id, "pay", "done", "ana", "paid at the desk")
    assert action(await world.case(case_id), "pay").state == "done"


async def test_what_a_backend_refuses_is_a_persons_and_may_be_done_by_hand() -> None:
    world, case_id = await a_case(PAY)
    world.fault = "never"
    await world.app.acts.decide(case_id, "pay", "approve", "ana", "")
    await world.deliver()
    case = await world.case(case_id)
    assert action(case, "pay").state == "refused"
    assert "action-pay" in case.status_reason

    await world.app.acts.decide(case_id, "pay", "done", "ana", "paid at the desk")
    assert action(await world.case(case_id), "pay").state == "done"


async def test_what_is_to_do_by_hand_keeps_a_case_with_people_whatever_stages_say() -> None:
    world, case_id = await a_case(("move", {}))
    await world.app.acts.decide(case_id, "move", "approve", "ana", "")
    world.model.script |= POSITIVE
    await world.app.acts.replay(case_id, "ana", "read it wrongly", ["sentiment"])
    await world.deliver()

    case = await world.case(case_id)
    assert (case.status, case.status_reason) == ("escalated", "to do by hand: move")
    await world.app.acts.decide(case_id, "move", "done", "ana", "")
    assert (await world.case(case_id)).status == "answered"


async def test_whoever_was_asked_is_asked_again_while_what_he_does_by_hand_is_not_ticked_off() -> (
    None
):
    world, case_id = await a_case(("move", {}))
    await minutes(world, 60)
    await world.app.acts.decide(case_id, "move", "approve", "ana", "")
    await minutes(world, 119)
    assert [a.request.about for a in world.email.ledger] == ["case"]
    await minutes(world, 2)
    _, again = world.email.ledger
    assert (again.request.about, again.request.to) == ("undone", ("duty@example.com",))
    for _ in range(3):
        await minutes(world, 24 * 60)
    assert len(world.email.ledger) == 2, "once, and management is asked for no yes"


@pytest.mark.parametrize("end", ["done", "resolve"])
async def test_what_is_ticked_off_or_resolved_is_not_asked_for_again(end: str) -> None:
    world, case_id = await a_case(("call", {}), ("move", {}))
    await world.app.acts.decide(case_id, "move", "approve", "ana", "")
    await minutes(world, 60)
    if end == "resolve":
        await world.app.acts.resolve(case_id, "ana", "all done")
    else:
        for name in ("call", "move"):
            await world.app.acts.decide(case_id, name, "done", "ana", "")
    await minutes(world, 600)
    assert [a.request.about for a in world.email.ledger] == ["case"]
    until = world.clock.now() + timedelta(days=90)
    assert await world.index.wakes(until, 10) == []


async def test_a_yes_to_what_people_do_by_hand_is_followed_up_by_the_desks_clock() -> None:
    desk = ACTING.model_copy(update={"hours": Hours.model_validate({"every_day": "9:00-18:00"})})
    world = World(proposing(("move", {})), desks=(a_desk("default"), desk))
    now = world.clock.now()
    world.clock.advance((now.replace(hour=17, minute=0) - now).total_seconds() % 86400)
    case_id = await world.open(desk="acting")
    await world.deliver()
    await world.app.acts.decide(case_id, "move", "approve", "ana", "")
    await minutes(world, 16 * 60 + 50)
    assert [a.request.about for a in world.email.ledger] == ["case"]
    await minutes(world, 11)
    assert [a.request.about for a in world.email.ledger] == ["case", "undone"]


@pytest.mark.parametrize("name", ["call", "move"])
async def test_a_case_in_which_only_something_is_to_do_by_hand_can_be_cancelled(name: str) -> None:
    world, case_id = await a_case((name, {}))
    if name == "move":
        await world.app.acts.decide(case_id, name, "approve", "ana", "")
        await minutes(world, 121)
    assert (await world.case(case_id)).status == "escalated"

    await world.app.acts.cancel(case_id, "ana", "the guest has left")
    case = await world.case(case_id)
    assert (case.status, action(case, name).state) == ("cancelled", "lapsed")


async def test_what_was_done_by_hand_leaves_nothing_to_cancel() -> None:
    world, case_id = await a_case(("call", {}))
    await world.app.acts.decide(case_id, "call", "done", "ana", "")
    with pytest.raises(RequestError, match="has ended"):
        await world.app.acts.cancel(case_id, "ana", "")
