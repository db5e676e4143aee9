"""The table of cases, on Azure Table storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from shared.adapters.azure_errors import storage_errors, write_ensured
from shared.adapters.one_table import SENT_AGAIN, OneTable
from shared.adapters.table_layout import check_key, parse_row, row_entity
from shared.domain.partition import Partition
from shared.domain.progress import Stored
from shared.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.data.tables.aio import TableClient

    from shared.domain.rows import Row


class TableCaseStore(OneTable):
    """CaseStore on one table.

    Args:
        client: The table; its owner closes it.
        page_size: Rows per answer of the service, which gives at most and by default 1,000.
    """

    def __init__(self, client: TableClient, page_size: int | None = None) -> None:
        super().__init__(client)
        self._page_size = page_size

    async def read(self, case_id: str) -> Partition:
        check_key(case_id)
        rows = self._client.query_entities(
            "PartitionKey eq @case", parameters={"case": case_id}, results_per_page=self._page_size
        )
        async with storage_errors():
            stored = [Stored(parse_row(row), str(row.metadata["etag"])) async for row in rows]
        return Partition(case_id, stored)

    async def insert(self, case_id: str, row: Row) -> str:
        entity = row_entity(case_id, row)

        async def write() -> Mapping[str, Any]:
            async with storage_errors():
                return await self._client.create_entity(
                    entity,
                    retry_on_methods=SENT_AGAIN,
                    response_preference="return-no-content",
                )

        return str((await write_ensured(write, self.ensure))["etag"])

    async def replace(self, case_id: str, row: Row, etag: str) -> str:
        entity = row_entity(case_id, row)
        async with storage_errors():
            try:
                answer = await self._client.update_entity(
                    entity,
                    mode=UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except ResourceNotFoundError:
                raise ConflictError("the row is gone") from None
        return str(answer["etag"])
