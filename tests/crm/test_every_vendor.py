"""What holds for every vendor: words in once, an answer out once, and nothing for the forged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import Fault
from shared.adapters.crm_connectors import CrmConnectors
from tests.support.bench import Bench
from tests.support.benches import BENCHES
from tests.support.crm import MakeWorld, deliver
from tests.support.world import POSITIVE, World


@pytest.fixture(params=BENCHES)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench[Any]]:
    bench_type = BENCHES[request.param]
    async with bench_type.api_type() as api:
        yield bench_type(api)


@pytest.fixture
def world(make_world: MakeWorld, bench: Bench[Any]) -> World:
    made = make_world(bench.api, bench.secret)
    bench.clock = made.clock
    return made


async def post(bench: Bench[Any], sent: Sent) -> int:
    response, _ = await deliver(bench.vendor, sent.body, sent.headers, **sent.query)
    return int(response.status_code)


async def take(world: World, bench: Bench[Any], sent: Sent) -> Any:
    """The case of the ticket after a delivery and all the work that it caused."""
    assert await post(bench, sent) == bench.accepted
    await world.deliver(500)
    [case_id] = world.store._cases
    return await world.case(case_id)


async def test_a_new_ticket_is_answered_annotated_and_labelled(
    world: World, bench: Bench[Any]
) -> None:
    case = await take(world, bench, bench.opened("My room is dirty."))
    assert case.customer_query == "Room 4\n\nMy room is dirty."
    assert (case.channel.source, case.status) == (bench.vendor, "escalated")
    assert {e.state for e in case.effects} == {"done"}, case.effects

    (how, reply), (also, note) = bench.written()
    assert (how, also) == ("public", "note")
    assert "We are sorry and look into it." in reply
    for said in ("Urgency: high", "escalate: negative sentiment", "send_help", "Room 4 is dirty."):
        assert said in note
    keys = [f"{case.case_id}-reply-1", f"{case.case_id}-escalation_note-1"]
    assert sorted(bench.api.ledger) == sorted(map(bench.receipt, keys))
    tags, priority = bench.labels()
    assert priority == bench.priority
    if bench.tagged:
        assert tags == bench.own_tags | {
            "frontdesk", "frontdesk_escalated", "frontdesk_negative"
        }  # fmt: skip


async def test_a_customers_next_message_is_the_next_turn(world: World, bench: Bench[Any]) -> None:
    await take(world, bench, bench.opened("My room is dirty."))
    case = await take(world, bench, bench.replied("Still dirty, & I'm <3 hours late!"))
    assert [turn.text for turn in case.turns][1:] == ["Still dirty, & I'm <3 hours late!"]
    assert [how for how, _ in bench.written()] == ["public", "note"] * 2
    assert len(set(bench.api.ledger)) == 4


async def test_a_message_that_comes_before_its_ticket_meets_it(
    world: World, bench: Bench[Any]
) -> None:
    opened, replied = bench.opened("My room is dirty."), bench.replied("Still dirty!")
    await take(world, bench, replied)
    case = await take(world, bench, opened)
    said = "\n\n".join(turn.text for turn in case.turns)
    assert (said.count("My room is dirty."), said.count("Still dirty!")) == (1, 1)


async def test_what_colleagues_and_we_ourselves_write_starts_nothing(
    world: World, bench: Bench[Any]
) -> None:
    case = await take(world, bench, bench.opened("My room is dirty."))
    ours, calls = bench.written(), len(world.model.calls)
    for sent in (*bench.returned(), bench.answered("We send somebody.")):
        case = await take(world, bench, sent)
    assert [turn.text for turn in case.turns if turn.text] == ["Room 4\n\nMy room is dirty."]
    assert (bench.written(), len(world.model.calls)) == (ours, calls)
    assert await world.open_marks() == 0


async def test_equal_deliveries_at_once_are_one(world: World, bench: Bench[Any]) -> None:
    opened = bench.opened("My room is dirty.")
    answers = await asyncio.gather(*(post(bench, opened) for _ in range(20)))
    assert set(answers) == {bench.accepted}
    case = await take(world, bench, opened)
    assert len((await world.store.read(case.case_id)).messages) == 1
    assert len(bench.api.ledger) == 2


async def test_the_forged_are_refused_and_leave_nothing(world: World, bench: Bench[Any]) -> None:
    for sent in bench.forged(bench.opened("My room is dirty.")):
        assert await post(bench, sent) == 401, sent
    assert world.store._cases == {}


async def test_either_of_two_secrets_is_taken_while_one_is_changed(
    make_world: MakeWorld, bench: Bench[Any]
) -> None:
    world = make_world(bench.api, f"{bench.new_secret()} {bench.secret}")
    bench.clock = world.clock
    await take(world, bench, bench.opened("My room is dirty."))


async def test_what_is_not_theirs_is_a_400(world: World, bench: Bench[Any]) -> None:
    for body in (b"", b"\xff\xfe\xff", b"<", b"{", *bench.malformed):
        assert await post(bench, bench.signed(body)) == 400, body
    assert world.store._cases == {}


async def test_a_ticket_without_text_is_a_case_for_a_person(
    world: World, bench: Bench[Any]
) -> None:
    case = await take(world, bench, bench.opened("", subject=""))
    assert (case.status, "no_text" in case.status_reason) == ("escalated", True)
    assert world.model.calls == []
    [(how, note)] = bench.written()
    assert (how, "needs a person" in note) == ("note", True)


@pytest.mark.parametrize("kept", [True, False])
async def test_a_lost_answer_is_looked_up_and_nothing_is_written_twice(
    world: World, bench: Bench[Any], kept: bool
) -> None:
    world.model.script |= POSITIVE
    opened = bench.opened("My room is dirty.")
    assert await post(bench, opened) == bench.accepted
    while not any(sent.nudge.effect for sent in world.nudges.sent):
        await world.run(world.nudges.sent.pop(0).nudge)
    bench.api.faults += [Fault(cut=True, keep=kept)] * 2
    for _ in range(4):
        await world.deliver()
        world.make_visible()
    case = await take(world, bench, opened)
    assert {e.state for e in case.effects} == {"done"}, case.effects
    assert len(bench.api.ledger) == len(set(bench.api.ledger)) == 2


async def test_a_rate_limit_is_kept_to(world: World, bench: Bench[Any]) -> None:
    world.model.script |= POSITIVE
    opened = bench.opened("My room is dirty.")
    await post(bench, opened)
    while not any(sent.nudge.effect for sent in world.nudges.sent):
        await world.run(world.nudges.sent.pop(0).nudge)
    bench.api.faults.append(Fault(429, {"Retry-After": "90"}))
    await world.deliver()
    assert 90 <= max(sent.delay for sent in world.nudges.sent) < 180
    world.make_visible()
    await world.deliver()
    assert len(bench.api.ledger) == len(set(bench.api.ledger)) == 2


async def test_what_others_wrote_is_escaped_where_notes_are_html(
    world: World, bench: Bench[Any]
) -> None:
    world.model.script["escalation"] = {
        "actions": [],
        "needs_upper_management_attention": False,
        "summary": "<script>alert(1)</script> [code]<b>[/CODE]",
    }
    await take(world, bench, bench.opened("My room is dirty."))
    note = bench.written()[-1][1]
    assert ("<script>" in note) == (not bench.shows_html)
    assert "[code]" not in note or bench.vendor != "servicenow"


@pytest.mark.parametrize("how", ["note", "draft"])
async def test_a_desk_may_keep_replies_from_customers(
    make_world: MakeWorld, bench: Bench[Any], how: str
) -> None:
    world = make_world(bench.api, bench.secret, reply=how, note=False, labels=False)
    bench.clock = world.clock
    await take(world, bench, bench.opened("My room is dirty."))
    [(kept, reply)] = bench.written()
    assert kept == ("draft" if how == "draft" and bench.drafts else "note")
    assert "We are sorry and look into it." in reply
    assert ("Suggested reply, not sent to the customer" in reply) == (kept == "note")


async def test_an_answered_ticket_waits_for_its_customer_and_an_escalated_one_for_us(
    make_world: MakeWorld, bench: Bench[Any]
) -> None:
    world = make_world(bench.api, bench.webhook_secret, status=True)
    bench.clock = world.clock
    script = dict(world.model.script)
    world.model.script |= POSITIVE
    case = await take(world, bench, bench.opened("Thank you!"))
    assert (case.status, {e.state for e in case.effects}) == ("answered", {"done"}), case.effects
    assert bench.stand() == ("waiting" if bench.stands else None)

    world.model.script = script
    case = await take(world, bench, bench.replied("My room is dirty."))
    assert case.status == "escalated"
    assert {e.state for e in case.effects} <= {"done", "moot"}, case.effects
    assert bench.stand() == ("open" if bench.stands else None)


async def test_a_ticket_waits_for_nobody_who_was_not_written_to(
    make_world: MakeWorld, bench: Bench[Any]
) -> None:
    for rules in ({"status": True, "reply": "note"}, {"status": False}):
        world = make_world(bench.api, bench.webhook_secret, **rules)
        bench.clock = world.clock
        world.model.script |= POSITIVE
        case = await take(world, bench, bench.opened("Thank you!"))
        assert case.status == "answered"
        assert bench.stand() in ("open", None)


async def test_a_ticket_may_be_set_to_wait_and_back_any_number_of_times(
    make_world: MakeWorld, bench: Bench[Any]
) -> None:
    make_world(bench.api, bench.webhook_secret)
    bench.opened("Thank you!")
    settings = bench.api.settings("hotel", bench.webhook_secret)
    found = CrmConnectors(settings, ["hotel"], development=True).get("hotel", bench.vendor)
    assert found is not None
    for status in ("waiting", "waiting", "open", "open"):
        assert await found.stand(bench.ticket, status, f"k-{status}")
        assert bench.stand() == (status if bench.stands else None)


async def test_a_customer_who_quotes_our_reply_below_the_answer_is_heard(
    world: World, bench: Bench[Any]
) -> None:
    await take(world, bench, bench.opened("My room is dirty."))
    quoted = bench.written()[0][1]
    case = await take(world, bench, bench.replied(f"No, it is not fine!\n\n> {quoted}"))
    assert "No, it is not fine!" in case.turns[-1].text


async def test_a_customer_with_an_earlier_ticket_is_a_repeat_customer(
    make_world: MakeWorld, bench: Bench[Any]
) -> None:
    world = make_world(bench.api, bench.secret, regulars=True)
    bench.clock = world.clock
    for ticket in (bench.ticket, bench.new_ticket()):
        bench.ticket = ticket
        assert await post(bench, bench.opened("My room is dirty.")) == bench.accepted
        await world.deliver(500)
    cases = sorted([await world.case(c) for c in world.store._cases], key=lambda c: c.created_at)
    assert [case.repeat_customer for case in cases] == [False, True]
    assert [case.tags for case in cases] == [(), ("regular",)]


def test_a_setting_for_no_desk_or_vendor_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    CrmConnectors({"HOTEL_ZENDESK_SECRET": "s", "HOTL_ZENDESK_SECRET": "s"}, ["hotel"])
    (record,) = caplog.records
    assert vars(record)["setting"] == "FRONTDESK_CRM_HOTL_ZENDESK_SECRET"
