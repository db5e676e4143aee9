"""Quarantine: what nobody could make sense of comes back as it was received."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.ports import Quarantined
from tests.contract import samples
from tests.contract.conftest import Storage

ITEM = Quarantined(
    id="d1", queue="effects", reason="not JSON", body="\x00\ufeff' or 1 eq 1 --🥩", at=samples.NOON
)


async def test_a_message_of_full_length_comes_back_exactly(storage: Storage) -> None:
    long = replace(ITEM, body=ITEM.body + "🥩" * 15_000)
    await storage.quarantine.put(long)

    assert await storage.quarantine.entries(10) == [long]


async def test_the_newest_come_first_and_the_same_message_once(storage: Storage) -> None:
    for minute in (1, 3, 2):
        at = samples.NOON + timedelta(minutes=minute)
        await storage.quarantine.put(replace(ITEM, id=f"d{minute}", at=at))
    await storage.quarantine.put(replace(ITEM, id="d2", at=samples.NOON + timedelta(minutes=2)))

    assert [item.id for item in await storage.quarantine.entries(10)] == ["d3", "d2", "d1"]
    assert [item.id for item in await storage.quarantine.entries(2)] == ["d3", "d2"]
