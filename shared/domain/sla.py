"""The SLA clock: what a desk promises, counted in its own hours, and how a case stands. Pure.

Targets run from the message that opens a stretch of work: the first of a case, or one that comes
when everything before it has ended. A first reply is one that reached the customer, or was written
where no address is known. A stretch ends with an answer that needs nobody, or when a person
resolves it. When a target is due is pinned in the message; that it came into danger or was missed
is a row of its own, which the sweep writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from shared.domain.case import Standing
from shared.domain.partition import SLA, Partition
from shared.domain.rows import Due, MessageRow, TargetRow
from shared.domain.stage import Target, TargetState, Urgency

_URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
#: Until the sentiment agent has judged.
_UNKNOWN: Urgency = "normal"


@dataclass(frozen=True, slots=True)
class Clock:
    """One target of one stretch of work.

    Attributes:
        turn: The message that it runs from.
        stopped_at: When it was met, or at last done; None while it runs.
        pending: What the sweep has to set next, and from when on; None for nothing.
    """

    turn: int
    target: Target
    urgency: Urgency
    due: Due
    standing: Standing
    stopped_at: datetime | None
    pending: tuple[TargetState, datetime] | None


def clocks(view: Partition) -> tuple[Clock, ...]:
    """Every target of every stretch of work, in the order of turns."""
    return tuple(clock for stretch in _stretches(view) for clock in _clocks(view, stretch))


def due_rows(view: Partition, now: datetime) -> tuple[TargetRow, ...]:
    """What is to be set by now, without who is told; of a target that is missed only that."""
    return tuple(
        TargetRow(
            turn=clock.turn,
            target=clock.target,
            state="breached" if clock.due.breached <= now else "at_risk",
            at=now,
            due=clock.due.breached,
        )
        for clock in clocks(view)
        if clock.pending and clock.pending[1] <= now
    )


def worst(view: Partition) -> tuple[TargetState | None, datetime | None]:
    """How the running targets stand together, and when the next of them is missed."""
    running = [clock for clock in clocks(view) if clock.stopped_at is None]
    standings = {clock.standing for clock in running}
    states: tuple[TargetState, ...] = ("breached", "at_risk")
    state = next((state for state in states if state in standings), None)
    return state, min((clock.due.breached for clock in running), default=None)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Turns that are worked on together.

    Attributes:
        ended_at: When the last of them ended; None while one is open.
    """

    opening: MessageRow
    turns: tuple[int, ...]
    ended_at: datetime | None


def _stretches(view: Partition) -> Iterator[_Stretch]:
    found: _Stretch | None = None
    for message in view.messages:
        if view.empty(message.turn):
            continue
        ended = _ended_at(view, message.turn)
        if found and (found.ended_at is None or found.ended_at > message.received_at):
            both = found.ended_at and ended and max(found.ended_at, ended)
            found = _Stretch(found.opening, (*found.turns, message.turn), both)
            continue
        if found:
            yield found
        found = _Stretch(message, (message.turn,), ended)
    if found:
        yield found


def _clocks(view: Partition, stretch: _Stretch) -> Iterator[Clock]:
    urgency = _urgency(view, stretch)
    for target, due in stretch.opening.targets.get(urgency, {}).items():
        stopped = stretch.ended_at
        if target == "first_reply":
            replied = _replied_at(view, stretch.opening.turn)
            stopped = min(filter(None, (replied, stopped)), default=None)
        rows = {row.state for row in view.target_rows if _is_of(row, stretch, target)}
        yield Clock(
            turn=stretch.opening.turn,
            target=target,
            urgency=urgency,
            due=due,
            standing=_standing(due, stopped, rows),
            stopped_at=stopped,
            pending=_pending(due, stopped, rows),
        )


def _is_of(row: TargetRow, stretch: _Stretch, target: Target) -> bool:
    return (row.turn, row.target) == (stretch.opening.turn, target)


def _standing(due: Due, stopped: datetime | None, rows: set[TargetState]) -> Standing:
    if "breached" in rows or (stopped and stopped > due.breached):
        return "breached"
    if stopped:
        return "met"
    return "at_risk" if "at_risk" in rows else "running"


def _pending(
    due: Due, stopped: datetime | None, rows: set[TargetState]
) -> tuple[TargetState, datetime] | None:
    if stopped or "breached" in rows:
        return None
    return ("breached", due.breached) if "at_risk" in rows else ("at_risk", due.at_risk)


def _urgency(view: Partition, stretch: _Stretch) -> Urgency:
    """The highest that was found in the stretch."""
    found = [
        p.row.writes.urgency
        for p in view.progress
        if p.turn in stretch.turns and p.row and p.phase == "finished" and p.row.writes.urgency
    ]
    return max(found, key=_URGENCIES.index, default=_UNKNOWN)


def _replied_at(view: Partition, turn: int) -> datetime | None:
    key = f"reply-{turn}"
    if view.effect(key):
        rows = [r for r in view.effect_rows if r.request.key == key and r.state == "done"]
        return min((row.finished_at for row in rows if row.finished_at), default=None)
    written = [r for r in view.stage_rows if r.turn == turn and r.writes.support_response]
    return min((row.finished_at for row in written if row.finished_at), default=None)


def _ended_at(view: Partition, turn: int) -> datetime | None:
    """When a turn needed nobody any more: a person said so, or it was answered and all is done."""
    ends = [
        act.at
        for act in view.acts
        if act.act == "cancel" or (act.act == "resolve" and act.turn >= turn)
    ]
    stages = [p for p in view.progress if p.turn == turn]
    effects = [e for e in view.effects if e.request.turn == turn and e.asked_by != SLA]
    if (
        all(p.phase in ("finished", "skipped") for p in stages)
        and not any(p.row.writes.escalated for p in stages if p.row)
        and all(
            e.phase in ("done", "moot") or (e.request.beside and not e.at_rest) for e in effects
        )
    ):
        times = [p.row.finished_at for p in stages if p.row]
        times += [e.row.finished_at for e in effects if e.row and not e.request.beside]
        ends += [max(filter(None, times))] if any(times) else []
    return min(ends, default=None)
