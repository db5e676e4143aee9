"""Salesforce's own: its acknowledgement, a hundred notifications, e-mails, sessions and limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from devkit.crm.salesforce import SalesforceApi, envelope, notification
from devkit.crm.stand_in import Fault, RefusedError
from tests.support.benches import SalesforceBench
from tests.support.crm import MakeWorld, deliver
from tests.support.world import World

_OUT = "{http://soap.sforce.com/2005/09/outbound}"


@pytest.fixture
async def bench() -> AsyncIterator[SalesforceBench]:
    async with SalesforceApi() as api:
        yield SalesforceBench(api)


@pytest.fixture
def world(make_world: MakeWorld, bench: SalesforceBench) -> World:
    return make_world(bench.api, bench.secret)


async def take(world: World, sent: Any) -> Any:
    response, _ = await deliver("salesforce", sent.body, sent.headers, **sent.query)
    assert response.status_code == 200
    await world.deliver(500)
    [case_id] = world.store._cases
    return await world.case(case_id)


async def test_every_delivery_is_acknowledged_in_soap(world: World, bench: SalesforceBench) -> None:
    sent = bench.signed(envelope(notification("Lead", Id="1")))
    for delivery in (bench.opened("My room is dirty."), sent):
        response, said = await deliver("salesforce", delivery.body, {}, **delivery.query)
        assert (response.status_code, response.mimetype) == (200, "text/xml")
        ignored = delivery is sent
        assert response.headers["Frontdesk-Counts"] == ("ignored=1" if ignored else "accepted=1")
        assert bool(response.headers["Frontdesk-Cases"]) != ignored
        [ack] = fromstring(said).iter(f"{_OUT}Ack")
        assert ack.text == "true"


async def test_a_hundred_notifications_are_a_hundred_cases(
    world: World, bench: SalesforceBench
) -> None:
    cases = [
        notification("Case", Id=f"5005e0000{number:09}", Subject="Hi", Description="x")
        for number in range(100)
    ]
    sent = bench.signed(envelope(*cases))
    response, _ = await deliver("salesforce", sent.body, {}, **sent.query)
    await world.deliver(1)
    assert (response.status_code, len(world.store._cases)) == (200, 100)


async def test_a_case_made_of_a_mail_is_one_turn_in_either_order(
    world: World, bench: SalesforceBench
) -> None:
    opened, mail = bench.opened("My room is dirty."), bench.replied("My room is dirty. ")
    case = await take(world, mail)
    for sent in (opened, mail, opened):
        case = await take(world, sent)
    assert [turn.text for turn in case.turns if turn.text] == ["Room 4\n\nMy room is dirty."]
    assert len(world.model.calls) == 3


async def test_a_customers_comment_counts_and_colleagues_do_not(
    world: World, bench: SalesforceBench
) -> None:
    case = await take(world, bench.opened("My room is dirty."))
    kinds = {"CspLitePortal": True, "Guest": True, "Standard": True, "CustomerSuccess": False}
    for kind, public in kinds.items():
        user = {"UserType": kind}
        said = bench.api.say(bench.ticket, "comments", CommentBody=f"By {kind}",
            IsPublished=public, CreatedBy=user)  # fmt: skip
        about = {"Id": said["Id"], "ParentId": bench.ticket}
        case = await take(world, bench.signed(envelope(notification("CaseComment", **about))))
    assert [t.text for t in case.turns if t.text][1:] == ["By CspLitePortal", "By Guest"]


async def test_a_case_whose_description_was_not_sent_is_fetched(
    world: World, bench: SalesforceBench
) -> None:
    bench.opened("My room is dirty.")
    case = await take(world, bench.signed(envelope(notification("Case", Id=bench.ticket))))
    assert case.customer_query == "Room 4\n\nMy room is dirty."


async def test_a_session_that_ended_is_renewed_at_once(
    world: World, bench: SalesforceBench
) -> None:
    await take(world, bench.opened("My room is dirty."))
    assert bench.api.tokens == 1
    bench.api.tokens += 1  # Somebody ended the session.
    case = await take(world, bench.replied("Still dirty!"))
    assert (case.customer_query, bench.api.tokens) == ("Still dirty!", 3)
    assert {e.state for e in case.effects} == {"done"}


async def test_wrong_credentials_are_tried_again_until_somebody_repairs_them(
    world: World, bench: SalesforceBench
) -> None:
    bench.opened("My room is dirty.")
    bench.api.token_form = {"client_id": "another"}  # type: ignore[misc]
    case = await take(world, bench.signed(envelope(notification("Case", Id=bench.ticket))))
    assert case.stages[0].error is not None
    assert case.stages[0].error.code == "crm_token_refused"
    del bench.api.token_form
    world.make_visible()
    await world.deliver()
    assert (await world.case(case.case_id)).customer_query == "Room 4\n\nMy room is dirty."


async def test_the_days_limit_is_left_alone_for_a_while(
    world: World, bench: SalesforceBench
) -> None:
    said = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    bench.api.refusals.append(RefusedError(403, "limit", said))
    bench.opened("My room is dirty.")
    await take(world, bench.signed(envelope(notification("Case", Id=bench.ticket))))
    assert max(sent.delay for sent in world.nudges.sent) >= 900


async def test_a_locked_row_is_tried_again_and_any_other_refusal_is_not(
    world: World, bench: SalesforceBench
) -> None:
    locked = RefusedError(400, "locked", [{"errorCode": "UNABLE_TO_LOCK_ROW"}])
    bench.api.refusals += [locked]
    case = await take(world, bench.opened("My room is dirty."))
    world.make_visible()
    await world.deliver()
    case = await world.case(case.case_id)
    assert {e.state for e in case.effects} == {"done"}
    bench.api.faults.append(Fault(403))
    case = await take(world, bench.replied("Still dirty!"))
    assert "crm_refused" in str(case.stages[-4:]) + case.status_reason


async def test_a_long_note_is_cut_to_what_a_comment_holds(
    world: World, bench: SalesforceBench
) -> None:
    from shared.domain.outbound import Post, carries, is_echo, mark_of

    bench.opened("My room is dirty.")
    connector = world.connectors.get("hotel", "salesforce")
    assert connector is not None
    post = Post(ticket_id=bench.ticket, how="note", text="long " * 2000, html="", key="k")
    await connector.post(post)
    [note] = bench.api.cases[bench.ticket]["comments"]
    assert len(note["CommentBody"]) <= 4000
    assert carries(note["CommentBody"], mark_of("k"))
    assert is_echo(note["CommentBody"])
    assert await connector.find(bench.ticket, "k") is not None
