"""Counting in a desk's hours, over changes of the clock, against counting minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.hours import (
    ALWAYS,
    DAYS,
    Hours,
    after,
    is_open,
    read_duration,
    read_spans,
    takes_over_a_year,
)

BERLIN, NEW_YORK, LORD_HOWE = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
)
OFFICE = Hours(weekdays="9:00-12:30, 13:30-18:00", saturday="10:00-14:00")
NIGHT = Hours(friday="22:00-6:00", saturday="22:00-6:00")


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-03-04 09:00", "1h", "2026-03-04 10:00"),
        ("2026-03-04 12:00", "1h", "2026-03-04 14:00"),  # over lunch
        ("2026-03-04 17:30", "1h", "2026-03-05 09:30"),  # over night
        ("2026-03-06 17:30", "1h", "2026-03-07 10:30"),  # into Saturday
        ("2026-03-07 20:00", "30m", "2026-03-09 09:30"),  # over Sunday
        ("2026-03-28 13:00", "2h", "2026-03-30 10:00"),  # summer time begins on Sunday
        ("2026-03-04 09:00", "8h", "2026-03-04 18:00"),  # a whole day ends as it closes
    ],
)
def test_time_counts_only_while_the_desk_is_open(start: str, amount: str, due: str) -> None:
    assert after(at(start), read_duration(amount), OFFICE, BERLIN) == at(due)


def test_a_closed_day_counts_nothing() -> None:
    closed = OFFICE.model_copy(update={"closed": (date(2026, 3, 5), date(2026, 3, 6))})
    due = after(at("2026-03-04 17:30"), read_duration("1h"), closed, BERLIN)
    assert due == at("2026-03-07 10:30")


@pytest.mark.parametrize(
    ("night", "hours"),
    [
        ("2026-03-28", 7),  # 22:00 to 6:00 without the hour that summer time takes
        ("2026-10-24", 9),  # and with the one that it gives back
        ("2026-11-07", 8),
    ],
)
def test_a_night_shift_has_the_hours_that_really_pass(night: str, hours: int) -> None:
    start = at(f"{night} 22:00")
    [*_, end] = (after(start, timedelta(hours=n), NIGHT, BERLIN) for n in range(1, hours + 1))
    assert end == start + timedelta(hours=hours)
    assert not is_open(end, NIGHT, BERLIN)
    assert is_open(end - timedelta(minutes=1), NIGHT, BERLIN)


def minute_by_minute(start: datetime, minutes: int, hours: Hours, zone: ZoneInfo) -> datetime:
    """The slow way: looks at the wall clock of every minute."""
    now, left = start, minutes
    while left:
        wall = now.astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        left -= wall.date() not in hours.closed and any(
            opens <= minute < closes for opens, closes in hours.on(DAYS[wall.weekday()])
        )
        now += timedelta(minutes=1)
    return now


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, 365 * 24 * 60),
    minutes=st.integers(1, 900),
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, ZoneInfo("Asia/Kathmandu")]),
    spans=st.sampled_from(["9:00-18:00", "0:00-24:00", "4:00-5:00, 6:15-23:45", "8:00-24:00"]),
    closed=st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=3),
)
def test_counting_by_stretches_is_counting_by_minutes(
    start: int, minutes: int, zone: ZoneInfo, spans: str, closed: list[date]
) -> None:
    begins = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    hours = Hours(weekdays=spans, closed=tuple(closed))
    due = after(begins, timedelta(minutes=minutes), hours, zone)
    assert due == minute_by_minute(begins, minutes, hours, zone)


@settings(max_examples=200, deadline=None)
@given(
    seconds=st.integers(0, 37 * 366 * 24 * 3600),
    first=st.integers(1, 5000),
    more=st.integers(1, 5000),
    zone=st.sampled_from(["Europe/Berlin", "Pacific/Apia", "Africa/Casablanca", "Asia/Tehran"]),
    hours=st.sampled_from([OFFICE, NIGHT, ALWAYS, Hours(sunday="23:59-0:01")]),
)
def test_amounts_add_up(seconds: int, first: int, more: int, zone: str, hours: Hours) -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    one, two = timedelta(minutes=first), timedelta(minutes=more)
    place = ZoneInfo(zone)
    if takes_over_a_year(one + two, hours):
        return
    middle = after(start, one, hours, place)
    assert start + one <= middle
    assert after(middle, two, hours, place) == after(start, one + two, hours, place)


def test_the_last_word_about_a_day_is_its_own() -> None:
    hours = Hours(every_day="8:00-20:00", weekend="10:00-12:00", sunday="closed")
    spans = [hours.on(day) for day in DAYS]
    assert spans == [((480, 1200),)] * 5 + [((600, 720),), ()]


@pytest.mark.parametrize(
    "text", ["9-18", "9:00", "9:00-12:00, 11:00-13:00", "24:00-25:00", "9:60-10:00", "", "open"]
)
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_spans(text)
    with pytest.raises(ValidationError, match="are no opening hours"):
        Hours(monday=text)


def test_a_desk_that_never_opens_is_refused() -> None:
    with pytest.raises(ValidationError, match="never open"):
        Hours(weekdays="closed")


@pytest.mark.parametrize(
    ("text", "minutes"), [("30m", 30), ("4h", 240), ("1h 30m", 90), ("1h30m", 90), ("999h", 59940)]
)
def test_durations_are_read(text: str, minutes: int) -> None:
    assert read_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "0h", "1d", "90", "-1h", "1.5h", "m"])
def test_what_is_no_duration_is_nothing(text: str) -> None:
    assert read_duration(text) == timedelta()
