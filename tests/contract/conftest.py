"""The contract suite: what both the memory twins and the adapters on Azurite do."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from azure.core.exceptions import ResourceNotFoundError

from devkit.azurite import Azurite
from shared.adapters.azure_clients import AzureStorage, StorageAddress
from shared.adapters.memory import (
    MemoryCaseIndex,
    MemoryCaseStore,
    MemoryCustomers,
    MemoryInbox,
    MemoryJournal,
    MemoryNudges,
    MemoryQuarantine,
    MemorySpending,
    MemoryTexts,
    MemoryTickets,
)
from shared.ports import (
    CaseIndex,
    CaseStore,
    Customers,
    Journal,
    Nudges,
    Quarantine,
    Spending,
    Texts,
)
from shared.ports.crm import Inbox
from shared.ports.tickets import TicketLedger
from tests.contract.lossy_proxy import LossyProxy

_PORT = re.compile(r"(Table|Queue|Blob)Endpoint=http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Storage:
    """The storage ports of one backend."""

    cases: CaseStore
    index: CaseIndex
    journal: Journal
    nudges: Nudges
    texts: Texts
    quarantine: Quarantine
    inbox: Inbox
    spending: Spending
    tickets: TicketLedger
    customers: Customers


@pytest.fixture
def prefix() -> str:
    """A name of this test's own for tables, queues and containers."""
    return f"t{uuid.uuid4().hex[:12]}"


async def delete_all(storage: AzureStorage) -> None:
    """Deletes what a test made; messages that stay in Azurite slow every later one down."""
    await storage.cases._client.delete_table()
    await storage.index._client.delete_table()
    await storage.journal._client.delete_table()
    await storage.quarantine._client.delete_table()
    await storage.inbox._client.delete_table()
    await storage.spending._client.delete_table()
    await storage.tickets._client.delete_table()
    await storage.customers._client.delete_table()
    for queue in storage.nudges._queues.values():
        with suppress(ResourceNotFoundError):
            await queue.delete_queue()
    if "_container" in vars(storage.texts):
        with suppress(ResourceNotFoundError):
            await storage.texts._container.delete_container()
    await storage.aclose()


@pytest.fixture
async def azure(azurite: Azurite, prefix: str) -> AsyncIterator[AzureStorage]:
    """The real adapters on Azurite, their tables made."""
    storage = AzureStorage(StorageAddress(azurite.connection_string), prefix)
    await storage.ensure([])
    yield storage
    await delete_all(storage)


@pytest.fixture(params=["memory", "azurite"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """The ports, once as memory twins and once on Azurite."""
    if request.param == "memory":
        return Storage(
            MemoryCaseStore(),
            MemoryCaseIndex(),
            MemoryJournal(),
            MemoryNudges(),
            MemoryTexts(),
            MemoryQuarantine(),
            MemoryInbox(),
            MemorySpending(),
            MemoryTickets(),
            MemoryCustomers(),
        )
    real: AzureStorage = request.getfixturevalue("azure")
    return Storage(
        real.cases,
        real.index,
        real.journal,
        real.nudges,
        real.texts,
        real.quarantine,
        real.inbox,
        real.spending,
        real.tickets,
        real.customers,
    )


@dataclass(frozen=True)
class Proxied:
    """The real adapters behind one proxy for each service."""

    storage: AzureStorage
    tables: LossyProxy
    queues: LossyProxy
    blobs: LossyProxy

    @property
    def all(self) -> tuple[LossyProxy, ...]:
        return (self.tables, self.queues, self.blobs)


@pytest.fixture
async def proxied(azurite: Azurite, prefix: str) -> AsyncIterator[Proxied]:
    """The real adapters on Azurite, behind proxies that lose what they are told to lose."""
    ports = {kind: int(port) for kind, port in _PORT.findall(azurite.connection_string)}
    async with (
        LossyProxy(ports["Table"]) as tables,
        LossyProxy(ports["Queue"]) as queues,
        LossyProxy(ports["Blob"]) as blobs,
    ):
        here = {"Table": tables.port, "Queue": queues.port, "Blob": blobs.port}
        address = _PORT.sub(
            lambda found: f"{found[1]}Endpoint=http://127.0.0.1:{here[found[1]]}",
            azurite.connection_string,
        )
        storage = AzureStorage(StorageAddress(address), prefix)
        await storage.ensure([])
        yield Proxied(storage, tables, queues, blobs)
        await delete_all(storage)
