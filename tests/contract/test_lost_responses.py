"""What the real adapters do when the service did its work and its answer is lost."""

from __future__ import annotations

import pytest
from azure.storage.queue.aio import QueueClient

from devkit.azurite import Azurite
from shared.domain.nudge import Nudge, queue_name
from shared.errors import ConflictError, RetryableError
from tests.contract import samples
from tests.contract.conftest import Proxied

EVERY = range(1, 20)


async def test_an_insert_conflicts_with_its_own_row(proxied: Proxied) -> None:
    proxied.tables.lose(1)

    with pytest.raises(ConflictError):
        await proxied.storage.cases.insert("c1", samples.stage())

    assert (await proxied.storage.cases.read("c1")).stage_rows == (samples.stage(),)


async def test_a_replace_conflicts_with_its_own_write(proxied: Proxied) -> None:
    etag = await proxied.storage.cases.insert("c1", samples.stage(epoch=1))
    proxied.tables.lose(1)

    with pytest.raises(ConflictError):
        await proxied.storage.cases.replace("c1", samples.stage(epoch=2), etag)

    assert (await proxied.storage.cases.read("c1")).stage_rows == (samples.stage(epoch=2),)


async def test_when_every_answer_is_lost_nothing_is_known_though_the_row_is_there(
    proxied: Proxied,
) -> None:
    proxied.tables.lose(*EVERY)

    with pytest.raises(RetryableError, match="storage_unavailable"):
        await proxied.storage.cases.insert("c1", samples.stage())

    proxied.tables.lose()
    assert (await proxied.storage.cases.read("c1")).stage_rows == (samples.stage(),)


async def test_a_read_and_the_index_do_not_notice(proxied: Proxied) -> None:
    index, entry = proxied.storage.index, samples.entry("c1")
    await proxied.storage.cases.insert("c1", samples.stage())

    proxied.tables.lose(1)
    assert (await proxied.storage.cases.read("c1")).stage_rows
    proxied.tables.lose(1)
    await index.put(entry)
    proxied.tables.lose(1)
    assert await index.open_entries(10) == [entry]
    proxied.tables.lose(1)
    await index.remove(entry, ["open"])
    assert await index.open_entries(10) == []
    assert proxied.tables.answers > 4


async def test_a_nudge_is_in_the_queue_twice(proxied: Proxied, azurite: Azurite) -> None:
    stage = proxied.storage._prefix
    await proxied.storage.nudges.ensure([queue_name(stage)])
    proxied.queues.lose(1)

    await proxied.storage.nudges.send(Nudge("c1", 1, stage))

    name = queue_name(stage)
    async with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
        assert len(await queue.peek_messages(max_messages=10)) == 2


async def test_a_text_is_stored_and_read_all_the_same(proxied: Proxied) -> None:
    await proxied.storage.texts.put("c1/m-0001", "before")
    proxied.blobs.lose(1)
    await proxied.storage.texts.put("c1/m-0001", "a long text")
    proxied.blobs.lose(1)

    assert await proxied.storage.texts.get("c1/m-0001") == "a long text"


async def test_making_tables_and_queues_is_not_disturbed(proxied: Proxied) -> None:
    stage = proxied.storage._prefix
    proxied.tables.lose(1)
    proxied.queues.lose(1)

    await proxied.storage.ensure([queue_name(stage)])

    await proxied.storage.nudges.send(Nudge("c1", 1, stage))
