"""What every adapter on one table of Azure Table storage begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.data.tables import UpdateMode

from shared.adapters.azure_errors import ensure, storage_errors, write_ensured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.data.tables.aio import TableClient

# The SDK would not send a POST again after a broken connection, and a kept connection that the
# service has closed meanwhile breaks often. Our own row then answers 409, as the ports say.
SENT_AGAIN = frozenset({"GET", "PUT", "DELETE", "POST"})


class OneTable:
    """An adapter's table.

    Args:
        client: The table; its owner closes it.
    """

    def __init__(self, client: TableClient) -> None:
        self._client = client

    async def ensure(self) -> None:
        """Makes the table unless it is there."""
        await ensure(lambda: self._client.create_table(retry_on_methods=SENT_AGAIN))

    async def _upsert(self, entity: Mapping[str, str]) -> None:
        """Writes an entity over an older one of its keys."""

        async def write() -> None:
            async with storage_errors():
                await self._client.upsert_entity(entity, mode=UpdateMode.REPLACE)

        await write_ensured(write, self.ensure)
