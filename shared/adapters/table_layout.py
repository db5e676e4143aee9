"""How rows and index entries lie in tables: keys, properties, sizes, cursors. Pure.

A row is one JSON string in the properties ``json``, ``json1``, …, cut to fit them. An index entry
lies in partition ``{facet}|{desk}`` under ``{inverted}|{case_id}|``, in facet ``open`` with the
mark after it. ``inverted`` falls with time, so that a partition reads newest first. A wake lies in
partition ``wake|`` under ``{milliseconds}|{case_id}``, so that the earliest is read first; a
journal entry in ``journal|{desk}`` under ``{milliseconds}|{case_id}|{mark}``, a digest's entry in
``digest|{desk}`` under ``{inverted}``.

Limits: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.domain.budget import DaySpend
from shared.domain.case import IndexEntry, Status, Wake
from shared.domain.digest import FiledDigest
from shared.domain.journal import JournalEntry
from shared.domain.rows import ROWS, Row
from shared.errors import PermanentError, RequestError

PARTITION, KEY = "PartitionKey", "RowKey"
WAKES = "wake|"

#: UTF-16 units that we put into one property; it could hold 32,768.
PROPERTY_UNITS = 32_000
#: Bytes of one entity, by the service's own formula.
ENTITY_BYTES = 1024 * 1024

_KEY_UNITS = 512
_NOT_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_ENTRIES = TypeAdapter(IndexEntry)
_SPENDS = TypeAdapter(DaySpend)
_JOURNAL = TypeAdapter(JournalEntry)
_DIGESTS = TypeAdapter(FiledDigest)
_FOREVER_MS = 10**14 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Stored = TypeVar("_Stored")


def check_key(value: str) -> None:
    """Refuses what Azure does not take in a key.

    Raises:
        ValueError: Says what is wrong with it.
    """
    if _NOT_IN_KEYS.search(value):
        raise ValueError(f"{value!r} cannot be a key: no / \\ # ? and no control characters")
    if len(value) > _KEY_UNITS:
        raise ValueError(f"a key of {len(value)} characters is too long: at most {_KEY_UNITS}")


def row_entity(case_id: str, row: Row) -> dict[str, str]:
    """A row as the entity that holds it.

    Raises:
        PermanentError: ``row_too_large``.
        ValueError: Its keys have characters that Azure does not take.
    """
    check_key(case_id)
    check_key(row.key)
    kept = {PARTITION: case_id, KEY: row.key, "kind": row.kind}
    return _sized(kept | _properties(row.model_dump_json()))


def parse_row(entity: Mapping[str, Any]) -> Row:
    """The row that an entity holds.

    Raises:
        PermanentError: ``row_unreadable``.
    """
    return _parse(ROWS, entity)


def spend_entity(spend: DaySpend) -> dict[str, str]:
    """A desk's day as the entity that holds it.

    Raises:
        PermanentError: ``row_too_large``.
    """
    check_key(spend.desk)
    kept = {PARTITION: spend.desk, KEY: spend.day}
    return _sized(kept | _properties(spend.model_dump_json()))


def parse_spend(entity: Mapping[str, Any]) -> DaySpend:
    """The desk's day that an entity holds.

    Raises:
        PermanentError: ``row_unreadable``.
    """
    return _parse(_SPENDS, entity)


def entry_entity(entry: IndexEntry, facet: Status) -> dict[str, str]:
    """An index entry as the entity that holds it in one facet."""
    partition, key = entry_keys(entry, facet)
    kept = {PARTITION: partition, KEY: key}
    if entry.sentiment:
        kept["sentiment"] = entry.sentiment
    if entry.reason:
        kept["unfinished"] = "yes"
    if entry.waiting or entry.to_do:
        kept["waiting"] = "yes"
    return _sized(kept | _properties(entry.model_dump_json()))


def parse_entry(entity: Mapping[str, Any]) -> IndexEntry:
    """The index entry that an entity holds.

    Raises:
        PermanentError: ``row_unreadable``.
    """
    return _parse(_ENTRIES, entity)


def entry_keys(entry: IndexEntry, facet: Status) -> tuple[str, str]:
    """Partition key and row key of an entry in one facet."""
    _check_listed(entry.case_id)
    inverted = _FOREVER_MS - _milliseconds(entry.created_at)
    mark = entry.mark if facet == "open" else ""
    return facet_partition(facet, entry.desk), f"{inverted:014d}|{entry.case_id}|{mark}"


def wake_key(wake: Wake) -> str:
    """Row key of a wake; sorts by time."""
    _check_listed(wake.case_id)
    return f"{_milliseconds(wake.at):014d}|{wake.case_id}"


def wakes_until(until: datetime) -> str:
    """The smallest row key behind all wakes of ``until`` and earlier."""
    return f"{_milliseconds(until) + 1:014d}|"


def parse_wake(row_key: str) -> Wake:
    """The wake of a row key."""
    at, _, case_id = row_key.partition("|")
    return Wake(case_id=case_id, at=_EPOCH + timedelta(milliseconds=int(at)))


def journal_partition(desk: str) -> str:
    """Partition key of a desk's journal."""
    check_key(desk)
    return f"journal|{desk}"


def journal_key(entry: JournalEntry) -> str:
    """Row key of a journal entry; sorts by time."""
    _check_listed(entry.case_id)
    check_key(entry.mark)
    return f"{_milliseconds(entry.at):014d}|{entry.case_id}|{entry.mark}"


def journal_time(at: datetime) -> str:
    """What the row keys of all entries of that millisecond and later are not smaller than."""
    return f"{_milliseconds(at):014d}|"


def journal_entity(entry: JournalEntry) -> dict[str, str]:
    """A journal entry as the entity that holds it."""
    kept = {PARTITION: journal_partition(entry.desk), KEY: journal_key(entry)}
    return _sized(kept | _properties(entry.model_dump_json(exclude_defaults=True)))


def parse_journal(entity: Mapping[str, Any]) -> JournalEntry:
    """The journal entry that an entity holds.

    Raises:
        PermanentError: ``row_unreadable``.
    """
    return _parse(_JOURNAL, entity)


def digests_partition(desk: str) -> str:
    """Partition key of a desk's digests."""
    check_key(desk)
    return f"digest|{desk}"


def digest_entity(digest: FiledDigest) -> dict[str, str]:
    """A digest's entry as the entity that holds it; the latest window sorts first."""
    key = f"{_FOREVER_MS - _milliseconds(digest.end):014d}"
    kept = {PARTITION: digests_partition(digest.desk), KEY: key}
    if digest.failed:
        kept["unfinished"] = "yes"
    return _sized(kept | _properties(digest.model_dump_json(exclude_defaults=True)))


def parse_digest(entity: Mapping[str, Any]) -> FiledDigest:
    """The digest's entry that an entity holds.

    Raises:
        PermanentError: ``row_unreadable``.
    """
    return _parse(_DIGESTS, entity)


def facet_partition(facet: Status, desk: str) -> str:
    """Partition key of one facet of one desk."""
    check_key(desk)
    return f"{facet}|{desk}"


def facets_of(statuses: Iterable[Status]) -> list[Status]:
    """The facets where cases of these statuses rest, each once; ``working`` rests in ``open``."""
    return list(dict.fromkeys("open" if status == "working" else status for status in statuses))


def place(row_key: str) -> str:
    """What all entries of one case have in common in their row keys; sorts as they do."""
    return row_key[: row_key.rindex("|") + 1]


def past(start: str) -> str:
    """The smallest key behind all that begin with ``start``, which ends in ``|``."""
    return start[:-1] + "}"  # it follows | in ASCII


def newer(one: IndexEntry | None, other: IndexEntry) -> IndexEntry:
    """Which of two entries of one case to show: for a moment it may lie in two facets."""

    def rank(entry: IndexEntry) -> tuple[Any, ...]:
        return entry.version, entry.updated_at, entry.facet != "open", entry.status

    return max(one, other, key=rank) if one else other


class Cursor(BaseModel):
    """Where a listing goes on.

    Attributes:
        after: Place of the last case shown; empty before the first.
        resume: The service's continuation tokens of partitions in which it has looked at many
            entries that do not match; without them each call would look at the same ones again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    after: str = Field(default="", pattern=r"^([0-9]{14}\|[^/\\#?|]{1,512}\|)?$")
    resume: dict[str, dict[str, str | None]] = {}

    def encode(self) -> str:
        """A string that is safe in a URL."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str | None) -> Cursor:
        """The cursor in a string; the one of the first page for None.

        Raises:
            RequestError: 400, it is not one of ours.
        """
        if text is None:
            return cls()
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
            return cls.model_validate_json(raw)
        except ValueError:
            raise RequestError(
                400,
                "The cursor is not valid",
                "Send the cursor of the page before unchanged, or none to start at the newest.",
            ) from None


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _check_listed(case_id: str) -> None:
    check_key(case_id)
    if "|" in case_id:
        raise ValueError(f"{case_id!r} cannot be listed: | separates the parts of a row key")


def _parse(adapter: TypeAdapter[_Stored], entity: Mapping[str, Any]) -> _Stored:
    names = [name for name in (f"json{n or ''}" for n in range(len(entity))) if name in entity]
    try:
        return adapter.validate_json("".join(entity[name] for name in names))
    except ValidationError as error:
        # The error's own text repeats what a customer wrote.
        where = "; ".join(".".join(map(str, e["loc"])) or e["type"] for e in error.errors())
        raise PermanentError("row_unreadable", f"{entity[KEY]}: {where}") from None


def _properties(text: str) -> dict[str, str]:
    return {f"json{n or ''}": part for n, part in enumerate(_parts(text))}


def _parts(text: str) -> list[str]:
    if len(text) * 2 <= PROPERTY_UNITS:
        return [text]
    raw = text.encode("utf-16-le")
    parts, start = [], 0
    while start < len(raw):
        end = start + 2 * PROPERTY_UNITS
        # A high surrogate as the last unit: its other half belongs to it.
        if end < len(raw) and 0xD8 <= raw[end - 1] <= 0xDB:
            end -= 2
        parts.append(raw[start:end].decode("utf-16-le"))
        start = end
    return parts


def _sized(entity: dict[str, str]) -> dict[str, str]:
    """The entity, if it fits into one megabyte by the formula of the documentation."""
    size = 4 + sum(12 + 2 * (_units(name) + _units(value)) for name, value in entity.items())
    if size > ENTITY_BYTES:
        raise PermanentError("row_too_large", f"{size} bytes, at most {ENTITY_BYTES}")
    return entity


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
