"""HubSpot's own: its published signature, a thousand events at once, its limits, long mails."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from devkit.crm.hubspot import HubspotApi
from devkit.crm.stand_in import RefusedError
from tests.support.benches import HubspotBench
from tests.support.crm import MakeWorld, deliver
from tests.support.world import POSITIVE, World


@pytest.fixture
async def bench() -> AsyncIterator[HubspotBench]:
    async with HubspotApi() as api:
        yield HubspotBench(api)


@pytest.fixture
def world(make_world: MakeWorld, bench: HubspotBench) -> World:
    made = make_world(bench.api, bench.secret)
    bench.clock = made.clock
    return made


async def test_behind_a_proxy_the_public_address_is_the_signed_one(
    world: World, bench: HubspotBench
) -> None:
    settings = world.app.settings.model_copy(update={"public_url": "https://desk.example.com/"})
    object.__setattr__(world.app, "settings", settings)
    opened = bench.opened("My room is dirty.")
    response, _ = await deliver("hubspot", opened.body, opened.headers)
    assert response.status_code == 401
    bench.address = "https://desk.example.com/api/webhooks/hotel/hubspot"
    again = bench.signed(opened.body)
    response, _ = await deliver("hubspot", again.body, again.headers)
    assert response.status_code == 202


async def test_a_thousand_events_in_one_delivery_are_all_taken_in(
    world: World, bench: HubspotBench
) -> None:
    events = [bench.event("ticket.creation", ticket=str(1000 + number)) for number in range(700)]
    events += [bench.event("contact.creation", ticket=str(number)) for number in range(290)]
    events += [bench.event("ticket.creation", ticket="1000") for _ in range(10)]
    sent = bench.events(*events)
    response, said = await deliver("hubspot", sent.body, sent.headers)
    assert (response.status_code, said["counts"]) == (202, {"later": 710, "ignored": 290})
    await world.deliver(1)
    assert len(world.store._cases) == 700


async def test_newer_events_name_the_type_of_object(world: World, bench: HubspotBench) -> None:
    sent = bench.events(
        bench.event("object.creation", objectTypeId="0-5"),
        bench.event("object.creation", objectTypeId="0-1"),
        bench.event("conversation.newMessage"),
        bench.event("ticket.propertyChange", propertyName="hs_pipeline_stage"),
    )
    _, said = await deliver("hubspot", sent.body, sent.headers)
    assert said["counts"] == {"accepted": 1, "ignored": 3}


async def test_a_workflows_webhook_sends_the_record_itself(
    world: World, bench: HubspotBench
) -> None:
    opened, record = bench.opened("My room is dirty."), {"portalId": 33, "objectId": bench.ticket}
    deal = bench.json({**record, "objectTypeId": "0-3", "properties": {}})
    _, said = await deliver("hubspot", deal.body, deal.headers)
    assert said["counts"] == {"ignored": 1}
    ticket = bench.json({**record, "objectTypeId": "0-5", "properties": {}})
    _, said = await deliver("hubspot", ticket.body, ticket.headers)
    assert said["counts"] == {"accepted": 1}
    await deliver("hubspot", opened.body, opened.headers)
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert [turn.text for turn in case.turns if turn.text] == ["Room 4\n\nMy room is dirty."]


async def test_a_long_conversation_and_a_cut_mail_are_read_to_their_ends(
    world: World, bench: HubspotBench
) -> None:
    opened = bench.opened("My room is dirty.")
    for number in range(150):
        bench.api.say(f"Note {number}", incoming=False, type="COMMENT")
    cut = bench.api.say("Ve", incoming=True, truncationStatus="TRUNCATED")
    bench.api.whole[cut["id"]] = "Very dirty."
    _, said = await deliver("hubspot", opened.body, opened.headers)
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert case.customer_query == "Room 4\n\nMy room is dirty.\n\nVery dirty."


async def test_a_ticket_without_a_conversation_has_nobody_to_reply_to(
    world: World, bench: HubspotBench
) -> None:
    world.model.script |= POSITIVE
    opened = bench.opened("My room is dirty.")
    bench.api.tickets[bench.ticket]["hs_conversations_originating_thread_id"] = ""
    _, said = await deliver("hubspot", opened.body, opened.headers)
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.status, "reply-1: refused" in case.status_reason) == ("escalated", True)
    assert [how for how, _ in bench.written()] == ["note"] * len(bench.api.notes)


@pytest.mark.parametrize(("status", "policy"), [(429, "DAILY"), (477, None)])
async def test_hubspots_long_pauses_are_kept_to(
    world: World, bench: HubspotBench, status: int, policy: str | None
) -> None:
    opened = bench.opened("My room is dirty.")
    bench.api.refusals.append(RefusedError(status, "not now", {"policyName": policy}))
    await deliver("hubspot", opened.body, opened.headers)
    await world.deliver()
    assert max(sent.delay for sent in world.nudges.sent) >= 3600


async def test_a_poll_of_a_pipeline_finds_what_events_left_out_and_nothing_twice(
    world: World, bench: HubspotBench
) -> None:
    world.model.script |= POSITIVE
    opened = bench.opened("My room is dirty.")
    bench.replied("Still dirty!")
    bench.api.tickets["77"] = {**bench.api.tickets[bench.ticket], "hs_pipeline": "1"}
    assert await world.app.reception.poll() == {}, "no pipeline is set"

    world.connectors._settings |= {"HOTEL_HUBSPOT_PIPELINE": "0"}  # type: ignore[attr-defined]
    world.connectors._made.clear()  # type: ignore[attr-defined]
    assert await world.app.reception.poll() == {"accepted": 1, "redelivered": 1}
    await world.deliver(100)
    [case_id] = world.store._cases
    texts = [turn.text for turn in (await world.case(case_id)).turns if turn.text]
    assert texts == ["Room 4\n\nMy room is dirty.\n\nStill dirty!"]

    # What one turn found for two messages is looked at once more, and is nothing new.
    for counts in ({"redelivered": 1, "accepted": 1}, {"redelivered": 2}):
        world.clock.advance(120)
        assert await world.app.reception.poll() == counts
        await world.deliver(100)
    assert [turn.text for turn in (await world.case(case_id)).turns if turn.text] == texts
    _, said = await deliver("hubspot", opened.body, bench.signed(opened.body).headers)
    assert said["counts"] == {"redelivered": 1}

    world.clock.advance(600)
    third = bench.replied("Hello?")
    assert await world.app.reception.poll() == {"accepted": 1, "redelivered": 1}
    _, said = await deliver("hubspot", third.body, third.headers)
    assert said["counts"] == {"redelivered": 1}, "the event is named as the poll names it"
    await world.deliver(100)
    assert (await world.case(case_id)).turns[-1].text == "Hello?"


async def test_a_poll_reads_all_pages(world: World, bench: HubspotBench) -> None:
    bench.opened("My room is dirty.")
    ticket = bench.api.tickets[bench.ticket]
    bench.api.tickets |= {str(1000 + n): dict(ticket) for n in range(249)}
    world.connectors._settings |= {"HOTEL_HUBSPOT_PIPELINE": "0"}  # type: ignore[attr-defined]
    world.connectors._made.clear()  # type: ignore[attr-defined]
    assert await world.app.reception.poll() == {"accepted": 250}
    assert bench.api.requests.count("POST /crm/v3/objects/tickets/search") == 3
