"""The action catalogue as the model sees it, and what a proposal's arguments must satisfy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.domain.desk_action import Argument, CatalogueAction
from shared.domain.written import is_storable

if TYPE_CHECKING:
    from shared.domain.desk import Desk

Value = str | int | float | bool

#: What the escalation agent is told to write when the message does not say a required value.
UNKNOWN = "unknown"

_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
# Whole numbers above 2**53 change on their way through JSON readers that know only doubles.
_LARGEST = 2**53
#: Characters of an argument that a model does not come near unless it is told to.
_PLENTY = 50
#: Properties of a strict schema; the answer around the proposals takes some more.
#: https://learn.microsoft.com/azure/ai-services/openai/how-to/structured-outputs
_MOST_PROPERTIES = 90


class _UnusableError(Exception):
    """What is wrong with one value."""


def check_arguments(
    action: CatalogueAction, arguments: Mapping[str, object]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """What is usable of proposed arguments, and everything that is wrong with them.

    Text that is plainly a number or a boolean is read as one where the catalogue wants one, and
    is then held to the same limits. An optional argument that is empty or ``unknown`` is left out.
    Text that only repeats the argument's name or description says nothing and is a problem.

    Args:
        action: The catalogue's action.
        arguments: Values as the model wrote them, by argument name.

    Returns:
        Arguments that satisfy the catalogue, and one line per problem. Only without problems are
        the arguments complete.
    """
    cleaned: dict[str, Value] = {}
    problems: list[str] = []
    for argument in action.arguments:
        given = arguments.get(argument.name)
        if not argument.required and _says_nothing(given):
            continue
        try:
            cleaned[argument.name] = _READERS[argument.type](argument, given)
        except _UnusableError as error:
            problems.append(f"{argument.name}: {error}")
    known = {argument.name for argument in action.arguments}
    problems += [f"{name[:40]!r}: not an argument" for name in arguments if name not in known]
    return cleaned, tuple(problems)


def catalogue_for_model(desk: Desk) -> dict[str, dict[str, Any]]:
    """The catalogue as compact JSON for a prompt; who approves is not the model's business.

    Returns:
        ``{name: {"does", "when", "arguments": {name: about}}}``, where ``about`` is the
        description, or ``{"about", "type", "choices", "max_length", "minimum", "maximum",
        "optional"}`` with only what differs from a required text that nobody writes too long.
    """
    return {
        action.name: {
            "does": action.description,
            "when": action.when,
            "arguments": {argument.name: _about(argument) for argument in action.arguments},
        }
        for action in desk.actions
    }


def _about(argument: Argument) -> str | dict[str, Any]:
    shown: dict[str, Any] = {"about": argument.description}
    if argument.type != "text":
        shown["type"] = argument.type
    elif argument.choices:
        shown["choices"] = list(argument.choices)
    elif argument.max_length < _PLENTY:
        shown["max_length"] = argument.max_length
    if argument.minimum is not None:
        shown["minimum"] = _plain(argument.minimum)
    if argument.maximum is not None:
        shown["maximum"] = _plain(argument.maximum)
    if not argument.required:
        shown["optional"] = True
    return shown if len(shown) > 1 else argument.description


def proposals_schema(desk: Desk, about_reason: str) -> dict[str, Any] | None:
    """The strict schema of one proposed action: a name from the catalogue and its own arguments.

    Returns:
        None for a catalogue that is too large for a strict schema.
    """
    count = sum(3 + len(action.arguments) for action in desk.actions)
    if count > _MOST_PROPERTIES:
        return None
    return {"anyOf": [_proposal(action, about_reason) for action in desk.actions]}


def _proposal(action: CatalogueAction, about_reason: str) -> dict[str, Any]:
    arguments = {argument.name: _value_schema(argument) for argument in action.arguments}
    return _object(
        {
            "name": {"type": "string", "enum": [action.name]},
            "arguments": _object(arguments),
            "reason": {"type": "string", "description": about_reason},
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _value_schema(argument: Argument) -> dict[str, Any]:
    kind = "string" if argument.type == "text" else argument.type
    schema: dict[str, Any] = {"type": kind if argument.required else [kind, "null"]}
    if argument.choices:
        schema["enum"] = [*argument.choices, *(() if argument.required else (None,))]
    return schema


def _says_nothing(given: object) -> bool:
    return given is None or (isinstance(given, str) and given.strip().casefold() in ("", UNKNOWN))


def _read_text(argument: Argument, given: object) -> str:
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) <= _LARGEST:
        given = str(given)  # a room number that the model wrote as a number
    text = _text_of(given).strip()
    if not text:
        raise _UnusableError("missing")
    if argument.choices:
        alike = (choice for choice in argument.choices if choice.casefold() == text.casefold())
        choice = next(alike, None)
        if choice is None:
            raise _UnusableError(f"not one of {', '.join(argument.choices)}")
        return choice
    if _letters(text) in (_letters(argument.description), _letters(argument.name)):
        raise _UnusableError("repeats what the argument is about")
    if len(text) > argument.max_length:
        raise _UnusableError(f"longer than {argument.max_length} characters")
    if not is_storable(text):
        raise _UnusableError("holds control characters")
    return text


def _letters(text: str) -> str:
    """Letters and digits alone: small models change a full stop, quotes or capitals."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _read_integer(argument: Argument, given: object) -> int:
    if isinstance(given, str) and _INTEGER.fullmatch(given.strip()):
        given = int(given)
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise _UnusableError("missing" if given is None else "not a whole number")
    _hold_to_limits(argument, given)
    return given


def _read_number(argument: Argument, given: object) -> float:
    if isinstance(given, str) and _NUMBER.fullmatch(given.strip()):
        given = float(given)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _UnusableError("missing" if given is None else "not a number")
    _hold_to_limits(argument, given)
    return float(given)


def _read_boolean(_: Argument, given: object) -> bool:
    if isinstance(given, bool):
        return given
    answer = {"true": True, "false": False}.get(_text_of(given).strip().casefold())
    if answer is None:
        raise _UnusableError("not true or false")
    return answer


_READERS: dict[str, Callable[[Argument, object], Value]] = {
    "text": _read_text,
    "integer": _read_integer,
    "number": _read_number,
    "boolean": _read_boolean,
}


def _text_of(given: object) -> str:
    if not isinstance(given, str):
        raise _UnusableError("missing" if given is None else "not text")
    return given


def _hold_to_limits(argument: Argument, value: float) -> None:
    # Written so that NaN, which compares false with everything, fails.
    if not -_LARGEST <= value <= _LARGEST:
        raise _UnusableError("not a usable number")
    if argument.minimum is not None and value < argument.minimum:
        raise _UnusableError(f"less than {_plain(argument.minimum)}")
    if argument.maximum is not None and value > argument.maximum:
        raise _UnusableError(f"more than {_plain(argument.maximum)}")


def _plain(limit: float) -> float:
    """A limit as people write it: 50, not 50.0."""
    return int(limit) if limit.is_integer() else limit
