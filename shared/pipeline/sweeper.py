"""The sweep: re-sends what the table says is due. The keystone against lost messages."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.case import IndexEntry
from shared.domain.nudge import Nudge
from shared.domain.rows import mark_of
from shared.domain.stage import StageError
from shared.pipeline.advance import Advancer
from shared.pipeline.limits import Limits
from shared.pipeline.parking import Parking
from shared.ports import CaseIndex, CaseStore, Clock

_PAGE = 500
_AT_ONCE = 8


class Sweeper:
    """Goes over every open case; reads each partition once and sends what is overdue."""

    def __init__(
        self,
        store: CaseStore,
        index: CaseIndex,
        advancer: Advancer,
        parking: Parking,
        clock: Clock,
        limits: Limits,
        stages: frozenset[str],
    ) -> None:
        self._store = store
        self._index = index
        self._advancer = advancer
        self._parking = parking
        self._clock = clock
        self._limits = limits
        self._stages = stages

    async def sweep(self) -> Counter[str]:
        """One sweep.

        Returns:
            Counts of ``looked_at``, ``nudged``, ``settled``, ``parked`` and ``orphaned``.

        Raises:
            RetryableError: The store could not be reached; the next sweep tries again.
        """
        counts: Counter[str] = Counter()
        last: IndexEntry | None = None
        while entries := await self._index.open_entries(_PAGE, last):
            last = entries[-1]
            await self._look_at_all(entries, counts)
        return counts

    async def _look_at_all(self, entries: Sequence[IndexEntry], counts: Counter[str]) -> None:
        grace = timedelta(seconds=self._limits.sweep_grace)
        old = [e for e in entries if e.created_at + grace <= self._clock.now()]
        gate = asyncio.Semaphore(_AT_ONCE)

        async def guarded(entry: IndexEntry) -> None:
            async with gate:
                await self._look_at(entry, counts)

        # Not a TaskGroup: one case whose rows cannot be read must not keep the others waiting.
        results = await asyncio.gather(*map(guarded, old), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _look_at(self, entry: IndexEntry, counts: Counter[str]) -> None:
        counts["looked_at"] += 1
        view = await self._store.read(entry.case_id)
        now = self._clock.now()
        announced = entry.mark in {mark_of(row.key) for row in view.openers}
        orphan_age = timedelta(seconds=self._limits.orphan_age)
        if (view.received is None or not announced) and now - entry.updated_at > orphan_age:
            # Somebody died between the mark and its row.
            await self._index.remove(entry, ["open"])
            counts["orphaned"] += 1
        if view.received is None or (view.settled and not announced):
            return
        if view.settled:
            await self._advancer.settle_marked(view, entry)
            await self._index.remove(entry, ["open"])
            counts["settled"] += 1
            return
        overdue = now - timedelta(seconds=self._limits.sweep_grace)
        due = [p for p in view.due(overdue) if _turn_comes(p.due_at, overdue)]
        effects = [e for e in view.due_effects(overdue) if _turn_comes(e.due_at, overdue)]
        for progress in due:
            if progress.plan.stage not in self._stages:
                nudge = Nudge(view.case_id, progress.turn, progress.plan.stage)
                reason = StageError(code="unknown_stage", detail="no agent of this name any more")
                await self._parking.park(nudge, reason)
                counts["parked"] += 1
                return
        await self._advancer.nudge_all(view, due, effects)
        counts["nudged"] += len(due) + len(effects)


def _turn_comes(due_at: datetime | None, overdue: datetime) -> bool:
    """True in the minutes 0, 1, 2 and 4 that something is overdue, then in every eighth.

    Its nudge may lie in a queue that is slow: one more each minute would make it slower.
    """
    minutes = int((overdue - due_at).total_seconds() // 60) if due_at else 0
    return minutes in (0, 1, 2, 4) or minutes % 8 == 0
