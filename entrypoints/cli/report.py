"""A case in words: what ``ask`` ends with and what ``show`` shows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from entrypoints.cli.follow import is_settled, stage_lines
from entrypoints.cli.terminal import Ink, Part, Terminal, pad
from shared.domain.desk_ticket import SINK as TICKET

if TYPE_CHECKING:
    from shared.domain.case import ActionState, ActionView, SupportCase

_DEMO = "demo quality: a small local model wrote this, do not send it"
_HELD_BACK = Ink("  (the desk's acknowledgement; the model's reply was held back)", "yellow")
_MESSAGE_CHARS = 4000
_STATUS_STYLES = {"answered": "green", "resolved": "green", "escalated": "yellow"}
_EFFECT_STYLES = {"done": "green", "deferred": "yellow", "refused": "red", "uncertain": "red"}
_STANDING_STYLES = {"met": "green", "at_risk": "yellow", "breached": "red"}
_ACTIONS: dict[ActionState, tuple[str, str]] = {
    "waiting": ("waits for a person's yes", "yellow"),
    "under_way": ("is being carried out", "cyan"),
    "to_do": ("for a person to do", "yellow"),
    "done": ("done", "green"),
    "rejected": ("rejected", "dim"),
    "refused": ("could not be carried out", "red"),
    "uncertain": ("may have been carried out or not", "red"),
    "superseded": ("no longer proposed", "dim"),
    "lapsed": ("not carried out, the case was closed", "dim"),
}


def report_head(case: SupportCase, out: Terminal, now: datetime) -> None:
    """What came in and how each agent did: the part that ``ask`` shows while it happens."""
    out.line(Ink(f"Case {case.case_id}", "bold"), f"  {case.desk}")
    channel = case.channel.source
    if case.channel.external_id:
        channel += f" {case.channel.external_id}"
    out.line(f"  received {utc(case.created_at)}, changed {utc(case.updated_at)}, from {channel}")
    for turn in case.turns:
        latest = turn.turn == case.turns[-1].turn
        _section(out, "Customer" if latest else f"Customer, turn {turn.turn}")
        _long_text(out, case.customer_query if latest else turn.text)
        if turn.masked:
            out.line(Ink(f"  masked before it was stored: {', '.join(turn.masked)}", "dim"))
        if not latest and turn.response:
            held_back = (_HELD_BACK,) if turn.reply_held_back else ()
            _section(out, f"Reply, turn {turn.turn}", *held_back)
            _long_text(out, turn.response)
    _section(out, "Agents")
    for line in stage_lines(case.stages, out, now):
        out.line(*line)


def report(case: SupportCase, out: Terminal) -> None:
    """What became of the case: reply, sentiment, actions, decision."""
    _reply(case, out)
    _feelings(case, out)
    _actions(case, out)
    _effects(case, out)
    _targets(case, out)
    _decision(case, out)


def utc(at: datetime) -> str:
    """A time as people read it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _section(out: Terminal, title: str, *more: Part) -> None:
    out.line()
    out.line(Ink(title, "bold"), *more)


def _demo(case: SupportCase) -> tuple[Part, ...]:
    return (Ink(f"  ({_DEMO})", "yellow"),) if case.demo else ()


def _reply(case: SupportCase, out: Terminal) -> None:
    # The desk wrote an acknowledgement, whatever model held the rest together.
    about = (_HELD_BACK,) if case.reply_held_back else _demo(case)
    _section(out, "Reply", *about)
    if case.support_response:
        _long_text(out, case.support_response)
    else:
        out.line(Ink("  none" if is_settled(case) else "  none yet", "dim"))


def _feelings(case: SupportCase, out: Terminal) -> None:
    _section(out, "Sentiment")
    risks = ", ".join(dict.fromkeys((*case.risks, *case.signals)))
    parts: list[Part] = ["  "]
    if case.sentiment:
        parts.append(Ink(case.sentiment, "green" if case.sentiment == "Positive" else "red"))
    else:
        parts.append(Ink("not known" if is_settled(case) else "not known yet", "dim"))
    if case.urgency:
        parts.append(f", urgency {case.urgency}")
    parts.append(Ink(f", risks: {risks}", "red") if risks else ", no risks")
    if case.wants_human:
        parts.append(", asks for a person")
    if case.repeat_customer:
        parts.append(", a repeat customer")
    if case.tags:
        parts.append(f", tags: {', '.join(case.tags)}")
    out.line(*parts)


def _actions(case: SupportCase, out: Terminal) -> None:
    _section(out, "Actions", *_demo(case))
    for action in case.actions:
        _action(action, out)
    if not case.actions:
        out.line(Ink("  none" if is_settled(case) else "  none yet", "dim"))


def _action(action: ActionView, out: Terminal) -> None:
    state, style = _ACTIONS[action.state]
    if action.state == "waiting" and action.approval == "management":
        state = "waits for management's yes"
    out.line("  ", Ink(action.name, "cyan"), "  ", Ink(state, style), Ink(f"  {action.id}", "dim"))
    width = max((len(name) for name in action.arguments), default=0)
    for name, value in action.arguments.items():
        out.text(str(value), indent=4, mark=f"{pad(name, width)}  ")
    if action.reason:
        out.text(action.reason, indent=4, mark="why: ")
    if action.rule:
        out.text(action.rule, indent=4, mark="rule: ")
    if action.decided_by:
        via = f" ({action.via})" if action.via else ""
        out.text(
            f"{action.decided_by}{via} on {utc(action.decided_at or action.asked_at)}"
            f"{': ' if action.decided_why else ''}{action.decided_why}",
            indent=4,
            mark="decided by: ",
        )
    if action.receipt:
        out.text(action.receipt, indent=4, mark="receipt: ")


def _effects(case: SupportCase, out: Terminal) -> None:
    if not case.effects:
        return
    _section(out, "Effects")
    for effect in case.effects:
        style = _EFFECT_STYLES.get(effect.state, "dim")
        error = effect.error
        said = ": ".join(filter(None, (error.code, error.detail))) if error else ""
        to = f"{effect.sink} to {', '.join(effect.to)}" if effect.to else effect.sink
        out.line("  ", Ink(effect.key, "cyan"), f"  {to}  ", Ink(effect.state, style), f"  {said}")
        if effect.sink == TICKET and effect.receipt:
            out.text(effect.receipt, indent=4, mark="receipt: ")


def _targets(case: SupportCase, out: Terminal) -> None:
    if not case.targets:
        return
    _section(out, "Targets")
    for target in case.targets:
        stopped = f", done {utc(target.stopped_at)}" if target.stopped_at else ""
        out.line(
            "  ",
            Ink(target.target.replace("_", " "), "cyan"),
            f" of turn {target.turn}  due {utc(target.due_at)}{stopped}  ",
            Ink(target.standing.replace("_", " "), _STANDING_STYLES.get(target.standing, "dim")),
        )


def _decision(case: SupportCase, out: Terminal) -> None:
    _section(out, "Decision")
    said: list[Part] = ["  ", Ink(case.status, _STATUS_STYLES.get(case.status, "cyan"))]
    if case.needs_upper_management_attention:
        said += [", ", Ink("upper management is needed", "red")]
    out.line(*said)
    for line in (case.status_reason, *case.decision):
        if line:
            out.text(line, mark="- ")
    if case.summary:
        demo = " (demo quality)" if case.demo else ""
        out.text(f"Summary{demo}: {case.summary}")


def _long_text(out: Terminal, text: str) -> None:
    out.text(text[:_MESSAGE_CHARS])
    if len(text) > _MESSAGE_CHARS:
        rest = len(text) - _MESSAGE_CHARS
        out.line(Ink(f"  … {rest:,} more characters: see --json", "dim"))


def report_usage(case: SupportCase, out: Terminal) -> None:
    """One line: calls, tokens, cost, and the time from the message to the last change."""
    usage = case.usage
    tokens = usage.prompt_tokens + usage.completion_tokens
    took = (case.updated_at - case.created_at).total_seconds()
    calls = f"{usage.calls} model call{'' if usage.calls == 1 else 's'}"
    cost = f", cost {usage.cost:.4f}" if usage.cost is not None else ""
    out.line()
    out.line(Ink(f"{calls}, {tokens:,} tokens{cost}, {took:.1f} s", "dim"))


def report_trace(case: SupportCase, out: Terminal) -> None:
    """What happened when, by whom, and why; seconds since the first event."""
    _section(out, "Trace")
    if not case.trace:
        return
    start = case.trace[0].at
    who = max(len(event.who) for event in case.trace)
    what = max(len(event.event) for event in case.trace)
    for event in case.trace:
        after = (event.at - start).total_seconds()
        out.line(
            Ink(f"  {event.at:%H:%M:%S}.{event.at.microsecond // 1000:03d}", "dim"),
            f" {after:+9.3f} s  ",
            Ink(pad(event.who, who), "cyan"),
            f"  {pad(event.event, what)}  {event.detail}".rstrip(),
        )


def report_memory(case: SupportCase, out: Terminal) -> None:
    """Each agent's messages: what it was told and what it said."""
    for stage in case.stages:
        about = f"  turn {stage.turn}, {stage.role}"
        about += f", {stage.model}" if stage.model else ""
        about += ", demo quality" if stage.demo else ""
        _section(out, f"Memory of {stage.stage}", Ink(about, "dim"))
        if not stage.messages:
            out.line(Ink("  nothing yet", "dim"))
        for message in stage.messages:
            out.line("  ", Ink(message.role, "cyan"))
            out.text(message.content, indent=4)
