"""Budgets: how much the model may be used for one case, and for one desk in a day.

A claim reserves the most that its calls can use and settles for what they did use. What is not
settled, because a worker died or an answer was lost, stays counted: the true spend is never more
than what is counted, and what is counted never exceeds the limit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.stage import Record, Usage

Tokens = Annotated[int, Field(ge=1)]
Money = Annotated[float, Field(gt=0, allow_inf_nan=False)]
#: Whether a reservation fits. ``later``: only what others hold is in its way, and they settle soon.
Room = Literal["yes", "later", "no"]


class Budget(BaseModel):
    """Limits; None stands for no limit.

    Attributes:
        case_tokens: Tokens of all model calls for one case, prompts and answers.
        case_cost: What they may cost, in the currency of the price table.
        day_tokens: Tokens of all model calls for one desk in one day by UTC.
        day_cost: What those may cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_tokens: Tokens | None = None
    case_cost: Money | None = None
    day_tokens: Tokens | None = None
    day_cost: Money | None = None

    def before(self, general: Budget) -> Budget:
        """These limits, and the general ones where there are none here."""
        return general.model_copy(update=self.model_dump(exclude_none=True))

    @property
    def by_case(self) -> bool:
        """Whether cases are limited."""
        return self.case_tokens is not None or self.case_cost is not None

    @property
    def by_day(self) -> bool:
        """Whether days are limited."""
        return self.day_tokens is not None or self.day_cost is not None

    @property
    def in_money(self) -> bool:
        """Whether any limit needs prices."""
        return self.case_cost is not None or self.day_cost is not None

    def case_allows(self, counted: Usage) -> bool:
        """Whether a case may come to this."""
        return _within(counted, self.case_tokens, self.case_cost)

    def day_allows(self, counted: Usage) -> bool:
        """Whether a desk's day may come to this."""
        return _within(counted, self.day_tokens, self.day_cost)


class Hold(Record):
    """What one claim reserved of a day.

    Attributes:
        until: UTC; by then its worker has settled, or never will.
    """

    most: Usage
    until: datetime


class DaySpend(Record):
    """What one desk's model calls of one day came to.

    Attributes:
        day: By UTC, such as ``2026-01-31``.
        counted: What was settled, and what was reserved and never settled.
        held: What is reserved now, by the owner of the claim.
    """

    desk: str
    day: str
    counted: Usage = Usage()
    held: dict[str, Hold] = Field(default={})

    @property
    def reserved(self) -> Usage:
        """What all holds come to."""
        return sum((hold.most for hold in self.held.values()), start=Usage())

    def aged(self, now: datetime) -> DaySpend:
        """The same with holds counted whose worker will not settle any more."""
        left = {owner: hold for owner, hold in self.held.items() if hold.until >= now}
        gone = (hold.most for owner, hold in self.held.items() if owner not in left)
        return self.model_copy(update={"counted": sum(gone, start=self.counted), "held": left})

    def room(self, most: Usage, budget: Budget) -> Room:
        """Whether ``most`` may be reserved too."""
        if not budget.day_allows(self.counted + most):
            return "no"
        return "yes" if budget.day_allows(self.counted + self.reserved + most) else "later"

    def reserve(self, owner: str, most: Usage, until: datetime) -> DaySpend:
        """The day with one more hold."""
        return self.model_copy(update={"held": {**self.held, owner: Hold(most=most, until=until)}})

    def settle(self, owner: str, used: Usage) -> DaySpend:
        """The day with what a claim used in the place of its hold, if it still has one."""
        if owner not in self.held:
            return self
        left = {other: hold for other, hold in self.held.items() if other != owner}
        return self.model_copy(update={"counted": self.counted + used, "held": left})


def _within(counted: Usage, tokens: int | None, cost: float | None) -> bool:
    fits = tokens is None or counted.tokens <= tokens
    return fits and (cost is None or (counted.cost or 0.0) <= cost)
