"""Who is told of a case and who is asked for a yes, and when again. Pure.

| effect | when | to |
|---|---|---|
| ``escalated-{turn}`` | at once | the desk's people; management too when it needs to know |
| ``management-{turn}-…`` | at once, when actions wait for management | management |
| ``remind-{turn}-…`` | after ``remind_after`` without an answer | whoever was asked |
| ``unanswered-{turn}-…`` | after ``escalate_after`` without an answer | management |
| ``undone-{turn}-…`` | ``remind_after`` a yes, not ticked off by hand | who would be asked then |
| ``reaction-{turn}-…`` | at once, when a rule of the desk says so | whom it names |

The last part of a key stands for the actions that wait, so that a stage that runs again asks for
what is new, and for nothing twice. Whoever is told by mail, at once and by itself, is in one mail.
Everybody else has a message of his own, whose key ends in ``-to-…``. ``…-instead`` goes to the next
in line when one of them failed for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from shared.domain.case import SupportCase
from shared.domain.contacts import Contact, flood_end, hears
from shared.domain.desk import Desk
from shared.domain.stage import Action, EffectRequest, Risk, Round, Severity, Subject, Urgency

#: How the names of rounds' partitions begin.
ROUNDS = "round."
_END = "%Y-%m-%dT%H%M%SZ"


def severity_of(urgency: Urgency | None, risks: Iterable[Risk], *, management: bool) -> Severity:
    """How much it matters that somebody hears of a case."""
    found = set(risks)
    if management or urgency == "critical" or "safety" in found:
        return "critical"
    return "high" if urgency == "high" or found else "normal"


def told(
    case: SupportCase, desk: Desk, actions: Sequence[Action], *, management: bool
) -> tuple[EffectRequest, ...]:
    """The messages of an escalation.

    Args:
        case: As of the turn that escalates.
        actions: What is proposed in it and policy kept.
        management: Whether upper management has to know of the case.
    """
    turn = len(case.turns)
    severity = severity_of(case.urgency, (*case.risks, *case.signals), management=management)
    staff = on_duty(desk, "escalated", severity, case.now)
    bosses = on_duty(desk, "management", severity, case.now)
    human = [a.id for a in actions if a.verdict == "ask" and a.approval == "human"]
    grave = [a.id for a in actions if a.verdict == "ask" and a.approval == "management"]
    post = _Post(desk, turn, severity, case.now)
    to = staff + (bosses if management and not grave else ())
    found = [*post.messages(_key(case, "escalated", human), to, stand_in=True)]
    if grave:
        key = f"management-{turn}-{_mark(grave)}"
        # Staff hear of it anyway: only a fallback that the desk names stands in for management.
        found += post.messages(key, bosses, stand_in=any(c.fallback for c in desk.tell))
    soon, late = (
        desk.approvals.due(what, case.now, desk.hours, desk.time_zone)
        for what in ("remind", "escalate")
    )
    for ids, asked in ((human, staff), (grave, bosses)):
        if ids:
            key = f"remind-{turn}-{_mark(ids)}"
            found += post.messages(key, asked, about="reminder", not_before=soon, awaits=ids)
    if every := (*human, *grave):
        key = f"unanswered-{turn}-{_mark(every)}"
        found += post.messages(key, bosses, about="unanswered", not_before=late, awaits=every)
    return tuple(found)


def asks_whether_done(case: SupportCase, desk: Desk, action: Action) -> tuple[EffectRequest, ...]:
    """The messages should nobody tick off what has its yes now and is to be done by hand.

    Args:
        case: As of the turn that the action belongs to, and of now.
    """
    turn, risks = len(case.turns), (*case.risks, *case.signals)
    management = case.needs_upper_management_attention
    severity = severity_of(case.urgency, risks, management=management)
    soon = desk.approvals.due("remind", case.now, desk.hours, desk.time_zone)
    post = _Post(desk, turn, severity, case.now)
    key = f"undone-{turn}-{_mark([action.id])}"
    bosses = action.approval == "management"
    asked = on_duty(desk, "management" if bosses else "escalated", severity, case.now)
    return tuple(post.messages(key, asked, about="undone", not_before=soon, awaits=[action.id]))


def told_of_parking(
    desk: Desk, turn: int, risks: Sequence[Risk], at: datetime, *, management: bool
) -> tuple[EffectRequest, ...]:
    """The messages of a turn that could not be finished: nobody knows yet how grave it is.

    Args:
        risks: What the words themselves show.
        management: Whether upper management has to know of it.
        at: UTC; now.
    """
    severity = severity_of("high", risks, management=management)
    to = on_duty(desk, "escalated", severity, at)
    to += on_duty(desk, "management", severity, at) if management else ()
    return tuple(_Post(desk, turn, severity, at).messages(f"parked-{turn}", to, stand_in=True))


def reacted(
    case: SupportCase, desk: Desk, names: Sequence[str], severity: Severity
) -> tuple[EffectRequest, ...]:
    """The messages to those whom rules of the desk name, whether or not the case escalates."""
    turn = len(case.turns)
    to = tuple(contact for contact in desk.tell if contact.name in names)
    post = _Post(desk, turn, severity, case.now)
    return tuple(post.messages(f"reaction-{turn}-{_mark(names)}", to, about="reaction"))


def on_duty(
    desk: Desk, about: Literal["escalated", "management"], severity: Severity, at: datetime
) -> tuple[Contact, ...]:
    """Who is told at that hour; where there is somebody to tell, never nobody."""
    every = [c for c in desk.tell if c.about == about and not c.fallback]
    found = [c for c in every if hears(c, severity) and desk.timetable.on_duty(c, at)]
    if found or not (every or about == "escalated"):
        return tuple(found)
    return next_in_line(desk, ()) or tuple(every[:1])


def next_in_line(desk: Desk, told_already: Iterable[Contact]) -> tuple[Contact, ...]:
    """Who is told when those who should be cannot: the fallback, else the first of the others."""
    left = [c for c in desk.tell if c.about == "escalated" and c not in set(told_already)]
    return tuple(sorted(left, key=lambda contact: not contact.fallback)[:1])


def people(desk: Desk, about: Literal["escalated", "management"]) -> tuple[str, ...]:
    """The addresses of those who are told of this."""
    return tuple(dict.fromkeys(c.address for c in desk.tell if c.about == about))


def listed(desk: Desk, round_: Round, asked: EffectRequest) -> tuple[EffectRequest, ...]:
    """What the closing of a round asks for: its message, and who is told should that fail.

    Args:
        asked: A message that is in its list.
    """
    sent = EffectRequest(
        key="gathered", sink=asked.sink, to=asked.to, turn=1, severity=asked.severity
    )
    known = [contact for contact in desk.tell if contact.name == round_.who]
    others = [
        _request("gathered-instead", contact, 1, severity=asked.severity, instead_of=(sent.key,))
        for contact in next_in_line(desk, known)
    ]
    return (sent, *others)


class _Post:
    """Messages about one turn.

    Args:
        at: UTC; when they are asked for.
    """

    def __init__(self, desk: Desk, turn: int, severity: Severity, at: datetime) -> None:
        self._desk = desk
        self._turn = turn
        self._severity = severity
        self._at = at

    def messages(
        self,
        key: str,
        to: Sequence[Contact],
        *,
        about: Subject = "case",
        not_before: datetime | None = None,
        awaits: Iterable[str] = (),
        stand_in: bool = False,
    ) -> Iterable[EffectRequest]:
        """The messages to these, if there are any."""
        more: dict[str, Any] = {
            "about": about,
            "not_before": not_before,
            "awaits": tuple(awaits),
            "severity": self._severity,
        }
        rounds = {c.name: self._round(c, not_before or self._at) for c in to}
        together = [c for c in to if c.channel == "email" and rounds[c.name] is None]
        alone = [c for c in to if c not in together]
        found = [_request(key, contact, self._turn, **more) for contact in together[:1]]
        if found:
            addresses = tuple(dict.fromkeys(contact.address for contact in together))
            found = [found[0].model_copy(update={"to": addresses})]
        found += [
            _request(f"{key}-to-{_mark([c.name])}", c, self._turn, round=rounds[c.name], **more)
            for c in dict.fromkeys(alone)
        ]
        yield from found
        for contact in next_in_line(self._desk, to) if stand_in and found else ():
            keys = tuple(request.key for request in found)
            yield _request(f"{key}-instead", contact, self._turn, instead_of=keys, **more)

    def _round(self, contact: Contact, at: datetime) -> Round | None:
        """Where a message of that time may be listed instead."""
        urgent = self._severity == "critical"
        said: dict[str, Any] = {"desk": self._desk.name, "who": contact.name}
        if not urgent and (end := self._desk.timetable.quiet_until(contact, at)):
            return Round(
                id=_round_id("quiet", contact, self._desk, end), end=end, why="quiet", **said
            )
        if self._desk.flood is None:
            return None
        # What is critical is counted by itself: a flood of anything else never holds it back.
        kind = "critical" if urgent else "flood"
        end = flood_end(self._desk.flood, at)
        free = self._desk.flood.more_than
        found = _round_id(kind, contact, self._desk, end)
        return Round(id=found, end=end, why="flood", free=free, **said)


def _round_id(kind: str, contact: Contact, desk: Desk, end: datetime) -> str:
    # Of characters that a Message-ID can have: the list's mail is named after it.
    return f"{ROUNDS}{desk.name}.{_mark([contact.name, contact.address])}.{kind}.{end:{_END}}"


def _request(key: str, contact: Contact, turn: int, **more: Any) -> EffectRequest:
    return EffectRequest(key=key, sink=contact.channel, to=(contact.address,), turn=turn, **more)


def _key(case: SupportCase, what: str, asks: Sequence[str]) -> str:
    """The turn's key; one of its own when an earlier run has told, and there is more to ask."""
    turn = len(case.turns)
    first = f"{what}-{turn}"
    asked_before = {action for effect in case.effects for action in effect.awaits}
    told_before = any(
        effect.key == first or effect.key.startswith(f"{first}-to-") for effect in case.effects
    )
    return f"{first}-{_mark(asks)}" if told_before and set(asks) - asked_before else first


def _mark(ids: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(sorted(ids)).encode()).hexdigest()[:8]
