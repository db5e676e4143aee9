"""Who is told, how and when, as people write it in a desk file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from shared.domain.hours import DAYS, Duration, Hours, is_open, open_spans, read_duration
from shared.domain.stage import Severity
from shared.domain.written import Email, Line, Name, Part, misfit

#: Words with a meaning of their own where a window can be named.
ALWAYS, OPEN, CLOSED = "always", "open", "closed"
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_WEEK_MINUTES = 7 * 24 * 60
_LONGEST = timedelta(days=1)


class Window(Hours):
    """Named hours, such as a night; what is not named is not in it."""

    name: Name

    @field_validator("name")
    @classmethod
    def _means_one_thing(cls, value: str) -> str:
        if value in (ALWAYS, OPEN, CLOSED):
            raise ValueError(f"{value} means something already; choose another name")
        return value


class Flood(Part):
    """When messages become one that lists them.

    Attributes:
        more_than: So many go to one recipient one by one.
        within: The stretch of time that is counted in, and at whose end the others are told.
    """

    more_than: Annotated[int, Field(ge=1, le=100)]
    within: Duration

    @field_validator("within")
    @classmethod
    def _not_too_long(cls, value: str) -> str:
        if read_duration(value) > _LONGEST:
            raise ValueError("longer than 24h; people would hear of it too late")
        return value


class Contact(Part):
    """Somebody who is told.

    Attributes:
        name: A person, or what people call a channel.
        channel: How. ``slack`` and ``teams`` are the desk's channels there.
        room: Which of them, where there are several; settings have its address.
        about: ``escalated`` for every escalation, ``management`` only for those that need
            upper management.
        severity: The least that it hears of.
        hours: ``always``, while the desk is ``open`` or ``closed``, or in a window.
        quiet: ``closed``, or a window: until it ends nothing comes but what is critical.
        fallback: Told only when nobody else is, or when a message to others failed for good.
    """

    name: Line
    channel: Literal["email", "slack", "teams"] = "email"
    email: Email | None = None
    room: Name | None = None
    about: Literal["escalated", "management"] = "escalated"
    severity: Severity = "normal"
    hours: Name = ALWAYS
    quiet: Name | None = None
    fallback: bool = False

    @model_validator(mode="after")
    def _parts_fit(self) -> Contact:
        if self.channel == "email" and self.email is None:
            raise misfit("missing; add this field, or another channel", "email")
        if self.channel != "email" and self.email is not None:
            raise misfit(f"has no use with channel: {self.channel}; remove it", "email")
        if self.channel == "email" and self.room is not None:
            raise misfit("is for channel: slack or teams; remove it", "room")
        if self.fallback and (
            self.severity != "normal" or self.hours != ALWAYS or self.quiet is not None
        ):
            raise misfit("is for all hours; remove severity, hours and quiet", "fallback")
        if self.fallback and self.about != "escalated":
            raise misfit("is for about: escalated", "fallback")
        return self

    @property
    def address(self) -> str:
        """What an effect is addressed to."""
        return self.email or self.name


def check_contacts(tell: Sequence[Contact], windows: Iterable[Window], hours: Hours | None) -> None:
    """Refuses contacts that do not fit their desk.

    Raises:
        PydanticCustomError: What is wrong, with the way to it from the desk.
    """
    named = {window.name: window for window in windows}
    addresses = [contact.address for contact in tell]
    for number, contact in enumerate(tell):
        at = ("tell", number)
        for field, said in (("hours", contact.hours), ("quiet", contact.quiet)):
            if said in (OPEN, CLOSED) and hours is None:
                raise misfit("the desk has no hours; add them, or name a window", *at, field)
            if said not in (None, ALWAYS, OPEN, CLOSED, *named):
                known = ", ".join(named) or "none"
                raise misfit(f"no window of that name; there are: {known}", *at, field)
        if contact.quiet in (ALWAYS, OPEN):
            raise misfit("is closed, or a window's name", *at, "quiet")
        if contact.quiet in named and _never_ends(named[contact.quiet]):
            raise misfit("never ends: that window is all the week", *at, "quiet")
        if contact.channel != "email" and addresses.count(contact.address) > 1:
            raise misfit("is taken by another entry; change one", *at, "name")
        if contact.fallback and any(other.fallback for other in tell[:number]):
            raise misfit("there is one already; remove one", *at, "fallback")


def hears(contact: Contact, severity: Severity) -> bool:
    """Whether it is severe enough for somebody."""
    return _SEVERITIES.index(severity) >= _SEVERITIES.index(contact.severity)


class Timetable:
    """A desk's hours and windows.

    Args:
        hours: The desk's; None for always open.
        zone: Name of its time zone.
    """

    def __init__(self, hours: Hours | None, windows: Iterable[Window], zone: str) -> None:
        self._hours = hours
        self._windows = {window.name: window for window in windows}
        self._zone = ZoneInfo(zone)

    def on_duty(self, contact: Contact, at: datetime) -> bool:
        """Whether it is told at that hour."""
        if contact.hours == ALWAYS:
            return True
        if contact.hours in (OPEN, CLOSED):
            return self._open(at) == (contact.hours == OPEN)
        return is_open(at, self._windows[contact.hours], self._zone)

    def quiet_until(self, contact: Contact, at: datetime) -> datetime | None:
        """When the quiet that holds at that hour ends, UTC; None when none does."""
        if contact.quiet is None:
            return None
        if contact.quiet == CLOSED:
            if self._hours is None or self._open(at):
                return None
            return next(open_spans(self._hours, self._zone, at), (None, None))[0]
        end = at
        for begins, ends in open_spans(self._windows[contact.quiet], self._zone, at):
            if begins > end or end - at > timedelta(days=8):
                break
            end = ends
        return end if end > at else None

    def _open(self, at: datetime) -> bool:
        return self._hours is None or is_open(at, self._hours, self._zone)


def flood_end(flood: Flood, at: datetime) -> datetime:
    """The end of the stretch that an instant is counted in, UTC."""
    length = read_duration(flood.within)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return start + ((at - start) // length + 1) * length


def _never_ends(window: Window) -> bool:
    return sum(end - start for day in DAYS for start, end in window.on(day)) >= _WEEK_MINUTES
