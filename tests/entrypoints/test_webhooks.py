"""Webhooks over memory ports: what is verified, what becomes of it, what is refused."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from entrypoints import webhooks
from shared.adapters.crm_connectors import CrmConnectors
from shared.adapters.memory import MemoryCaseStore
from shared.domain.partition import Partition
from shared.domain.rows import Row
from shared.errors import RetryableError
from tests.support.crm import STANDARD_SECRET, deliver, signed, standard
from tests.support.receiver import Receiver
from tests.support.world import NEGATIVE, POSITIVE, World

DIRTY = {"ticket_id": "T-77", "message_id": "m-1", "text": "My room is dirty."}
OTHER_SECRET = "whsec_bmV3IHNlY3JldCBvZiB0aGlydHktdHdvIGJ5dGVzLi4="
NEXT = {"ticket_id": "T-77", "message_id": "m-2", "text": "Still dirty!"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(STANDARD_SECRET) as running:
        yield running


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> World:
    settings = {"HOTEL_STANDARD_SECRET": STANDARD_SECRET, "HOTEL_STANDARD_URL": receiver.url}
    connectors = CrmConnectors(settings, ["default", "hotel", "told"], development=True)
    made = World(NEGATIVE, connectors=connectors)

    async def frontdesk() -> Any:
        return made.app

    monkeypatch.setattr(webhooks, "frontdesk", frontdesk)
    return made


async def post(world: World, data: Mapping[str, object], **more: Any) -> tuple[int, Any]:
    response, said = await deliver("standard", *standard(data, world.clock.now(), **more))
    return response.status_code, said


def written(receiver: Receiver, event: str) -> list[dict[str, Any]]:
    return [body["data"] for _, body in receiver.requests if body["type"] == event]


async def test_a_ticket_is_answered_and_annotated_where_it_came_from(
    world: World, receiver: Receiver
) -> None:
    status, said = await post(world, DIRTY | {"subject": "Room 4"})
    assert (status, said["counts"]) == (202, {"accepted": 1})
    await world.deliver()

    case = await world.case(said["cases"][0])
    assert case.customer_query == "Room 4\n\nMy room is dirty."
    assert (case.channel.source, case.channel.external_id) == ("standard", "T-77")
    assert {e.key: e.state for e in case.effects} == {
        "reply-1": "done", "escalation_note-1": "done", "escalation_labels-1": "done"
    }  # fmt: skip
    reply = written(receiver, "reply.written") + written(receiver, "note.written")[:1]
    assert [r["ticket_id"] for r in reply] == ["T-77"]
    assert "We are sorry and look into it." in reply[0]["text"]
    note = written(receiver, "note.written")[-1]["text"]
    assert "Urgency: high" in note
    assert "escalate: negative sentiment" in note
    assert "send_help" in note
    assert written(receiver, "labels.set") == [
        {
            "ticket_id": "T-77",
            "tags": ["frontdesk", "frontdesk_escalated", "frontdesk_negative"],
            "urgency": "high",
        }
    ]
    assert len(receiver.ledger) == len(set(receiver.ledger)) == 3


async def test_an_answered_ticket_has_its_note_too(world: World, receiver: Receiver) -> None:
    world.model.script |= POSITIVE
    await post(world, DIRTY)
    await world.deliver()
    assert "Sentiment: Positive" in written(receiver, "note.written")[-1]["text"]


async def test_a_customers_next_message_is_a_turn_of_the_same_case(world: World) -> None:
    _, first = await post(world, DIRTY)
    _, second = await post(world, NEXT, event="message.created", name="msg-2")
    assert first["cases"] == second["cases"]
    await world.deliver()
    case = await world.case(first["cases"][0])
    assert [turn.text for turn in case.turns] == ["My room is dirty.", "Still dirty!"]


async def test_two_desks_and_two_tickets_are_different_cases(world: World) -> None:
    _, first = await post(world, DIRTY)
    _, second = await post(world, DIRTY | {"ticket_id": "T-78"}, name="msg-2")
    assert first["cases"] != second["cases"]


class SlowStore(MemoryCaseStore):
    """Gives up control at each call, so that others come between."""

    async def read(self, case_id: str) -> Partition:
        await asyncio.sleep(0)
        view = await super().read(case_id)
        await asyncio.sleep(0)
        return view

    async def insert(self, case_id: str, row: Row) -> str:
        await asyncio.sleep(0)
        etag = await super().insert(case_id, row)
        await asyncio.sleep(0)
        return etag


def slow(world: World) -> None:
    store = SlowStore()
    world.store = store
    for part in (world.app.intake, world.app.intake._advancer, world.app.runner, world.app.effects):
        part._store = store


async def test_the_same_delivery_a_hundred_times_at_once_is_one_turn(
    world: World, receiver: Receiver
) -> None:
    slow(world)
    answers = await asyncio.gather(*(post(world, DIRTY) for _ in range(100)))
    assert {status for status, _ in answers} == {202}
    assert len({said["cases"][0] for _, said in answers}) == 1
    case_id = answers[0][1]["cases"][0]
    assert len((await world.store.read(case_id)).messages) == 1
    await world.deliver(1000)
    assert len(receiver.ledger) == len(set(receiver.ledger)) == 3
    assert await world.open_marks() == 0


async def test_messages_of_one_ticket_that_come_at_once_are_all_turns(world: World) -> None:
    slow(world)
    sent = [DIRTY | {"message_id": f"m-{n}", "text": f"Message {n}"} for n in range(4)]
    answers = await asyncio.gather(*(post(world, data, name=data["message_id"]) for data in sent))
    case = await world.case(answers[0][1]["cases"][0])
    assert sorted(turn.text for turn in case.turns) == [data["text"] for data in sent]


async def test_a_sender_that_died_half_way_is_completed_by_the_next_delivery(world: World) -> None:
    lost = world.store.insert

    async def dies_at_the_case_row(case_id: str, row: Row) -> str:
        if row.key == "case":
            raise RetryableError("storage_unavailable")
        return await lost(case_id, row)

    world.store.insert = dies_at_the_case_row  # type: ignore[method-assign]
    status, _ = await post(world, DIRTY)
    assert status == 503
    world.store.insert = lost  # type: ignore[method-assign]
    status, said = await post(world, DIRTY)
    assert (status, said["counts"]) == (202, {"redelivered": 1})
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.status, len(case.turns)) == ("escalated", 1)


async def refused(
    world: World, caplog: pytest.LogCaptureFixture, body: bytes, headers: dict[str, str]
) -> str:
    """The reason in the log of a delivery that is not let in, and nothing is stored."""
    with caplog.at_level(logging.INFO, logger="frontdesk"):
        response, said = await deliver("standard", body, headers)
    assert (response.status_code, said["title"]) == (401, "Not verified")
    assert world.store._cases == {}
    assert await world.open_marks() == 0
    [record] = [r for r in caplog.records if r.message == "webhook refused"]
    reason = str(vars(record)["reason"])
    assert STANDARD_SECRET not in caplog.text + reason
    assert reason not in json.dumps(said)
    return reason


async def test_a_forged_signature_is_refused(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    body, headers = standard(DIRTY, world.clock.now())
    for bad in (
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": headers["webhook-signature"].removeprefix("v1,")},
        {"webhook-id": "another"},
    ):
        caplog.clear()
        assert "wrong signature" in await refused(world, caplog, body, headers | bad)
    caplog.clear()
    assert "wrong signature" in await refused(world, caplog, body + b" ", headers)
    caplog.clear()
    forged = standard(DIRTY, world.clock.now(), secret=OTHER_SECRET)
    assert "wrong signature" in await refused(world, caplog, *forged)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_missing_header_is_refused(
    world: World, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    body, headers = standard(DIRTY, world.clock.now())
    del headers[name]
    assert name in await refused(world, caplog, body, headers)


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_stale_delivery_is_refused(
    world: World, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    at = world.clock.now() + timedelta(seconds=seconds)
    assert "300 s is the most" in await refused(world, caplog, *standard(DIRTY, at))


@pytest.mark.parametrize("at", ["", "yesterday", "٣٣", "-1", "9" * 20])
async def test_a_timestamp_that_is_none_is_refused(
    world: World, caplog: pytest.LogCaptureFixture, at: str
) -> None:
    body, headers = standard(DIRTY, world.clock.now())
    assert "timestamp" in await refused(world, caplog, body, headers | {"webhook-timestamp": at})


async def test_either_of_two_secrets_is_accepted_while_one_is_changed(world: World) -> None:
    world.connectors._settings |= {"HOTEL_STANDARD_SECRET": f"{OTHER_SECRET} {STANDARD_SECRET}"}  # type: ignore[attr-defined]
    for number, secret in enumerate((OTHER_SECRET, STANDARD_SECRET)):
        status, _ = await post(world, DIRTY, name=f"msg-{number}", secret=secret)
        assert status == 202


@pytest.mark.parametrize(
    ("desk", "vendor"),
    [("hotel", "zendesk"), ("default", "standard"), ("motel", "standard"), ("hotel", "os"),
     ("hotel", "__init__"), ("hotel", "..standard"), ("hotel", "Standard")],
)  # fmt: skip
async def test_what_is_not_configured_is_not_there(world: World, desk: str, vendor: str) -> None:
    response, said = await deliver(vendor, *standard(DIRTY, world.clock.now()), desk=desk)
    assert (response.status_code, said["title"]) == (404, "No such webhook")


async def test_a_body_over_a_mebibyte_is_refused_before_anything_else(world: World) -> None:
    response, said = await deliver("standard", b"x" * (1024 * 1024 + 1), {}, desk="motel")
    assert (response.status_code, said["title"]) == (413, "Body too large")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"null", b'"x"', b'{"type": 5}',
     b'{"n":' + b"9" * 5000 + b"}",
     b'{"type": "ticket.created"}', b'{"type": "ticket.created", "data": {"text": "no ticket"}}',
     b'{"type": "ticket.created", "data": {"ticket_id": ["T-1"], "text": "x"}}'],
)  # fmt: skip
async def test_a_verified_body_that_is_not_theirs_is_a_400(world: World, body: bytes) -> None:
    response, said = await deliver("standard", *signed(body, world.clock.now()))
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert said["detail"]
    assert world.store._cases == {}


async def test_events_that_nobody_knows_are_accepted_counted_and_ignored(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="frontdesk"):
        status, said = await post(world, DIRTY, event="invoice.paid")
    assert (status, said) == (202, {"cases": [], "counts": {"ignored": 1}})
    assert world.store._cases == {}
    [record] = [r for r in caplog.records if r.message == "webhook taken in"]
    assert vars(record)["ignored"] == {"invoice.paid": 1}


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", None, 5])
async def test_a_ticket_without_text_is_a_case_for_a_person(
    world: World, receiver: Receiver, text: object
) -> None:
    status, said = await post(world, DIRTY | {"text": text})
    assert status == 202
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.status, "no_text" in case.status_reason) == ("escalated", True)
    assert world.model.calls == []
    [handover] = written(receiver, "note.written")
    assert "needs a person" in handover["text"]


async def test_odd_text_is_kept_as_far_as_it_can_be(world: World) -> None:
    _, said = await post(world, DIRTY | {"text": "a\x00b \ud800 ende"})
    case = await world.case(said["cases"][0])
    assert case.customer_query == "ab ? ende"
    _, said = await post(world, DIRTY | {"ticket_id": "T-2", "text": "ü" * 150_000}, name="m")
    view = await world.store.read(said["cases"][0])
    assert view.messages[0].size == 256 * 1024


async def test_two_automatons_end_at_a_person(world: World, receiver: Receiver) -> None:
    world.model.script |= POSITIVE
    case_id = ""
    for number in range(12):
        data = DIRTY | {"message_id": f"m-{number}", "text": "I am out of office."}
        _, said = await post(world, data, event="message.created", name=f"msg-{number}")
        case_id = said["cases"][0]
        await world.deliver()
    case = await world.case(case_id)
    assert (case.status, "too_many_turns" in case.status_reason) == ("escalated", True)
    assert sum(turn.response is not None for turn in case.turns) == 10
    assert len(world.model.calls) == 20

    await world.app.acts.resolve(case_id, "ana", "stopped it")
    later = NEXT | {"message_id": "m-99"}
    _, said = await post(world, later, event="message.created", name="later")
    await world.deliver()
    assert (await world.case(case_id)).turns[-1].response is not None


async def test_a_person_may_let_a_held_turn_go_on(world: World) -> None:
    world.model.script |= POSITIVE
    said: Any = None
    for number in range(11):
        _, said = await post(world, DIRTY | {"message_id": f"m-{number}"}, name=f"msg-{number}")
        await world.deliver()
    case_id = said["cases"][0]
    await world.app.acts.replay(case_id, "ana", "no automaton")
    await world.deliver()
    case = await world.case(case_id)
    assert (case.status, case.turns[-1].response) == ("answered", "Thank you!")


async def test_a_cancelled_tickets_next_message_opens_a_case_of_its_own(world: World) -> None:
    _, first = await post(world, DIRTY)
    await world.app.acts.cancel(first["cases"][0], "ana", "duplicate")
    _, again = await post(world, DIRTY)
    assert again["cases"] == first["cases"]
    _, second = await post(world, NEXT, event="message.created", name="msg-2")
    assert second["cases"] != first["cases"]
    await world.deliver()
    case = await world.case(second["cases"][0])
    assert [turn.text for turn in case.turns] == ["Still dirty!"]


async def test_storage_down_says_when_to_come_back(world: World) -> None:
    async def down(case_id: str) -> Partition:
        raise RetryableError("storage_unavailable")

    world.store.read = down  # type: ignore[method-assign]
    response, _ = await deliver("standard", *standard(DIRTY, world.clock.now()))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 5


async def test_a_vendor_that_refuses_for_good_makes_it_a_case_for_a_person(
    world: World, receiver: Receiver
) -> None:
    from tests.support.receiver import Fault

    world.model.script |= POSITIVE
    receiver.faults.extend([Fault(403)] * 3)
    _, said = await post(world, DIRTY)
    await world.deliver()
    case = await world.case(said["cases"][0])
    assert (case.status, "refused" in case.status_reason) == ("escalated", True)


async def test_a_caller_of_the_api_cannot_have_us_write_into_a_crm(world: World) -> None:
    from shared.domain.rows import Channel

    case_id = await world.open(channel=Channel(source="standard", external_id="T-77"))
    await world.deliver()
    assert (await world.case(case_id)).effects == ()
