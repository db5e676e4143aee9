"""What a round's message says: how many messages it stands for, and of which cases. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from shared.domain.case import SupportCase
from shared.domain.masking import mask
from shared.domain.partition import Partition
from shared.domain.rows import Member
from shared.domain.stage import EffectRequest, Record, Severity, Subject

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_WHAT_CHARS = 200
_ABOUT: dict[Subject, str] = {
    "case": "needs a person",
    "reminder": "still waits for a yes or no",
    "unanswered": "nobody has answered",
    "undone": "not ticked off yet",
    "reaction": "a rule of the desk",
}


class Gathering(Record):
    """All that one round's message says.

    Attributes:
        title: The desk's.
        end: UTC; when the list was closed.
        before: How many had gone out by themselves.
        members: The most severe first.
    """

    desk: str
    title: str
    time_zone: str
    why: Literal["quiet", "flood"]
    end: datetime
    before: int = 0
    members: tuple[Member, ...] = ()


def gathering(view: Partition, title: str, time_zone: str) -> Gathering | None:
    """What a closed round has to say; None when it was closed before anybody was in it."""
    first = view.gathered[0]
    if first.round is None:
        return None
    members = [row.member for row in view.gathered if row.member]
    listed = members[first.round.free :]
    return Gathering(
        desk=first.desk,
        title=title,
        time_zone=time_zone,
        why=first.round.why,
        end=first.round.end,
        before=len(members) - len(listed),
        members=tuple(sorted(listed, key=lambda m: -_SEVERITIES.index(m.severity))),
    )


def member_of(case: SupportCase, request: EffectRequest, generation: int) -> Member:
    """How a list names a case."""
    waiting = ", ".join(a.name for a in case.actions if a.state == "waiting")
    to_do = ", ".join(a.name for a in case.actions if a.state == "to_do")
    why = [f"{_ABOUT[request.about]}; message {request.turn}"]
    why += [f"waits for a yes: {waiting}"] if waiting else []
    why += [f"to do by hand: {to_do}"] if to_do else []
    return Member(
        case_id=case.case_id,
        effect=request.key,
        generation=generation,
        severity=request.severity,
        what=shown(case.summary or ""),
        why="; ".join(why),
    )


def shown(text: str, most: int = _WHAT_CHARS) -> str:
    """Masked and cut: it leaves for mail boxes and chat rooms."""
    return " ".join(mask(text[: 4 * most]).text.split())[:most]
