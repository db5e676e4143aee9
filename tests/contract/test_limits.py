"""Azurite's limits, as our own are set by them: a change here is a change of what we rely on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables.aio import TableClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from devkit.azurite import Azurite
from shared.adapters.table_layout import ENTITY_BYTES, PROPERTY_UNITS

_PROPERTY_UNITS = 32_768
_MESSAGE_BYTES = 48 * 1024


@pytest.fixture
async def table(azurite: Azurite, prefix: str) -> AsyncIterator[TableClient]:
    async with TableClient.from_connection_string(azurite.connection_string, prefix) as table:
        await table.create_table()
        yield table
        await table.delete_table()


@pytest.fixture
async def queue(azurite: Azurite, prefix: str) -> AsyncIterator[QueueClient]:
    async with QueueClient.from_connection_string(
        azurite.connection_string,
        f"stage-{prefix}",
        message_encode_policy=TextBase64EncodePolicy(),
    ) as queue:
        await queue.create_queue()
        yield queue
        await queue.delete_queue()


def entity(**properties: str) -> dict[str, str]:
    return {"PartitionKey": "p", "RowKey": "r", **properties}


@pytest.mark.parametrize("character", ["x", "é", "🥩"])
async def test_a_property_holds_32768_utf16_units(table: TableClient, character: str) -> None:
    fits = character * (_PROPERTY_UNITS // (len(character.encode("utf-16-le")) // 2))

    await table.upsert_entity(entity(text=fits))
    assert (await table.get_entity("p", "r"))["text"] == fits

    with pytest.raises(HttpResponseError, match="PropertyValueTooLarge"):
        await table.upsert_entity(entity(text=fits + character))
    assert PROPERTY_UNITS < _PROPERTY_UNITS


async def test_an_entity_holds_a_megabyte(table: TableClient) -> None:
    # Azurite counts bytes of the request, Azure two for each UTF-16 unit: our limit is Azure's.
    parts = {f"json{n}": "x" * 32_000 for n in range(32)}

    await table.upsert_entity(entity(**parts))

    parts |= {"json32": "x" * 32_000}
    with pytest.raises(HttpResponseError, match="EntityTooLarge"):
        await table.upsert_entity(entity(**parts))
    assert ENTITY_BYTES == 1024 * 1024


async def test_a_key_with_a_reserved_character_is_refused(table: TableClient) -> None:
    for key in ["a\\b", "a#b", "a?b", "a\tb", "a\x7fb"]:
        with pytest.raises(HttpResponseError) as caught:
            await table.create_entity({"PartitionKey": key, "RowKey": "r"})
        assert caught.value.status_code == 400, key


async def test_a_key_holds_512_characters(table: TableClient) -> None:
    await table.create_entity({"PartitionKey": "k" * 512, "RowKey": "r"})

    with pytest.raises(HttpResponseError):
        await table.create_entity({"PartitionKey": "k" * 513, "RowKey": "r"})


async def test_a_message_holds_48_kib_before_base64(queue: QueueClient) -> None:
    await queue.send_message("x" * _MESSAGE_BYTES)

    with pytest.raises(HttpResponseError):
        await queue.send_message("x" * (_MESSAGE_BYTES + 1))


async def test_a_message_is_hidden_for_seven_days_at_most(queue: QueueClient) -> None:
    week = 7 * 24 * 3600
    await queue.send_message("later", visibility_timeout=week, time_to_live=-1)

    with pytest.raises(HttpResponseError):
        await queue.send_message("later", visibility_timeout=week + 1, time_to_live=-1)


async def test_a_used_receipt_no_longer_deletes(queue: QueueClient) -> None:
    await queue.send_message("once")
    (message,) = [m async for m in queue.receive_messages(max_messages=1)]
    await queue.delete_message(message)

    with pytest.raises(HttpResponseError) as caught:
        await queue.delete_message(message)
    assert caught.value.status_code in (400, 404)


async def test_a_message_is_taken_by_one_at_a_time(queue: QueueClient) -> None:
    await queue.send_message("once")

    first = [m async for m in queue.receive_messages(visibility_timeout=30)]
    second = [m async for m in queue.receive_messages(visibility_timeout=30)]

    assert [len(first), len(second)] == [1, 0]
    assert first[0].dequeue_count == 1
