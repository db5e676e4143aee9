"""The journal, on Azure Table storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.adapters.azure_errors import storage_errors
from shared.adapters.one_table import OneTable
from shared.adapters.table_layout import (
    digest_entity,
    digests_partition,
    journal_entity,
    journal_key,
    journal_partition,
    journal_time,
    parse_digest,
    parse_journal,
)

if TYPE_CHECKING:
    from datetime import datetime

    from shared.domain.digest import FiledDigest
    from shared.domain.journal import JournalEntry

_PAGE_MAX = 1000


class TableJournal(OneTable):
    """Journal on one table."""

    async def record(self, entry: JournalEntry) -> None:
        await self._upsert(journal_entity(entry))

    async def recorded(
        self,
        desk: str,
        start: datetime,
        end: datetime,
        limit: int,
        after: JournalEntry | None = None,
    ) -> list[JournalEntry]:
        found = self._client.query_entities(
            "PartitionKey eq @partition and RowKey gt @key and RowKey lt @end",
            parameters={
                "partition": journal_partition(desk),
                "key": journal_key(after) if after else journal_time(start),
                "end": journal_time(end),
            },
            results_per_page=min(limit, _PAGE_MAX),
        )
        entries: list[JournalEntry] = []
        async with storage_errors():
            async for entity in found:
                entries.append(parse_journal(entity))
                if len(entries) == limit:
                    break
        return entries

    async def file(self, digest: FiledDigest) -> None:
        await self._upsert(digest_entity(digest))

    async def filed(self, desk: str, limit: int, *, unfinished: bool = False) -> list[FiledDigest]:
        only = " and unfinished eq 'yes'" if unfinished else ""
        found = self._client.query_entities(
            f"PartitionKey eq @partition{only}",
            parameters={"partition": digests_partition(desk)},
            results_per_page=min(limit, _PAGE_MAX),
        )
        digests: list[FiledDigest] = []
        async with storage_errors():
            async for entity in found:
                digests.append(parse_digest(entity))
                if len(digests) == limit:
                    break
        return digests
