"""The rules. The model proposes; this module decides, from the message itself and the answer.

Every rule that applies leaves a line in ``decision``, so that people see why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.proposed import carry_out
from shared.domain.rows import Channel, MessageRow
from shared.domain.stage import (
    EffectRequest,
    Risk,
    Sentiment,
    StageResult,
    Urgency,
    Writes,
)
from shared.domain.telling import mails, people, told
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


def tells_of_parking(
    desk: Desk, channel: Channel, message: MessageRow, *, told: bool = False
) -> tuple[EffectRequest, ...]:
    """What tells of stages that could not be finished: one a turn, not one a stage.

    Management hears of it when the text itself shows why it should: an answer that nobody can use
    must not keep a gas leak from them.

    Args:
        told: The ticket says already that a person is needed, and nobody has acted since. Another
            note would only have the vendor tell us that there is a note.
    """
    turn = message.turn
    bosses = people(desk, "management") if grave(message.signals) else ()
    mail = mails(f"parked-{turn}", (*people(desk, "escalated"), *bosses), turn)
    return (*mail, _ticket(channel, "handover", turn)) if channel.connected and not told else mail


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
    decision += [f"{_VERDICTS[action.verdict]} {action.name}: {action.rule}" for action in actions]
    decision += [f"refused {item.name}: {item.why}" for item in dropped]
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
            *told(case, desk, actions, management=management),
            *notes(case, desk, "escalation_"),
        ),
    )


def _united(first: Iterable[Risk], second: Iterable[Risk]) -> tuple[Risk, ...]:
    return tuple(dict.fromkeys((*first, *second)))
