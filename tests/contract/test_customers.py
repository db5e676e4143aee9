"""Customers: whoever asks first has the first case, and everybody hears the same of it."""

from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock, patch

import pytest

from shared.adapters.azure_clients import AzureStorage
from shared.errors import RetryableError
from tests.contract.conftest import Proxied, Storage

ADA = "a" * 64


async def test_the_first_case_stays_the_first(storage: Storage) -> None:
    first = storage.customers.first
    assert await first("hotel", ADA, "c1") == "c1"
    assert await first("hotel", ADA, "c2") == "c1"
    assert await first("hotel", ADA, "c1") == "c1"
    assert await first("hotel", "b" * 64, "c3") == "c3"
    assert await first("bank", ADA, "c4") == "c4"


async def test_of_many_at_once_one_is_the_first(storage: Storage) -> None:
    cases = [f"c{n}" for n in range(12)]
    said = await asyncio.gather(*(storage.customers.first("hotel", ADA, c) for c in cases))
    assert len({*said}) == 1
    assert said[0] in cases


async def test_after_a_lost_answer_a_case_is_still_the_first(proxied: Proxied) -> None:
    proxied.tables.lose(1)
    assert await proxied.storage.customers.first("hotel", ADA, "c1") == "c1"
    proxied.tables.lose(*range(1, 20))
    with pytest.raises(RetryableError):
        await proxied.storage.customers.first("hotel", "b" * 64, "c2")
    proxied.tables.lose()
    assert await proxied.storage.customers.first("hotel", "b" * 64, "c2") == "c2"


async def test_a_new_customer_costs_one_call_and_one_who_comes_again_two(
    azure: AzureStorage,
) -> None:
    client = azure.customers._client
    with (
        patch.object(client, "create_entity", AsyncMock(wraps=client.create_entity)) as create,
        patch.object(client, "get_entity", AsyncMock(wraps=client.get_entity)) as get,
    ):
        await azure.customers.first("hotel", ADA, "c1")
        assert (create.await_count, get.await_count) == (1, 0)
        await azure.customers.first("hotel", ADA, "c2")
        assert (create.await_count, get.await_count) == (2, 1)
