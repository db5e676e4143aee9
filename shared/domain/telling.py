"""Who is told of a case and who is asked for a yes, and when again. Pure.

| effect | when | to |
|---|---|---|
| ``escalated-{turn}`` | at once | the desk's people; management too when it needs to know |
| ``management-{turn}-…`` | at once, when actions wait for management | management |
| ``remind-{turn}-…`` | after ``remind_after`` without an answer | whoever was asked |
| ``unanswered-{turn}-…`` | after ``escalate_after`` without an answer | management |
| ``reaction-{turn}-…`` | at once, when a rule of the desk says so | whom it names |

The last part of a key stands for the actions that wait, so that a stage that runs again asks for
what is new, and for nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.stage import Action, EffectRequest, Subject


def told(
    case: SupportCase, desk: Desk, actions: Sequence[Action], *, management: bool
) -> tuple[EffectRequest, ...]:
    """The messages of an escalation.

    Args:
        case: As of the turn that escalates; times count from its last change.
        actions: What policy kept of this run's proposals.
        management: Whether upper management has to know of the case.
    """
    turn, bosses, staff = len(case.turns), people(desk, "management"), people(desk, "escalated")
    human = [a.id for a in actions if a.verdict == "ask" and a.approval == "human"]
    grave = [a.id for a in actions if a.verdict == "ask" and a.approval == "management"]
    to = staff + (bosses if management and not grave else ())
    found = [*mails(_key(case, "escalated", human), to, turn)]
    if grave:
        found += mails(f"management-{turn}-{_mark(grave)}", bosses, turn)
    soon, late = (
        desk.approvals.due(what, case.updated_at, desk.hours, desk.time_zone)
        for what in ("remind", "escalate")
    )
    for ids, asked in ((human, staff), (grave, bosses)):
        if ids:
            key = f"remind-{turn}-{_mark(ids)}"
            found += mails(key, asked, turn, about="reminder", not_before=soon, awaits=ids)
    if every := (*human, *grave):
        key = f"unanswered-{turn}-{_mark(every)}"
        found += mails(key, bosses, turn, about="unanswered", not_before=late, awaits=every)
    return tuple(found)


def reacted(case: SupportCase, desk: Desk, names: Sequence[str]) -> tuple[EffectRequest, ...]:
    """The messages to those whom rules of the desk name, whether or not the case escalates."""
    turn = len(case.turns)
    to = tuple(contact.email for contact in desk.tell if contact.name in names)
    return mails(f"reaction-{turn}-{_mark(names)}", to, turn, about="reaction")


def mails(
    key: str,
    to: tuple[str, ...],
    turn: int,
    *,
    about: Subject = "case",
    not_before: datetime | None = None,
    awaits: Iterable[str] = (),
) -> tuple[EffectRequest, ...]:
    """The mail to these people, if there are any."""
    request = EffectRequest(
        key=key, sink="email", to=tuple(dict.fromkeys(to)), turn=turn, about=about,
        not_before=not_before, awaits=tuple(awaits),
    )  # fmt: skip
    return (request,) if to else ()


def people(desk: Desk, about: Literal["escalated", "management"]) -> tuple[str, ...]:
    """The addresses of those who are told of this."""
    return tuple(dict.fromkeys(c.email for c in desk.tell if c.about == about))


def _key(case: SupportCase, what: str, asks: Sequence[str]) -> str:
    """The turn's key; one of its own when an earlier run has told, and there is more to ask."""
    turn = len(case.turns)
    first = f"{what}-{turn}"
    asked_before = {action for effect in case.effects for action in effect.awaits}
    told_before = any(effect.key == first for effect in case.effects)
    return f"{first}-{_mark(asks)}" if told_before and set(asks) - asked_before else first


def _mark(ids: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(sorted(ids)).encode()).hexdigest()[:8]
