"""Journal: what happened at a desk, by time, and its digests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.digest import Counts, FailedChannel, FiledDigest
from shared.domain.journal import JournalEntry
from shared.domain.stage import Usage
from tests.contract.conftest import Storage

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def entry(
    case_id: str,
    seconds: float,
    mark: str = "m0001",
    desk: str = "hotel",
    outcome: str = "answered",
) -> JournalEntry:
    return JournalEntry(
        desk=desk,
        case_id=case_id,
        at=NOON + timedelta(seconds=seconds),
        what="message",
        mark=mark,
        turn=1,
        outcome=outcome,
        about=("risk: safety",),
        urgency="high",
        usage=Usage(calls=3, prompt_tokens=900, completion_tokens=50, cost=0.0031),
        failures=("rate_limited", "rate_limited"),
    )


async def recorded(storage: Storage, start: float, end: float) -> list[JournalEntry]:
    return await storage.journal.recorded(
        "hotel", NOON + timedelta(seconds=start), NOON + timedelta(seconds=end), 100
    )


async def test_an_entry_comes_back_as_it_was_recorded(storage: Storage) -> None:
    await storage.journal.record(entry("a", 1))

    assert await recorded(storage, 0, 2) == [entry("a", 1)]


async def test_a_stretch_of_time_begins_with_its_start_and_ends_before_its_end(
    storage: Storage,
) -> None:
    every = [entry("a", -0.001), entry("b", 0), entry("c", 59.999), entry("d", 60)]
    for given in every:
        await storage.journal.record(given)

    assert await recorded(storage, 0, 60) == every[1:3]
    assert await recorded(storage, -60, 0) == every[:1]
    assert await recorded(storage, 60, 120) == every[3:]


async def test_happenings_come_by_time_and_only_of_the_desk(storage: Storage) -> None:
    for given in (entry("b", 2), entry("a", 3), entry("c", 1), entry("d", 2, desk="bank")):
        await storage.journal.record(given)

    assert [e.case_id for e in await recorded(storage, 0, 9)] == ["c", "b", "a"]


async def test_the_same_happening_is_one_and_its_latest_word_counts(storage: Storage) -> None:
    await storage.journal.record(entry("a", 1))
    await storage.journal.record(entry("a", 1, outcome="escalated"))
    await storage.journal.record(entry("a", 1, mark="e0001"))

    assert [(e.mark, e.outcome) for e in await recorded(storage, 0, 9)] == [
        ("e0001", "answered"),
        ("m0001", "escalated"),
    ]


async def test_pages_go_on_behind_the_last_one_seen(storage: Storage) -> None:
    every = [entry(f"case-{n}", n // 3) for n in range(8)]
    for given in every:
        await storage.journal.record(given)

    found: list[JournalEntry] = []
    start, end = NOON, NOON + timedelta(minutes=1)
    while page := await storage.journal.recorded(
        "hotel", start, end, 3, found[-1] if found else None
    ):
        found += page

    assert found == every


def digest(day: int, desk: str = "hotel") -> FiledDigest:
    end = NOON + timedelta(days=day)
    counts = Counts(messages=day, failures={"rate_limited": 2}, usage=Usage(calls=3, cost=0.5))
    start, sealed = end - timedelta(days=1), end + timedelta(minutes=5)
    return FiledDigest(desk=desk, start=start, end=end, sealed_at=sealed, counts=counts)


async def test_digests_are_filed_once_and_the_latest_window_comes_first(storage: Storage) -> None:
    for given in (digest(2), digest(3), digest(1), digest(3), digest(4, desk="bank")):
        await storage.journal.file(given)

    assert await storage.journal.filed("hotel", 2) == [digest(3), digest(2)]
    assert await storage.journal.filed("hotel", 10) == [digest(3), digest(2), digest(1)]
    assert await storage.journal.filed("shop", 10) == []


async def test_digests_with_a_channel_that_failed_are_found_until_none_has(
    storage: Storage,
) -> None:
    failed = FailedChannel(
        desk="hotel",
        end=digest(2).end,
        channel="slack",
        state="uncertain",
        reason="answer_lost",
        at=NOON,
    )
    broken = digest(2).model_copy(update={"failed": (failed,)})
    for given in (digest(1), broken, digest(3)):
        await storage.journal.file(given)

    assert await storage.journal.filed("hotel", 10, unfinished=True) == [broken]
    assert await storage.journal.filed("hotel", 10) == [digest(3), broken, digest(1)]

    await storage.journal.file(digest(2))
    assert await storage.journal.filed("hotel", 10, unfinished=True) == []
