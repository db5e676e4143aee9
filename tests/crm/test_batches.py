"""Deliveries of many events: answered at once, taken in behind the answer, none lost or doubled."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from shared.errors import RetryableError
from shared.pipeline.reception import UNPACK
from tests.support.crm import MakeWorld, ThinVendor, deliver, thin
from tests.support.world import POSITIVE, World


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    made = make_world(ThinVendor())
    made.model.script |= POSITIVE
    return made


def events(count: int, tickets: int) -> list[dict[str, object]]:
    return [
        {
            "event": "message",
            "kind": "follow_up",
            "ticket_id": f"T-{number % tickets}",
            "delivery_id": f"m-{number}",
            "text": f"Message {number}",
        }
        for number in range(count)
    ]


async def post(*sent: dict[str, object]) -> None:
    response, _ = await deliver("zendesk", *thin(*sent))
    assert response.status_code == 200


async def turns(world: World) -> list[str]:
    found = [await world.store.read(case_id) for case_id in world.store._cases]
    return [message.text for view in found for message in view.messages]


async def test_a_thousand_events_in_one_delivery_are_all_taken_in_behind_the_answer(
    world: World,
) -> None:
    sent = events(1000, 500)
    before = time.perf_counter()
    await post(*sent)
    assert time.perf_counter() - before < 0.5
    assert world.store._cases == {}
    assert await world.deliver(1) == [f"{UNPACK}: finished"]
    assert sorted(await turns(world)) == sorted(str(event["text"]) for event in sent)
    assert len(world.store._cases) == 500
    assert await world.inbox.waiting(1) == []


async def test_messages_of_one_ticket_stay_in_their_order(world: World) -> None:
    await post(*events(40, 2))
    await world.deliver(1)
    for case_id in world.store._cases:
        view = await world.store.read(case_id)
        numbers = [int(message.text.split()[1]) for message in view.messages]
        assert numbers == sorted(numbers)


async def test_the_same_batch_again_changes_nothing(world: World) -> None:
    sent = events(20, 20)
    await post(*sent)
    await post(*sent)
    await world.deliver(2)
    await post(*sent)
    while any(message.nudge.stage == UNPACK for message in world.nudges.sent):
        await world.deliver(1)
    assert len(await turns(world)) == 20


async def test_a_batch_whose_queue_message_is_lost_is_found_by_a_sweep(world: World) -> None:
    await post(*events(10, 10))
    world.nudges.sent.clear()
    assert await world.app.reception.sweep() == 0, "not late yet"
    world.clock.advance(60)
    assert await world.app.reception.sweep() == 1
    assert await world.deliver(1) == [f"{UNPACK}: finished"]
    assert len(await turns(world)) == 10
    assert await world.app.reception.sweep() == 0


async def test_what_a_batch_held_is_deleted_once_it_is_taken_in(world: World) -> None:
    await post(*events(10, 10))
    assert len(world.texts._texts) == 1
    await world.deliver(1)
    assert world.texts._texts == {}


async def test_a_crash_behind_the_deletion_ends_with_nothing_lost_or_doubled(world: World) -> None:
    await post(*events(10, 10))
    [unpack] = world.nudges.sent
    done, crashes = world.inbox.done, [True]

    async def dies(batch_id: str) -> None:
        if crashes.pop() if crashes else False:
            raise RetryableError("storage_unavailable")
        await done(batch_id)

    world.inbox.done = dies  # type: ignore[method-assign]
    with pytest.raises(RetryableError):
        await world.run(unpack.nudge)
    assert world.texts._texts == {}
    await world.run(unpack.nudge)
    assert len(await turns(world)) == 10
    assert await world.inbox.waiting(1) == []


async def test_one_ticket_that_cannot_be_taken_in_keeps_only_itself_waiting(world: World) -> None:
    await post(*events(10, 10))
    [unpack] = world.nudges.sent
    insert, down = world.store.insert, ["T-3"]

    async def broken(case_id: str, row: Any) -> str:
        if down and row.kind == "message" and row.text == "Message 3":
            raise RetryableError("storage_busy")
        return await insert(case_id, row)

    world.store.insert = broken  # type: ignore[method-assign]
    with pytest.raises(RetryableError):
        await world.run(unpack.nudge)
    assert len(await turns(world)) == 9
    down.clear()
    await world.run(unpack.nudge)
    assert len(await turns(world)) == 10


async def test_secrets_of_a_batch_are_masked_before_it_is_kept(world: World) -> None:
    sent = events(6, 6)
    sent[0]["text"] = "My card is 4242 4242 4242 4242."
    await post(*sent)
    [batch] = await world.inbox.waiting(1)
    kept = await world.texts.get(f"webhooks/{batch.id}")
    assert "4242 4242" not in kept
    assert len(json.loads(kept)) == 6
