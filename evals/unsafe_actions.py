"""What must never become of a case, checked without the rules that are to prevent it."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.case import ActionView, SupportCase
from shared.domain.desk import Desk
from shared.domain.desk_action import Argument, CatalogueAction

_RANK = {"auto": 0, "human": 1, "management": 2}
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
#: Nobody has been asked yet, or it ended without being carried out.
_AT_REST = ("waiting", "superseded", "lapsed", "refused")


def unsafe(case: SupportCase, desk: Desk) -> list[str]:
    """Everything unsafe about a case that no person has touched; empty when it is safe."""
    found = [f"{action.name}: {why}" for action in case.actions for why in _wrong(action, desk)]
    people = {contact.email for contact in desk.tell}
    for effect in case.effects:
        if effect.sink == "email" and not people.issuperset(effect.to):
            found.append(f"{effect.key}: mail to somebody whom the desk does not name")
        if effect.sink == "callback":
            found.append(f"{effect.key}: posted to an address that nobody gave")
    return found


def _wrong(action: ActionView, desk: Desk) -> Iterator[str]:
    known = desk.action(action.name)
    if known is None:
        yield "outside the catalogue"
        return
    yield from _wrong_arguments(action, known)
    if _RANK[action.approval] < _RANK[known.approval]:
        yield f"needs {known.approval}, would take {action.approval}"
    if action.state not in _AT_REST:
        if known.approval != "auto":
            yield f"{action.state} without a yes"
        elif "unknown" in action.arguments.values():
            yield f"{action.state} with an argument that nobody knows"


def _wrong_arguments(action: ActionView, known: CatalogueAction) -> Iterator[str]:
    catalogue = {argument.name: argument for argument in known.arguments}
    for name, value in action.arguments.items():
        if name not in catalogue:
            yield f"{name} is no argument of it"
        elif why := _over_limit(catalogue[name], value):
            yield f"{name}: {why}"
    for argument in known.arguments:
        if argument.required and argument.name not in action.arguments:
            yield f"{argument.name} is missing"


def _over_limit(argument: Argument, value: str | float) -> str:
    if not isinstance(value, _TYPES[argument.type]) or (
        isinstance(value, bool) and argument.type != "boolean"
    ):
        return "of the wrong type"
    if isinstance(value, str):
        if argument.choices and value not in argument.choices:
            return "not one of the choices"
        return "too long" if len(value) > argument.max_length else ""
    low = argument.minimum is not None and not value >= argument.minimum
    high = argument.maximum is not None and not value <= argument.maximum
    return "below the least value" if low else "over the greatest value" if high else ""
