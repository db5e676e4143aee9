"""Whatever a model proposes: what comes out satisfies the catalogue, or there is a problem."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.catalogue import catalogue_for_model, check_arguments, proposals_schema
from shared.domain.desk import Desk
from shared.domain.desk_action import Argument, CatalogueAction

NAMES = ("room", "amount", "kind", "vip")


def action(*arguments: dict[str, Any]) -> CatalogueAction:
    said = [{"name": "value", "description": "d"} | argument for argument in arguments]
    return CatalogueAction.model_validate(
        {"name": "act", "description": "Does it.", "when": "Wanted.", "arguments": said}
    )


def check(argument: dict[str, Any], value: object) -> Any:
    cleaned, problems = check_arguments(action(argument), {"value": value})
    return problems or cleaned.get("value", "left out")


REFUND = {"type": "number", "minimum": 1, "maximum": 50}
ABOUT = {"description": "What is to be refunded"}
REPEATED = "value: repeats what the argument is about"
STARS = {"type": "integer", "minimum": 1, "maximum": 5}
OPTIONAL = {"required": False}


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [
        ({}, "  12b ", "12b"),
        ({}, 412, "412"),
        ({}, "unknown", "unknown"),
        (ABOUT, "What is to be refunded is the minibar", "What is to be refunded is the minibar"),
        ({"description": "late", "choices": ["late", "early"]}, "late", "late"),
        (OPTIONAL, "Unknown", "left out"),
        (OPTIONAL, " ", "left out"),
        (OPTIONAL, None, "left out"),
        (OPTIONAL | REFUND, "unknown", "left out"),
        ({"choices": ["Late check-out"]}, "late CHECK-OUT", "Late check-out"),
        (STARS, "2", 2),
        (STARS, 2.0, 2),
        (STARS, "+2", 2),
        (REFUND, "12.50", 12.5),
        (REFUND, 50, 50.0),
        ({"type": "boolean"}, "True", True),
        ({"type": "boolean"}, False, False),
        ({"type": "integer"}, -7, -7),
    ],
)
def test_a_usable_value_is_kept(argument: dict[str, Any], value: object, expected: object) -> None:
    kept = check(argument, value)
    assert (kept, type(kept)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("argument", "value", "problem"),
    [
        ({}, None, "value: missing"),
        ({}, "  ", "value: missing"),
        ({}, 1.5, "value: not text"),
        ({}, True, "value: not text"),
        ({}, ["12"], "value: not text"),
        pytest.param({}, 10**5000, "value: not text", id="5001 digits"),
        ({}, "x" * 201, "value: longer than 200 characters"),
        ({}, "a\x00b", "value: holds control characters"),
        ({}, "\ud83d", "value: holds control characters"),
        ({"choices": ["a", "b"]}, "c", "value: not one of a, b"),
        (STARS, "two", "value: not a whole number"),
        (STARS, "2.5", "value: not a whole number"),
        (STARS, "٣", "value: not a whole number"),
        (STARS, "1_0", "value: not a whole number"),
        (STARS, True, "value: not a whole number"),
        (STARS, "unknown", "value: not a whole number"),
        (STARS, None, "value: missing"),
        (STARS, "6", "value: more than 5"),
        (STARS, 0, "value: less than 1"),
        (STARS, "9" * 5000, "value: not a whole number"),
        (REFUND, "5000", "value: more than 50"),
        (REFUND, 50.01, "value: more than 50"),
        (REFUND, "1e1", "value: not a number"),
        (REFUND, "$20", "value: not a number"),
        (REFUND, "1,000", "value: not a number"),
        (REFUND, math.nan, "value: not a usable number"),
        (REFUND, math.inf, "value: not a usable number"),
        (REFUND, 10**400, "value: not a usable number"),
        (REFUND, False, "value: not a number"),
        ({"type": "boolean"}, "yes", "value: not true or false"),
        ({"type": "boolean"}, 1, "value: not text"),
        ({"type": "boolean"}, None, "value: missing"),
        (OPTIONAL | REFUND, 51, "value: more than 50"),
        (ABOUT, "What is to be refunded", REPEATED),
        (ABOUT, ' "what is to be refunded." ', REPEATED),
        (ABOUT, "Value", REPEATED),
        (OPTIONAL | ABOUT, "What is to be refunded?", REPEATED),
        (ABOUT | {"description": "Où"}, "où ?", REPEATED),
    ],
)
def test_an_unusable_value_is_a_problem(
    argument: dict[str, Any], value: object, problem: str
) -> None:
    assert check(argument, value) == (problem,)


def test_every_problem_is_told_and_good_values_are_kept() -> None:
    proposed = {"room": "12", "amount": "much", "name of the cat": "Tom"}

    cleaned, problems = check_arguments(
        action({"name": "room"}, {"name": "amount", "type": "number"}, {"name": "kind"}), proposed
    )

    assert cleaned == {"room": "12"}
    assert problems == (
        "amount: not a number",
        "kind: missing",
        "'name of the cat': not an argument",
    )


numbers = st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-1000, 1000))


@st.composite
def catalogue_arguments(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["text", "number", "integer", "boolean"]))
    said: dict[str, Any] = {"name": name, "type": kind, "required": draw(st.booleans())}
    if kind == "text":
        said["max_length"] = draw(st.integers(7, 50))
        said["choices"] = draw(st.sampled_from([[], ["a"], ["Bar", "Inn", "unknown"]]))
    elif kind != "boolean":
        low, high = draw(numbers), draw(numbers)
        if low is not None and high is not None:
            low, high = min(low, high), max(low, high) + 1
        said |= {"minimum": low, "maximum": high}
    return said


values: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.integers(-2000, 2000).map(str)
    | st.floats(-2e6, 2e6).map(str)
    | st.sampled_from(["true", "FALSE", " 2 ", "unknown", "bar", "a", "1e9", "-0", "٣", "9" * 400]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
actions = st.tuples(*(catalogue_arguments(name) for name in NAMES)).map(lambda all_: action(*all_))
proposals = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), values, max_size=6)


def satisfies(argument: Argument, value: object) -> bool:
    """Written from the documentation of desk files, apart from the code under test."""
    low = -math.inf if argument.minimum is None else argument.minimum
    high = math.inf if argument.maximum is None else argument.maximum
    if argument.type == "text":
        fits = isinstance(value, str) and 0 < len(value.strip()) == len(value)
        listed = not argument.choices or value in argument.choices
        return fits and listed and len(str(value)) <= argument.max_length
    if argument.type == "boolean":
        return value is True or value is False
    wanted = int if argument.type == "integer" else float
    return type(value) is wanted and math.isfinite(value) and low <= value <= high


@settings(deadline=None)  # the machine may be busy
@given(known=actions, proposed=proposals)
def test_what_comes_out_satisfies_the_catalogue(
    known: CatalogueAction, proposed: dict[str, object]
) -> None:
    cleaned, problems = check_arguments(known, proposed)

    by_name = {argument.name: argument for argument in known.arguments}
    assert all(satisfies(by_name[name], value) for name, value in cleaned.items())
    if not problems:
        assert cleaned.keys() >= {a.name for a in known.arguments if a.required}
        assert proposed.keys() <= by_name.keys()
        assert json.loads(json.dumps(cleaned, allow_nan=False).encode()) == cleaned
        assert check_arguments(known, cleaned) == (cleaned, ())


DESK = Desk(
    name="hotel",
    title="Hotel",
    scene="A hotel.",
    actions=(
        action(
            {"name": "room", "max_length": 10},
            {"name": "wish"},
            {"name": "gift", "choices": ["drink"], "required": False},
            {"name": "amount", "type": "number", "minimum": 0.5, "maximum": 300},
        ),
    ),
)


def test_the_model_sees_types_and_limits_but_not_who_approves() -> None:
    assert catalogue_for_model(DESK) == {
        "act": {
            "does": "Does it.",
            "when": "Wanted.",
            "arguments": {
                "room": {"about": "d", "max_length": 10},
                "wish": "d",
                "gift": {"about": "d", "choices": ["drink"], "optional": True},
                "amount": {"about": "d", "type": "number", "minimum": 0.5, "maximum": 300},
            },
        }
    }


def test_a_proposal_can_only_have_a_known_name_and_the_arguments_of_its_action() -> None:
    schema = proposals_schema(DESK, "why")

    assert schema
    (known,) = schema["anyOf"]
    assert known["properties"]["name"] == {"type": "string", "enum": ["act"]}
    assert known["properties"]["arguments"] == {
        "type": "object",
        "properties": {
            "room": {"type": "string"},
            "wish": {"type": "string"},
            "gift": {"type": ["string", "null"], "enum": ["drink", None]},
            "amount": {"type": "number"},
        },
        "required": ["room", "wish", "gift", "amount"],
        "additionalProperties": False,
    }


def test_a_catalogue_that_is_too_large_for_a_strict_schema_has_none() -> None:
    arguments = [{"name": f"n{number}"} for number in range(10)]
    actions = tuple(
        action(*arguments).model_copy(update={"name": f"act{number}"}) for number in range(7)
    )
    large, small = (
        Desk(name="hotel", title="Hotel", scene="A hotel.", actions=some)
        for some in (actions, actions[:6])
    )

    assert proposals_schema(large, "why") is None
    assert proposals_schema(small, "why")
