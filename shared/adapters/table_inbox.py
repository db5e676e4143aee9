"""What webhooks and polls have to remember, on Azure Table storage."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError

from shared.adapters.azure_errors import storage_errors
from shared.adapters.one_table import OneTable
from shared.ports.crm import Batch

if TYPE_CHECKING:
    from collections.abc import Mapping

_BATCHES, _MARKS = "batch", "mark"


class TableInbox(OneTable):
    """Inbox on one table: few rows, most of them short-lived."""

    async def put(self, batch: Batch) -> None:
        fields = {"desk": batch.desk, "vendor": batch.vendor, "at": batch.at.isoformat()}
        await self._upsert({"PartitionKey": _BATCHES, "RowKey": batch.id, **fields})

    async def get(self, batch_id: str) -> Batch | None:
        found = await self._read(_BATCHES, batch_id)
        return _batch(found) if found else None

    async def waiting(self, limit: int) -> list[Batch]:
        asked = self._client.query_entities(
            "PartitionKey eq @partition", parameters={"partition": _BATCHES}, results_per_page=limit
        )
        found: list[Batch] = []
        async with storage_errors():
            async for entity in asked:
                found.append(_batch(entity))
                if len(found) == limit:
                    break
        return found

    async def done(self, batch_id: str) -> None:
        # The SDK takes a row that is not there for deleted.
        async with storage_errors():
            await self._client.delete_entity(_BATCHES, batch_id)

    async def mark(self, name: str) -> str | None:
        found = await self._read(_MARKS, name)
        return str(found["mark"]) if found else None

    async def set_mark(self, name: str, mark: str) -> None:
        await self._upsert({"PartitionKey": _MARKS, "RowKey": name, "mark": mark})

    async def _read(self, partition: str, key: str) -> Mapping[str, Any] | None:
        async with storage_errors():
            try:
                found: Mapping[str, Any] = await self._client.get_entity(partition, key)
            except ResourceNotFoundError:
                return None
        return found


def _batch(entity: Mapping[str, Any]) -> Batch:
    return Batch(
        id=entity["RowKey"],
        desk=entity["desk"],
        vendor=entity["vendor"],
        at=datetime.fromisoformat(entity["at"]),
    )
