"""SupportCase from its rows: a pure function, so that nothing about a case is written twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.domain import sla
from shared.domain.case import (
    ActionState,
    ActionView,
    AgentState,
    EffectView,
    IndexEntry,
    StageView,
    Status,
    SupportCase,
    TargetView,
    TraceEvent,
    Turn,
)
from shared.domain.partition import SLA, Partition
from shared.domain.policy import grave
from shared.domain.progress import EffectProgress, Phase, Progress
from shared.domain.proposed import Proposed
from shared.domain.rows import ActRow, MessageRow
from shared.domain.stage import Usage, Writes

_STATES: dict[Phase, AgentState] = {
    "waiting": "waiting",
    "deferred": "waiting",
    "working": "working",
    "finished": "finished",
    "parked": "error",
    "skipped": "skipped",
}
_SUBJECT_CHARS = 80
_HALF_MADE = "a case needs its case row and its first message"


def fold(
    partition: Partition,
    supported_actions: tuple[str, ...] = (),
    turn: int | None = None,
    as_of: datetime | None = None,
) -> SupportCase:
    """The case that a partition's rows add up to.

    Args:
        partition: Rows of one case; its ``case`` row must be there.
        supported_actions: Names in the desk's action catalogue.
        turn: The turn that the case is seen from, for a stage that works on it while a later
            message has come in; None for the latest.
        as_of: When a stage looks at it, UTC.

    Raises:
        ValueError: The partition has no ``case`` row: a half-made intake is not a case.
    """
    received = partition.received
    messages = [m for m in partition.messages if turn is None or m.turn <= turn]
    if received is None or not messages:
        raise ValueError(_HALF_MADE)
    latest = _latest(partition, messages)
    current = [p for p in partition.progress if p.turn == latest.turn]
    writes = _writes(partition, latest.turn)
    status, reason = _status(partition)
    stages = tuple(_view(p, cancelled=partition.cancelled) for p in partition.progress)
    return SupportCase(
        case_id=partition.case_id,
        support_context=received.scene,
        customer_query=latest.text,
        support_response=writes.support_response,
        sentiment=writes.sentiment,
        should_escalate=bool(writes.should_escalate),
        escalated=bool(writes.escalated) or status == "escalated",
        needs_upper_management_attention=bool(
            writes.needs_upper_management_attention or grave(latest.signals)
        ),
        created_at=received.created_at,
        updated_at=_updated_at(partition),
        trace=_trace(partition),
        supported_actions=supported_actions,
        desk=received.desk,
        status=status,
        status_reason=reason,
        urgency=writes.urgency,
        risks=writes.risks or (),
        signals=latest.signals,
        asks_for_human=latest.asks_for_human,
        wants_human=bool(writes.wants_human) or latest.asks_for_human,
        repeat_customer=partition.repeat_customer,
        reply_held_back=bool(writes.reply_held_back),
        language=writes.language,
        summary=writes.summary,
        decision=writes.decision,
        tags=writes.tags or (),
        reactions=writes.reactions or (),
        channel=received.channel,
        turns=tuple(_turn(partition, message) for message in messages),
        stages=stages,
        actions=tuple(action_view(partition, proposed) for proposed in partition.actions),
        dropped_actions=tuple(d for p in current if p.row for d in p.row.dropped),
        effects=tuple(_effect(e) for e in partition.effects),
        targets=tuple(_target(clock) for clock in sla.clocks(partition)),
        usage=sum((row.usage for row in partition.stage_rows), start=Usage()),
        demo=any(stage.demo for stage in stages),
        as_of=as_of,
    )


def _latest(partition: Partition, messages: Sequence[MessageRow]) -> MessageRow:
    """The last message that is one of the customer's, with his words."""
    real = [m for m in messages if not partition.empty(m.turn)]
    return partition.said((real or messages)[-1])


def index_entry(partition: Partition) -> IndexEntry:
    """What listings show of a case; equal for equal partitions.

    Raises:
        ValueError: As ``fold``.
    """
    received, messages = partition.received, partition.messages
    if received is None or not messages:
        raise ValueError(_HALF_MADE)
    status, reason = _status(partition)
    if not partition.settled and status not in ("open", "working"):
        # A stage is parked while others still run: listed as open until nothing is due.
        status = "working"
    writes = _writes(partition, _latest(partition, messages).turn)
    first = partition.said(messages[0]).text
    in_danger, due_at = sla.worst(partition)
    return IndexEntry(
        case_id=partition.case_id,
        desk=received.desk,
        status=status,
        sentiment=writes.sentiment,
        urgency=writes.urgency,
        reason=reason if status == "escalated" and _failed(partition) else "",
        waiting=tuple(a.action.name for a in partition.actions if a.waits),
        to_do=tuple(a.action.name for a in partition.to_do),
        to_do_since=min((a.goes_since for a in partition.to_do), default=None),
        subject=" ".join(first[: 4 * _SUBJECT_CHARS].split())[:_SUBJECT_CHARS],
        sla=in_danger or "",
        due_at=due_at,
        created_at=received.created_at,
        updated_at=_updated_at(partition),
        version=partition.version,
    )


def _updated_at(partition: Partition) -> datetime:
    times = [m.received_at for m in partition.messages] + [a.at for a in partition.acts]
    times += [row.at for row in partition.target_rows]
    times += [row.events[-1].at for row in partition.stage_rows if row.events]
    times += [row.events[-1].at for row in partition.effect_rows if row.events]
    return max(times)


def _writes(partition: Partition, turn: int) -> Writes:
    """What the finished stages of one turn set."""
    stages = (p for p in partition.progress if p.turn == turn and p.phase == "finished")
    return _merge(p.row.writes for p in stages if p.row)


def _merge(parts: Iterable[Writes]) -> Writes:
    """Stages of one turn together: a True is never taken back, other values: the last one set."""
    merged: dict[str, Any] = {}
    decision: tuple[str, ...] = ()
    for part in parts:
        decision += part.decision
        for name, value in part:
            if value is not None and not (merged.get(name) is True and value is False):
                merged[name] = value
    return Writes.model_validate(merged | {"decision": decision})


def _status(partition: Partition) -> tuple[Status, str]:
    """The status over all turns that nobody resolved: an earlier failure is not forgotten."""
    if partition.cancelled:
        return "cancelled", next(a.reason for a in partition.acts if a.act == "cancel")
    real = [p for p in partition.progress if not partition.empty(p.turn)]
    if not real:
        return "resolved", f"no customer's message: {partition.empty(1)}"
    unresolved = [p for p in real if p.turn > partition.resolved_up_to]
    if failed := _failed(partition):
        return "escalated", f"a person is needed, not finished: {'; '.join(failed)}"
    if not unresolved:
        return "resolved", partition.acts[-1].reason
    if not all(p.at_rest for p in unresolved):
        return ("working" if any(p.row for p in unresolved) else "open"), ""
    return _at_rest(partition, unresolved)


def _at_rest(partition: Partition, unresolved: list[Progress]) -> tuple[Status, str]:
    waiting = [a.action.name for a in partition.actions if a.waits]
    if waiting:
        return "escalated", f"waits for a yes: {', '.join(waiting)}"
    if any(p.row.writes.escalated for p in unresolved if p.row):
        return "escalated", ""
    to_do = ", ".join(a.action.name for a in partition.to_do)
    return ("escalated", f"to do by hand: {to_do}") if to_do else ("answered", "")


def _failed(partition: Partition) -> list[str]:
    """What could not be finished in turns that nobody resolved."""
    since = partition.resolved_up_to
    real = [p for p in partition.progress if p.turn > since and not partition.empty(p.turn)]
    parked = [(p.plan.stage, p.parked_for) for p in real]
    failed = [(e.request.key, e.phase) for e in partition.effects if e.request.turn > since]
    return [f"{name}: {why}" for name, why in parked if why] + [
        f"{key}: {phase}" for key, phase in failed if phase in ("refused", "uncertain")
    ]


def _turn(partition: Partition, row: MessageRow) -> Turn:
    message, writes = partition.said(row), _writes(partition, row.turn)
    return Turn(
        turn=message.turn,
        text=message.text,
        truncated=message.blob is not None,
        received_at=message.received_at,
        response=writes.support_response,
        reply_held_back=bool(writes.reply_held_back),
        masked=message.masked,
    )


def _view(progress: Progress, *, cancelled: bool) -> StageView:
    plan, row = progress.plan, progress.row
    view = StageView(
        turn=progress.turn,
        stage=plan.stage,
        role=plan.role,
        objective=plan.objective,
        state="skipped" if cancelled and not progress.at_rest else _STATES[progress.phase],
        generation=progress.generation,
        after=plan.after,
        due_at=progress.due_at,
    )
    if row is None:
        return view
    answer = row.answer
    more = {
        "attempts": row.attempts,
        "claimed_at": row.claimed_at,
        "finished_at": row.finished_at,
        "error": row.error,
        "prompt_hash": row.prompt_hash,
        "messages": row.messages,
        "usage": row.usage,
    }
    if answer is not None:
        more |= {
            "model": answer.model,
            "request_id": answer.request_id,
            "latency_ms": answer.latency_ms,
            "demo": answer.demo,
            "output": answer.output,
        }
    return view.model_copy(update=more)


def _effect(progress: EffectProgress) -> EffectView:
    request, row = progress.request, progress.row
    view = EffectView(
        key=request.key,
        sink=request.sink,
        to=request.to,
        turn=request.turn,
        state=progress.phase,
        due_at=progress.due_at,
        dormant=progress.dormant,
        awaits=request.awaits,
    )
    if row is None:
        return view
    return view.model_copy(
        update={
            "attempts": row.attempts,
            "finished_at": row.finished_at,
            "receipt": row.receipt,
            "error": row.error,
        }
    )


def _target(clock: sla.Clock) -> TargetView:
    return TargetView(
        turn=clock.turn,
        target=clock.target,
        urgency=clock.urgency,
        standing=clock.standing,
        due_at=clock.due.breached,
        stopped_at=clock.stopped_at,
    )


def action_view(partition: Partition, proposed: Proposed) -> ActionView:
    """A proposed action with what became of it."""
    effect = partition.action_effect(proposed.action.id)
    said = proposed.decision or proposed.ticked
    row = effect.row if effect else None
    return ActionView(
        **dict(proposed.action),
        turn=proposed.turn,
        state=_action_state(partition, proposed, effect),
        asked_at=proposed.kept_at,
        decided_by=said.by if said else "",
        decided_at=said.at if said else None,
        decided_why=said.reason if said else "",
        via=said.via if said else "",
        receipt=row.receipt if row else "",
        error=row.error if row else None,
    )


def _action_state(
    partition: Partition, proposed: Proposed, effect: EffectProgress | None
) -> ActionState:
    if proposed.ticked:
        return "done"
    if effect is not None and effect.phase in ("done", "refused", "uncertain"):
        return effect.phase
    if effect is not None and effect.goes_on:
        return "under_way"
    if proposed.decision is not None and proposed.decision.act == "reject":
        return "rejected"
    return _unbegun(partition, proposed)


def _unbegun(partition: Partition, proposed: Proposed) -> ActionState:
    if proposed.waits:
        return "waiting"
    if proposed in partition.to_do:
        return "to_do"
    return "lapsed" if proposed.goes or not proposed.open else "superseded"


def _trace(partition: Partition) -> tuple[TraceEvent, ...]:
    events = [
        TraceEvent(at=m.received_at, who="customer", event="received", detail=f"turn {m.turn}")
        for m in partition.messages
    ]
    events += [
        TraceEvent(at=a.at, who=a.by, event=a.act, detail=_detail(a)) for a in partition.acts
    ]
    events += [
        TraceEvent(at=row.at, who=SLA, event=row.state, detail=f"{row.target} of turn {row.turn}")
        for row in partition.target_rows
    ]
    events += [
        TraceEvent(at=e.at, who=row.stage, event=e.event, detail=e.detail)
        for row in partition.stage_rows
        for e in row.events
    ]
    events += [
        TraceEvent(at=row.finished_at, who=row.stage, event="reaction", detail=reacted.line)
        for row in partition.stage_rows
        for reacted in row.writes.reactions or ()
        if row.finished_at
    ]
    events += [
        TraceEvent(at=e.at, who=row.request.key, event=e.event, detail=e.detail)
        for row in partition.effect_rows
        for e in row.events
    ]
    return tuple(sorted(events, key=lambda event: event.at))


def _detail(act: ActRow) -> str:
    about = f"{act.action} ({act.via})" if act.via else act.action
    return ": ".join(filter(None, (about, act.reason)))
