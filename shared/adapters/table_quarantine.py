"""The quarantine, on Azure Table storage."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shared.adapters.azure_errors import storage_errors
from shared.adapters.one_table import OneTable
from shared.ports import Quarantined

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARTITION = "quarantine"


class TableQuarantine(OneTable):
    """Quarantine on one table: few entries, read by people."""

    async def put(self, item: Quarantined) -> None:
        entity = {
            "PartitionKey": _PARTITION,
            "RowKey": item.id,
            "queue": item.queue,
            "reason": item.reason,
            "body": item.body,
            "at": item.at.isoformat(),
        }
        await self._upsert(entity)

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
