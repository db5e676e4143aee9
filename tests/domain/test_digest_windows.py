"""Windows of digests: no gap, no overlap, whatever clocks and timers do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.digest_windows import (
    MOST_LATE,
    DigestPlan,
    Window,
    due_windows,
    running_window,
    window_of,
)

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def a_plan(time: str = "8:00", *days: str) -> DigestPlan:
    return DigestPlan.model_validate({"at": time, "days": days or ("every_day",)})


def due(plan: DigestPlan, last: str | None, now: str) -> list[tuple[str, str]]:
    """Due windows in Berlin, as local times."""
    zone = "Europe/Berlin"
    windows = due_windows(plan, zone, at(last) if last else None, at(now))
    local = [
        (w.start.astimezone(ZoneInfo(zone)), w.end.astimezone(ZoneInfo(zone))) for w in windows
    ]
    return [(f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}") for start, end in local]


def test_a_window_is_due_when_it_is_over() -> None:
    plan = a_plan()
    assert due(plan, "2026-03-04 08:00", "2026-03-05 07:59") == []
    assert due(plan, "2026-03-04 08:00", "2026-03-05 08:00") == [("03-04 08:00", "03-05 08:00")]


@pytest.mark.parametrize(
    ("days", "now", "expected"),
    [
        (("every_day",), "2026-03-09 09:00", ("03-08 08:00", "03-09 08:00")),
        (("weekdays",), "2026-03-09 09:00", ("03-06 08:00", "03-09 08:00")),  # over the weekend
        (("monday",), "2026-03-12 09:00", ("03-02 08:00", "03-09 08:00")),
        (("tuesday", "friday"), "2026-03-12 09:00", ("03-06 08:00", "03-10 08:00")),
        (("weekdays", "sunday"), "2026-03-08 09:00", ("03-06 08:00", "03-08 08:00")),
    ],
)
def test_the_first_digest_is_about_the_latest_period(
    days: tuple[str, ...], now: str, expected: tuple[str, str]
) -> None:
    assert due(a_plan("8:00", *days), None, now) == [expected]


def test_missed_windows_are_caught_up_in_order() -> None:
    assert due(a_plan(), "2026-03-04 08:00", "2026-03-06 20:00") == [
        ("03-04 08:00", "03-05 08:00"),
        ("03-05 08:00", "03-06 08:00"),
    ]


def test_after_a_long_outage_the_first_window_holds_all_before() -> None:
    found = due(a_plan(), "2026-01-01 08:00", "2026-03-06 20:00")
    assert len(found) == MOST_LATE
    assert found[0] == ("01-01 08:00", "02-28 08:00")
    assert found[-1] == ("03-05 08:00", "03-06 08:00")


@pytest.mark.parametrize(
    ("time", "now", "hours"),
    [
        ("8:00", "2026-03-29 09:00", 23),  # summer time began in the night
        ("8:00", "2026-10-25 09:00", 25),
        ("2:30", "2026-03-29 09:00", 24),  # 2:30 does not exist: it ends at 3:30
        ("2:30", "2026-03-30 09:00", 23),
        ("2:30", "2026-10-25 09:00", 24),  # 2:30 comes twice: it ends at the first
        ("2:30", "2026-10-26 09:00", 25),
    ],
)
def test_changes_of_the_clock_make_windows_longer_or_shorter(
    time: str, now: str, hours: int
) -> None:
    [window] = due_windows(a_plan(time), "Europe/Berlin", None, at(now))
    assert window.end - window.start == timedelta(hours=hours)


def test_a_change_of_the_plan_leaves_no_gap() -> None:
    [sealed] = due_windows(a_plan("8:00"), "Europe/Berlin", None, at("2026-03-04 09:00"))
    later = due_windows(a_plan("17:00"), "America/New_York", sealed.end, at("2026-03-05 09:00"))
    assert [w.start for w in later] == [sealed.end]
    assert later[0].end == at("2026-03-04 17:00", "America/New_York")


def test_a_day_that_a_zone_skips_gives_no_empty_window() -> None:
    # Samoa went from 29 to 31 December 2011.
    apia = ZoneInfo("Pacific/Apia")
    start, end = (datetime(2011, 12, day, 9, tzinfo=apia).astimezone(UTC) for day in (28, 31))
    windows = due_windows(a_plan(), "Pacific/Apia", start, end)
    assert all(window.start < window.end for window in windows)
    assert [one.end for one in windows[:-1]] == [other.start for other in windows[1:]]


plans = st.builds(
    a_plan,
    st.sampled_from(["0:00", "2:30", "8:00", "12:15", "23:59"]),
    st.sampled_from(["every_day", "weekdays", "monday", "sunday"]),
)


@settings(max_examples=150, deadline=None)
@given(
    plan=plans,
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 365 * 24),
    pauses=st.lists(st.sampled_from([0.25, 0.25, 0.25, 1.0, 7.0, 30.0, 100.0]), max_size=60),
    moments=st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_whatever_the_timer_does_each_moment_is_in_exactly_one_window(
    plan: DigestPlan, zone: str, start: int, pauses: list[float], moments: list[float]
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=start)
    sealed: list[Window] = []
    for pause in [0.0, *pauses]:
        now += timedelta(hours=pause)
        last = sealed[-1].end if sealed else None
        sealed += due_windows(plan, zone, last, now)

    assert all(one.end == other.start for one, other in pairwise(sealed))
    assert len({window.id for window in sealed}) == len(sealed)
    whole = sealed[-1].end - sealed[0].start
    for moment in moments:
        instant = sealed[0].start + moment * (whole - timedelta(seconds=1))
        assert sum(window.holds(instant) for window in sealed) == 1
    rest = running_window(plan, zone, sealed[-1].end, now)
    assert rest.start == sealed[-1].end
    assert due_windows(plan, zone, sealed[-1].end, now) == ()


@settings(max_examples=60, deadline=None)
@given(plan=plans, zone=st.sampled_from(ZONES), day=st.integers(0, 365))
def test_every_planned_day_ends_one_window(plan: DigestPlan, zone: str, day: int) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    [before] = due_windows(plan, zone, None, first)
    found = due_windows(plan, zone, before.end, before.end + timedelta(days=6, hours=1))
    planned = [
        date
        for number in range(1, 7)
        if plan.falls_on(
            date := before.end.astimezone(ZoneInfo(zone)).date() + timedelta(days=number)
        )
    ]
    assert [window.end.astimezone(ZoneInfo(zone)).date() for window in found] == planned


def test_an_id_names_its_window() -> None:
    [window] = due_windows(a_plan(), "Europe/Berlin", None, at("2026-03-29 09:00"))
    assert window.id == "2026-03-29T0600Z"
    assert window_of(window.id) == window.end
    with pytest.raises(ValueError, match="does not match"):
        window_of("yesterday")
