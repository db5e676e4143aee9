"""When a desk's digests are due, and which stretch of time each is about. Pure.

A window ends at a time that the desk names, by its own clock, and begins where the one before
ended: windows leave no gap and never overlap, whatever the clock is changed by and however late a
timer comes. A window is closed, and never changes again, some minutes after its end: until then
somebody may still store what happened in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from shared.domain.hours import DAYS, Day, TimeOfDay, instant, read_time
from shared.domain.written import Email, Part

#: After an outage so many windows at most are caught up; the first of them holds all before.
MOST_LATE = 7
#: A day of the week comes again within so many days.
_A_WEEK = 8
_SATURDAY = 5
_YEARS = 3 * 366
_ID = "%Y-%m-%dT%H%MZ"


class DigestPlan(Part):
    """When a desk's digest comes and to whom.

    Attributes:
        at: Local time.
        days: Days of the week; one day makes it weekly.
        email: Who gets it by mail.
        slack: Whether it goes to the desk's Slack channel.
        teams: Whether it goes to the desk's Teams channel.
    """

    at: TimeOfDay
    days: Annotated[
        tuple[Day | Literal["weekdays", "every_day"], ...], Field(min_length=1, max_length=7)
    ] = ("every_day",)
    email: Annotated[tuple[Email, ...], Field(max_length=20)] = ()
    slack: bool = False
    teams: bool = False

    def falls_on(self, day: date) -> bool:
        """Whether a digest comes on that day."""
        names = {"every_day", DAYS[day.weekday()]}
        return not names.isdisjoint(self.days) or (
            "weekdays" in self.days and day.weekday() < _SATURDAY
        )


@dataclass(frozen=True, slots=True)
class Window:
    """What one digest is about: everything from ``start`` on and before ``end``, UTC."""

    start: datetime
    end: datetime

    @property
    def id(self) -> str:
        """The end to the minute, such as ``2026-03-29T0600Z``."""
        return window_id(self.end)

    def holds(self, at: datetime) -> bool:
        """Whether an instant belongs to it."""
        return self.start <= at < self.end


def due_windows(
    plan: DigestPlan, time_zone: str, last_end: datetime | None, closed: datetime
) -> tuple[Window, ...]:
    """The windows to be sent, the oldest first.

    Args:
        last_end: Where the last one that was sealed ended; None for the desk's first digest, which
            is about one period.
        closed: Nothing before this instant can be added any more, UTC.
    """
    zone = ZoneInfo(time_zone)
    if last_end is None:
        latest = [*_ends(plan, zone, closed - timedelta(days=_A_WEEK), closed)][-1:]
        return tuple(Window(_before(plan, zone, end), end) for end in latest)
    ends = [*_ends(plan, zone, last_end, closed)][-MOST_LATE:]
    return tuple(Window(start, end) for start, end in zip([last_end, *ends], ends, strict=False))


def running_window(
    plan: DigestPlan, time_zone: str, last_end: datetime | None, now: datetime
) -> Window:
    """The window that is not over yet, as far as it has come."""
    return Window(last_end or _before(plan, ZoneInfo(time_zone), now), now)


def _before(plan: DigestPlan, zone: ZoneInfo, end: datetime) -> datetime:
    """The planned end before this one."""
    just = end - timedelta(microseconds=1)
    return [*_ends(plan, zone, end - timedelta(days=2 * _A_WEEK), just)][-1]


def _ends(plan: DigestPlan, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """Planned ends later than ``after`` and not later than ``until``."""
    at = read_time(plan.at)
    first = after.astimezone(zone).date() - timedelta(days=1)
    last = until.astimezone(zone).date() + timedelta(days=1)
    # Of an outage of years only the last windows matter.
    first = max(first, last - timedelta(days=_YEARS))
    latest = after
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if plan.falls_on(day):
            end = instant(day, at.hour * 60 + at.minute, zone)
            # Where the clock skips a day, two days end at one instant.
            if latest < end <= until:
                yield end
                latest = end


def window_id(end: datetime) -> str:
    """The name of the window that ends then, UTC."""
    return end.strftime(_ID)


def window_of(text: str) -> datetime:
    """The end that a window's id names.

    Raises:
        ValueError: It is no id of a window.
    """
    return datetime.strptime(text, _ID).replace(tzinfo=UTC)
