"""What happened at a desk, by time: derived from a case's rows, kept for digests. Pure.

Each happening has an instant that the rows fix for good, so it is in exactly one window:

| what | one for each | its instant |
|---|---|---|
| ``message`` | message, with all that its agents did | when the last of them came to rest |
| ``act`` | act of a person, such as a replay, with all that its agents did | likewise |
| ``escalated`` | turn that needs a person | the first row that says so |
| ``target`` | target that is at risk or missed | when the sweep set it |

An entry is written before the open mark or the wake that covers its rows goes; so whoever reads
first the marks and wakes and then the journal misses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from shared.domain import sla
from shared.domain.partition import SLA, Partition
from shared.domain.rows import ActRow, MessageRow, StageRow, mark_of, opened_at
from shared.domain.stage import Record, Risk, Sentiment, Urgency, Usage

_MOST_FAILURES = 20
#: How policy begins the lines that say why a turn goes to a person.
_ESCALATE = "escalate: "


class JournalEntry(Record):
    """One happening.

    Attributes:
        mark: Tells it from every other of its case.
        turn: The message that it belongs to, or the latest one at an act.
        outcome: Of a message ``answered``, ``escalated``, ``cancelled`` or ``nothing``; of an act
            its name; of an escalation ``decided``, ``parked`` or ``failed``; of a target its state.
        about: Which target; why a turn escalated, in words of our own.
        usage: What the agents used, of a message or a replay.
        failures: Codes of what went wrong on the way, one for each time.
        held_back: The reply was held back.
    """

    desk: str
    case_id: str
    at: datetime
    what: Literal["message", "act", "escalated", "target"]
    mark: str
    turn: int
    outcome: str
    about: tuple[str, ...] = ()
    sentiment: Sentiment | None = None
    urgency: Urgency | None = None
    risks: tuple[Risk, ...] = ()
    usage: Usage = Usage()
    failures: tuple[str, ...] = ()
    held_back: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The same for the same happening."""
        return self.case_id, self.mark


def entries(view: Partition) -> tuple[JournalEntry, ...]:
    """All happenings of a settled case; of one in motion, those that are fixed already."""
    if view.received is None:
        return ()
    found = [*_openers(view), *_escalations(view), *_targets(view)]
    return tuple(sorted(found, key=lambda entry: (entry.at, entry.mark)))


def unfixed_before(view: Partition, end: datetime) -> bool:
    """Whether something may still be stored whose instant lies before ``end``.

    True while a worker that began before then has neither stored its outcome nor been replaced, and
    while a sweep has not set what came due before.
    """
    if view.received is None or view.cancelled:
        return False
    begun = [p.row.claimed_at for p in view.progress if p.row and p.phase == "working"]
    begun += [e.row.claimed_at for e in view.effects if e.row and e.phase == "attempting"]
    begun += [clock.pending[1] for clock in sla.clocks(view) if clock.pending]
    return any(at < end for at in begun)


def _openers(view: Partition) -> Iterable[JournalEntry]:
    runs: dict[str, list[StageRow]] = {}
    for row, key in _rows_by_opener(view):
        runs.setdefault(key, []).append(row)
    latest = {m.turn: m.key for m in view.messages}
    for act in view.acts:
        latest |= dict.fromkeys(_turns(act), act.key)
    moving = {latest[p.turn] for p in view.progress if p.due_at is not None and not p.at_rest}
    for opener in view.openers:
        rows = runs.get(opener.key, [])
        at = _rested(opener, rows, _cancelled_at(view), moving=opener.key in moving)
        if at is not None:
            yield _opener(view, opener, rows, at)


def _rested(
    opener: MessageRow | ActRow, rows: list[StageRow], cancel: datetime | None, *, moving: bool
) -> datetime | None:
    """When all that a message or replay set going came to rest; None while it moves."""
    begun = opened_at(opener)
    end = max([begun, *(row.finished_at for row in rows if row.finished_at)])
    if cancel and (moving or end > cancel):
        # A worker that was at it when the case was cancelled may still add to it: not its time.
        return max(begun, cancel)
    return None if moving else end


def _opener(
    view: Partition, opener: MessageRow | ActRow, rows: list[StageRow], at: datetime
) -> JournalEntry:
    return JournalEntry(
        desk=view.received.desk if view.received else "",
        case_id=view.case_id,
        at=at,
        what="act" if isinstance(opener, ActRow) else "message",
        mark=mark_of(opener.key),
        turn=opener.turn,
        outcome=opener.act if isinstance(opener, ActRow) else _outcome(view, opener, rows),
        usage=sum((row.usage for row in rows), start=Usage()),
        failures=tuple(code for row in rows for code in _failures(row))[:_MOST_FAILURES],
        held_back=any(row.writes.reply_held_back for row in rows),
        **_assessed(rows),
    )


def _assessed(rows: Iterable[StageRow]) -> dict[str, Any]:
    writes = [row.writes for row in rows if row.state == "finished"]
    return {
        "sentiment": next((w.sentiment for w in writes if w.sentiment), None),
        "urgency": next((w.urgency for w in writes if w.urgency), None),
        "risks": tuple(dict.fromkeys(risk for w in writes for risk in w.risks or ())),
    }


def _cancelled_at(view: Partition) -> datetime | None:
    return next((act.at for act in view.acts if act.act == "cancel"), None)


def _outcome(view: Partition, message: MessageRow, rows: list[StageRow]) -> str:
    if view.empty(message.turn):
        return "nothing"
    if any(row.state == "parked" or row.writes.escalated for row in rows):
        return "escalated"
    done = bool(rows) and all(row.state == "finished" for row in rows)
    return "answered" if done or not view.cancelled else "cancelled"


def _failures(row: StageRow) -> Iterable[str]:
    for event in row.events:
        if event.event in ("deferred", "parked"):
            yield event.detail.partition(",")[0].partition(":")[0]


def _rows_by_opener(view: Partition) -> Iterable[tuple[StageRow, str]]:
    """Each stage row with the key of the message or replay that it belongs to."""
    naming: dict[str, list[str]] = {}
    for progress in view.progress:
        name = f"{progress.turn}:{progress.plan.stage}"
        own = [act.key for act in view.acts if name in act.stages]
        # A stage that had been held up by another one ran for the replay of that one.
        before = [f"{progress.turn}:{other}" for other in progress.plan.after]
        held_up = [key for other in before for key in naming.get(other, ())]
        naming[name] = sorted({*own, *held_up})
        for row in view.stage_rows:
            if (row.turn, row.stage) == (progress.turn, progress.plan.stage):
                # The replay that began the next generation, and all after it, came later.
                later = own[row.generation : row.generation + 1]
                earlier = [key for key in naming[name] if not later or key < later[0]]
                yield row, max(earlier, default=f"m|{row.turn:04d}")


def _turns(act: ActRow) -> set[int]:
    return {int(name.partition(":")[0]) for name in act.stages}


def _escalations(view: Partition) -> Iterable[JournalEntry]:
    first: dict[int, JournalEntry] = {}
    for turn, at, outcome, about in _reasons(view):
        if turn not in first or at < first[turn].at:
            first[turn] = JournalEntry(
                desk=view.received.desk if view.received else "",
                case_id=view.case_id,
                at=at,
                what="escalated",
                mark=f"e{turn:04d}",
                turn=turn,
                outcome=outcome,
                about=about,
                **_assessed(row for row in view.stage_rows if row.turn == turn),
            )
    return first.values()


def _reasons(view: Partition) -> Iterable[tuple[int, datetime, str, tuple[str, ...]]]:
    """Everything that says that a turn needs a person: turn, when, how, why."""
    for row in view.stage_rows:
        if row.finished_at and row.state == "parked":
            code = row.error.code if row.error else "parked"
            yield row.turn, row.finished_at, "parked", (f"{row.stage}: {code}",)
        elif row.finished_at and row.writes.escalated:
            said = [r for r in view.stage_rows if r.turn == row.turn]
            lines = [line for r in said for line in r.writes.decision]
            why = tuple(s.removeprefix(_ESCALATE) for s in lines if s.startswith(_ESCALATE))
            yield row.turn, row.finished_at, "decided", why
    asked_by_clock = {e.request.key for e in view.effects if e.asked_by == SLA}
    for effect in view.effect_rows:
        if effect.state in ("refused", "uncertain") and effect.finished_at:
            key = effect.request.key
            if key not in asked_by_clock:
                why = (f"{key}: {effect.error.code if effect.error else effect.state}",)
                yield effect.request.turn, effect.finished_at, "failed", why


def _targets(view: Partition) -> Iterable[JournalEntry]:
    for row in view.target_rows:
        yield JournalEntry(
            desk=view.received.desk if view.received else "",
            case_id=view.case_id,
            at=row.at,
            what="target",
            mark=f"t{row.turn:04d}-{row.target}-{row.state}",
            turn=row.turn,
            outcome=row.state,
            about=(row.target,),
        )
