"""Zendesk from delivery to comment: what it really sends and takes, by its documentation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from devkit.crm.stand_in import Fault
from devkit.crm.zendesk import AGENT, CUSTOMER, Ticket, ZendeskApi, comment, event, signed
from tests.support.benches import ZendeskBench
from tests.support.crm import MakeWorld, deliver
from tests.support.world import POSITIVE, World

SECRET = ZendeskBench.webhook_secret
DIRTY = {"subject": "Room 4", "description": "My room is dirty.", "requester_id": "2"}


@pytest.fixture
async def api() -> AsyncIterator[ZendeskApi]:
    async with ZendeskApi() as running:
        ticket = running.tickets["35436"] = Ticket()
        ticket.say(CUSTOMER, "My room is dirty.")
        yield running


@pytest.fixture
def world(make_world: MakeWorld, api: ZendeskApi) -> World:
    return make_world(api, SECRET)


async def post(world: World, body: bytes) -> Any:
    response, said = await deliver("zendesk", *signed(body, world.clock.now(), SECRET))
    assert response.status_code == 202, said
    return said


def created(world: World, **more: Any) -> bytes:
    return event("created", "35436", world.clock.now(), DIRTY | more)


def added(world: World, said: dict[str, Any], **more: Any) -> bytes:
    body = json.loads(
        event("comment_added", "35436", world.clock.now(), DIRTY | more, comment=said)
    )
    return json.dumps(body).encode()


async def test_a_demonstration_models_reply_never_reaches_a_customer(
    world: World, api: ZendeskApi
) -> None:
    world.model.demo = True
    await post(world, created(world))
    await world.deliver()
    assert [c["public"] for c in api.tickets["35436"].comments] == [True, False, False]


async def test_a_customers_comment_is_the_next_turn(world: World, api: ZendeskApi) -> None:
    first = await post(world, created(world))
    await world.deliver()
    api.tickets["35436"].say(CUSTOMER, "Still dirty!")
    world.clock.advance(600)
    later = json.loads(added(world, comment(9_000_000_003, "Still dirty!")))
    later["detail"]["created_at"] = "2026-01-01T00:00:00Z"
    second = await post(world, json.dumps(later).encode())
    assert (second["cases"], second["counts"]) == (first["cases"], {"accepted": 1})
    await world.deliver()
    case = await world.case(first["cases"][0])
    assert [turn.text for turn in case.turns][1:] == ["Still dirty!"]
    assert sum(c["author_id"] == AGENT and c["public"] for c in api.tickets["35436"].comments) == 2


async def test_the_two_events_of_a_new_ticket_are_one_turn_in_either_order(world: World) -> None:
    first = comment(9_000_000_000, "My room is dirty.\n")
    bodies = (added(world, first), created(world), added(world, first))
    answers = [await post(world, body) for body in bodies]
    [case_id] = {said["cases"][0] for said in answers}
    assert len((await world.store.read(case_id)).messages) == 1


async def test_the_same_words_again_later_are_another_turn(world: World) -> None:
    said = await post(world, created(world))
    world.clock.advance(3600)
    began = (world.clock.now() - timedelta(hours=1)).isoformat()
    again = added(world, comment(9_000_000_005, "My room is dirty."), created_at=began)
    await post(world, again)
    assert len((await world.store.read(said["cases"][0])).messages) == 2


@pytest.mark.parametrize(
    "said",
    [
        comment(7, "We send somebody.", staff=True),
        comment(7, "Note to self", staff=True, public=False),
        comment(7, "A CC's note", public=False),
    ],
)
async def test_what_colleagues_and_we_ourselves_write_is_no_turn(
    world: World, said: dict[str, Any]
) -> None:
    answer = await post(world, added(world, said))
    assert answer == {"cases": [], "counts": {"ignored": 1}}


async def test_a_trigger_only_says_that_something_came(world: World, api: ZendeskApi) -> None:
    said = await post(world, b'{"ticket_id": "35436"}')
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert case.customer_query == "My room is dirty."
    assert case.stages[0].stage == "fetch"
    assert "GET /api/v2/tickets/35436/comments.json" in api.requests

    # The same trigger for our own comments: nothing new, no turn for an agent.
    calls = len(world.model.calls)
    await post(world, b'{"ticket_id": 35436 }')
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.status, len(world.model.calls)) == ("escalated", calls)
    assert case.customer_query == "My room is dirty."
    assert {s.state for s in case.stages if s.turn == 2 and s.stage != "fetch"} == {"skipped"}
    assert await world.open_marks() == 0


async def test_a_long_ticket_is_read_to_its_end(world: World, api: ZendeskApi) -> None:
    ticket = api.tickets["35436"]
    for number in range(250):
        ticket.say(AGENT, f"Note {number}", public=False)
    ticket.say(CUSTOMER, "Hello?")
    said = await post(world, b'{"ticket_id": "35436"}')
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert case.customer_query == "My room is dirty.\n\nHello?"


async def test_a_ticket_whose_text_did_not_come_along_is_fetched(world: World) -> None:
    said = await post(world, created(world, description=None))
    await world.deliver()
    assert (await world.case(said["cases"][0])).customer_query == "My room is dirty."


async def test_a_ticket_that_is_gone_is_for_a_person(world: World, api: ZendeskApi) -> None:
    api.tickets.clear()
    said = await post(world, b'{"ticket_id": "35436"}')
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.status, "crm_ticket_missing" in case.status_reason) == ("escalated", True)


async def test_a_fetch_that_may_not_now_comes_again_when_told(
    world: World, api: ZendeskApi
) -> None:
    api.faults += [Fault(429, {"Retry-After": "40"}), Fault(503), Fault(cut=True), Fault(500)]
    said = await post(world, b'{"ticket_id": "35436"}')
    await world.deliver()
    assert 40 <= max(sent.delay for sent in world.nudges.sent) <= 50
    for _ in range(4):
        world.make_visible()
        await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.customer_query, case.stages[0].attempts) == ("My room is dirty.", 5)


async def test_a_closed_ticket_makes_it_a_case_for_a_person(world: World, api: ZendeskApi) -> None:
    world.model.script |= POSITIVE
    api.tickets["35436"].closed = True
    said = await post(world, created(world))
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.status, "reply-1: refused" in case.status_reason) == ("escalated", True)


async def test_a_priority_is_never_lowered(world: World, api: ZendeskApi) -> None:
    api.tickets["35436"].priority = "urgent"
    await post(world, created(world))
    await world.deliver()
    assert api.tickets["35436"].priority == "urgent"


async def test_a_wrong_token_is_tried_again_until_somebody_repairs_it(
    world: World, api: ZendeskApi
) -> None:
    said = await post(world, b'{"ticket_id": "35436"}')
    api.token = "another"
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert case.stages[0].error is not None
    assert case.stages[0].error.code == "crm_access_refused"
    api.token = "api-token"
    world.make_visible()
    await world.deliver()
    assert (await world.case(said["cases"][0])).customer_query == "My room is dirty."


@pytest.mark.parametrize("status", ["hold", "solved", "closed"])
async def test_a_status_that_people_chose_is_left_alone(
    make_world: MakeWorld, api: ZendeskApi, status: str
) -> None:
    world = make_world(api, SECRET, status=True)
    world.model.script |= POSITIVE
    api.tickets["35436"].status = status
    said = await post(world, created(world))
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert {e.key: e.receipt for e in case.effects}[
        "status-1"
    ] == f"nothing: the status is {status}"
    assert api.tickets["35436"].status == status


async def test_a_ticket_waits_for_nobody_when_the_reply_was_refused_or_is_a_note(
    make_world: MakeWorld, api: ZendeskApi
) -> None:
    world = make_world(api, SECRET, status=True)
    world.model.script |= POSITIVE
    api.tickets["35436"].closed = True
    said = await post(world, created(world))
    await world.deliver()
    states = {e.key: e.state for e in (await world.case(said["cases"][0])).effects}
    assert (states["reply-1"], states["status-1"]) == ("refused", "moot")

    world = make_world(api, SECRET, status=True)
    world.model.script |= POSITIVE
    world.model.demo = True
    api.tickets["35436"].closed = False
    said = await post(world, created(world))
    await world.deliver()
    receipts = {e.key: e.receipt for e in (await world.case(said["cases"][0])).effects}
    assert receipts["status-1"] == "nothing: the reply is a note"
    assert api.tickets["35436"].status == "new"
