"""The mail that tells a desk's people of a case: plain text and HTML from the same parts. Pure.

Customers and models wrote most of what is in it, so all of it is hostile: made visible, cut to a
length, escaped, and set apart from what Frontdesk itself says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from shared.domain.case import ActionState, ActionView, StageView, SupportCase
from shared.domain.desk import Desk
from shared.domain.letter_text import Letter, link, one_line, visible
from shared.domain.masking import mask
from shared.domain.notices import Block, Item, Notice
from shared.domain.stage import Subject

_SUBJECT_CHARS = 150
_TITLE_CHARS = 60
_LINE_CHARS = 500
_QUOTE_CHARS = 2000
_MAX_LINES = 30
_MOST_REASONS = 10

#: What became of an action, to be read after its name or after "It".
STATES: dict[ActionState, str] = {
    "under_way": "is being carried out",
    "to_do": "is for you to do by hand",
    "done": "is done",
    "rejected": "was rejected",
    "refused": "could not be carried out",
    "uncertain": "may have been carried out or not; look before you repeat it",
    "lapsed": "was not carried out, because the case was closed before",
}
_OPENINGS = {
    "case": "a customer's message needs a person.",
    "reminder": "nobody has said yes or no yet to what a customer's message needs.",
    "unanswered": "nobody has answered, so this comes to management.",
    "undone": "nobody has ticked off yet what is to be done by hand.",
    "reaction": "a rule of the desk has you told of a customer's message.",
}
_BUDGETS = {
    "case_budget_used_up": "The case may not use the model any more, unless its limit is raised.",
    "desk_budget_used_up": "The desk may not use the model before midnight UTC, unless its limit "
    "for the day is raised.",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading with lines below it. ``quoted``: somebody else's words, marked as such."""

    heading: str
    lines: tuple[str | _Linked, ...]
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class _Linked:
    """A line, and where its reader does something about it: a URL, or a command."""

    text: str
    what: str
    where: str


def escalation_letter(
    case: SupportCase,
    desk: Desk,
    look: str,
    decide: Mapping[str, str] | None = None,
    about: Subject = "case",
) -> Letter:
    """What the desk's people need to know of a case that needs a person.

    Args:
        case: As of the turn that it is about.
        desk: Its desk.
        look: Where to see the whole case: a URL, or a command.
        decide: Where the readers decide on actions, by id: URLs, or commands.
        about: What makes us write.
    """
    title = one_line(desk.title, _TITLE_CHARS)
    opening = _opening(case, title, about)
    parts = [part for part in _parts(case, decide or {}) if part.lines]
    footer = f"Case {case.case_id}, desk {case.desk}, message {len(case.turns)}."
    subject = _subject(case, title, about)
    return Letter(
        subject,
        _as_text(opening, parts, look, footer),
        _as_html(subject, opening, parts, look, footer),
    )


def case_notice(
    case: SupportCase,
    desk: Desk,
    look: str,
    decide: Mapping[str, str] | None = None,
    about: Subject = "case",
) -> Notice:
    """The same for a chat: shorter, without the customer's own words, and masked once more."""
    title = one_line(desk.title, _TITLE_CHARS)
    opening = _opening(case, title, about)
    actions = (
        Item(_masked(item.text), what=item.what, where=item.where)
        if isinstance(item, _Linked)
        else Item(_masked(item))
        for item in _actions(case, decide or {})
    )
    what = _masked(case.summary or "")
    why = _lines((*case.decision, case.status_reason))[:_MOST_REASONS]
    blocks = (
        Block("What happened", (Item(what or "(no summary)", where=look),)),
        Block("Actions", tuple(actions)),
        Block("Why it comes to you", tuple(Item(_masked(line)) for line in why)),
    )
    return Notice(
        subject=_masked(_subject(case, title, about)),
        opening=opening,
        lines=(*_asked(case), *_assessment(case)),
        blocks=tuple(block for block in blocks if block.items),
        notes=(f"Case {case.case_id}, desk {case.desk}, message {len(case.turns)}.",),
        rest="the case has all of it.",
    )


def _masked(text: str) -> str:
    return one_line(mask(text).text, _LINE_CHARS)


def ticket_note(case: SupportCase, look: str) -> tuple[str, str]:
    """What colleagues see of a turn inside their CRM: an internal note, as text and as HTML.

    Args:
        case: As of the turn that it is about.
        look: Where to see the whole case: a URL, or a command.
    """
    opening = "Frontdesk: this message needs a person." if case.escalated else "Frontdesk"
    if case.demo:
        opening += " A demonstration model wrote the assessment."
    every = (
        _Part("What is asked of you", tuple(_asked(case)) if case.escalated else ()),
        _Part("What happened", _quote(case.summary), quoted=True),
        _Part("Assessment", tuple(_assessment(case))),
        _Part("Why", _lines((*case.decision, case.status_reason))),
        _Part("Actions", tuple(_actions(case, {}))),
    )
    parts = [part for part in every if part.lines]
    footer = f"Case {case.case_id}, message {len(case.turns)}."
    return _as_text(opening, parts, look, footer), _as_fragment(opening, parts, look, footer)


def escalation_ticket(case: SupportCase, desk: Desk) -> tuple[str, str]:
    """The same for a ticket system: title and text, without where the case is."""
    title = one_line(desk.title, _TITLE_CHARS)
    parts = [part for part in _parts(case, {}) if part.lines]
    return _subject(case, title, "case"), "\n\n".join(_blocks(_opening(case, title, "case"), parts))


def _opening(case: SupportCase, title: str, about: Subject) -> str:
    demo = " A demonstration model wrote the reply and the assessment." if case.demo else ""
    return f"{title}: {_OPENINGS[about]}{demo}"


def _subject(case: SupportCase, title: str, about: Subject) -> str:
    urgency = f"{case.urgency}: " if case.urgency in ("high", "critical") else ""
    late = "not done yet: " if about == "undone" else "no answer yet: "
    urgency = f"{'' if about == 'case' else late}{urgency}"
    demo = "demo model: " if case.demo else ""
    what = case.summary or "a customer's message needs a person"
    return one_line(f"[{title}] {urgency}{demo}{what}", _SUBJECT_CHARS)


def _parts(case: SupportCase, decide: Mapping[str, str]) -> Iterable[_Part]:
    yield _Part("What is asked of you", tuple(_asked(case)))
    yield _Part("What happened", _quote(case.summary), quoted=True)
    yield _Part("Assessment", tuple(_assessment(case)))
    yield _Part("Why it comes to you", _lines((*case.decision, case.status_reason)))
    yield _Part("Actions", tuple(_actions(case, decide)))
    yield _Part("The customer wrote", _quote(case.customer_query), quoted=True)
    if masked := case.turns[-1].masked:
        yield _Part("Masked in it before it was stored", (", ".join(masked),))
    if case.support_response:
        held_back = "The desk's acknowledgement, as the model's reply was held back"
        heading = held_back if case.reply_held_back else "Our reply"
        yield _Part(heading, _quote(case.support_response), quoted=True)
    else:
        yield _Part("Our reply", ("None could be written: the customer has no answer yet.",))


def _asked(case: SupportCase) -> Iterable[str]:
    if stuck := [s for s in case.stages if s.state == "error" and s.turn == len(case.turns)]:
        yield f"Look at what could not be finished: {', '.join(_stuck(s) for s in stuck)}."
        yield "Write to the customer where our reply is missing or not enough."
        codes = {s.error.code for s in stuck if s.error}
        yield from (said for code, said in _BUDGETS.items() if code in codes)
        yield f"Once the cause is repaired, have it done again: ./frontdesk replay {case.case_id}"
        return
    answered = (
        "has only an acknowledgement" if case.reply_held_back else "may need more than our reply"
    )
    yield f"Take the case over: read it, and write to the customer, who {answered}."
    if any(action.state == "waiting" for action in case.actions):
        yield "Decide on the actions below that wait for a yes."
    if any(action.state == "to_do" for action in case.actions):
        yield "Carry out the actions below that are for you to do."
    if case.needs_upper_management_attention:
        yield "Make sure that upper management knows of it."


def _stuck(stage: StageView) -> str:
    return f"{stage.stage} ({stage.error.code})" if stage.error else stage.stage


def _assessment(case: SupportCase) -> Iterable[str]:
    if case.sentiment:
        yield f"Sentiment: {case.sentiment}"
    if case.urgency:
        yield f"Urgency: {case.urgency}"
    if case.risks or case.signals:
        yield f"Risks: {', '.join(dict.fromkeys((*case.risks, *case.signals)))}"
    if case.wants_human:
        yield "The customer asks for a person."
    if case.needs_upper_management_attention:
        yield "Needs upper management's attention."
    if case.language:
        yield f"Language: {one_line(case.language, 20)}"


def _actions(case: SupportCase, decide: Mapping[str, str]) -> Iterable[str | _Linked]:
    for action in case.actions[-_MAX_LINES:]:
        if action.state in ("superseded", "lapsed"):
            continue
        line = one_line(_proposed(action), _LINE_CHARS)
        if where := decide.get(action.id, ""):
            yield _Linked(line, "Done" if action.state == "to_do" else "Decide", where)
        else:
            yield line


def _proposed(action: ActionView) -> str:
    given = ", ".join(f"{name}: {value}" for name, value in action.arguments.items())
    details = f" ({given})" if given else ""
    who = "management" if action.approval == "management" else "a colleague"
    state = f"waits for {who}'s yes" if action.state == "waiting" else STATES[action.state]
    rule = f" {action.rule.capitalize()}." if action.state == "waiting" and action.rule else ""
    why = f" Why: {action.reason}" if action.reason else ""
    return f"{action.name}{details} {state}.{rule}{why}"


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    lines = (one_line(text, _LINE_CHARS) for text in texts)
    return tuple(filter(None, lines))[:_MAX_LINES]


def _quote(text: str | None) -> tuple[str, ...]:
    shown = visible(text or "", _QUOTE_CHARS)
    lines = shown.split("\n") if shown else []
    more = ("…",) if len(lines) > _MAX_LINES else ()
    return (*lines[:_MAX_LINES], *more)


def _as_text(opening: str, parts: Iterable[_Part], look: str, footer: str) -> str:
    return "\n\n".join([*_blocks(opening, parts), f"The whole case\n{look}", footer]) + "\n"


def _blocks(opening: str, parts: Iterable[_Part]) -> Iterable[str]:
    yield opening
    for part in parts:
        mark = "> " if part.quoted else "- "
        lines = (f"{mark}{_as_line(line)}".rstrip() for line in part.lines)
        yield "\n".join([part.heading, *lines])


def _as_line(line: str | _Linked) -> str:
    return f"{line.text}\n  {line.what}: {line.where}" if isinstance(line, _Linked) else line


def _as_html(subject: str, opening: str, parts: Iterable[_Part], look: str, footer: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{escape(subject)}</title></head>\n<body>\n"
        + _as_fragment(opening, parts, look, footer)
        + "\n</body>\n</html>\n"
    )


def _as_fragment(opening: str, parts: Iterable[_Part], look: str, footer: str) -> str:
    blocks = [f"<p><strong>{escape(opening)}</strong></p>"]
    for part in parts:
        blocks.append(f"<h2>{escape(part.heading)}</h2>")
        # dir="auto": Arabic and Hebrew read in their own direction and disturb nothing around.
        if part.quoted:
            said = "<br>\n".join(_as_item(line) for line in part.lines)
            blocks.append(f'<blockquote dir="auto">{said}</blockquote>')
        else:
            items = "".join(f'<li dir="auto">{_as_item(line)}</li>\n' for line in part.lines)
            blocks.append(f"<ul>\n{items}</ul>")
    blocks.append(f"<h2>The whole case</h2>\n<p>{link(look, look)}</p>\n<p>{escape(footer)}</p>")
    return "\n".join(blocks)


def _as_item(line: str | _Linked) -> str:
    if isinstance(line, _Linked):
        return f"{escape(line.text)}<br>\n{link(line.where, line.what)}"
    return escape(line)
