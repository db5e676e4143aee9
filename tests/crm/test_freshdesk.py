"""Freshdesk's own: what tells two events apart, long tickets, and mails that an agent began."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from devkit.crm.freshdesk import FreshdeskApi
from tests.support.benches import FreshdeskBench
from tests.support.crm import MakeWorld, deliver
from tests.support.world import World


@pytest.fixture
async def bench() -> AsyncIterator[FreshdeskBench]:
    async with FreshdeskApi() as api:
        yield FreshdeskBench(api)


@pytest.fixture
def world(make_world: MakeWorld, bench: FreshdeskBench) -> World:
    return make_world(bench.api, bench.secret)


async def take(world: World, bench: FreshdeskBench, body: Any) -> Any:
    sent = bench.json(body)
    response, said = await deliver("freshdesk", sent.body, sent.headers)
    assert response.status_code == 202
    await world.deliver()
    return await world.case(said["cases"][0])


async def test_a_rule_that_says_only_the_ticket_misses_no_message(
    world: World, bench: FreshdeskBench
) -> None:
    bench.opened("My room is dirty.")
    await take(world, bench, {"ticket_id": int(bench.ticket)})
    for text in ("Still dirty!", "Hello?"):
        bench.api.say(bench.ticket, text, incoming=True)
        case = await take(world, bench, {"ticket_id": int(bench.ticket)})
        assert case.customer_query == text
    ours = bench.written()
    case = await take(world, bench, {"ticket_id": int(bench.ticket)})
    assert (case.customer_query, bench.written()) == ("Hello?", ours)


async def test_a_note_that_came_by_mail_is_no_customers(
    world: World, bench: FreshdeskBench
) -> None:
    sent = bench.opened("My room is dirty.")
    bench.api.say(bench.ticket, "The guest is difficult.", incoming=True, private=True)
    case = await take(world, bench, json.loads(sent.body))
    assert case.customer_query == "Room 4\n\nMy room is dirty."


async def test_a_long_ticket_is_read_to_its_end(world: World, bench: FreshdeskBench) -> None:
    sent = bench.opened("My room is dirty.")
    for number in range(120):
        bench.api.say(bench.ticket, f"Note {number}", incoming=False, private=True)
    bench.api.say(bench.ticket, "Hello?", incoming=True)
    case = await take(world, bench, json.loads(sent.body))
    assert case.customer_query == "Room 4\n\nMy room is dirty.\n\nHello?"


async def test_a_mail_that_an_agent_began_with_is_no_customers(
    world: World, bench: FreshdeskBench
) -> None:
    bench.api.open(bench.ticket, "Your stay", "How was it?", source=10)
    case = await take(world, bench, {"ticket_id": bench.ticket})
    assert "no customer's message" in case.status_reason
    bench.api.say(bench.ticket, "It was dirty.", incoming=True)
    case = await take(world, bench, {"ticket_id": bench.ticket})
    assert case.customer_query == "It was dirty."
