"""Nudges: what lies in the queue, when it is visible, and what is taken for one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from azure.storage.queue import QueueMessage, TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from devkit.azurite import Azurite
from shared.adapters.azure_clients import AzureStorage
from shared.adapters.memory import MemoryNudges
from shared.domain.nudge import Nudge, nudge_body, parse_nudge, queue_name, whole_seconds

# What the Functions host takes from the message itself, whatever its case.
METADATA = {"id", "dequeuecount", "popreceipt", "insertiontime", "expirationtime"}
METADATA |= {"nextvisibletime", "queuetrigger", "data", "sys"}

Receive = Callable[[], Awaitable[list[QueueMessage]]]


@pytest.fixture
def stage(prefix: str) -> str:
    return prefix


@pytest.fixture
def receive(azurite: Azurite, stage: str) -> Receive:
    """Takes the visible messages out of the stage's queue."""

    async def messages() -> list[QueueMessage]:
        async with QueueClient.from_connection_string(
            azurite.connection_string,
            queue_name(stage),
            message_decode_policy=TextBase64DecodePolicy(),
        ) as queue:
            return [message async for message in queue.receive_messages(max_messages=32)]

    return messages


async def test_a_nudge_is_a_base64_json_message_that_never_expires(
    azure: AzureStorage, receive: Receive, stage: str
) -> None:
    await azure.nudges.ensure([queue_name(stage)])
    await azure.nudges.send(Nudge("c1", 2, stage))

    (message,) = await receive()
    assert json.loads(message.content) == {"case": "c1", "turn": 2, "stage": stage}
    assert parse_nudge(message.content) == Nudge("c1", 2, stage)
    # Without an expiry of its own the service dates it to the year 9999.
    assert message.inserted_on
    assert message.expires_on
    assert message.expires_on - message.inserted_on > timedelta(days=365_000)


async def test_a_delayed_nudge_is_visible_after_its_delay_and_not_before(
    azure: AzureStorage, receive: Receive, stage: str
) -> None:
    await azure.nudges.ensure([queue_name(stage)])
    await azure.nudges.send(Nudge("c1", 1, stage), delay=0.3)

    assert await receive() == []
    messages: list[QueueMessage] = []
    deadline = time.monotonic() + 5
    while not messages and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        messages = await receive()
    assert [parse_nudge(message.content) for message in messages] == [Nudge("c1", 1, stage)]


async def test_a_missing_queue_is_made_by_the_first_nudge(
    azure: AzureStorage, receive: Receive, stage: str
) -> None:
    await azure.nudges.send(Nudge("c1", 1, stage))

    assert len(await receive()) == 1


async def test_making_queues_that_are_there_changes_nothing(
    azure: AzureStorage, receive: Receive, stage: str
) -> None:
    await azure.ensure([queue_name(stage)])
    await azure.nudges.send(Nudge("c1", 1, stage))
    await azure.ensure([queue_name(stage)])

    assert len(await receive()) == 1


async def test_the_twin_keeps_what_was_sent_in_order() -> None:
    nudges = MemoryNudges()
    await nudges.send(Nudge("c1", 1, "sentiment"))
    await nudges.send(Nudge("c2", 1, "sentiment"), delay=2.1)

    assert [(sent.nudge.case_id, sent.delay) for sent in nudges.sent] == [("c1", 0), ("c2", 3)]


@pytest.mark.parametrize(
    ("delay", "seconds"), [(0, 0), (-5, 0), (0.01, 1), (1, 1), (1.5, 2), (10**9, 7 * 24 * 3600)]
)
def test_a_delay_is_rounded_up_and_bounded_by_seven_days(delay: float, seconds: int) -> None:
    assert whole_seconds(delay) == seconds


def test_no_field_of_a_body_is_taken_for_metadata_by_the_host() -> None:
    fields = json.loads(nudge_body(Nudge("c1", 1, "sentiment")))

    assert not METADATA & {name.lower() for name in fields}


def test_a_body_reads_back_from_text_and_bytes() -> None:
    nudge = Nudge("3f0c-é", 12, "customer_query")

    assert parse_nudge(nudge_body(nudge)) == nudge
    assert parse_nudge(nudge_body(nudge).encode()) == nudge
    assert parse_nudge('{"stage":"s","turn":1,"case":"c","later":{}}') == Nudge("c", 1, "s")


def test_an_effect_goes_to_a_queue_of_its_own_and_reads_back() -> None:
    nudge = Nudge("c1", 1, "escalation", "mail-1")

    assert nudge.queue == "effects"
    assert parse_nudge(nudge_body(nudge)) == nudge


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "JSON"),
        ("not json", "JSON"),
        ("[" * 40_000, "JSON"),
        ("null", "object"),
        ('["c", 1, "sentiment"]', "object"),
        ("{}", "case"),
        ('{"case":"","turn":1,"stage":"sentiment"}', "case"),
        ('{"case":"a/b","turn":1,"stage":"sentiment"}', "case"),
        ('{"case":"a\\u0000b","turn":1,"stage":"sentiment"}', "case"),
        ('{"case":"' + "x" * 129 + '","turn":1,"stage":"sentiment"}', "case"),
        ('{"case":7,"turn":1,"stage":"sentiment"}', "case"),
        ('{"case":"c","turn":0,"stage":"sentiment"}', "turn"),
        ('{"case":"c","turn":true,"stage":"sentiment"}', "turn"),
        ('{"case":"c","turn":"1","stage":"sentiment"}', "turn"),
        ('{"case":"c","turn":1.5,"stage":"sentiment"}', "turn"),
        ('{"case":"c","turn":1,"stage":"Senti ment"}', "stage"),
        ('{"case":"c","turn":1}', "stage"),
    ],
)
def test_garbage_is_refused_with_a_reason(body: bytes | str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_nudge(body)


def test_a_refusal_does_not_repeat_the_message() -> None:
    with pytest.raises(ValueError, match="not a nudge") as caught:
        parse_nudge('{"case":"my secret/","turn":1,"stage":"sentiment"}')
    assert "secret" not in str(caught.value)
