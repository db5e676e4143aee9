"""Runs one stage: query, claim, one model call, commit, query, nudges. No more."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Literal

from shared.domain.nudge import Nudge
from shared.domain.partition import Partition
from shared.domain.progress import Progress, Stored
from shared.domain.rows import StageRow
from shared.domain.stage import StageError, Usage
from shared.errors import PermanentError, RetryableError
from shared.pipeline import claims
from shared.pipeline.advance import Advancer
from shared.pipeline.asking import Conversation
from shared.pipeline.budgets import Budgets, CrowdedError
from shared.pipeline.limits import Limits
from shared.pipeline.preparing import Preparing, Step, Work
from shared.pipeline.writing import write
from shared.ports import RESTING, CaseStore, Clock, ModelClient

#: What a run came to. ``unknown``: no such case or stage. ``rested``: done before, followers are
#: nudged again. ``blocked``: not its turn yet. ``leased``, ``lost``: another worker has it.
Outcome = Literal[
    "finished", "parked", "deferred", "unknown", "rested", "blocked", "leased", "lost"
]


class StageRunner:
    """Runs whichever stage a nudge names, if the table says that it is due."""

    def __init__(
        self,
        store: CaseStore,
        model: ModelClient,
        preparing: Preparing,
        budgets: Budgets,
        advancer: Advancer,
        clock: Clock,
        limits: Limits,
        random: Random,
    ) -> None:
        self._store = store
        self._model = model
        self._preparing = preparing
        self._budgets = budgets
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
        try:
            work = self._preparing.work(agent, view, progress, now)
            if work.most.calls and (pause := self._model.pause(nudge.stage)):
                reason = StageError(code=RESTING, detail="it did not answer lately")
                return await self._put_off(nudge, view, progress, owner, reason, pause)
            hold = await self._budgets.reserve(work.desk, owner, work.most, now)
        except CrowdedError as error:
            reason = StageError(code="desk_budget_reserved", detail=error.detail)
            pause = self._limits.crowded
            return await self._put_off(nudge, view, progress, owner, reason, pause)
        except PermanentError as error:
            return await self._park(nudge, view, progress, owner, _reason(error))
        except RetryableError:
            raise
        except Exception as error:
            await self._park(nudge, view, progress, owner, _bug(error))
            raise
        row = claims.claimed(progress, owner, now, self._limits.lease, work.most)
        etag = await write(self._store, nudge.case_id, row, view.stored.get(row.key))
        if etag is None:
            await self._budgets.settle(hold, Usage())
            return "lost"
        view = view.with_row(row, etag)
        try:
            outcome = await self._work(agent, nudge, view, Stored(row, etag), row, work)
        except Exception:
            await self._budgets.settle(hold, work.used)
            raise
        await self._budgets.settle(hold, work.used)
        return outcome

    async def _put_off(
        self,
        nudge: Nudge,
        view: Partition,
        progress: Progress,
        owner: str,
        reason: StageError,
        seconds: float,
    ) -> Outcome:
        """Releases a stage that is not worked on now, in one write; it comes back by itself."""
        now = self._clock.now()
        # Not beyond the deadline: then a person has to know.
        left = (self._preparing.deadline(view, nudge.turn) - now).total_seconds()
        delay = max(1.0, min(seconds * self._random.uniform(1.0, 1.2), left + 1.0))
        row = claims.claimed(progress, owner, now, self._limits.lease)
        row = claims.put_off(row, reason, now, delay)
        if await write(self._store, nudge.case_id, row, view.stored.get(row.key)) is None:
            return "lost"
        await self._advancer.nudge(nudge, delay)
        return "deferred"

    async def _park(
        self, nudge: Nudge, view: Partition, progress: Progress, owner: str, reason: StageError
    ) -> Outcome:
        """Parks a stage without working on it, in one write."""
        now = self._clock.now()
        row = claims.claimed(progress, owner, now, self._limits.lease)
        row = claims.parked(row, reason, now, self._preparing.tells(view, nudge.turn, now))
        etag = await write(self._store, nudge.case_id, row, view.stored.get(row.key))
        if etag is None:
            return "lost"
        await self._advancer.after_stage(view.with_row(row, etag), nudge.turn, nudge.stage)
        return "parked"

    async def _work(
        self,
        agent: Step,
        nudge: Nudge,
        view: Partition,
        held: Stored,
        row: StageRow,
        work: Work,
    ) -> Outcome:
        bug: Exception | None = None
        delay = 0.0
        note = ""
        talk = work.way if isinstance(work.way, Conversation) else None
        try:
            if isinstance(work.way, Conversation):
                result = await work.way.ask(
                    self._model,
                    self._limits.model_timeout,
                    row.reserved,
                    lambda: self._last_check(row),
                )
                note = work.way.note
            else:
                result = await work.way.work(view, row, work.desk)
            done = claims.finished(row, result, self._clock.now(), note)
        except RetryableError as error:
            delay = self._limits.backoff(row.attempts, error.retry_after)
            delay *= self._random.uniform(1.0, 1.2)
            idle = error.code == RESTING and not (talk and talk.called)
            release = claims.put_off if idle else claims.deferred
            done = release(row, _reason(error), self._clock.now(), delay)
        except PermanentError as error:
            done = self._parked(view, row, _reason(error))
        except Exception as error:  # noqa: BLE001
            # A bug comes back at every delivery and is paid for each time: straight to a person.
            bug = error
            done = self._parked(view, row, _bug(error))
        if talk is not None:
            done = claims.with_conversation(done, talk)
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

    def _parked(self, view: Partition, row: StageRow, reason: StageError) -> StageRow:
        now = self._clock.now()
        return claims.parked(row, reason, now, self._preparing.tells(view, row.turn, now))

    def _last_check(self, row: StageRow) -> None:
        """A worker that was paused after its claim must not pay for a call it cannot commit."""
        if self._clock.now() > row.claimed_at + self._limits.last_call:
            raise RetryableError("claim_too_old", detail="paused between claim and model call")


def _reason(error: RetryableError | PermanentError) -> StageError:
    return StageError(code=error.code, detail=error.detail)


def _bug(error: Exception) -> StageError:
    return StageError(code="bug", detail=type(error).__name__)
