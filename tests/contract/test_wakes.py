"""CaseIndex: wakes, the earliest first, and nothing of those that are not due yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.case import Status, Wake
from tests.contract import samples
from tests.contract.conftest import Storage

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def wake(case_id: str, minutes: float) -> Wake:
    return Wake(case_id=case_id, at=NOON + timedelta(minutes=minutes))


async def test_wakes_come_by_time_and_only_those_that_are_due(storage: Storage) -> None:
    for given in (wake("c", 2), wake("a", 3), wake("b", 0), wake("d", 3.001)):
        await storage.index.wake(given)

    found = await storage.index.wakes(NOON + timedelta(minutes=3), 10)

    assert found == [wake("b", 0), wake("c", 2), wake("a", 3)]


async def test_wakes_go_on_behind_the_last_one_seen(storage: Storage) -> None:
    every = [wake(f"case-{n}", n // 3) for n in range(7)]
    for given in every:
        await storage.index.wake(given)

    found: list[Wake] = []
    while page := await storage.index.wakes(wake("z", 9).at, 2, found[-1] if found else None):
        found += page

    assert found == every


async def test_a_wake_kept_twice_is_one_and_a_case_may_have_several(storage: Storage) -> None:
    for given in (wake("a", 1), wake("a", 1), wake("a", 2)):
        await storage.index.wake(given)

    assert await storage.index.wakes(wake("a", 2).at, 10) == [wake("a", 1), wake("a", 2)]


async def test_a_forgotten_wake_is_gone_and_may_be_forgotten_again(storage: Storage) -> None:
    await storage.index.wake(wake("a", 1))
    await storage.index.wake(wake("a", 2))

    for _ in range(2):
        await storage.index.forget(wake("a", 1))

    assert await storage.index.wakes(wake("a", 2).at, 10) == [wake("a", 2)]


async def test_a_wake_never_comes_early(storage: Storage) -> None:
    at = NOON + timedelta(microseconds=1)
    await storage.index.wake(Wake(case_id="a", at=at))

    assert await storage.index.wakes(at, 10) == []
    [found] = await storage.index.wakes(NOON + timedelta(milliseconds=1), 10)
    assert found.at >= at


async def test_wakes_are_no_cases_of_a_listing(storage: Storage) -> None:
    facets: tuple[Status, ...] = ("open", "escalated", "answered")
    await storage.index.wake(wake("a", 0))
    await storage.index.put(samples.entry("b", status="escalated"))

    entries, _ = await storage.index.page(["hotel"], facets, None, None, 10)
    assert [entry.case_id for entry in entries] == ["b"]
    assert await storage.index.open_entries(10) == []


async def test_a_wake_of_no_storable_name_is_refused(storage: Storage) -> None:
    with pytest.raises(ValueError, match=r"\|"):
        await storage.index.wake(wake("a|b", 0))
