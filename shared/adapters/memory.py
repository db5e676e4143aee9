"""Memory twins of the storage adapters: the same behaviour, deterministic, nothing outside.

No method gives up control while it works, so each takes effect at one instant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.adapters.table_layout import (
    KEY,
    PARTITION,
    Cursor,
    check_key,
    digest_entity,
    digests_partition,
    entry_entity,
    entry_keys,
    facet_partition,
    facets_of,
    journal_entity,
    journal_key,
    journal_partition,
    journal_time,
    newer,
    parse_digest,
    parse_entry,
    parse_journal,
    parse_row,
    parse_spend,
    parse_wake,
    past,
    place,
    row_entity,
    spend_entity,
    wake_key,
    wakes_until,
)
from shared.domain.budget import DaySpend
from shared.domain.nudge import whole_seconds
from shared.domain.partition import Partition
from shared.domain.progress import Stored
from shared.errors import ConflictError, PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from shared.domain.case import IndexEntry, Status, Wake
    from shared.domain.digest import FiledDigest
    from shared.domain.journal import JournalEntry
    from shared.domain.nudge import Nudge
    from shared.domain.rows import Row
    from shared.domain.stage import Sentiment
    from shared.ports import Quarantined
    from shared.ports.crm import Batch, Connector
    from shared.ports.tickets import Ticket


class MemoryCaseStore:
    """CaseStore in a dictionary."""

    def __init__(self) -> None:
        self._cases: dict[str, dict[str, Stored]] = {}
        self._writes = 0

    async def read(self, case_id: str) -> Partition:
        check_key(case_id)
        return Partition(case_id, self._cases.get(case_id, {}).values())

    async def insert(self, case_id: str, row: Row) -> str:
        kept = _through_json(case_id, row)
        if row.key in self._cases.get(case_id, {}):
            raise ConflictError("the row exists")
        return self._write(case_id, kept)

    async def replace(self, case_id: str, row: Row, etag: str) -> str:
        kept = _through_json(case_id, row)
        there = self._cases.get(case_id, {}).get(row.key)
        if there is None or there.etag != etag:
            raise ConflictError("the row is gone or changed")
        return self._write(case_id, kept)

    def _write(self, case_id: str, row: Row) -> str:
        self._writes += 1
        etag = f'W/"{self._writes}"'
        self._cases.setdefault(case_id, {})[row.key] = Stored(row, etag)
        return etag


def _through_json(case_id: str, row: Row) -> Row:
    """What would come back from Azure, with the same refusals."""
    return parse_row(row_entity(case_id, row))


class MemoryCaseIndex:
    """CaseIndex in a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], IndexEntry] = {}
        self._wakes: set[str] = set()

    async def put(self, entry: IndexEntry) -> None:
        kept = parse_entry(entry_entity(entry, entry.facet))
        self._entries[entry_keys(entry, entry.facet)] = kept

    async def remove(self, entry: IndexEntry, facets: Sequence[Status]) -> None:
        for facet in facets_of(facets):
            self._entries.pop(entry_keys(entry, facet), None)

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
        after = Cursor.decode(before).after
        start = past(after) if after else "0"
        partitions = {facet_partition(f, desk) for f in facets_of(statuses) for desk in desks}
        found: dict[str, IndexEntry] = {}
        for (partition, key), entry in self._entries.items():
            wanted = sentiment in (None, entry.sentiment) and (entry.reason or not unfinished)
            wanted = bool(wanted and (entry.waiting or entry.to_do or not waiting))
            if partition in partitions and key >= start and wanted:
                found[place(key)] = newer(found.get(place(key)), entry)
        places = sorted(found)
        shown = places[:limit]
        more = Cursor(after=shown[-1]).encode() if len(places) > limit else None
        return [found[where] for where in shown], more

    async def open_entries(self, limit: int, after: IndexEntry | None = None) -> list[IndexEntry]:
        start = entry_keys(after, "open") if after else ("", "")
        all_desks = facet_partition("open", "")
        keys = sorted(key for key in self._entries if key[0].startswith(all_desks) and key > start)
        return [self._entries[key] for key in keys[:limit]]

    async def wake(self, wake: Wake) -> None:
        self._wakes.add(wake_key(wake))

    async def wakes(self, until: datetime, limit: int, after: Wake | None = None) -> list[Wake]:
        start, end = wake_key(after) if after else "", wakes_until(until)
        return [parse_wake(key) for key in sorted(self._wakes) if start < key < end][:limit]

    async def forget(self, wake: Wake) -> None:
        self._wakes.discard(wake_key(wake))


class MemoryJournal:
    """Journal in dictionaries."""

    def __init__(self) -> None:
        self._journal: dict[tuple[str, str], JournalEntry] = {}
        self._digests: dict[tuple[str, str], FiledDigest] = {}

    async def record(self, entry: JournalEntry) -> None:
        kept = journal_entity(entry)
        self._journal[kept[PARTITION], kept[KEY]] = parse_journal(kept)

    async def recorded(
        self,
        desk: str,
        start: datetime,
        end: datetime,
        limit: int,
        after: JournalEntry | None = None,
    ) -> list[JournalEntry]:
        partition = journal_partition(desk)
        first = partition, journal_key(after) if after else journal_time(start)
        last = partition, journal_time(end)
        keys = sorted(key for key in self._journal if first < key < last)
        return [self._journal[key] for key in keys[:limit]]

    async def file(self, digest: FiledDigest) -> None:
        kept = digest_entity(digest)
        self._digests[kept[PARTITION], kept[KEY]] = parse_digest(kept)

    async def filed(self, desk: str, limit: int, *, unfinished: bool = False) -> list[FiledDigest]:
        partition = digests_partition(desk)
        keys = sorted(key for key in self._digests if key[0] == partition)
        found = [self._digests[key] for key in keys]
        return [digest for digest in found if digest.failed or not unfinished][:limit]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it lies in a queue; ``delay`` in whole seconds until it is visible."""

    nudge: Nudge
    delay: int


class MemoryNudges:
    """Nudges in a list. Whoever plays the host takes messages out of ``sent``."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    async def send(self, nudge: Nudge, delay: float = 0.0) -> None:
        self.sent.append(Sent(nudge, whole_seconds(delay)))


class MemorySpending:
    """Spending in a dictionary."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], tuple[DaySpend, str]] = {}
        self._writes = 0

    async def read(self, desk: str, day: str) -> tuple[DaySpend, str | None]:
        return self._days.get((desk, day), (DaySpend(desk=desk, day=day), None))

    async def write(self, spend: DaySpend, etag: str | None) -> None:
        kept = parse_spend(spend_entity(spend))
        _, there = self._days.get((spend.desk, spend.day), (None, None))
        if there != etag:
            raise ConflictError("the row changed")
        self._writes += 1
        self._days[spend.desk, spend.day] = kept, f'W/"{self._writes}"'


class MemoryQuarantine:
    """Quarantine in a dictionary."""

    def __init__(self) -> None:
        self._items: dict[str, Quarantined] = {}

    async def put(self, item: Quarantined) -> None:
        self._items[item.id] = item

    async def entries(self, limit: int) -> list[Quarantined]:
        newest = sorted(self._items.values(), key=lambda item: item.at, reverse=True)
        return newest[:limit]


class MemoryConnectors:
    """Connectors in a dictionary, by desk and vendor."""

    def __init__(self, known: Mapping[tuple[str, str], Connector]) -> None:
        self._known = known

    def get(self, desk: str, vendor: str) -> Connector | None:
        return self._known.get((desk, vendor))

    def polled(self) -> Sequence[tuple[str, str]]:
        return [pair for pair, connector in self._known.items() if connector.polls]


class MemoryInbox:
    """Inbox in two dictionaries."""

    def __init__(self) -> None:
        self._batches: dict[str, Batch] = {}
        self._marks: dict[str, str] = {}

    async def put(self, batch: Batch) -> None:
        self._batches[batch.id] = batch

    async def get(self, batch_id: str) -> Batch | None:
        return self._batches.get(batch_id)

    async def waiting(self, limit: int) -> list[Batch]:
        return list(self._batches.values())[:limit]

    async def done(self, batch_id: str) -> None:
        self._batches.pop(batch_id, None)

    async def mark(self, name: str) -> str | None:
        return self._marks.get(name)

    async def set_mark(self, name: str, mark: str) -> None:
        self._marks[name] = mark


class MemoryTexts:
    """Texts in a dictionary."""

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}

    async def put(self, name: str, text: str) -> None:
        self._texts[name] = text.encode()

    async def get(self, name: str) -> str:
        if name not in self._texts:
            raise PermanentError("text_missing", name)
        return self._texts[name].decode()

    async def delete(self, name: str) -> None:
        self._texts.pop(name, None)


class MemoryCustomers:
    """Customers in a dictionary."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], str] = {}

    async def first(self, desk: str, customer: str, case_id: str) -> str:
        check_key(customer)
        return self._first.setdefault((desk, customer), case_id)


class MemoryTickets:
    """TicketLedger in a dictionary."""

    def __init__(self) -> None:
        self._tickets: dict[tuple[str, str], Ticket] = {}

    async def insert(self, ticket: Ticket) -> None:
        check_key(ticket.reference)
        if (ticket.desk, ticket.reference) in self._tickets:
            raise ConflictError("the ticket exists")
        kept = replace(ticket, look="", queue="", since=None)
        self._tickets[ticket.desk, ticket.reference] = kept

    async def get(self, desk: str, reference: str) -> Ticket | None:
        return self._tickets.get((desk, reference))

    async def entries(self, desk: str, limit: int) -> list[Ticket]:
        found = [ticket for ticket in self._tickets.values() if ticket.desk == desk]
        return sorted(found, key=lambda ticket: ticket.at, reverse=True)[:limit]
