"""Inbox: batches wait until they are done, marks stay where they were set."""

from __future__ import annotations

from dataclasses import replace

from shared.ports.crm import Batch
from tests.contract import samples
from tests.contract.conftest import Storage

BATCH = Batch(id="b1", desk="hotel", vendor="hubspot", at=samples.NOON)


async def test_a_batch_waits_until_it_is_done(storage: Storage) -> None:
    assert await storage.inbox.get("b1") is None
    await storage.inbox.put(BATCH)
    await storage.inbox.put(BATCH)
    await storage.inbox.put(replace(BATCH, id="b2"))

    assert await storage.inbox.get("b1") == BATCH
    assert [batch.id for batch in await storage.inbox.waiting(10)] == ["b1", "b2"]
    assert len(await storage.inbox.waiting(1)) == 1
    for _ in range(2):
        await storage.inbox.done("b1")
    assert [batch.id for batch in await storage.inbox.waiting(10)] == ["b2"]


async def test_a_mark_is_where_it_was_last_set(storage: Storage) -> None:
    assert await storage.inbox.mark("hotel chatwoot") is None
    for mark in ("1", "2026-01-01T00:00:00Z / é"):
        await storage.inbox.set_mark("hotel chatwoot", mark)
    await storage.inbox.set_mark("bank chatwoot", "3")

    assert await storage.inbox.mark("hotel chatwoot") == "2026-01-01T00:00:00Z / é"
    assert await storage.inbox.waiting(10) == []
