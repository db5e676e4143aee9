"""Spending: a desk's day is read as it was written, and no write goes over another."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.domain.budget import Budget, DaySpend
from shared.domain.desk import Desk
from shared.domain.stage import Usage
from shared.errors import ConflictError, PermanentError
from shared.pipeline.budgets import Budgets, CrowdedError
from shared.pipeline.limits import Limits
from tests.contract import samples
from tests.contract.conftest import Proxied, Storage
from tests.support.world import a_desk

DAY = "2026-01-31"
MOST = Usage(calls=2, prompt_tokens=900, completion_tokens=100, cost=0.25)
USED = Usage(calls=1, prompt_tokens=90, completion_tokens=10, cost=0.02)


def limited(tokens: int) -> Desk:
    return a_desk("hotel").model_copy(update={"budget": Budget(day_tokens=tokens)})


async def test_a_day_that_nobody_wrote_is_empty(storage: Storage) -> None:
    assert await storage.spending.read("hotel", DAY) == (DaySpend(desk="hotel", day=DAY), None)


async def test_a_day_comes_back_as_it_was_written(storage: Storage) -> None:
    spend = DaySpend(desk="hotel", day=DAY, counted=USED)
    for number in range(400):
        spend = spend.reserve(f"{number:016x}", MOST, samples.NOON)

    await storage.spending.write(spend, None)
    there, etag = await storage.spending.read("hotel", DAY)
    await storage.spending.write(there.settle("0" * 16, USED), etag)

    assert there == spend
    settled, _ = await storage.spending.read("hotel", DAY)
    assert settled.counted == USED + USED
    assert len(settled.held) == 399
    assert (await storage.spending.read("bank", DAY))[1] is None


async def test_of_two_who_write_over_the_same_version_one_wins(storage: Storage) -> None:
    spend = DaySpend(desk="hotel", day=DAY)
    await storage.spending.write(spend, None)
    with pytest.raises(ConflictError):
        await storage.spending.write(spend, None)
    _, etag = await storage.spending.read("hotel", DAY)
    await storage.spending.write(spend, etag)
    with pytest.raises(ConflictError):
        await storage.spending.write(spend, etag)


async def test_workers_of_many_processes_together_reserve_no_more_than_the_limit(
    storage: Storage,
) -> None:
    desk = limited(3500)
    processes = [Budgets(storage.spending, Budget(), Limits()) for _ in range(4)]

    async def work(number: int) -> bool:
        budgets = processes[number % len(processes)]
        try:
            hold = await budgets.reserve(desk, f"w{number}", MOST, samples.NOON)
        except (CrowdedError, PermanentError):
            return False
        await budgets.settle(hold, MOST)
        return True

    worked = await asyncio.gather(*map(work, range(8)))

    spend, _ = await storage.spending.read("hotel", samples.NOON.date().isoformat())
    assert 1 <= worked.count(True) <= 3
    assert spend.counted.tokens == 1000 * worked.count(True)
    assert not spend.held


async def test_a_reservation_and_a_settlement_whose_answers_were_lost_count_once(
    proxied: Proxied,
) -> None:
    budgets = Budgets(proxied.storage.spending, Budget(), Limits())
    desk = limited(10_000)
    day = samples.NOON.date().isoformat()

    for number in range(2):
        proxied.tables.lose(2)
        hold = await budgets.reserve(desk, f"w{number}", MOST, samples.NOON)
        spend, _ = await proxied.storage.spending.read("hotel", day)
        assert list(spend.held) == [f"w{number}"]
        proxied.tables.lose(2)
        await budgets.settle(hold, USED)

    spend, _ = await proxied.storage.spending.read("hotel", day)
    assert (spend.counted.tokens, spend.counted.calls, spend.held) == (200, 2, {})


async def test_what_cannot_be_settled_stays_counted_in_full(proxied: Proxied) -> None:
    budgets = Budgets(proxied.storage.spending, Budget(), Limits())
    hold = await budgets.reserve(limited(1500), "w", MOST, samples.NOON)
    proxied.tables.lose(*range(1, 20))

    await budgets.settle(hold, USED)

    proxied.tables.lose()
    with pytest.raises(CrowdedError):
        await budgets.reserve(limited(1500), "x", MOST, samples.NOON)
    later = samples.NOON + timedelta(hours=1)
    with pytest.raises(PermanentError, match="desk_budget_used_up: 1,000 of 1,500 tokens"):
        await budgets.reserve(limited(1500), "x", MOST, later)
