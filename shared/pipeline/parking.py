"""Stops a stage for a person: what a poison message and a sweep do when nobody can run it."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.desk import Desks
from shared.domain.nudge import Nudge
from shared.domain.stage import StageError
from shared.pipeline import claims
from shared.pipeline.advance import Advancer
from shared.pipeline.limits import Limits
from shared.pipeline.runner import Outcome
from shared.pipeline.writing import write
from shared.ports import CaseStore, Clock

#: Seconds until a stage whose deliveries all failed is tried again.
_AGAIN = 60.0


class Parking:
    """Parks stages from outside the stage itself.

    Attributes:
        stages: Those that somebody can work on.
    """

    def __init__(
        self,
        store: CaseStore,
        desks: Desks,
        advancer: Advancer,
        clock: Clock,
        limits: Limits,
        stages: frozenset[str],
    ) -> None:
        self.stages = stages
        self._store = store
        self._desks = desks
        self._advancer = advancer
        self._clock = clock
        self._limits = limits

    async def poisoned(self, nudge: Nudge) -> Outcome:
        """Takes a message that the host gave up on: the stage is parked.

        Not parked are a stage that another worker holds, and one that was never claimed: its
        deliveries failed before its own work began, because storage or settings were down. That
        one is nudged again until the turn's deadline.
        """
        view = await self._store.read(nudge.case_id)
        progress = view.stage(nudge.turn, nudge.stage)
        if view.received is None or progress is None:
            return "unknown"
        young = self._clock.now() - view.started(nudge.turn) < timedelta(
            seconds=self._limits.turn_deadline
        )
        if progress.phase == "waiting" and young:
            await self._advancer.nudge(nudge, _AGAIN)
            return "deferred"
        return await self.park(nudge, StageError(code="poison", detail="the host gave up on it"))

    async def park(self, nudge: Nudge, error: StageError) -> Outcome:
        """Parks a stage that is not at rest yet."""
        view = await self._store.read(nudge.case_id)
        progress = view.stage(nudge.turn, nudge.stage)
        if view.received is None or progress is None:
            return "unknown"
        if view.cancelled or progress.at_rest:
            await self._advancer.after_stage(view, nudge.turn, nudge.stage)
            return "rested"
        now = self._clock.now()
        if progress.phase == "working" and progress.due_at and progress.due_at > now:
            return "leased"
        tells = claims.tells_of_parking(view, self._desks, nudge.turn, now)
        claim = claims.claimed(progress, "parking", now, timedelta())
        row = claims.parked(claim, error, now, tells)
        etag = await write(self._store, nudge.case_id, row, view.stored.get(row.key))
        if etag is None:
            return "lost"
        await self._advancer.after_stage(view.with_row(row, etag), nudge.turn, nudge.stage)
        return "parked"
