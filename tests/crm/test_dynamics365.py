"""Dynamics 365's own: deliveries too large to be whole, e-mails, drafts, and the poll."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devkit.crm.dynamics365 import Dynamics365Api, context, regarding
from devkit.crm.stand_in import Fault
from shared.domain.outbound import Post
from shared.errors import UncertainError
from shared.ports.crm import Connector
from tests.support.benches import Dynamics365Bench
from tests.support.crm import MakeWorld, deliver
from tests.support.world import POSITIVE, World

MAIL = "77777777-1111-4c2b-9f00-000d3aa2331c"


@pytest.fixture
async def bench() -> AsyncIterator[Dynamics365Bench]:
    async with Dynamics365Api() as api:
        yield Dynamics365Bench(api)


@pytest.fixture
def world(make_world: MakeWorld, bench: Dynamics365Bench) -> World:
    return make_world(bench.api, bench.secret)


@pytest.fixture
def connector(world: World) -> Connector:
    made = world.connectors.get("hotel", "dynamics365")
    assert made is not None
    return made


async def take(world: World, sent: Any) -> Any:
    response, said = await deliver("dynamics365", sent.body, sent.headers, **sent.query)
    assert response.status_code == 202
    await world.deliver()
    return said


async def test_the_webhook_key_comes_in_the_address(world: World, bench: Dynamics365Bench) -> None:
    opened = bench.opened("My room is dirty.")
    response, _ = await deliver("dynamics365", opened.body, {}, code=bench.secret)
    assert response.status_code == 202


async def test_a_case_too_large_to_come_along_is_fetched(
    world: World, bench: Dynamics365Bench
) -> None:
    bench.opened("My room is dirty.")
    said = await take(world, bench.json(context("Create", "incident", bench.ticket, None)))
    case = await world.case(said["cases"][0])
    assert case.customer_query == "Room 4\n\nMy room is dirty."


@pytest.mark.parametrize(
    ("message", "entity", "fields"),
    [
        ("Update", "incident", {"title": "x"}),
        ("Create", "contact", {}),
        ("Create", "email", None),
        ("Create", "email", {"directioncode": False}),
        ("Create", "email", {"regardingobjectid": regarding(MAIL, "account")}),
        ("Update", "email", {"statecode": 1}),
        ("Create", "email", {"directioncode": True, "regardingobjectid": regarding(MAIL)}),
    ],
)
async def test_what_is_no_customers_is_ignored(
    world: World, bench: Dynamics365Bench, message: str, entity: str, fields: Any
) -> None:
    said = await take(world, bench.json(context(message, entity, MAIL, fields)))
    assert said == {"cases": [], "counts": {"ignored": 1}}


async def test_a_mail_that_is_put_into_a_case_later_is_its_next_turn(
    world: World, bench: Dynamics365Bench
) -> None:
    first = await take(world, bench.opened("My room is dirty."))
    bench.replied("Still dirty!")
    [mail] = [m for m in bench.api.records["emails"].values() if not m["directioncode"]]
    later = context("Update", "email", mail["activityid"], {})
    image = {"Attributes": [{"key": "regardingobjectid", "value": regarding(bench.ticket)}]}
    later["PostEntityImages"] = [{"key": "post", "value": image}]
    said = await take(world, bench.json(later))
    assert said["cases"] == first["cases"]
    assert (await world.case(said["cases"][0])).customer_query == "Still dirty!"


async def test_the_mail_that_a_case_was_made_of_is_no_second_turn(
    world: World, bench: Dynamics365Bench
) -> None:
    said = await take(world, bench.opened("My room is dirty."))
    await take(world, bench.replied("My room is dirty."))
    case = await world.case(said["cases"][0])
    assert [turn.text for turn in case.turns if turn.text] == ["Room 4\n\nMy room is dirty."]


async def test_a_draft_is_left_unsent(make_world: MakeWorld, bench: Dynamics365Bench) -> None:
    world = make_world(bench.api, bench.secret, reply="draft", note=False, labels=False)
    await take(world, bench.opened("My room is dirty."))
    [mail] = bench.api.records["emails"].values()
    assert (mail["statecode"], mail["subject"]) == (0, "Re: Room 4")
    assert bench.api.ledger == []


async def test_a_mail_whose_sending_was_answered_by_nobody_is_sent_once(
    bench: Dynamics365Bench, connector: Connector
) -> None:
    bench.opened("My room is dirty.")
    post = Post(ticket_id=bench.ticket, how="public", text="We come.", html="We come.", key="k")
    bench.api.faults += [Fault(keep=True)] * 3 + [Fault(cut=True, keep=True)]
    with pytest.raises(UncertainError):
        await connector.post(post)
    assert bench.api.requests[-1].endswith("SendEmail")
    await connector.post(post)
    assert bench.api.ledger == [bench.receipt("k")]


async def test_a_case_without_a_customer_is_for_a_person(
    world: World, bench: Dynamics365Bench
) -> None:
    world.model.script |= POSITIVE
    opened = bench.opened("My room is dirty.")
    bench.api.records["incidents"][bench.ticket]["customerid_contact"] = None
    said = await take(world, opened)
    case = await world.case(said["cases"][0])
    assert (case.status, "reply-1: refused" in case.status_reason) == ("escalated", True)


async def test_the_poll_finds_what_the_webhook_lost_and_nothing_else(
    world: World, bench: Dynamics365Bench, connector: Connector
) -> None:
    bench.opened("My room is dirty.")
    bench.replied("Still dirty!")
    bench.api.records["emails"][MAIL] = {
        "activityid": MAIL, "directioncode": True, "_regardingobjectid_value": bench.ticket,
        "createdon": "2026-01-01T01:00:00Z", "modifiedon": "2026-01-01T01:00:00Z",
    }  # fmt: skip
    now = datetime(2026, 1, 1, 1, 5, tzinfo=UTC)
    changes = await connector.changed_since("2025-12-31T23:59:00Z", now)
    assert {m.ticket_id for m in changes.messages} == {bench.ticket}
    assert [m.kind for m in changes.messages] == ["new", "follow_up"]
    assert changes.mark == "2026-01-01T01:05:00Z"
    later = await connector.changed_since(changes.mark, now + timedelta(minutes=5))
    assert later.messages == ()
    assert (await connector.changed_since(None, now)).messages == changes.messages[1:]


async def test_a_poll_that_is_cut_goes_on_where_it_ended(
    bench: Dynamics365Bench, connector: Connector
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(450):
        at = (start + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        bench.api.receive(bench.ticket, "x", at)
    found, mark = set(), "2026-01-01T00:00:00Z"
    now = start + timedelta(days=1)
    for _ in range(3):
        changes = await connector.changed_since(mark, now)
        found |= {message.delivery_id for message in changes.messages}
        mark = changes.mark
    assert (len(found), mark) == (450, "2026-01-02T00:00:00Z")
