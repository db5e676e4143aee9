"""What a desk promises its customers, as people write it in the desk file. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import model_validator

from shared.domain.hours import ALWAYS, Duration, Hours, after, read_duration
from shared.domain.rows import Due
from shared.domain.stage import Target, Urgency
from shared.domain.written import Part

#: A target is at risk when this part of its time is used up.
_AT_RISK = 0.75


class Promise(Part):
    """What a desk promises for cases of one urgency.

    Attributes:
        first_reply: Time until the customer has a first reply.
        resolution: Time until nothing more is open.
        around_the_clock: Counts at all hours, not only at the desk's.
    """

    urgency: Urgency
    first_reply: Duration | None = None
    resolution: Duration | None = None
    around_the_clock: bool = False

    @model_validator(mode="after")
    def _promises_something(self) -> Promise:
        if not self.amounts:
            raise ValueError("promises nothing; add first_reply, resolution or both")
        return self

    @property
    def amounts(self) -> tuple[tuple[Target, timedelta], ...]:
        """The targets that are set, as time of work."""
        given: tuple[tuple[Target, str | None], ...] = (
            ("first_reply", self.first_reply),
            ("resolution", self.resolution),
        )
        return tuple((target, read_duration(text)) for target, text in given if text)

    def hours_of(self, hours: Hours | None) -> Hours:
        """The hours in which its time counts, at a desk of these hours."""
        return hours if hours and not self.around_the_clock else ALWAYS


def due_times(
    promises: tuple[Promise, ...], hours: Hours | None, time_zone: str, at: datetime
) -> dict[Urgency, dict[Target, Due]]:
    """When the targets of a message are due, for each urgency that the desk promises something.

    Args:
        at: When the message came, UTC.
    """
    zone = ZoneInfo(time_zone)
    found: dict[Urgency, dict[Target, Due]] = {}
    for promise in promises:
        counted = promise.hours_of(hours)
        found[promise.urgency] = {
            target: Due(
                at_risk=after(at, amount * _AT_RISK, counted, zone),
                breached=after(at, amount, counted, zone),
            )
            for target, amount in promise.amounts
        }
    return found
