"""What desks used of the model, on Azure Table storage: a row for each desk and day."""

from __future__ import annotations

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from shared.adapters.azure_errors import storage_errors, write_ensured
from shared.adapters.one_table import SENT_AGAIN, OneTable
from shared.adapters.table_layout import parse_spend, spend_entity
from shared.domain.budget import DaySpend
from shared.errors import ConflictError


class TableSpending(OneTable):
    """Spending on one table."""

    async def read(self, desk: str, day: str) -> tuple[DaySpend, str | None]:
        async with storage_errors():
            try:
                entity = await self._client.get_entity(desk, day)
            except ResourceNotFoundError:
                return DaySpend(desk=desk, day=day), None
        return parse_spend(entity), str(entity.metadata["etag"])

    async def write(self, spend: DaySpend, etag: str | None) -> None:
        entity = spend_entity(spend)

        async def insert() -> None:
            async with storage_errors():
                await self._client.create_entity(
                    entity, retry_on_methods=SENT_AGAIN, response_preference="return-no-content"
                )

        if etag is None:
            await write_ensured(insert, self.ensure)
            return
        async with storage_errors():
            try:
                await self._client.update_entity(
                    entity,
                    mode=UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except ResourceNotFoundError:
                raise ConflictError("the row is gone") from None
