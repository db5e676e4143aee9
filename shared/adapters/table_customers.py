"""Customers' first cases, on Azure Table storage: a partition for each desk, a row for each."""

from __future__ import annotations

from shared.adapters.azure_errors import storage_errors, write_ensured
from shared.adapters.one_table import SENT_AGAIN, OneTable
from shared.errors import ConflictError


class TableCustomers(OneTable):
    """Customers on one table."""

    async def first(self, desk: str, customer: str, case_id: str) -> str:
        entity = {"PartitionKey": desk, "RowKey": customer, "case_id": case_id}

        async def insert() -> None:
            async with storage_errors():
                await self._client.create_entity(
                    entity, retry_on_methods=SENT_AGAIN, response_preference="return-no-content"
                )

        try:
            await write_ensured(insert, self.ensure)
        except ConflictError:
            async with storage_errors():
                return str((await self._client.get_entity(desk, customer))["case_id"])
        return case_id
