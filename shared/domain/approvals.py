"""How long a desk's people have to say yes or no, as people write it in the desk file. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import model_validator

from shared.domain.hours import ALWAYS, Duration, Hours, after, read_duration
from shared.domain.written import Part, misfit


class Approvals(Part):
    """How long people have to answer. Times are of work, by the desk's hours.

    Attributes:
        remind_after: Without an answer, whoever was asked is asked again; after a yes, whether what
            a person does by hand is done.
        escalate_after: Without an answer, management is asked.
        links_for: How long the links in the mails can be used, at all hours.
        around_the_clock: Time counts at all hours, not only at the desk's.
    """

    remind_after: Duration = "2h"
    escalate_after: Duration = "8h"
    links_for: Duration = "168h"
    around_the_clock: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Approvals:
        if read_duration(self.remind_after) >= read_duration(self.escalate_after):
            raise misfit("must be more than remind_after", "escalate_after")
        return self

    def hours_of(self, hours: Hours | None) -> Hours:
        """The hours in which its time counts, at a desk of these hours."""
        return hours if hours and not self.around_the_clock else ALWAYS

    def due(
        self, what: Literal["remind", "escalate"], at: datetime, hours: Hours | None, zone: str
    ) -> datetime:
        """When an answer to what was asked at ``at`` is overdue, in whole seconds UTC."""
        amount = read_duration(self.remind_after if what == "remind" else self.escalate_after)
        return after(at, amount, self.hours_of(hours), ZoneInfo(zone)).replace(microsecond=0)
