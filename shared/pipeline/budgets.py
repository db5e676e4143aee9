"""Holds claims to what their case and their desk may still use of the model.

A case's budget lives in its stage rows: a claim reserves in the row that it writes anyway, so it
costs no round trip. A desk's day has a row of its own: a read and a write before the claim and
after the commit, at desks where a limit is set.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.budget import Budget, DaySpend
from shared.domain.desk import Desk
from shared.domain.partition import Partition
from shared.domain.progress import Progress
from shared.domain.stage import Usage
from shared.errors import ConflictError, FrontdeskError, PermanentError, RetryableError
from shared.pipeline.limits import Limits
from shared.ports import Spending
from shared.telemetry import logger

_TRIES = 20
_log = logger("pipeline")


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation of a desk's day; settled once the calls are over."""

    desk: str
    day: str
    owner: str
    most: Usage


class Budgets:
    """The limits of every desk, and what is used of them.

    Args:
        general: Limits of desks that have none of their own.
    """

    def __init__(self, spending: Spending, general: Budget, limits: Limits) -> None:
        self._spending = spending
        self._general = general
        self._limits = limits
        # One worker of this process at a time: on a busy desk they would only meet each other's
        # writes.
        self._gates: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, desk: Desk) -> Budget:
        """The limits that hold at a desk."""
        return desk.budget.before(self._general)

    def check_case(
        self,
        desk: Desk,
        view: Partition,
        progress: Progress,
        most: Usage,
        others: Iterable[Usage],
    ) -> None:
        """Refuses a claim that could take its case over its budget.

        Of two stages that are claimed at the same time neither sees the other's reservation. So
        each leaves room for a claim of every other stage that could be under way unseen.

        Args:
            most: The most that the claim's calls can use.
            others: The same for the claims that could be under way.

        Raises:
            PermanentError: ``case_budget_used_up``.
        """
        budget = self.of(desk)
        counted = sum((row.counted for row in view.stage_rows), start=Usage())
        if not budget.case_allows(sum(others, start=counted + most)):
            used = _of(counted, budget.case_tokens, budget.case_cost)
            raise PermanentError(
                "case_budget_used_up",
                f"{used} used; {progress.plan.stage} could take {_amount(most)}",
            )

    def unseen(self, view: Partition, progress: Progress, now: datetime) -> tuple[Progress, ...]:
        """The other stages of a case that somebody could be claiming right now."""
        safe = now + timedelta(seconds=2 * self._limits.clock_skew)
        return tuple(
            other
            for other in view.progress
            if other.key != progress.key
            and other.due_at is not None
            and not (other.phase == "working" and other.due_at > safe)
        )

    async def reserve(
        self, desk: Desk, owner: str, most: Usage, now: datetime
    ) -> Reservation | None:
        """Reserves of the desk's day; None where days are not limited or no model is asked.

        Args:
            owner: Names the claim; the same one twice is one reservation.

        Raises:
            PermanentError: ``desk_budget_used_up``.
            CrowdedError: Only what others hold is in the way.
            RetryableError: The row could not be written; it may count all the same.
        """
        budget = self.of(desk)
        if not budget.by_day or not most.calls:
            return None
        until = now + self._limits.lease + timedelta(seconds=2 * self._limits.clock_skew)

        def change(before: DaySpend) -> DaySpend:
            spend = before.aged(now)
            if owner in spend.held:
                return before
            match spend.room(most, budget):
                case "no":
                    used = _of(spend.counted, budget.day_tokens, budget.day_cost)
                    raise PermanentError("desk_budget_used_up", f"{used} used on {spend.day}")
                case "later":
                    raise CrowdedError(f"others hold {_amount(spend.reserved)}")
            return spend.reserve(owner, most, until)

        day = now.date().isoformat()
        await self._change(desk.name, day, change)
        return Reservation(desk.name, day, owner, most)

    async def settle(self, hold: Reservation | None, used: Usage) -> None:
        """Counts what was used in the place of what was reserved.

        When that fails the reservation stays, and counts in full from the end of its lease on.
        """
        if hold is None:
            return
        if not used.within(hold.most):
            _log.warning(
                "the model used more than it was asked to",
                extra={"desk": hold.desk, "used": used.tokens, "most": hold.most.tokens},
            )
        try:
            await self._change(hold.desk, hold.day, lambda spend: spend.settle(hold.owner, used))
        except RetryableError as error:
            _log.warning(
                "a reservation stays counted", extra={"desk": hold.desk, "code": error.code}
            )

    async def day(self, desk: Desk, day: str) -> DaySpend:
        """What a desk used on a day."""
        return (await self._spending.read(desk.name, day))[0]

    async def _change(self, desk: str, day: str, change: Callable[[DaySpend], DaySpend]) -> None:
        async with self._gates[desk]:
            for _ in range(_TRIES):
                before, etag = await self._spending.read(desk, day)
                after = change(before)
                if after is before:
                    return
                try:
                    await self._spending.write(after, etag)
                except ConflictError:
                    # Another worker's write, or our own with its answer lost: ``change`` can tell.
                    continue
                return
        raise RetryableError("budget_busy", detail=f"{_TRIES} writers came first")


class CrowdedError(FrontdeskError):
    """A desk's budget has room once others have settled.

    Args:
        detail: For the trace.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def _of(used: Usage, tokens: int | None, cost: float | None) -> str:
    parts = [f"{used.tokens:,} of {tokens:,} tokens"] if tokens is not None else []
    parts += [f"cost {used.cost or 0:.4g} of {cost:g}"] if cost is not None else []
    return ", ".join(parts)


def _amount(usage: Usage) -> str:
    cost = "" if usage.cost is None else f", cost {usage.cost:.4g}"
    return f"{usage.tokens:,} tokens{cost}"
