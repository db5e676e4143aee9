"""How a stage row changes: claimed, then finished, deferred or parked. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from shared.domain import policy
from shared.domain.desk import Desks
from shared.domain.partition import Partition
from shared.domain.progress import Progress
from shared.domain.rows import StageRow
from shared.domain.stage import EffectRequest, StageError, StageEvent, StageResult, Usage
from shared.pipeline.asking import Conversation


def claimed(
    progress: Progress, owner: str, now: datetime, lease: timedelta, most: Usage | None = None
) -> StageRow:
    """The row as a worker claims it: next epoch, next attempt, its lease.

    Args:
        most: What it reserves for its calls; None when it makes none.
    """
    before = progress.row
    epoch = before.epoch + 1 if before else 1
    return StageRow(
        turn=progress.turn,
        stage=progress.plan.stage,
        generation=progress.generation,
        state="working",
        epoch=epoch,
        owner=owner,
        lease_until=now + lease,
        attempts=before.attempts + 1 if before else 1,
        claimed_at=now,
        spent=before.usage if before else Usage(),
        # A claim that left its reservation behind may have used all of it.
        presumed=before.presumed + before.reserved if before else Usage(),
        reserved=most or Usage(),
        error=before.error if before else None,
        events=(
            *(before.events if before else ()),
            StageEvent(at=now, epoch=epoch, event="claimed"),
        ),
    )


def with_conversation(row: StageRow, talk: Conversation) -> StageRow:
    """The row with what was said, whatever came of it."""
    return row.model_copy(
        update={
            "messages": talk.messages,
            "answer": talk.answer,
            "prompt_hash": talk.prompt_hash,
            "presumed": row.presumed + talk.presumed,
        }
    )


def finished(row: StageRow, result: StageResult, now: datetime, note: str = "") -> StageRow:
    """The row with what the stage sets and asks for; ``note`` is for the trace."""
    return _ended(
        row, "finished", now, note, writes=result.writes, actions=result.actions,
        dropped=result.dropped, effects=result.effects, error=None,
    )  # fmt: skip


def parked(
    row: StageRow, error: StageError, now: datetime, effects: tuple[EffectRequest, ...] = ()
) -> StageRow:
    """The row stopped for a person, with the effects that tell that person."""
    detail = f"{error.code}: {error.detail}" if error.detail else error.code
    return _ended(row, "parked", now, detail, error=error, effects=effects)


def tells_of_parking(
    view: Partition, desks: Desks, turn: int, now: datetime
) -> tuple[EffectRequest, ...]:
    """The effects that tell people of a stage that is parked."""
    desk = desks.get(view.received.desk) if view.received else None
    if view.received is None or desk is None:
        return ()
    told = any(
        effect.request.key.startswith("handover-") and effect.request.turn > view.seen_up_to
        for effect in view.effects
    )
    message = view.said(view.message(turn))
    return policy.tells_of_parking(desk, view.received.channel, message, now, told=told)


def put_off(row: StageRow, error: StageError, now: datetime, delay: float) -> StageRow:
    """The row released without having been worked on: that was no attempt."""
    row = row.model_copy(update={"attempts": row.attempts - 1})
    return deferred(row, error, now, delay)


def deferred(row: StageRow, error: StageError, now: datetime, delay: float) -> StageRow:
    """The row released: due again after ``delay`` seconds."""
    return _moved(
        row, "deferred", now, f"{error.code}, again in {delay:.0f} s",
        error=error, lease_until=now, not_before=now + timedelta(seconds=delay),
    )  # fmt: skip


def _ended(
    row: StageRow,
    state: Literal["finished", "parked"],
    now: datetime,
    detail: str = "",
    **more: Any,
) -> StageRow:
    return _moved(row, state, now, detail, finished_at=now, lease_until=now, **more)


def _moved(
    row: StageRow,
    state: Literal["finished", "parked", "deferred"],
    now: datetime,
    detail: str,
    **more: Any,
) -> StageRow:
    event = StageEvent(at=now, epoch=row.epoch, event=state, detail=detail)
    update = {"state": state, "events": (*row.events, event), "reserved": Usage(), **more}
    return row.model_copy(update=update)
