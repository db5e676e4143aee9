"""Texts with gaps in what desk files say of an action's backend: checked at load, filled later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shared.domain.templates import gaps
from shared.errors import PermanentError

if TYPE_CHECKING:
    from shared.adapters.backends import Shape
    from shared.domain.desk_action import CatalogueAction
    from shared.domain.stage import Action
    from shared.ports import EffectCall

#: Gaps that every text may have besides those of the action's arguments.
OWN = ("case_id", "turn", "desk", "action")


def gap_problems(field: str, text: str, shape: Shape, *, whole: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with a text's gaps, as field and reason.

    Args:
        whole: No gap may be left empty.
    """
    try:
        names = gaps(text)
    except ValueError as error:
        yield field, str(error)
        return
    for name in names:
        if name not in shape.arguments and name not in OWN:
            known = ", ".join((*shape.arguments, *OWN))
            yield field, f"{{{name}}} is no argument of this action; known are {known}"
        elif whole and not shape.arguments.get(name, True):
            yield field, f"{{{name}}} may be missing: make the argument required, or leave it out"


def action_of(call: EffectCall) -> tuple[Action, CatalogueAction]:
    """The action that an effect carries out, and what the desk says of it.

    Raises:
        PermanentError: ``action_missing``.
    """
    action = call.request.action
    known = call.desk.action(action.name) if action else None
    if action is None or known is None:
        raise PermanentError("action_missing", "the effect carries no action of this desk")
    return action, known


def gap_values(call: EffectCall, action: Action) -> dict[str, Any]:
    """What goes into the gaps."""
    own = {
        "case_id": call.case.case_id,
        "turn": call.request.turn,
        "desk": call.desk.name,
        "action": action.name,
    }
    return {**action.arguments, **own}
