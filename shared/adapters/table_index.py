"""The index of cases, on Azure Table storage."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from shared.adapters.azure_errors import storage_errors
from shared.adapters.one_table import OneTable
from shared.adapters.table_layout import (
    KEY,
    PARTITION,
    WAKES,
    Cursor,
    entry_entity,
    entry_keys,
    facet_partition,
    facets_of,
    newer,
    parse_entry,
    parse_wake,
    past,
    place,
    wake_key,
    wakes_until,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azure.data.tables.aio import TableClient

    from shared.domain.case import IndexEntry, Status, Wake
    from shared.domain.stage import Sentiment

_PAGE_MAX = 1000
#: Answers that one listing takes from one partition before it hands out a cursor instead. An
#: answer may hold nothing: the service stops after 1,000 entries looked at, matching or not.
_ROUNDS = 8


class TableCaseIndex(OneTable):
    """CaseIndex on one table."""

    async def put(self, entry: IndexEntry) -> None:
        await self._upsert(entry_entity(entry, entry.facet))

    async def remove(self, entry: IndexEntry, facets: Sequence[Status]) -> None:
        keys = [entry_keys(entry, facet) for facet in facets_of(facets)]
        async with storage_errors():
            await asyncio.gather(
                *(self._client.delete_entity(partition, key) for partition, key in keys)
            )

    async def page(
        self,
        desks: Sequence[str],
        statuses: Sequence[Status],
        sentiment: Sentiment | None,
        before: str | None,
        limit: int,
        *,
        unfinished: bool = False,
        waiting: bool = False,
    ) -> tuple[list[IndexEntry], str | None]:
        cursor = Cursor.decode(before)
        wanted: dict[str, str] = {"sentiment": sentiment} if sentiment else {}
        if unfinished:
            wanted["unfinished"] = "yes"
        if waiting:
            wanted["waiting"] = "yes"
        readers = [
            _Reader(self._client, facet_partition(facet, desk), wanted, cursor, limit + 1)
            for facet in facets_of(statuses)
            for desk in dict.fromkeys(desks)
        ]
        found: dict[str, IndexEntry] = {}
        async with storage_errors():
            while True:
                await asyncio.gather(*(reader.fill() for reader in readers if reader.hungry))
                heads = [reader for reader in readers if reader.entities]
                stalled = {r.partition: r.token for r in readers if r.hungry and r.token}
                first = min((reader.head for reader in heads), default=None)
                full = len(found) == limit and first not in found
                if stalled or first is None or full:
                    break
                for reader in heads:
                    if reader.head == first:
                        entry = parse_entry(reader.entities.popleft())
                        found[first] = newer(found.get(first), entry)
        entries = list(found.values())
        if not stalled and first is None:
            return entries, None
        after = next(reversed(found), cursor.after)
        return entries, Cursor(after=after, resume=stalled).encode()

    async def open_entries(self, limit: int, after: IndexEntry | None = None) -> list[IndexEntry]:
        all_desks = facet_partition("open", "")
        partition, key = entry_keys(after, "open") if after else (all_desks, "")
        entries: list[IndexEntry] = []
        # Two range queries: one filter with "or" would make the service scan the table.
        for asked in (
            "PartitionKey eq @partition and RowKey gt @key",
            "PartitionKey gt @partition and PartitionKey lt @end",
        ):
            found = self._client.query_entities(
                asked,
                parameters={"partition": partition, "key": key, "end": past(all_desks)},
                results_per_page=min(limit, _PAGE_MAX),
            )
            async with storage_errors():
                async for entity in found:
                    if len(entries) == limit:
                        return entries
                    entries.append(parse_entry(entity))
        return entries

    async def wake(self, wake: Wake) -> None:
        await self._upsert({PARTITION: WAKES, KEY: wake_key(wake)})

    async def wakes(self, until: datetime, limit: int, after: Wake | None = None) -> list[Wake]:
        found = self._client.query_entities(
            "PartitionKey eq @partition and RowKey gt @key and RowKey lt @end",
            parameters={
                "partition": WAKES,
                "key": wake_key(after) if after else "",
                "end": wakes_until(until),
            },
            results_per_page=min(limit, _PAGE_MAX),
            select=[KEY],
        )
        wakes: list[Wake] = []
        async with storage_errors():
            async for entity in found:
                wakes.append(parse_wake(entity[KEY]))
                if len(wakes) == limit:
                    break
        return wakes

    async def forget(self, wake: Wake) -> None:
        async with storage_errors():
            await self._client.delete_entity(WAKES, wake_key(wake))


class _Reader:
    """The entries of one partition behind a cursor, in order, read ahead by a page at a time."""

    def __init__(
        self,
        client: TableClient,
        partition: str,
        wanted: dict[str, str],
        cursor: Cursor,
        size: int,
    ) -> None:
        self.partition = partition
        self.entities: deque[dict[str, Any]] = deque()
        self.token: dict[str, str | None] | None = cursor.resume.get(partition)
        asked = "PartitionKey eq @partition and RowKey ge @start"
        asked += "".join(f" and {name} eq @{name}" for name in wanted)
        start = past(cursor.after) if cursor.after else "0"
        # Any: the SDK declares its continuation tokens as strings, here they are dictionaries.
        listing: Any = client.query_entities(
            asked,
            parameters={"partition": partition, "start": start, **wanted},
            results_per_page=min(size, _PAGE_MAX),
        )
        self._pages = listing.by_page(self.token)
        self._rounds = 0
        self._done = False

    @property
    def head(self) -> str:
        """Place of the next entry."""
        return place(self.entities[0][KEY])

    @property
    def hungry(self) -> bool:
        """True when the service may have more and nothing of it is here."""
        return not self.entities and not self._done

    async def fill(self) -> None:
        """Reads until there is an entry, the end, or enough looked at."""
        while self.hungry and self._rounds < _ROUNDS:
            self._rounds += 1
            page = await anext(self._pages)
            self.entities.extend([entity async for entity in page])
            self.token = self._pages.continuation_token
            self._done = self.token is None
