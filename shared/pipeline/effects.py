"""Carries out effects: at most once, never silently.

An effect row says ``attempting`` before the sink is called, so that whoever finds it after a crash
knows that it may have happened. What a second attempt may then do depends on the sink: send the
same key again (keyed), look the key up first (queryable), or leave it to a person (unkeyed).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random

from shared.domain.case import SupportCase
from shared.domain.desk import Desk, Desks
from shared.domain.digest import Digest
from shared.domain.fold import fold
from shared.domain.gathering import Gathering, gathering
from shared.domain.nudge import Nudge
from shared.domain.partition import Partition
from shared.domain.progress import EffectProgress, Stored
from shared.domain.proposed import sink_of
from shared.domain.rows import EffectRow
from shared.domain.stage import Action, Round, StageError, StageEvent
from shared.domain.verdicts import not_allowed
from shared.errors import PermanentError, RetryableError, UncertainError
from shared.pipeline.advance import Advancer
from shared.pipeline.limits import Limits
from shared.pipeline.rounds import Place, Rounds
from shared.pipeline.runner import Outcome
from shared.pipeline.writing import write
from shared.ports import CaseStore, Clock, EffectCall, Sink

#: Seconds until an effect whose deliveries all failed is tried again.
_AGAIN = 60.0
#: After the end of a round its message has mostly been sent.
_SENT = timedelta(seconds=90)
_OUTCOMES: dict[str, Outcome] = {"done": "finished", "deferred": "deferred"}


class EffectRunner:
    """Runs whichever effect a nudge names, if the table says that it is due."""

    def __init__(
        self,
        store: CaseStore,
        sinks: Mapping[str, Sink],
        desks: Desks,
        advancer: Advancer,
        clock: Clock,
        limits: Limits,
        random: Random,
        rounds: Rounds,
    ) -> None:
        self._store = store
        self._sinks = sinks
        self._desks = desks
        self._advancer = advancer
        self._clock = clock
        self._limits = limits
        self._random = random
        self._rounds = rounds

    async def run(self, nudge: Nudge) -> Outcome:
        """Does what is due for this effect, once.

        Raises:
            RetryableError: The store could not be reached: the host delivers the nudge again.
        """
        view = await self._store.read(nudge.case_id)
        progress = view.effect(nudge.effect)
        if view.desk is None or progress is None:
            return "unknown"
        now = self._clock.now()
        if progress.due_at is None:
            await self._advancer.settle(view)
            return "rested"
        if progress.due_at <= now:
            return await self._claim(nudge, view, progress, now)
        if progress.phase != "deferred":
            return "leased"
        if progress.dormant:
            return "deferred"  # its wake brings it back
        await self._advancer.nudge(nudge, (progress.due_at - now).total_seconds())
        return "deferred"

    async def poisoned(self, nudge: Nudge) -> Outcome:
        """Takes a message that the host gave up on.

        Nothing needs to be stopped here: its row says how far the effect is, and its own limits
        hold. It is nudged again after a while.
        """
        view = await self._store.read(nudge.case_id)
        progress = view.effect(nudge.effect)
        if progress is None:
            return "unknown"
        if progress.due_at is None:
            await self._advancer.settle(view)
            return "rested"
        await self._advancer.nudge(nudge, _AGAIN)
        return "deferred"

    async def _claim(
        self, nudge: Nudge, view: Partition, progress: EffectProgress, now: datetime
    ) -> Outcome:
        sink = self._sinks.get(progress.request.sink)
        place: Place | None = None
        if (round_ := progress.request.round) and progress.row:
            place = await self._rounds.place(nudge.case_id, progress, round_)
        row = self._claimed(progress, now, place)
        refusal = self._given_up(row, sink, now)
        if refusal is not None:
            row = refusal
        etag = await write(self._store, nudge.case_id, row, view.stored.get(row.key))
        if etag is None:
            return "lost"
        view = view.with_row(row, etag)
        if refusal is None and sink is not None:
            return await self._attempt(sink, nudge, view, Stored(row, etag), row)
        await self._advancer.settle(view)
        return "parked"

    def _claimed(self, progress: EffectProgress, now: datetime, place: Place | None) -> EffectRow:
        before = progress.row
        # Only what is to go out by itself can have gone out.
        alone = place is None or place.where in ("free", "out")
        listed = place is not None and place.where == "listed"
        epoch = before.epoch + 1 if before else 1
        return EffectRow(
            request=progress.request,
            generation=progress.generation,
            state="attempting",
            epoch=epoch,
            owner=f"{self._random.getrandbits(64):016x}",
            lease_until=now + self._limits.effect_lease,
            # To look whether a list was sent is no attempt.
            attempts=(before.attempts if before else 0) + (not listed),
            # Found as ``attempting``: somebody died or lost the answer after having begun.
            ambiguous=before is not None
            and alone
            and (before.ambiguous or before.state == "attempting"),
            gathered=listed,
            first_at=before.first_at if before else now,
            claimed_at=now,
            error=before.error if before else None,
            events=(
                *(before.events if before else ()),
                StageEvent(at=now, epoch=epoch, event="claimed"),
            ),
        )

    def _given_up(self, row: EffectRow, sink: Sink | None, now: datetime) -> EffectRow | None:
        if sink is None:
            return _ended(row, "refused", now, StageError(code="unknown_sink"))
        if row.ambiguous and sink.kind == "unkeyed":
            return _ended(row, "uncertain", now, StageError(code="begun_and_not_confirmed"))
        # The receiver counts from when it saw the key, by its own clock, and sees this attempt
        # later than now.
        margin = self._limits.effect_timeout + 3 * self._limits.clock_skew
        window = timedelta(seconds=sink.window - margin)
        if row.ambiguous and sink.window and now - row.first_at > window:
            return _ended(row, "uncertain", now, StageError(code="key_no_longer_honoured"))
        if row.attempts > self._limits.max_effect_attempts:
            last = row.error.code if row.error else ""
            state = "uncertain" if row.ambiguous else "refused"
            return _ended(row, state, now, StageError(code="attempts_used_up", detail=last))
        return None

    async def _attempt(
        self, sink: Sink, nudge: Nudge, view: Partition, held: Stored, row: EffectRow
    ) -> Outcome:
        delay = 0.0
        bug: Exception | None = None
        try:
            done = await self._listed(view, row) or await self._sent(sink, view, row)
        except RetryableError as error:
            delay = self._limits.backoff(row.attempts, error.retry_after)
            delay *= self._random.uniform(1.0, 1.2)
            done = self._deferred(row, error, delay)
        except UncertainError as error:
            # Whoever looks it up may go by a clock that is ahead of ours.
            unseen = error.unseen and error.unseen + 2 * self._limits.clock_skew
            delay = self._limits.backoff(row.attempts, unseen)
            if sink.kind == "unkeyed":
                reason = StageError(code=error.code, detail=error.detail)
                done = _ended(row, "uncertain", self._clock.now(), reason)
            else:
                done = self._deferred(row, error, delay, ambiguous=True)
        except PermanentError as error:
            reason = StageError(code=error.code, detail=error.detail)
            state = "uncertain" if row.ambiguous else "refused"
            done = _ended(row, state, self._clock.now(), reason)
        except Exception as error:  # noqa: BLE001
            bug = error
            reason = StageError(code="bug", detail=type(error).__name__)
            done = _ended(row, "uncertain", self._clock.now(), reason)
        etag = await write(self._store, nudge.case_id, done, held)
        if bug is not None:
            raise bug
        if etag is None:
            return "lost"
        if done.state == "deferred" and not done.gathered:
            await self._advancer.nudge(nudge, delay)
            return "deferred"
        await self._advancer.after_effect(view.with_row(done, etag))
        return _OUTCOMES.get(done.state, "parked")

    async def _listed(self, view: Partition, row: EffectRow) -> EffectRow | None:
        """The row as the list of its round has it; None for what goes out by itself."""
        round_ = row.request.round
        if round_ is None:
            return None
        case = fold(view, turn=row.request.turn)
        place = await self._rounds.join(case, row.request, row.generation, round_)
        if place.where != "listed":
            return None
        now = self._clock.now()
        row = row.model_copy(update={"gathered": True})
        sent, instead = place.sent, place.instead
        if sent is None or not sent.at_rest or (instead is not None and not instead.at_rest):
            # The longer its message takes, the less often it is asked for.
            late = max(now - round_.end, timedelta())
            later = max(round_.end + _SENT, now + late / 2)
            return _waits_for_list(row, round_, now, later)
        if sent.phase == "done":
            receipt = sent.row.receipt if sent.row else ""
            receipt = f"in the list of {round_.end:%H:%M} UTC: {receipt}"
            return _ended(row, "done", now, receipt=receipt)
        detail = "its list was not sent"
        if instead is not None and instead.phase == "done":
            detail += f"; {', '.join(instead.request.to)} was told instead"
        error = sent.row.error if sent.row else None
        reason = StageError(code=error.code if error else sent.phase, detail=detail)
        return _ended(row, sent.phase, now, reason)

    async def _sent(self, sink: Sink, view: Partition, row: EffectRow) -> EffectRow:
        receipt = await self._send(sink, view, row)
        return _ended(row, "done", self._clock.now(), receipt=receipt)

    async def _send(self, sink: Sink, view: Partition, row: EffectRow) -> str:
        desk = self._desks.get(view.desk) if view.desk else None
        if desk is None:
            raise PermanentError("desk_missing", "the case's desk has no desk file any more")
        if row.request.action is not None:
            _check_still_allowed(desk, row.request.action, row.request.sink)
        call = EffectCall(
            idempotency_key=f"{view.case_id}-{row.request.key}",
            request=row.request,
            about=_about(view, row, desk),
            desk=desk,
        )
        if sink.kind == "queryable" and (row.ambiguous or row.generation):
            found = await sink.find(call)
            if found is not None:
                return found
        self._last_check(row)
        return await sink.send(call)

    def _last_check(self, row: EffectRow) -> None:
        """A worker that stood still since its claim or look-up may have been overtaken."""
        if self._clock.now() > row.claimed_at + timedelta(seconds=self._limits.clock_skew):
            raise RetryableError("claim_too_old", detail="paused between claim and attempt")

    def _deferred(
        self,
        row: EffectRow,
        error: RetryableError | UncertainError,
        delay: float,
        *,
        ambiguous: bool = False,
    ) -> EffectRow:
        now = self._clock.now()
        detail = f"{error.code}, again in {delay:.0f} s"
        return row.model_copy(
            update={
                "state": "deferred",
                "ambiguous": row.ambiguous or ambiguous,
                "not_before": now + timedelta(seconds=delay),
                "error": StageError(code=error.code, detail=error.detail),
                "events": (
                    *row.events,
                    StageEvent(at=now, epoch=row.epoch, event="deferred", detail=detail),
                ),
            }
        )


def _about(view: Partition, row: EffectRow, desk: Desk) -> SupportCase | Digest | Gathering:
    if view.digest:
        return view.digest.digest
    if not view.gathered:
        return fold(view, turn=row.request.turn)
    found = gathering(view, desk.title, desk.time_zone)
    if found is None:
        raise PermanentError("empty_list", "nobody is in it")
    return found


def _waits_for_list(row: EffectRow, round_: Round, now: datetime, later: datetime) -> EffectRow:
    detail = f"in the list that is sent at {round_.end:%H:%M} UTC ({round_.why})"
    event = StageEvent(at=now, epoch=row.epoch, event="deferred", detail=detail)
    return row.model_copy(
        update={
            "state": "deferred",
            "attempts": 0,
            "not_before": later,
            "error": None,
            "events": (*row.events, event),
        }
    )


def _check_still_allowed(desk: Desk, action: Action, sink: str) -> None:
    """Refuses an action that the desk, as it is now, would not carry out so.

    Raises:
        PermanentError: ``action_not_allowed``, ``backend_changed``.
    """
    if why := not_allowed(desk, action):
        raise PermanentError("action_not_allowed", why)
    known = desk.action(action.name)
    now = sink_of(known.backend.type) if known else ""
    if now != sink:
        raise PermanentError("backend_changed", f"it was for {sink}, now it is {now}")


def _ended(
    row: EffectRow,
    state: str,
    now: datetime,
    error: StageError | None = None,
    receipt: str = "",
) -> EffectRow:
    detail = ": ".join(filter(None, (error.code, error.detail))) if error else receipt
    event = StageEvent.model_validate(
        {"at": now, "epoch": row.epoch, "event": state, "detail": detail}
    )
    return row.model_copy(
        update={
            "state": state,
            "finished_at": now,
            "error": error,
            "receipt": receipt,
            "events": (*row.events, event),
        }
    )
