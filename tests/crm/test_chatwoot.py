"""Chatwoot from delivery to message, and the poll that finds what its webhooks lose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from devkit.crm.chatwoot import ChatwootApi, message_created, signed
from devkit.crm.stand_in import Fault
from tests.support.benches import ChatwootBench
from tests.support.crm import MakeWorld, deliver
from tests.support.world import POSITIVE, World


@pytest.fixture
async def api() -> AsyncIterator[ChatwootApi]:
    async with ChatwootApi() as running:
        yield running


@pytest.fixture
def world(make_world: MakeWorld, api: ChatwootApi) -> World:
    made = make_world(api, SECRET)
    api.now = int(made.clock.now().timestamp())
    api.say("42", "Hi, where is my order?", api.now)
    return made


async def post(world: World, body: bytes) -> Any:
    response, said = await deliver("chatwoot", *signed(body, world.clock.now(), SECRET))
    assert response.status_code == 202, said
    return said


SECRET = ChatwootBench.webhook_secret
ESCALATION: dict[str, Any] = {"actions": [], "needs_upper_management_attention": False}
ORDER = message_created(42, 500, "Hi, where is my order?")


async def test_what_a_customer_wrote_makes_no_links_in_the_note(
    world: World, api: ChatwootApi
) -> None:
    world.model.script["escalation"] = ESCALATION | {
        "summary": "[refund](http://evil.example) <b>now</b>"
    }
    await post(world, ORDER)
    await world.deliver()
    note = api.conversations["42"].messages[-1]["content"]
    assert r"\[refund\](http://evil.example) \<b\>now\</b\>" in note


async def test_the_customers_next_message_is_a_turn_and_events_around_it_are_none(
    world: World,
) -> None:
    first = await post(world, ORDER)
    second = await post(world, message_created(42, 501, "Hello?"))
    assert first["cases"] == second["cases"]
    ignored = message_created(42, 501, "Hello?", event="conversation_updated")
    assert (await post(world, ignored))["counts"] == {"ignored": 1}
    assert len((await world.store.read(first["cases"][0])).messages) == 2


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"message_type": "outgoing"}, "ignored"),
        ({"message_type": "activity"}, "ignored"),
        ({"message_type": "template"}, "ignored"),
        ({"message_type": "outgoing", "content_attributes": {"frontdesk": "fd-1"}}, "echo"),
        ({"private": True}, "ignored"),
        ({"account": {"id": 2}}, "ignored"),
    ],
)
async def test_only_what_comes_in_from_a_customer_is_a_turn(
    world: World, more: dict[str, Any], kind: str
) -> None:
    said = await post(world, message_created(42, 501, "We look into it.", **more))
    assert said == {"cases": [], "counts": {kind: 1}}


async def test_our_note_is_known_when_it_comes_back_without_its_attribute(
    world: World, api: ChatwootApi
) -> None:
    await post(world, ORDER)
    await world.deliver()
    note = api.conversations["42"].messages[-1]
    back = message_created(42, note["id"], note["content"].replace("\n", "\r\n"))
    assert (await post(world, back))["counts"] == {"echo": 1}
    quoted = message_created(42, 900, "No!\n> " + note["content"].replace("\n", "\n> "))
    assert (await post(world, quoted))["counts"] == {"accepted": 1}


@pytest.mark.parametrize("kept", [True, False])
async def test_a_lost_answer_is_looked_up_and_nothing_is_written_twice(
    world: World, api: ChatwootApi, kept: bool
) -> None:
    world.model.script |= POSITIVE
    for number in range(30):
        api.say("42", f"Earlier {number}", api.now, incoming=False)
    api.faults += [Fault(cut=True, keep=kept)] * 2
    said = await post(world, ORDER)
    await world.deliver()
    for number in range(30):
        api.say("42", f"Later {number}", api.now, incoming=False)
    world.make_visible()
    await world.deliver()
    assert {e.state for e in (await world.case(said["cases"][0])).effects} == {"done"}
    assert len(api.ledger) == len(set(api.ledger)) == 2


def texts(view: Any) -> list[str]:
    return [message.text for message in view.messages]


async def test_a_poll_finds_what_webhooks_lost_and_nothing_twice(
    world: World, api: ChatwootApi
) -> None:
    said = await post(world, ORDER)
    world.clock.advance(60)
    api.now += 60
    api.say("42", "Hello?", api.now)
    api.say("42", "We look into it.", api.now, incoming=False)
    api.say("43", "Another conversation", api.now)
    assert await world.app.reception.poll() == {"accepted": 2, "redelivered": 1}
    assert texts(await world.store.read(said["cases"][0])) == ["Hi, where is my order?", "Hello?"]
    assert len(world.store._cases) == 2

    late = message_created(42, 501, "Hello?")
    assert (await post(world, late))["counts"] == {"redelivered": 1}
    for expected in ({"redelivered": 3}, {}):
        # Polls overlap by two minutes.
        world.clock.advance(300)
        api.now += 300
        assert await world.app.reception.poll() == expected


async def test_a_poll_reads_a_long_conversation_back_to_its_mark(
    world: World, api: ChatwootApi
) -> None:
    await world.app.reception.poll()
    world.clock.advance(300)
    api.now += 300
    for number in range(50):
        api.say("42", f"Message {number}", api.now)
    assert (await world.app.reception.poll())["accepted"] == 50


async def test_a_poll_that_fails_looks_at_the_same_time_again(
    world: World, api: ChatwootApi
) -> None:
    api.faults.append(Fault(503))
    assert await world.app.reception.poll() == {"failed": 1}
    assert await world.inbox.mark("hotel chatwoot") is None
    assert await world.app.reception.poll() == {"accepted": 1}
    assert await world.inbox.mark("hotel chatwoot") == str(api.now)
