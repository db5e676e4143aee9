"""Whether somebody may still decide on an action, told in words that a page can show. Pure."""

from __future__ import annotations

from typing import Literal

from shared.domain.partition import Partition
from shared.domain.proposed import Proposed
from shared.domain.rows import ActRow
from shared.errors import RequestError

Decision = Literal["approve", "reject", "done"]

_SAID = {"approve": "approved", "reject": "rejected", "done": "carried out by hand"}


def named_action(view: Partition, name: str, act: Decision) -> Proposed:
    """The action of an id, or of a name when only one can be meant.

    Raises:
        RequestError: 404 there is none, 409 there are several.
    """
    if found := view.action(name):
        return found
    named = [a for a in view.actions if a.action.name == name]
    wanted = [a for a in named if (a.waits if act != "done" else _by_hand(view, a))]
    if len(wanted or named) == 1:
        return (wanted or named)[0]
    if named:
        ids = ", ".join(a.action.id for a in wanted or named)
        raise RequestError(409, "More than one action of that name", f"Name one by its id: {ids}.")
    known = ", ".join(a.action.id for a in view.actions) or "none"
    raise RequestError(404, "No such action", f"This case has: {known}.")


def decided_already(found: Proposed, act: Decision) -> bool:
    """True when this very decision stands; another one is told.

    Raises:
        RequestError: 409 it was decided otherwise, by whom and when.
    """
    stands = found.ticked if act == "done" else found.decision
    if stands is not None and stands.act != act:
        raise _decided(found, stands)
    return stands is not None


def check_decidable(view: Partition, found: Proposed) -> None:
    """Refuses to show somebody for a decision what is decided or not to be decided on.

    Raises:
        RequestError: 409, says why.
    """
    by_hand = _by_hand(view, found)
    if stands := found.ticked or (None if by_hand else found.decision):
        raise _decided(found, stands)
    check_open(view, found, "done" if by_hand else "approve")


def _decided(found: Proposed, stands: ActRow) -> RequestError:
    when = f"{stands.at:%Y-%m-%d %H:%M} UTC"
    detail = f"{found.action.name} was {_SAID[stands.act]} by {stands.by} on {when}."
    return RequestError(409, "Already decided", detail)


def check_open(view: Partition, found: Proposed, act: Decision) -> None:
    """Refuses what is not to be decided on any more.

    Raises:
        RequestError: 409, says why.
    """
    if view.cancelled:
        raise RequestError(409, "The case was cancelled", "Nothing more of it is carried out.")
    if not found.open:
        raise RequestError(409, "The case was resolved", "Somebody has dealt with it already.")
    name = found.action.name
    if act == "done":
        if not _by_hand(view, found):
            why = "waits for a yes first" if found.waits else "is not for a person to do"
            raise RequestError(409, "Nothing to tick off", f"{name} {why}.")
        return
    if found.action.verdict == "execute" and found.current:
        raise RequestError(409, "Nothing to decide", f"{name} needs nobody's yes.")
    if not found.waits:
        raise RequestError(
            409, "No longer proposed", f"The assessment was made again, without {name} as it was."
        )


def _by_hand(view: Partition, found: Proposed) -> bool:
    """Whether a person is to do it, or may have done what its backend did not."""
    effect = view.action_effect(found.action.id)
    if effect is not None:
        return effect.phase in ("refused", "uncertain")
    return found.by_hand
