"""The sweep: re-sends what the table says is due. The keystone against lost messages.

It also sets what comes due by the clock alone: targets that are at risk or missed. A case that
waits for such a time has no open mark but a wake, and costs nothing until then.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from shared.domain import sla
from shared.domain.alarms import next_wake
from shared.domain.case import IndexEntry, Wake
from shared.domain.nudge import Nudge
from shared.domain.partition import Partition
from shared.domain.rows import mark_of
from shared.domain.stage import StageError
from shared.domain.telling import ROUNDS
from shared.pipeline.advance import Advancer
from shared.pipeline.digest_channels import DigestChannels
from shared.pipeline.limits import Limits
from shared.pipeline.parking import Parking
from shared.pipeline.rounds import Rounds
from shared.pipeline.writing import write
from shared.ports import CaseIndex, CaseStore, Clock

_PAGE = 500
_AT_ONCE = 8
T = TypeVar("T")


class Sweeper:
    """Goes over every open case; reads each partition once and sends what is overdue."""

    def __init__(
        self,
        store: CaseStore,
        index: CaseIndex,
        channels: DigestChannels,
        advancer: Advancer,
        parking: Parking,
        clock: Clock,
        limits: Limits,
        rounds: Rounds,
    ) -> None:
        self._store = store
        self._index = index
        self._channels = channels
        self._advancer = advancer
        self._parking = parking
        self._clock = clock
        self._limits = limits
        self._rounds = rounds

    async def sweep(self) -> Counter[str]:
        """One sweep.

        Returns:
            Counts of ``looked_at``, ``woken``, ``nudged``, ``settled``, ``parked``, ``orphaned``,
            and of targets that it found ``at_risk`` or ``breached``.

        Raises:
            RetryableError: The store could not be reached; the next sweep tries again.
        """
        counts: Counter[str] = Counter()
        last: IndexEntry | None = None
        while entries := await self._index.open_entries(_PAGE, last):
            last = entries[-1]
            grace = timedelta(seconds=self._limits.sweep_grace)
            old = [e for e in entries if e.created_at + grace <= self._clock.now()]
            await _each(old, lambda entry: self._look_at(entry, counts))
        woken: Wake | None = None
        while wakes := await self._index.wakes(self._clock.now(), _PAGE, woken):
            woken = wakes[-1]
            await _each(wakes, lambda wake: self._wake(wake, counts))
        return counts

    async def _wake(self, wake: Wake, counts: Counter[str]) -> None:
        """Looks at a case whose time has come.

        The wake stays, as an open mark would, until nothing is due and the next one is there.
        """
        counts["woken"] += 1
        now = self._clock.now()
        view = await self._store.read(wake.case_id)
        if wake.case_id.startswith(ROUNDS):
            view = await self._rounds.closed(view)
        if view.apart:
            await self._apart(view, wake, now, counts)
            return
        if view.received is None:
            if now - wake.at > timedelta(seconds=self._limits.orphan_age):
                await self._index.forget(wake)
            return
        view = await self._set_targets(view, now, counts)
        asleep = any(effect.dormant for effect in view.due_effects(now))
        if asleep or not view.settled:
            # What has slept until its hour was nudged by nobody yet: it gets no grace.
            await self._nudge_overdue(view, now, counts, grace=not asleep)
            return
        settled = await self._advancer.settle(view)
        if settled and next_wake(settled) != wake:
            await self._index.forget(wake)

    async def _apart(
        self, view: Partition, wake: Wake, now: datetime, counts: Counter[str]
    ) -> None:
        """Looks after a digest or a round until everybody has it, or a person is needed."""
        if view.digest:
            view = await self._channels.file(view)
        # The message of a round that was closed just now was nudged by nobody yet.
        await self._nudge_overdue(view, now, counts, grace=view.digest is not None)
        if view.settled:
            await self._index.forget(wake)

    async def _set_targets(self, view: Partition, now: datetime, counts: Counter[str]) -> Partition:
        """Stores which targets are at risk or missed by now, and has people told of it.

        The wake comes first: the mark that brought us here may be gone by now, and what a row asks
        for must be found.

        Args:
            now: Taken before the view was read, so that what it shows is not judged by later time.
        """
        rows = sla.due_rows(view, now)
        if rows:
            await self._index.wake(Wake(case_id=view.case_id, at=now))
        for row in rows:
            if etag := await write(self._store, view.case_id, row, None):
                view = view.with_row(row, etag)
                counts[row.state] += 1
            else:
                view = await self._store.read(view.case_id)
        return view

    async def _look_at(self, entry: IndexEntry, counts: Counter[str]) -> None:
        counts["looked_at"] += 1
        now = self._clock.now()
        view = await self._store.read(entry.case_id)
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
            [row] = [row for row in view.openers if mark_of(row.key) == entry.mark]
            await self._advancer.record(view, row)
            await self._index.remove(entry, ["open"])
            counts["settled"] += 1
            return
        view = await self._set_targets(view, now, counts)
        state, due_at = sla.worst(view)
        if state and entry.sla != state:
            # A case that does not come to rest is listed as late, too.
            await self._index.put(entry.model_copy(update={"sla": state, "due_at": due_at}))
        await self._nudge_overdue(view, now, counts)

    async def _nudge_overdue(
        self, view: Partition, now: datetime, counts: Counter[str], *, grace: bool = True
    ) -> None:
        overdue = now - timedelta(seconds=self._limits.sweep_grace if grace else 0.0)
        due = [p for p in view.due(overdue) if turn_comes(p.due_at, overdue)]
        effects = [e for e in view.due_effects(overdue) if turn_comes(e.due_at, overdue)]
        for progress in due:
            if progress.plan.stage not in self._parking.stages:
                nudge = Nudge(view.case_id, progress.turn, progress.plan.stage)
                reason = StageError(code="unknown_stage", detail="no agent of this name any more")
                await self._parking.park(nudge, reason)
                counts["parked"] += 1
                return
        await self._advancer.nudge_all(view, due, effects)
        counts["nudged"] += len(due) + len(effects)


async def _each(items: Iterable[T], look: Callable[[T], Awaitable[None]]) -> None:
    """Looks at all, a few at once.

    Not a TaskGroup: one case whose rows cannot be read must not keep the others waiting.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def guarded(item: T) -> None:
        async with gate:
            await look(item)

    for result in await asyncio.gather(*map(guarded, items), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def turn_comes(due_at: datetime | None, overdue: datetime) -> bool:
    """True in the minutes 0, 1, 2 and 4 that something is overdue, then in every eighth.

    Its nudge may lie in a queue that is slow: one more each minute would make it slower.
    """
    minutes = int((overdue - due_at).total_seconds() // 60) if due_at else 0
    return minutes in (0, 1, 2, 4) or minutes % 8 == 0
