"""Repeat customers: known by a keyed hash, found once for each case, and only where a rule asks."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from shared.adapters.memory import MemoryCustomers
from shared.errors import RetryableError
from tests.support.world import NEGATIVE, World, a_desk

ADA = "ada@example.com"
REGULAR = {
    "name": "regular",
    "when": {"repeat_customer": True},
    "then": {"priority": "critical", "tags": ("regular",)},
}


class Counting(MemoryCustomers):
    """Counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    async def first(self, desk: str, customer: str, case_id: str) -> str:
        self.calls += 1
        return await super().first(desk, customer, case_id)


def a_world(*rules: dict[str, Any]) -> tuple[World, Counting]:
    desks = [a_desk(name, reactions=rules) for name in ("default", "hotel", "bank")]
    world, customers = World(NEGATIVE, desks=tuple(desks)), Counting()
    world.app.intake._repeats._customers = customers
    return world, customers


async def opened(world: World, customer: str, **more: Any) -> Any:
    case_id = await world.open(customer=customer, **more)
    await world.deliver()
    return await world.case(case_id)


async def test_whoever_has_had_a_case_at_the_desk_is_a_repeat_customer() -> None:
    world, _ = a_world(REGULAR)
    first, again = await opened(world, ADA), await opened(world, " Ada@Example.com")
    assert (first.repeat_customer, first.tags) == (False, ())
    assert (again.repeat_customer, again.tags, again.urgency) == (True, ("regular",), "critical")
    assert again.reactions[0].name == "regular"
    for other in (
        await opened(world, "bob@example.com"),
        await opened(world, ADA, desk="bank"),
        await opened(world, ""),
        await opened(world, ""),
    ):
        assert not other.repeat_customer
    assert not (await world.case(first.case_id)).repeat_customer, "it was found once"


async def test_the_same_delivery_again_is_no_other_case() -> None:
    world, customers = a_world(REGULAR)
    for _ in range(3):
        case = await opened(world, ADA, delivery_id="d-1")
        assert not case.repeat_customer
    assert customers.calls == 1


async def test_one_that_failed_after_it_was_counted_is_not_counted_against_itself() -> None:
    world, customers = a_world(REGULAR)
    down = RetryableError("storage_down")
    with patch.object(world.store, "insert", side_effect=down), pytest.raises(RetryableError):
        await world.open(customer=ADA, delivery_id="d-1")
    assert customers.calls == 1
    assert not (await opened(world, ADA, delivery_id="d-1")).repeat_customer


async def test_a_desk_that_does_not_ask_pays_nothing() -> None:
    world, customers = a_world()
    await opened(world, ADA)
    assert not (await opened(world, ADA)).repeat_customer
    assert customers.calls == 0


async def test_no_name_or_address_is_kept() -> None:
    world, customers = a_world(REGULAR)
    await opened(world, ADA)
    [(desk, key)] = customers._first
    assert (desk, len(key)) == ("hotel", 64)
    assert "ada" not in key
    stored = str([item.row for rows in world.store._cases.values() for item in rows.values()])
    assert ADA not in stored
