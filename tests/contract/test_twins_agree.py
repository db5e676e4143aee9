"""The memory twins against Azurite: the same random calls have the same outcomes."""

from __future__ import annotations

import random

from shared.adapters.azure_clients import AzureStorage
from shared.adapters.memory import MemoryCaseIndex, MemoryCaseStore
from shared.domain.case import IndexEntry, Status
from shared.errors import ConflictError
from shared.ports import CaseIndex, CaseStore
from tests.contract import samples

DESKS = ("bank", "hotel")
STATUSES: tuple[Status, ...] = ("open", "working", "answered", "escalated")


async def write(store: CaseStore, epoch: int, etags: list[str], pick: float) -> bool:
    """Inserts, or replaces over one of the ETags seen so far; True when it was written."""
    row = samples.stage(epoch=epoch)
    try:
        if pick < 0.2 or not etags:
            etags.append(await store.insert("c1", row))
        else:
            # Mostly the newest one, else a stale one.
            etag = etags[-1] if pick < 0.7 else etags[int(pick * len(etags))]
            etags.append(await store.replace("c1", row, etag))
    except ConflictError:
        return False
    return True


async def test_stores_agree_on_every_write(azure: AzureStorage) -> None:
    chance, twin = random.Random(7), MemoryCaseStore()
    seen: dict[str, list[str]] = {"azurite": [], "twin": []}
    outcomes = []
    for epoch in range(1, 60):
        pick = chance.random()
        outcome = await write(azure.cases, epoch, seen["azurite"], pick)
        assert await write(twin, epoch, seen["twin"], pick) == outcome
        outcomes.append(outcome)
        one, other = await azure.cases.read("c1"), await twin.read("c1")
        assert one.stage_rows == other.stage_rows
    assert {True, False} == set(outcomes)


def some_entry(chance: random.Random) -> IndexEntry:
    case = chance.randrange(12)
    return samples.entry(
        f"c{case}",
        case // 3,  # three cases share each instant
        desk=DESKS[case % 2],
        status=chance.choice(STATUSES),
        sentiment=chance.choice((None, "Positive", "Negative")),
        version=(version := chance.randrange(1, 4)),
        mark=f"m{version:04d}",
    )


async def pages(index: CaseIndex, limit: int, statuses: list[Status]) -> list[list[IndexEntry]]:
    found, cursor = [], None
    for _ in range(30):
        entries, cursor = await index.page(DESKS, statuses, None, cursor, limit)
        found.append(entries)
        if cursor is None:
            return found
    raise AssertionError("the listing never ends")


async def test_indexes_agree_on_every_listing(azure: AzureStorage) -> None:
    chance, twin = random.Random(11), MemoryCaseIndex()
    for step in range(120):
        entry, facets = some_entry(chance), chance.sample(STATUSES, 2)
        for index in (azure.index, twin):
            if step % 3 == 2:
                await index.remove(entry, facets)
            else:
                await index.put(entry)
        if step % 10 == 9:
            statuses, limit = chance.sample(STATUSES, 3), chance.randrange(1, 6)
            assert await pages(azure.index, limit, statuses) == await pages(twin, limit, statuses)
            assert await azure.index.open_entries(100) == await twin.open_entries(100)
