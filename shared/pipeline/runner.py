"""Runs one stage: query, claim, one model call, commit, query, nudges. No more."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Literal

from shared.domain.desk import Desk, Desks
from shared.domain.fold import fold
from shared.domain.nudge import Nudge
from shared.domain.partition import Partition, Progress, Stored
from shared.domain.rows import StageRow
from shared.domain.stage import EffectRequest, StageError
from shared.errors import PermanentError, RetryableError
from shared.pipeline import claims
from shared.pipeline.advance import Advancer
from shared.pipeline.asking import Conversation
from shared.pipeline.limits import Limits
from shared.pipeline.writing import write
from shared.ports import CaseStore, Clock, ModelClient, PlainStage, StageAgent

#: What a run came to. ``unknown``: no such case or stage. ``rested``: done before, followers are
#: nudged again. ``blocked``: not its turn yet. ``leased``, ``lost``: another worker has it.
Outcome = Literal[
    "finished", "parked", "deferred", "unknown", "rested", "blocked", "leased", "lost"
]

Step = StageAgent | PlainStage


class StageRunner:
    """Runs whichever stage a nudge names, if the table says that it is due."""

    def __init__(
        self,
        store: CaseStore,
        model: ModelClient,
        desks: Desks,
        advancer: Advancer,
        clock: Clock,
        limits: Limits,
        random: Random,
    ) -> None:
        self._store = store
        self._model = model
        self._desks = desks
        self._advancer = advancer
        self._clock = clock
        self._limits = limits
        self._random = random

    async def run(self, agent: Step, nudge: Nudge) -> Outcome:
        """Does what is due for this stage, once.

        Raises:
            RetryableError: The store could not be reached: the host delivers the nudge again.
        """
        view = await self._store.read(nudge.case_id)
        progress = view.stage(nudge.turn, agent.plan.stage)
        if view.received is None or progress is None:
            return "unknown"
        now = self._clock.now()
        idle = await self._not_due(view, progress, nudge, now)
        if idle is not None:
            return idle
        return await self._claim(agent, nudge, view, progress, now)

    async def _not_due(
        self, view: Partition, progress: Progress, nudge: Nudge, now: datetime
    ) -> Outcome | None:
        if view.cancelled or progress.at_rest:
            await self._advancer.after_stage(view, nudge.turn, nudge.stage)
            return "rested"
        if progress.due_at is None:
            return "blocked"
        if progress.due_at <= now:
            return None
        if progress.phase != "deferred":
            return "leased"
        await self._advancer.nudge(nudge, (progress.due_at - now).total_seconds())
        return "deferred"

    async def _claim(
        self, agent: Step, nudge: Nudge, view: Partition, progress: Progress, now: datetime
    ) -> Outcome:
        owner = f"{self._random.getrandbits(64):016x}"
        row = claims.claimed(progress, owner, now, self._limits.lease)
        given_up = self._given_up(view, row)
        if given_up:
            row = claims.parked(row, given_up, now, self._tells(view, row))
        etag = await write(self._store, nudge.case_id, row, view.stored.get(row.key))
        if etag is None:
            return "lost"
        view = view.with_row(row, etag)
        if given_up:
            await self._advancer.after_stage(view, nudge.turn, agent.plan.stage)
            return "parked"
        return await self._work(agent, nudge, view, Stored(row, etag), row)

    def _given_up(self, view: Partition, row: StageRow) -> StageError | None:
        deadline = timedelta(seconds=self._limits.turn_deadline)
        last = f"last error {row.error.code}" if row.error else "no error was seen"
        if row.attempts > self._limits.max_attempts:
            return StageError(code="attempts_used_up", detail=last)
        if row.claimed_at - view.started(row.turn) > deadline:
            return StageError(code="deadline_passed", detail=last)
        return None

    async def _work(
        self, agent: Step, nudge: Nudge, view: Partition, held: Stored, row: StageRow
    ) -> Outcome:
        bug: Exception | None = None
        delay = 0.0
        talk: Conversation | None = None
        try:
            desk = self._desk(view)
            note = ""
            if isinstance(agent, PlainStage):
                result = await agent.work(view, row, desk)
            else:
                case = fold(view, tuple(action.name for action in desk.actions), row.turn)
                talk = Conversation(agent, case, desk)
                result = await talk.ask(
                    self._model, self._limits.model_timeout, lambda: self._last_check(row)
                )
                note = talk.note
            done = claims.finished(row, result, self._clock.now(), note)
        except RetryableError as error:
            delay = self._limits.backoff(row.attempts, error.retry_after)
            delay *= self._random.uniform(1.0, 1.2)
            reason = StageError(code=error.code, detail=error.detail)
            done = claims.deferred(row, reason, self._clock.now(), delay)
        except PermanentError as error:
            reason = StageError(code=error.code, detail=error.detail)
            done = claims.parked(row, reason, self._clock.now(), self._tells(view, row))
        except Exception as error:  # noqa: BLE001
            # A bug comes back at every delivery and is paid for each time: straight to a person.
            bug = error
            reason = StageError(code="bug", detail=type(error).__name__)
            done = claims.parked(row, reason, self._clock.now(), self._tells(view, row))
        if talk is not None and not isinstance(agent, PlainStage):
            done = claims.with_conversation(done, talk, agent.prompt_hash)
        etag = await write(self._store, nudge.case_id, done, held)
        if bug is not None:
            raise bug
        if etag is None:
            return "lost"
        if done.state == "deferred":
            await self._advancer.nudge(nudge, delay)
            return "deferred"
        await self._advancer.after_stage(view.with_row(done, etag), nudge.turn, agent.plan.stage)
        return "finished" if done.state == "finished" else "parked"

    def _desk(self, view: Partition) -> Desk:
        desk = self._desks.get(view.received.desk) if view.received else None
        if desk is None:
            raise PermanentError("desk_missing", "the case's desk has no desk file any more")
        return desk

    def _tells(self, view: Partition, row: StageRow) -> tuple[EffectRequest, ...]:
        return claims.tells_of_parking(view, self._desks, row.turn)

    def _last_check(self, row: StageRow) -> None:
        """A worker that was paused after its claim must not pay for a call it cannot commit."""
        if self._clock.now() > row.claimed_at + self._limits.last_call:
            raise RetryableError("claim_too_old", detail="paused between claim and model call")
