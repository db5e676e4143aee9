"""CaseIndex: listings newest first by cursor, and the open marks."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.case import IndexEntry, Status
from shared.domain.stage import Sentiment
from shared.errors import RequestError
from shared.ports import CaseIndex
from tests.contract import samples
from tests.contract.conftest import Storage

DESKS = ("bank", "hotel", "restaurant")
STATUSES: tuple[Status, ...] = ("open", "working", "answered", "escalated", "cancelled")


async def listed(
    index: CaseIndex,
    desks: tuple[str, ...] = DESKS,
    statuses: tuple[Status, ...] = STATUSES,
    sentiment: Sentiment | None = None,
    limit: int = 7,
) -> list[str]:
    """The case ids of every page, one after the other."""
    found: list[str] = []
    cursor = None
    for _ in range(100):
        entries, cursor = await index.page(desks, statuses, sentiment, cursor, limit)
        found += [entry.case_id for entry in entries]
        if cursor is None:
            return found
        assert entries
    raise AssertionError("the listing never ends")


def sixty() -> list[IndexEntry]:
    """Cases of all desks and statuses, one a minute; every third without a sentiment yet."""
    return [
        samples.entry(
            f"case-{n:02d}",
            n,
            desk=DESKS[n % 3],
            status=STATUSES[n % 5],
            sentiment=(None, "Positive", "Negative")[n % 3 if n % 2 else 0],
        )
        for n in range(60)
    ]


async def test_an_entry_comes_back_as_it_was_put(storage: Storage) -> None:
    entry = samples.entry(
        "c1", status="escalated", sentiment="Negative", urgency="high", subject="הסטייק 🥩 \u0000"
    )
    await storage.index.put(entry)

    assert await storage.index.page(["hotel"], ["escalated"], None, None, 10) == ([entry], None)


async def test_a_later_put_shows_instead_of_an_earlier_one(storage: Storage) -> None:
    await storage.index.put(samples.entry("c1", status="open"))
    await storage.index.put(samples.entry("c1", status="working", sentiment="Negative"))

    entries, _ = await storage.index.page(["hotel"], ["working"], None, None, 10)
    assert entries == [samples.entry("c1", status="working", sentiment="Negative")]


async def test_pages_run_from_newest_to_oldest_without_gap_or_repeat(storage: Storage) -> None:
    for entry in sixty():
        await storage.index.put(entry)

    expected = [f"case-{n:02d}" for n in reversed(range(60))]
    assert await listed(storage.index) == expected
    assert await listed(storage.index, limit=60) == expected
    assert await listed(storage.index, limit=1000) == expected


async def test_a_listing_keeps_to_desks_statuses_and_sentiment(storage: Storage) -> None:
    for entry in sixty():
        await storage.index.put(entry)

    def expected(*desks: str, sentiment: str | None = None) -> list[str]:
        rest = [e for e in sixty() if e.desk in desks and e.status in ("answered", "escalated")]
        return [e.case_id for e in reversed(rest) if sentiment in (None, e.sentiment)]

    rested: tuple[Status, ...] = ("answered", "escalated")
    assert await listed(storage.index, ("bank",), rested) == expected("bank")
    assert await listed(storage.index, DESKS, rested) == expected(*DESKS)
    assert await listed(storage.index, DESKS, rested, "Negative", 2) == expected(
        *DESKS, sentiment="Negative"
    )
    assert await listed(storage.index, ("unknown",)) == []


async def test_a_listing_can_keep_to_what_could_not_be_finished(storage: Storage) -> None:
    for n in range(9):
        reason = "sentiment: timeout" if n % 3 == 0 else ""
        mood = "Negative" if n % 2 == 0 else None
        entry = samples.entry(f"c{n}", n, status="escalated", reason=reason, sentiment=mood)
        await storage.index.put(entry)

    async def ids(sentiment: Sentiment | None) -> list[str]:
        page, _ = await storage.index.page(
            ["hotel"], ["escalated"], sentiment, None, 10, unfinished=True
        )
        return [entry.case_id for entry in page]

    assert await ids(None) == ["c6", "c3", "c0"]
    assert await ids("Negative") == ["c6", "c0"]


async def test_a_listing_can_keep_to_actions_that_wait_for_people(storage: Storage) -> None:
    asked: dict[str, Any] = {"waiting": ("refund", "close")}
    by_hand: dict[str, Any] = {"to_do": ("call",), "to_do_since": samples.NOON}
    for n, more in enumerate(({}, asked, by_hand, {}, asked | by_hand, {})):
        await storage.index.put(samples.entry(f"c{n}", n, status="escalated", **more))

    page, _ = await storage.index.page(["hotel"], ["escalated"], None, None, 10, waiting=True)
    assert [(entry.case_id, entry.waiting, entry.to_do, entry.to_do_since) for entry in page] == [
        ("c4", ("refund", "close"), ("call",), samples.NOON),
        ("c2", (), ("call",), samples.NOON),
        ("c1", ("refund", "close"), (), None),
    ]


async def test_cases_that_arrive_between_pages_neither_shift_nor_repeat_others(
    storage: Storage,
) -> None:
    for entry in sixty():
        await storage.index.put(entry)

    found: list[str] = []
    cursor = None
    for page in range(100):
        entries, cursor = await storage.index.page(DESKS, STATUSES, None, cursor, 7)
        found += [entry.case_id for entry in entries]
        await storage.index.put(samples.entry(f"new-{page}", 100 + page, desk=DESKS[page % 3]))
        if cursor is None:
            break

    assert found == [f"case-{n:02d}" for n in reversed(range(60))]


async def test_cases_of_the_same_millisecond_are_all_listed_once(storage: Storage) -> None:
    # Ids that begin alike, and facets whose row keys end differently: the hard order.
    ids = [f"c{'x' * (n % 4)}{n // 4}" for n in range(12)] + ["c", "cx", "cxx"]
    for n, case_id in enumerate(ids):
        await storage.index.put(samples.entry(case_id, desk=DESKS[n % 3], status=STATUSES[n % 5]))

    for limit in (1, 2, 5):
        assert sorted(await listed(storage.index, limit=limit)) == sorted(ids)


async def test_a_case_in_two_facets_shows_once_and_its_newest_version(storage: Storage) -> None:
    old = samples.entry("c1", 1, status="working", version=1, mark="m0001")
    new = samples.entry("c1", 1, status="working", version=2, mark="m0002")
    settled = samples.entry("c1", 1, status="answered", version=3)
    for entry in (samples.entry("c0", 0), new, old, settled, samples.entry("c2", 2)):
        await storage.index.put(entry)

    both: tuple[Status, ...] = ("open", "answered")
    assert await listed(storage.index, statuses=both, limit=1) == ["c2", "c1", "c0"]
    entries, _ = await storage.index.page(DESKS, both, None, None, 10)
    assert entries[1] == settled
    entries, _ = await storage.index.page(DESKS, ["open"], None, None, 10)
    assert entries[1] == new


async def test_removing_an_entry_leaves_other_facets_and_cases(storage: Storage) -> None:
    entry = samples.entry("c1", status="answered")
    await storage.index.put(entry)
    await storage.index.put(samples.entry("c1", status="escalated"))
    await storage.index.put(samples.entry("c2", status="answered"))

    await storage.index.remove(entry, ["answered", "cancelled", "resolved"])

    assert await listed(storage.index, statuses=("answered",)) == ["c2"]
    assert await listed(storage.index, statuses=("escalated",)) == ["c1"]


async def test_settling_one_message_leaves_the_open_mark_of_another(storage: Storage) -> None:
    await storage.index.put(samples.entry("c1", mark="m0001"))
    await storage.index.put(samples.entry("c1", mark="m0002", version=2))

    await storage.index.remove(samples.entry("c1", mark="m0001", status="answered"), ["open"])

    assert await storage.index.open_entries(10) == [samples.entry("c1", mark="m0002", version=2)]


async def test_open_entries_are_of_all_desks_and_of_the_open_facet_only(storage: Storage) -> None:
    for entry in sixty():
        await storage.index.put(entry)
    await storage.index.put(samples.entry("free", 70, desk=""))

    marks = await storage.index.open_entries(100)
    assert {mark.case_id for mark in marks} == {
        "free",
        *(e.case_id for e in sixty() if e.facet == "open"),
    }

    one_by_one, after = [], None
    while page := await storage.index.open_entries(7, after):
        one_by_one += page
        after = page[-1]
    assert one_by_one == marks


async def test_every_open_mark_of_a_case_is_there_for_the_sweep(storage: Storage) -> None:
    await storage.index.put(samples.entry("c1", mark="m0001"))
    await storage.index.put(samples.entry("c1", mark="x0001"))

    marks = [entry.mark for entry in await storage.index.open_entries(10)]
    assert sorted(marks) == ["m0001", "x0001"]


async def test_a_cursor_that_is_not_ours_is_refused(storage: Storage) -> None:
    for cursor in ["", "x", "äö", "e30x", "bnVsbA", "eyJhZnRlciI6ICInIG9yIDEifQ", "W" * 9999]:
        with pytest.raises(RequestError, match="cursor is not valid") as caught:
            await storage.index.page(["hotel"], ["open"], None, cursor, 10)
        assert caught.value.status == 400


async def test_a_cursor_needs_no_escaping_in_a_url(storage: Storage) -> None:
    for n in range(3):
        await storage.index.put(samples.entry(f"c{n}", n))

    _, cursor = await storage.index.page(["hotel"], ["open"], None, None, 1)

    assert cursor
    assert cursor.replace("-", "").replace("_", "").isalnum()


async def test_a_desk_that_azure_does_not_take_is_refused(storage: Storage) -> None:
    for desk in ["a/b", "a#b", "a\tb"]:
        with pytest.raises(ValueError, match="key"):
            await storage.index.put(samples.entry("c1", desk=desk))


async def test_a_case_id_that_would_break_the_order_is_refused(storage: Storage) -> None:
    with pytest.raises(ValueError, match="separates"):
        await storage.index.put(samples.entry("a|b"))
