"""The rules. The model proposes; this module decides, from the message itself and the answer.

Every rule that applies leaves a line in ``decision``, so that people see why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.case import SupportCase
from shared.domain.catalogue import UNKNOWN, check_arguments
from shared.domain.desk import Desk
from shared.domain.rows import Channel
from shared.domain.stage import (
    Action,
    Approval,
    DroppedAction,
    EffectRequest,
    Risk,
    Sentiment,
    StageResult,
    Urgency,
    Writes,
)

#: Risks that upper management hears of whatever the model thinks.
MANAGEMENT_RISKS: frozenset[Risk] = frozenset({"safety", "legal", "media"})
MAX_ACTIONS = 5
_SUMMARY_CHARS = 400
_REASON_CHARS = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action as the model proposed it: nothing about it is checked yet."""

    name: str
    arguments: Mapping[str, object]
    reason: str = ""


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
    if urgency in ("high", "critical"):
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


def replies(case: SupportCase) -> tuple[EffectRequest, ...]:
    """The effect that brings the reply to where the case came from, if it is known."""
    channel, turn = case.channel, len(case.turns)
    if channel.connected:
        return (_ticket(channel, "reply", turn),)
    if channel.reply_address:
        to = (channel.reply_address,)
        return (EffectRequest(key=f"reply-{turn}", sink="callback", to=to, turn=turn),)
    return ()


def notes(case: SupportCase, desk: Desk, prefix: str = "") -> tuple[EffectRequest, ...]:
    """What is written into the CRM of the assessment, asked for by the last stage that assesses.

    The stages before an escalation do not know yet whether there is one, so it has keys of its own.
    """
    wanted = {f"{prefix}note": desk.crm.note, f"{prefix}labels": desk.crm.labels}
    turn = len(case.turns)
    return tuple(
        _ticket(case.channel, what, turn)
        for what, asked in wanted.items()
        if asked and case.channel.connected
    )


def tells(desk: Desk, turn: int, *, management: bool) -> tuple[EffectRequest, ...]:
    """The mail that tells the desk's people of an escalation."""
    return _mail(desk, f"escalated-{turn}", turn, management=management)


def tells_of_parking(desk: Desk, channel: Channel, turn: int) -> tuple[EffectRequest, ...]:
    """What tells of stages that could not be finished: one a turn, not one a stage."""
    mail = _mail(desk, f"parked-{turn}", turn, management=False)
    return (*mail, _ticket(channel, "handover", turn)) if channel.connected else mail


def _ticket(channel: Channel, what: str, turn: int) -> EffectRequest:
    """Something to write into the ticket that the case came from; the key says what."""
    to = (channel.external_id or "",)
    return EffectRequest(key=f"{what}-{turn}", sink=channel.source, to=to, turn=turn)


def _mail(desk: Desk, key: str, turn: int, *, management: bool) -> tuple[EffectRequest, ...]:
    people = [c.email for c in desk.tell if management or c.about == "escalated"]
    to = tuple(dict.fromkeys(people))
    return (EffectRequest(key=key, sink="email", to=to, turn=turn),) if to else ()


def escalate(
    case: SupportCase,
    desk: Desk,
    proposals: Sequence[Proposal],
    *,
    needs_upper_management: bool,
    summary: str,
) -> StageResult:
    """The escalation: actions that the desk allows, who has to approve them, who is told."""
    actions, dropped = keep_allowed(desk, proposals)
    grave = sorted(MANAGEMENT_RISKS.intersection(case.risks))
    decision = [f"upper management: {risk}" for risk in grave]
    if needs_upper_management and not grave:
        decision.append("upper management: asked for by the escalation agent")
    management = needs_upper_management or bool(grave)
    decision += [f"dropped {item.name}: {item.why}" for item in dropped]
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
            *tells(desk, len(case.turns), management=management),
            *notes(case, desk, "escalation_"),
        ),
    )


def keep_allowed(
    desk: Desk, proposals: Sequence[Proposal]
) -> tuple[tuple[Action, ...], tuple[DroppedAction, ...]]:
    """Splits proposals into what the desk's catalogue allows and what is dropped, and why."""
    kept: list[Action] = []
    dropped: list[DroppedAction] = []
    for proposal in proposals:
        action, why = _check(desk, proposal)
        if action and any(_same(action, other) for other in kept):
            action, why = None, "proposed twice"
        elif action and len(kept) >= MAX_ACTIONS:
            action, why = None, f"more than {MAX_ACTIONS} actions"
        if action:
            kept.append(action)
        else:
            dropped.append(DroppedAction(name=proposal.name[:40], why=why))
    return tuple(kept), tuple(dropped)


def _check(desk: Desk, proposal: Proposal) -> tuple[Action | None, str]:
    known = desk.action(proposal.name)
    if known is None:
        return None, "not in the desk's catalogue"
    arguments, problems = check_arguments(known, proposal.arguments)
    if problems:
        return None, "; ".join(problems)
    reason = " ".join(proposal.reason.split())[:_REASON_CHARS]
    # Nobody carries out by himself what the message did not say in full.
    vague = known.approval == "auto" and UNKNOWN in arguments.values()
    approval: Approval = "human" if vague else known.approval
    action = Action(name=known.name, arguments=arguments, reason=reason, approval=approval)
    return action, ""


def _same(one: Action, other: Action) -> bool:
    return (one.name, one.arguments) == (other.name, other.arguments)


def _united(first: Iterable[Risk], second: Iterable[Risk]) -> tuple[Risk, ...]:
    return tuple(dict.fromkeys((*first, *second)))
