"""The rules. The model proposes; this module decides, from the message itself and the answer.

Every rule that applies leaves a line in ``decision``, so that people see why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.desk_action import BY_HAND
from shared.domain.hours import read_duration
from shared.domain.proposed import carry_out
from shared.domain.reactions import PRESSING, Reactions, react
from shared.domain.rows import Channel, MessageRow
from shared.domain.stage import (
    Action,
    DroppedAction,
    EffectRequest,
    Risk,
    Sentiment,
    StageResult,
    Urgency,
    Writes,
)
from shared.domain.telling import reacted, severity_of, told, told_of_parking
from shared.domain.verdicts import Proposal, decide

#: Risks that upper management hears of whatever the model thinks.
MANAGEMENT_RISKS: frozenset[Risk] = frozenset({"safety", "legal", "media"})
_SUMMARY_CHARS = 400
_VERDICTS = {"execute": "carried out", "ask": "waits for a yes:"}


def judge(
    case: SupportCase,
    *,
    sentiment: Sentiment,
    urgency: Urgency,
    wants_human: bool,
    risks: Iterable[Risk],
) -> Writes:
    """Whether a case goes to the escalation agent and so to a person.

    Sentiment alone decides nothing: a calm report of a gas leak escalates, and so does every risk
    that the text itself shows, whatever the model answered.
    """
    found = _united(risks, case.signals)
    human = wants_human or case.asks_for_human
    reasons = [f"risk: {risk}" for risk in found]
    if human:
        reasons.append("the customer asks for a person")
    if sentiment == "Negative":
        reasons.append("negative sentiment")
    if urgency in PRESSING:
        reasons.append(f"urgency: {urgency}")
    return Writes(
        sentiment=sentiment,
        urgency="critical" if "safety" in case.signals else urgency,
        wants_human=human,
        risks=found,
        should_escalate=bool(reasons),
        decision=tuple(f"escalate: {reason}" for reason in reasons)
        or ("answered without escalation: positive, no risk, nobody asked for",),
    )


def assess(case: SupportCase, desk: Desk, judged: Writes) -> StageResult:
    """What follows from an assessment: the desk's rules, then the notes if nobody is needed.

    An action that waits for a yes, or for a person to carry it out, makes the case one for people,
    who are told by the escalation.

    Args:
        judged: What ``judge`` found.
    """
    said = ("sentiment", "urgency", "wants_human", "risks")
    found = {name: value for name in said if (value := getattr(judged, name)) is not None}
    known = case.model_copy(update=found)
    follows = react(desk.reactions, known)
    known = known.model_copy(update={"urgency": follows.urgency})
    wishes = [
        Proposal(wish.action, wish.arguments, f"the desk's rule {rule}", rule)
        for rule, wish in follows.propose
    ]
    actions, dropped = decide(known, desk, wishes)
    reasons = [
        *(f"urgency: {follows.urgency}, by the rule {name}" for name in follows.raised_by
          if follows.urgency in PRESSING),
        *(f"{a.name}, which the rule {a.reaction} proposes, "
          f"{'waits for a yes' if a.verdict == 'ask' else 'is for a person to do'}"
          for a in actions if a.verdict == "ask" or a.backend == BY_HAND),
    ]  # fmt: skip
    writes = _with_reactions(judged, follows, reasons, actions, dropped)
    risks = (*known.risks, *known.signals)
    severity = severity_of(follows.urgency, risks, management=bool(grave(risks)))
    effects = [*carry_out(actions, len(case.turns)), *reacted(case, desk, follows.tell, severity)]
    if not writes.should_escalate:
        effects += [*notes(case, desk), *(_reviews(case, desk) if follows.review else ())]
    return StageResult(writes=writes, actions=actions, dropped=dropped, effects=tuple(effects))


def _with_reactions(
    judged: Writes,
    follows: Reactions,
    reasons: Sequence[str],
    actions: Sequence[Action],
    dropped: Sequence[DroppedAction],
) -> Writes:
    if not follows.lines:
        return judged
    decision = [*(judged.decision if judged.should_escalate or not reasons else ())]
    decision += [f"escalate: {reason}" for reason in reasons]
    decision += [f"the desk's rule {reacted.line}" for reacted in follows.lines]
    decision += _verdict_lines(actions, dropped)
    return judged.model_copy(
        update={
            "urgency": follows.urgency if follows.raised_by else judged.urgency,
            "should_escalate": judged.should_escalate or bool(reasons),
            "tags": follows.tags,
            "reactions": follows.lines,
            "decision": tuple(decision),
        }
    )


def _verdict_lines(actions: Iterable[Action], dropped: Iterable[DroppedAction]) -> list[str]:
    lines = [f"{_VERDICTS[action.verdict]} {action.name}: {action.rule}" for action in actions]
    return lines + [f"refused {item.name}: {item.why}" for item in dropped]


def replies(case: SupportCase) -> tuple[EffectRequest, ...]:
    """The effect that brings the reply to where the case came from, if it is known."""
    return _to_customer(case, f"reply-{len(case.turns)}")


def _reviews(case: SupportCase, desk: Desk) -> tuple[EffectRequest, ...]:
    """The thanks and the wish for a review: once a case, later, and only if all stays well."""
    if desk.review is None:
        return ()
    at = case.now + read_duration(desk.review.after)
    text = desk.review.text_for(case.customer_query)
    return _to_customer(case, "review", not_before=at, text=text, while_answered=True)


def _to_customer(case: SupportCase, key: str, **more: Any) -> tuple[EffectRequest, ...]:
    channel = case.channel
    if channel.connected:
        sink, to = channel.source, channel.external_id or ""
    elif channel.reply_address:
        sink, to = "callback", channel.reply_address
    else:
        return ()
    return (EffectRequest(key=key, sink=sink, to=(to,), turn=len(case.turns), **more),)


def notes(case: SupportCase, desk: Desk, prefix: str = "") -> tuple[EffectRequest, ...]:
    """What is written into the CRM of the assessment, asked for by the last stage that assesses.

    The stages before an escalation do not know yet whether there is one, so it has keys of its own.
    """
    wanted = {f"{prefix}note": desk.crm.note, f"{prefix}labels": desk.crm.labels}
    turn = len(case.turns)
    if not case.channel.connected:
        return ()
    found = [_ticket(case.channel, what, turn) for what, asked in wanted.items() if asked]
    # Nothing waits for a customer who was not written to, and an escalation is never left waiting.
    if desk.crm.status and (prefix or desk.crm.reply == "public"):
        status = _ticket(case.channel, f"{prefix}status", turn)
        found.append(status.model_copy(update={"while_answered": not prefix}))
    return tuple(found)


def tells_of_parking(
    desk: Desk, channel: Channel, message: MessageRow, at: datetime, *, told: bool = False
) -> tuple[EffectRequest, ...]:
    """What tells of stages that could not be finished: one a turn, not one a stage.

    Management hears of it when the text itself shows why it should: an answer that nobody can use
    must not keep a gas leak from them.

    Args:
        at: UTC; now.
        told: The ticket says already that a person is needed, and nobody has acted since. Another
            note would only have the vendor tell us that there is a note.
    """
    turn = message.turn
    management = bool(grave(message.signals))
    found = told_of_parking(desk, turn, message.signals, at, management=management)
    found += desk.escalation.opens(turn)
    return (*found, _ticket(channel, "handover", turn)) if channel.connected and not told else found


def grave(risks: Iterable[Risk]) -> tuple[Risk, ...]:
    """Those risks that upper management hears of."""
    return tuple(sorted(MANAGEMENT_RISKS.intersection(risks)))


def _ticket(channel: Channel, what: str, turn: int) -> EffectRequest:
    """Something to write into the ticket that the case came from; the key says what."""
    to = (channel.external_id or "",)
    return EffectRequest(key=f"{what}-{turn}", sink=channel.source, to=to, turn=turn)


def escalate(
    case: SupportCase,
    desk: Desk,
    proposals: Sequence[Proposal],
    *,
    needs_upper_management: bool,
    summary: str,
) -> StageResult:
    """The escalation: what becomes of each proposed action, and who is told or asked."""
    actions, dropped = decide(case, desk, proposals)
    demanded = grave((*case.risks, *case.signals))
    decision = [f"upper management: {risk}" for risk in demanded]
    if needs_upper_management and not demanded:
        decision.append("upper management: asked for by the escalation agent")
    management = needs_upper_management or bool(demanded)
    turn = len(case.turns)
    decision += _verdict_lines(actions, dropped)
    by_rule = [a for a in case.actions if a.turn == turn and a.reaction and a.state == "waiting"]
    return StageResult(
        writes=Writes(
            escalated=True,
            needs_upper_management_attention=management,
            summary=" ".join(summary.split())[:_SUMMARY_CHARS] or None,
            decision=tuple(decision),
        ),
        actions=actions,
        dropped=dropped,
        effects=(
            *carry_out(actions, turn),
            *told(case, desk, (*by_rule, *actions), management=management),
            *notes(case, desk, "escalation_"),
            *desk.escalation.opens(turn),
        ),
    )


def _united(first: Iterable[Risk], second: Iterable[Risk]) -> tuple[Risk, ...]:
    return tuple(dict.fromkeys((*first, *second)))
