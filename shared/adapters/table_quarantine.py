"""The quarantine, on Azure Table storage."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from azure.data.tables import UpdateMode

from shared.adapters.azure_errors import ensure, storage_errors, write_ensured
from shared.ports import Quarantined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.data.tables.aio import TableClient

_PARTITION = "quarantine"


class TableQuarantine:
    """Quarantine on one table: few entries, read by people.

    Args:
        client: The table; its owner closes it.
    """

    def __init__(self, client: TableClient) -> None:
        self._client = client

    async def ensure(self) -> None:
        """Makes the table unless it is there."""
        await ensure(self._client.create_table)

    async def put(self, item: Quarantined) -> None:
        entity = {
            "PartitionKey": _PARTITION,
            "RowKey": item.id,
            "queue": item.queue,
            "reason": item.reason,
            "body": item.body,
            "at": item.at.isoformat(),
        }

        async def write() -> None:
            async with storage_errors():
                await self._client.upsert_entity(entity, mode=UpdateMode.REPLACE)

        await write_ensured(write, self.ensure)

    async def entries(self, limit: int) -> list[Quarantined]:
        asked = self._client.query_entities(
            "PartitionKey eq @partition", parameters={"partition": _PARTITION}
        )
        async with storage_errors():
            found = [_item(entity) async for entity in asked]
        return sorted(found, key=lambda item: item.at, reverse=True)[:limit]


def _item(entity: Mapping[str, str]) -> Quarantined:
    return Quarantined(
        id=entity["RowKey"],
        queue=entity["queue"],
        reason=entity["reason"],
        body=entity["body"],
        at=datetime.fromisoformat(entity["at"]),
    )
