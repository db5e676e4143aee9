"""Effects: at most once, never silently, and what a lost answer leads to."""

from __future__ import annotations

import pytest

from devkit.crm.stand_in import Fault
from shared.adapters.acs import AcsMailer, Resource
from shared.adapters.email import EmailSink
from shared.adapters.mail import parse_sender
from shared.domain.approval_links import ApprovalLinks
from shared.domain.case import SupportCase
from shared.domain.nudge import Nudge
from shared.domain.rows import Channel
from shared.errors import PermanentError, RequestError
from shared.ports import EffectCall
from tests.support.acs import SENDER, CommunicationServices
from tests.support.world import NEGATIVE, POSITIVE, World

TO_CRM = Channel(source="crm", reply_address="https://crm.example.com/hook")


def states(case: SupportCase) -> dict[str, str]:
    return {effect.key: effect.state for effect in case.effects}


async def test_the_reply_goes_where_the_case_came_from_and_the_desk_is_told_once() -> None:
    world = World(NEGATIVE)
    case_id = await world.open(desk="told", channel=TO_CRM)
    await world.deliver()
    case = await world.case(case_id)
    assert states(case) == {"reply-1": "done", "escalated-1": "done"}
    assert [a.key for a in world.callback.ledger] == [f"{case_id}-reply-1"]
    assert [a.request.to for a in world.email.ledger] == [("duty@example.com",)]
    assert await world.open_marks() == 0


async def test_a_case_that_is_answered_tells_nobody() -> None:
    world = World(POSITIVE)
    await world.open(desk="told")
    await world.deliver()
    assert world.email.ledger == []


async def test_a_parked_case_tells_the_desk_once_a_turn_and_not_once_a_stage() -> None:
    world = World()
    world.model.script |= {
        "sentiment": PermanentError("refusal"), "customer_query": PermanentError("refusal")
    }  # fmt: skip
    case_id = await world.open(desk="told")
    await world.deliver()
    assert states(await world.case(case_id)) == {"parked-1": "done"}
    assert len(world.email.ledger) == 1


async def test_a_doubled_nudge_sends_nothing_twice() -> None:
    world = World()
    case_id = await world.open(desk="told")
    await world.deliver()
    nudge = Nudge(case_id, 1, "escalation", "escalated-1")
    assert await world.run(nudge) == "rested"
    assert len(world.email.ledger) == 1


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_a_mail_whose_answer_was_lost_is_never_sent_again_but_a_person_sees_it(
    fault: str,
) -> None:
    world = World()
    case_id = await world.open(desk="told")
    world.fault = fault  # type: ignore[assignment]
    await world.deliver()
    world.fault = "none"
    world.make_visible()
    await world.deliver()
    case = await world.case(case_id)
    assert states(case) == {"escalated-1": "uncertain"}
    assert "escalated-1: uncertain" in case.status_reason
    assert len(world.email.attempts) == 1
    assert await world.open_marks() == 0


async def test_a_callback_whose_answer_was_lost_is_sent_again_under_the_same_key() -> None:
    world = World(POSITIVE)
    case_id = await world.open(channel=TO_CRM)
    world.fault = "after"
    await world.deliver()
    world.fault = "none"
    world.make_visible()
    await world.deliver()
    assert states(await world.case(case_id)) == {"reply-1": "done"}
    assert world.callback.attempts == [f"{case_id}-reply-1"] * 2
    assert len(world.callback.ledger) == 1, "the receiver honours the key"


async def test_a_lost_answer_is_uncertain_when_the_receiver_has_forgotten_the_key() -> None:
    world = World(POSITIVE)
    case_id = await world.open(channel=TO_CRM)
    world.fault = "after"
    await world.deliver()
    world.fault = "none"
    world.clock.advance(world.callback.window)
    world.make_visible()
    await world.deliver()
    assert states(await world.case(case_id)) == {"reply-1": "uncertain"}
    assert len(world.callback.ledger) == 1


async def test_a_mail_that_can_be_looked_up_goes_out_once_whatever_becomes_of_its_answer() -> None:
    for fault in (Fault(cut=True), Fault(cut=True, keep=True)):
        world = World()
        async with CommunicationServices(world.clock.now) as service:
            resource = Resource.parse(service.connection_string, "")
            mailer = AcsMailer(resource, parse_sender(SENDER), world.clock, b"s" * 32)
            sink = EmailSink(mailer, "", world.clock, ApprovalLinks(b"s" * 32, ""))
            world.sinks["email"] = sink
            case_id = await world.open(desk="told")
            service.faults.append(fault)
            await world.deliver()
            assert states(await world.case(case_id)) == {"escalated-1": "deferred"}
            before = world.clock.now()
            world.make_visible()
            assert (world.clock.now() - before).total_seconds() >= 60, "it may show up late"
            await world.deliver()
        assert states(await world.case(case_id)) == {"escalated-1": "done"}
        assert service.ledger == [f"<{case_id}-escalated-1@desk.example.com>"]
        assert service.refused == ([] if fault.keep else ["no such operation"])
        asked = [request.partition(" ")[0] for request in service.requests]
        assert asked == (["POST", "GET"] if fault.keep else ["POST", "GET", "POST"])


async def test_a_lost_answer_is_uncertain_when_a_look_up_can_no_longer_tell() -> None:
    world = World()
    world.email.kind = "queryable"
    case_id = await world.open(desk="told")
    world.fault = "after"
    await world.deliver()
    world.fault = "none"
    world.clock.advance(world.email.window)
    world.make_visible()
    await world.deliver()
    assert states(await world.case(case_id)) == {"escalated-1": "uncertain"}
    assert len(world.email.ledger) == 1


async def test_a_worker_that_stood_still_while_it_looked_an_effect_up_does_not_send_it() -> None:
    world = World(POSITIVE)
    world.callback.kind = "queryable"
    await world.open(channel=TO_CRM)
    world.fault = "before"
    await world.deliver()
    world.fault = "none"
    find = world.callback.find

    async def slow(call: EffectCall) -> str | None:
        found = await find(call)
        world.clock.advance(200)
        return found

    world.callback.find = slow  # type: ignore[method-assign]
    world.make_visible()
    assert await world.deliver() == ["reply-1: deferred"], "another may have sent it meanwhile"
    assert world.callback.ledger == []
    world.callback.find = find  # type: ignore[method-assign]
    world.make_visible()
    assert await world.deliver() == ["reply-1: finished"]
    assert len(world.callback.ledger) == 1


async def test_a_worker_that_died_while_sending_a_mail_leaves_it_to_a_person() -> None:
    world = World()
    case_id = await world.open(desk="told")

    class Killed(BaseException):
        pass

    async def die(call: object) -> str:
        raise Killed

    send, world.email.send = world.email.send, die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await world.deliver()
    world.email.send = send  # type: ignore[method-assign]
    nudge = Nudge(case_id, 1, "escalation", "escalated-1")
    assert await world.run(nudge) == "leased", "it may still be under way"
    world.clock.advance(200)
    assert await world.run(nudge) == "parked"
    assert states(await world.case(case_id)) == {"escalated-1": "uncertain"}
    assert world.email.ledger == []


async def test_a_refusal_for_now_is_tried_again_and_one_for_good_goes_to_a_person() -> None:
    world = World()
    case_id = await world.open(desk="told")
    world.fault = "busy"
    await world.deliver()
    assert states(await world.case(case_id)) == {"escalated-1": "deferred"}
    world.fault = "never"
    world.make_visible()
    await world.deliver()
    assert states(await world.case(case_id)) == {"escalated-1": "refused"}

    world.fault = "none"
    assert await world.app.acts.replay(case_id, "ana", "server is back") == ("escalated-1",)
    await world.deliver()
    case = await world.case(case_id)
    assert states(case) == {"escalated-1": "done"}
    assert case.status_reason == ""
    assert [a.key for a in world.email.ledger] == [f"{case_id}-escalated-1"]


async def test_an_effect_that_never_goes_through_ends_at_a_person() -> None:
    world = World()
    case_id = await world.open(desk="told")
    world.fault = "busy"
    for _ in range(30):
        await world.deliver()
        world.make_visible()
    assert states(await world.case(case_id)) == {"escalated-1": "refused"}
    assert len(world.email.attempts) == 12


async def test_a_cancelled_case_begins_no_effect() -> None:
    world = World()
    case_id = await world.open(desk="told")
    while not world.nudges.sent[0].nudge.effect:
        await world.run(world.nudges.sent.pop(0).nudge)
    await world.app.acts.cancel(case_id, "ana", "mistake")
    await world.deliver()
    world.clock.advance(600)
    await world.app.sweeper.sweep()
    await world.deliver()
    assert world.email.attempts == []
    assert await world.open_marks() == 0


async def test_the_sweep_finds_an_effect_whose_message_was_lost() -> None:
    world = World()
    await world.open(desk="told")
    while not world.nudges.sent[0].nudge.effect:
        await world.run(world.nudges.sent.pop(0).nudge)
    world.nudges.sent.clear()
    world.clock.advance(60)
    await world.app.sweeper.sweep()
    await world.deliver()
    assert len(world.email.ledger) == 1


async def test_a_poisoned_effect_message_is_sent_again_later_and_not_the_effect() -> None:
    world = World()
    case_id = await world.open(desk="told")
    while not world.nudges.sent[0].nudge.effect:
        await world.run(world.nudges.sent.pop(0).nudge)
    world.nudges.sent.clear()
    nudge = Nudge(case_id, 1, "escalation", "escalated-1")
    assert await world.app.effects.poisoned(nudge) == "deferred"
    assert world.nudges.sent[-1].delay == 60
    assert await world.app.effects.poisoned(Nudge(case_id, 1, "x", "nothing")) == "unknown"


async def test_a_case_with_a_failed_effect_can_be_resolved_by_a_person() -> None:
    world = World()
    case_id = await world.open(desk="told")
    world.fault = "before"
    await world.deliver()
    with pytest.raises(RequestError, match="Nothing to replay"):
        await world.app.acts.replay(case_id, "ana", "an uncertain one only by its name")
    await world.app.acts.resolve(case_id, "ana", "told them by phone")
    assert (await world.case(case_id)).status == "resolved"
    with pytest.raises(RequestError, match="has ended"):
        await world.app.acts.cancel(case_id, "ana", "")
    with pytest.raises(RequestError, match="Nothing of that name"):
        await world.app.acts.replay(case_id, "ana", "", effects=["other-1"])
