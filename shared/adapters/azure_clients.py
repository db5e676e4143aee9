"""The storage account: one connection pool, its credential, and the adapters over both."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueServiceClient

from shared.adapters.blob_texts import BlobTexts
from shared.adapters.storage_queue import StorageNudges
from shared.adapters.table_customers import TableCustomers
from shared.adapters.table_inbox import TableInbox
from shared.adapters.table_index import TableCaseIndex
from shared.adapters.table_journal import TableJournal
from shared.adapters.table_quarantine import TableQuarantine
from shared.adapters.table_spending import TableSpending
from shared.adapters.table_store import TableCaseStore
from shared.adapters.table_tickets import TableTickets
from shared.errors import ConfigError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.identity.aio import DefaultAzureCredential
    from azure.storage.blob.aio import ContainerClient

_CONNECT_SECONDS = 2.0
_READ_SECONDS = 4.0
_LONGEST_WAIT = 2.0
# With storage down these give up after about 1 s (tables) and 2 s (queues, blobs), where the
# defaults take 81 s; azure_errors.OPERATION_SECONDS bounds what hangs.
_TABLE_RETRIES: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.4}
_STORAGE_RETRIES: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 1,
    "increment_base": 0,
    "random_jitter_range": 0.5,
}


@dataclass(frozen=True, slots=True)
class StorageAddress:
    """Where the storage account is: a connection string, or three addresses and an identity.

    Attributes:
        client_id: Of a user-assigned identity; empty for the system-assigned one or a developer.
        use_proxy: Honour HTTPS_PROXY and the like. Costs a third more CPU a call.
    """

    connection_string: str = field(default="", repr=False)
    table_uri: str = ""
    queue_uri: str = ""
    blob_uri: str = ""
    client_id: str = ""
    use_proxy: bool = False


class AzureStorage:
    """The storage ports on one account. One per process and event loop.

    Args:
        prefix: Letters and digits; the tables are ``{prefix}cases``, ``{prefix}index``,
            ``{prefix}journal``, ``{prefix}quarantine``, ``{prefix}inbox``, ``{prefix}spending``,
            ``{prefix}tickets`` and ``{prefix}customers``,
            the container is ``{prefix}-texts``.

    Raises:
        ConfigError: The address is missing or wrong.
    """

    def __init__(self, address: StorageAddress, prefix: str) -> None:
        # At INFO the SDK logs every request and its headers, for half of the client's CPU.
        logging.getLogger("azure").setLevel(logging.WARNING)
        self._address = address
        self._prefix = prefix
        self._transport = _Transport(
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            use_env_settings=address.use_proxy,
        )
        self._identity: DefaultAzureCredential | None = None
        try:
            self.cases = TableCaseStore(self._table(f"{prefix}cases"))
            self.index = TableCaseIndex(self._table(f"{prefix}index"))
            self.journal = TableJournal(self._table(f"{prefix}journal"))
            self.quarantine = TableQuarantine(self._table(f"{prefix}quarantine"))
            self.inbox = TableInbox(self._table(f"{prefix}inbox"))
            self.spending = TableSpending(self._table(f"{prefix}spending"))
            self.tickets = TableTickets(self._table(f"{prefix}tickets"))
            self.customers = TableCustomers(self._table(f"{prefix}customers"))
            self.nudges = StorageNudges(self._queues())
        except ValueError as error:
            raise ConfigError(f"AzureWebJobsStorage: {error}") from None
        self.texts = BlobTexts(self._texts)

    async def ensure(self, queues: Iterable[str]) -> None:
        """Makes the tables and these queues unless they are there.

        Raises:
            RetryableError: Storage cannot be reached for now, or refuses us.
        """
        await asyncio.gather(
            self.cases.ensure(),
            self.index.ensure(),
            self.journal.ensure(),
            self.quarantine.ensure(),
            self.inbox.ensure(),
            self.spending.ensure(),
            self.tickets.ensure(),
            self.customers.ensure(),
            self.nudges.ensure(queues),
        )

    async def aclose(self) -> None:
        """Closes the connections and the credential."""
        if self._identity:
            await self._identity.close()
        await self._transport.close()

    def _table(self, name: str) -> TableClient:
        options = {"transport": self._transport, **_TABLE_RETRIES}
        if self._address.connection_string:
            return TableClient.from_connection_string(
                self._address.connection_string, name, **options
            )
        uri = self._uri("table", self._address.table_uri)
        return TableClient(uri, name, credential=self._credential(), **options)

    def _queues(self) -> QueueServiceClient:
        options = {"transport": self._transport, **_STORAGE_RETRIES}
        if self._address.connection_string:
            return QueueServiceClient.from_connection_string(
                self._address.connection_string, **options
            )
        uri = self._uri("queue", self._address.queue_uri)
        return QueueServiceClient(uri, credential=self._credential(), **options)

    def _texts(self) -> ContainerClient:
        from azure.storage.blob.aio import ContainerClient

        name = f"{self._prefix.lower()}-texts"
        options = {"transport": self._transport, **_STORAGE_RETRIES}
        if self._address.connection_string:
            return ContainerClient.from_connection_string(
                self._address.connection_string, name, **options
            )
        uri = self._uri("blob", self._address.blob_uri)
        return ContainerClient(uri, name, credential=self._credential(), **options)

    def _credential(self) -> DefaultAzureCredential:
        from azure.identity.aio import DefaultAzureCredential

        if self._identity is None:
            self._identity = DefaultAzureCredential(
                managed_identity_client_id=self._address.client_id or None
            )
        return self._identity

    @staticmethod
    def _uri(kind: str, uri: str) -> str:
        if not uri:
            raise ConfigError(
                "storage: set AzureWebJobsStorage to a connection string, or "
                f"AzureWebJobsStorage__{kind}ServiceUri to the account's {kind} address"
            )
        return uri


class _Transport(AioHttpTransport):  # type: ignore[misc] # the SDK loads it late, so untyped
    """The SDK's transport, which does not sleep for minutes because the service says so."""

    async def sleep(self, duration: float) -> None:
        if duration > _LONGEST_WAIT:
            raise RetryableError("storage_busy", retry_after=duration)
        await asyncio.sleep(duration)
