"""Intercom's own: tickets beside conversations, its ping, its older notifications, its limit."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from devkit.crm.intercom import COLLEAGUE, CUSTOMER, IntercomApi
from devkit.crm.stand_in import Fault
from tests.support.benches import IntercomBench
from tests.support.crm import MakeWorld, deliver
from tests.support.world import World

TICKET: dict[str, Any] = {
    "type": "ticket",
    "id": "88",
    "ticket_id": "7",
    "category": "Customer",
    "ticket_attributes": {
        "_default_title_": "Room 4",
        "_default_description_": "<p>My room is dirty.</p>",
    },
}


@pytest.fixture
async def bench() -> AsyncIterator[IntercomBench]:
    async with IntercomApi() as api:
        api.things["tickets/88"] = {"fields": TICKET, "parts": [], "tags": set()}
        yield IntercomBench(api)


@pytest.fixture
def world(make_world: MakeWorld, bench: IntercomBench) -> World:
    return make_world(bench.api, bench.secret)


async def take(world: World, sent: Any) -> Any:
    response, said = await deliver("intercom", sent.body, sent.headers)
    assert response.status_code == 200
    await world.deliver()
    return said


async def test_a_ping_is_answered_with_200_and_only_when_it_is_signed(
    world: World, bench: IntercomBench
) -> None:
    ping = bench.notification("ping", {"type": "ping", "message": "something something interzen"})
    assert (await take(world, ping))["counts"] == {"ignored": 1}
    response, _ = await deliver("intercom", ping.body, {})
    assert response.status_code == 401


async def test_a_ticket_is_answered_as_a_ticket(world: World, bench: IntercomBench) -> None:
    said = await take(world, bench.notification("ticket.created", TICKET))
    case = await world.case(said["cases"][0])
    assert case.customer_query == "Room 4\n\nMy room is dirty."
    thing = bench.api.things["tickets/88"]
    assert [part["part_type"] for part in thing["parts"]] == ["comment", "note"]
    assert thing["tags"] == {"frontdesk", "frontdesk_escalated", "frontdesk_negative"}
    assert bench.api.tags["1"] == "frontdesk", "one that was there is used"


async def test_a_contacts_reply_to_a_ticket_is_fetched(world: World, bench: IntercomBench) -> None:
    first = await take(world, bench.notification("ticket.created", TICKET))
    bench.api.say("tickets/88", "<p>We come.</p>", COLLEAGUE)
    bench.api.say("tickets/88", "<p>Still dirty!</p>", CUSTOMER)
    bench.api.say("tickets/88", "", CUSTOMER, part_type="ticket_state_updated_by_admin")
    for item in ({"ticket": TICKET}, TICKET):
        said = await take(world, bench.notification("ticket.contact.replied", item))
        assert said["cases"] == first["cases"]
    case = await world.case(first["cases"][0])
    assert [t.text for t in case.turns if t.text] == ["Room 4\n\nMy room is dirty.", "Still dirty!"]


async def test_colleagues_own_tickets_are_ignored(world: World, bench: IntercomBench) -> None:
    for category in ("Back-office", "Tracker"):
        sent = bench.notification("ticket.created", TICKET | {"category": category})
        assert (await take(world, sent))["counts"] == {"ignored": 1}


async def test_the_conversations_of_older_versions_are_read(
    world: World, bench: IntercomBench
) -> None:
    bench.opened("x")
    message = {"id": "608953158", "subject": "", "body": "<p>hi, my room</p>", "author": CUSTOMER}
    item = {"type": "conversation", "id": bench.ticket, "conversation_message": message}
    said = await take(world, bench.notification("conversation.user.created", item))
    assert (await world.case(said["cases"][0])).customer_query == "hi, my room"


async def test_a_reply_without_its_parts_is_fetched(world: World, bench: IntercomBench) -> None:
    first = await take(world, bench.opened("My room is dirty."))
    bench.api.say(f"conversations/{bench.ticket}", "<p>Still dirty!</p>", CUSTOMER)
    item = {"type": "conversation", "id": bench.ticket, "updated_at": 1596635049}
    said = await take(world, bench.notification("conversation.user.replied", item))
    assert said["cases"] == first["cases"]
    assert (await world.case(said["cases"][0])).customer_query == "Still dirty!"


async def test_our_own_words_are_known_also_when_a_customers_account_sends_them(
    world: World, bench: IntercomBench
) -> None:
    await take(world, bench.opened("My room is dirty."))
    said = await take(world, bench.replied(bench.written()[0][1]))
    assert said == {"cases": [], "counts": {"echo": 1}}


async def test_a_conversation_that_a_colleague_began_holds_only_the_answers(
    world: World, bench: IntercomBench
) -> None:
    bench.opened("Hi there,")
    thing = bench.api.things[f"conversations/{bench.ticket}"]
    thing["fields"]["source"] |= {"author": COLLEAGUE}
    item = {"type": "conversation", "id": bench.ticket, "updated_at": 1}
    said = await take(world, bench.notification("conversation.user.replied", item))
    assert "no customer's message" in (await world.case(said["cases"][0])).status_reason
    case_id = said["cases"][0]
    await take(world, bench.replied("Who are you?"))
    assert (await world.case(case_id)).customer_query == "Who are you?"


async def test_the_second_at_which_the_limit_ends_is_waited_for(
    world: World, bench: IntercomBench
) -> None:
    bench.api.faults.append(Fault(429, {"X-RateLimit-Reset": str(int(time.time()) + 45)}))
    await take(world, bench.notification("ticket.contact.replied", TICKET))
    assert 40 <= max(sent.delay for sent in world.nudges.sent) < 90
