"""The ledger of tickets, on Azure Table storage: a partition for each desk, a row for each.

Where in a system a ticket goes, and where its case is, is not kept: the ledger has no need of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from azure.core.exceptions import ResourceNotFoundError

from shared.adapters.azure_errors import storage_errors, write_ensured
from shared.adapters.one_table import OneTable
from shared.ports.tickets import Ticket

if TYPE_CHECKING:
    from collections.abc import Mapping


class TableTickets(OneTable):
    """TicketLedger on one table."""

    async def insert(self, ticket: Ticket) -> None:
        entity = {
            "PartitionKey": ticket.desk,
            "RowKey": ticket.reference,
            "title": ticket.title,
            "text": ticket.text,
            "case_id": ticket.case_id,
            "at": ticket.at.isoformat(),
            "priority": ticket.priority,
            "labels": " ".join(ticket.labels),
        }

        async def write() -> None:
            async with storage_errors():
                await self._client.create_entity(entity)

        await write_ensured(write, self.ensure)

    async def get(self, desk: str, reference: str) -> Ticket | None:
        async with storage_errors():
            try:
                return _ticket(await self._client.get_entity(desk, reference))
            except ResourceNotFoundError:
                return None

    async def entries(self, desk: str, limit: int) -> list[Ticket]:
        asked = self._client.query_entities(
            "PartitionKey eq @partition", parameters={"partition": desk}
        )
        async with storage_errors():
            found = [_ticket(entity) async for entity in asked]
        return sorted(found, key=lambda ticket: ticket.at, reverse=True)[:limit]


def _ticket(entity: Mapping[str, str]) -> Ticket:
    return Ticket(
        reference=entity["RowKey"],
        desk=entity["PartitionKey"],
        title=entity["title"],
        text=entity["text"],
        case_id=entity["case_id"],
        at=datetime.fromisoformat(entity["at"]),
        priority=cast("Any", entity.get("priority", "")),
        labels=tuple(entity.get("labels", "").split()),
    )
