"""Opening hours of a desk, and counting in them: pure, in any time zone, over changes of the clock.

Wall-clock times become instants with zoneinfo. A time that the change to summer time skips is read
as if the clock had not been changed yet, one that comes twice is its first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from shared.domain.written import Part

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)

_DAY_MINUTES = 24 * 60
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SPAN = re.compile(r"([0-9:]+) ?- ?([0-9:]+)")
_DURATION = re.compile(r"(?:([0-9]{1,3})h)? ?(?:([0-9]{1,3})m)?")
_LONGEST = timedelta(hours=999)
#: A target that takes longer than this by the opening hours is a mistake in the desk file.
_YEAR = timedelta(days=366)


def _time_zone(text: str) -> str:
    # "localtime" and "posixrules" are the machine's own business.
    if re.fullmatch(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*", text):
        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            pass
        else:
            return text
    raise ValueError(
        f"{text[:60]!r} is not a time zone; write its name of the IANA list, such as "
        "Europe/Berlin, America/New_York or UTC"
    )


def _duration(text: str) -> str:
    if not timedelta() < read_duration(text) <= _LONGEST:
        raise ValueError(f"{text[:60]!r} is not a time; write such as 30m, 4h or 1h 30m")
    return text


def _time_of_day(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a time of day; write such as 8:00 or 17:30")
    return text


def _spans(text: str) -> str:
    try:
        read_spans(text)
    except ValueError:
        raise ValueError(
            f"{text[:60]!r} are no opening hours; write such as 9:00-18:00, "
            "9:00-12:30, 13:30-18:00 or closed"
        ) from None
    return text


TimeZone = Annotated[str, AfterValidator(_time_zone)]
Duration = Annotated[str, AfterValidator(_duration)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Spans = Annotated[str, AfterValidator(_spans)]


class Hours(Part):
    """When people work at a desk. A day that is not named is closed.

    Attributes:
        every_day: For all days without a word of their own.
        weekdays: Monday to Friday, likewise.
        weekend: Saturday and Sunday, likewise.
        closed: Single days without work, such as holidays.
    """

    every_day: Spans | None = None
    weekdays: Spans | None = None
    weekend: Spans | None = None
    monday: Spans | None = None
    tuesday: Spans | None = None
    wednesday: Spans | None = None
    thursday: Spans | None = None
    friday: Spans | None = None
    saturday: Spans | None = None
    sunday: Spans | None = None
    closed: Annotated[tuple[date, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _open_at_all(self) -> Hours:
        if not any(self.on(day) for day in DAYS):
            raise ValueError("never open; name a day with its hours, or remove the whole part")
        return self

    def on(self, day: Day) -> tuple[tuple[int, int], ...]:
        """Spans of a usual day of that name, in minutes from its midnight."""
        group = self.weekend if day in ("saturday", "sunday") else self.weekdays
        own: str | None = getattr(self, day)
        said = next((text for text in (own, group, self.every_day) if text is not None), "closed")
        return read_spans(said)


def read_duration(text: str) -> timedelta:
    """``1h 30m`` as a time; zero for anything else."""
    found = _DURATION.fullmatch(text)
    return timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found else timedelta()


def read_time(text: str) -> time:
    """``17:30`` as a time of day."""
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


def read_spans(text: str) -> tuple[tuple[int, int], ...]:
    """``9:00-12:30, 13:30-18:00`` in minutes from midnight; an end past it belongs to the next day.

    Raises:
        ValueError: They are not in this form, or not in order.
    """
    if text.strip() == "closed":
        return ()
    spans: list[tuple[int, int]] = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        if not found:
            raise ValueError(part)
        start, end = _minutes(found[1]), _minutes(found[2])
        if end <= start:
            end += _DAY_MINUTES
        if start >= _DAY_MINUTES or end - start > _DAY_MINUTES or (spans and start < spans[-1][1]):
            raise ValueError(part)
        spans.append((start, end))
    return tuple(spans)


def instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time, in minutes from the midnight that begins ``day``."""
    midnight = datetime.combine(day, time(), zone)
    # On the wall: adding to an aware time of one zone moves its hands, not the hours between.
    return (midnight + timedelta(minutes=minutes)).astimezone(UTC)


def open_spans(
    hours: Hours, zone: ZoneInfo, start: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of work from ``start`` on, in order and apart, in UTC. Ends after some years."""
    first = start.astimezone(zone).date() - timedelta(days=1)
    upto = start
    for number in range(4 * _YEAR.days):
        day = first + timedelta(days=number)
        if day in hours.closed:
            continue
        for opens, closes in hours.on(DAYS[day.weekday()]):
            begin = max(upto, instant(day, opens, zone))
            end = instant(day, closes, zone)
            if begin < end:
                yield begin, end
                upto = end


def after(start: datetime, amount: timedelta, hours: Hours, zone: ZoneInfo) -> datetime:
    """When so much time of work has passed: the earliest instant, in UTC.

    Raises:
        ValueError: Not within some years; ``check_target`` refuses such targets at load.
    """
    left = amount
    for begin, end in open_spans(hours, zone, start):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    raise ValueError(f"{amount} of work from {start} on never pass")


def is_open(at: datetime, hours: Hours, zone: ZoneInfo) -> bool:
    """Whether people work at that instant."""
    begin, _ = next(open_spans(hours, zone, at), (None, None))
    return begin == at


def takes_over_a_year(amount: timedelta, hours: Hours) -> bool:
    """Whether a target can hardly be meant, because at these hours it takes more than a year."""
    week = sum(end - start for day in DAYS for start, end in hours.on(day))
    return amount > _YEAR * (week / (7 * _DAY_MINUTES))


def _minutes(text: Any) -> int:
    if text == "24:00":
        return _DAY_MINUTES
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * 60 + int(found[2])


#: For desks without hours, and for targets that count around the clock.
ALWAYS = Hours(every_day="0:00-24:00")
