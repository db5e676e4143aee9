from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from shared.domain.answer_schema import read_answer, strict_schema


class Argument(BaseModel):
    name: str
    value: str


class Step(BaseModel):
    """One thing to do."""

    action: Literal["refund", "apologise"]
    arguments: list[Argument] = Field(default=[], max_length=4)


class Verdict(BaseModel):
    """What the message is."""

    sentiment: Literal["Positive", "Negative"] = Field(description="The tone of the whole message.")
    urgency: int = Field(default=1, ge=0, le=3)
    reference: str = Field(pattern=r"^\d+$", min_length=2)
    note: str | None = None
    first: Step = Field(description="The first step.")
    steps: list[Step] = Field(min_length=1)


GOOD = {
    "sentiment": "Negative",
    "urgency": 2,
    "reference": "42",
    "note": None,
    "first": {"action": "refund", "arguments": []},
    "steps": [{"action": "apologise", "arguments": [{"name": "tone", "value": "warm"}]}],
}


def objects_in(schema: Any) -> list[dict[str, Any]]:
    inner = schema.values() if isinstance(schema, dict) else schema
    own = [schema] if isinstance(schema, dict) and schema.get("type") == "object" else []
    below = [found for part in inner if isinstance(part, dict | list) for found in objects_in(part)]
    return own + below


def test_a_strict_schema_has_no_constraints_and_requires_every_property() -> None:
    schema = strict_schema(Verdict)

    assert list(schema["properties"]) == schema["required"] == list(Verdict.model_fields)
    assert schema["properties"]["urgency"] == {"type": "integer"}
    assert schema["properties"]["reference"] == {"type": "string"}
    assert schema["properties"]["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert schema["properties"]["steps"] == {"type": "array", "items": {"$ref": "#/$defs/Step"}}
    assert all(found["additionalProperties"] is False for found in objects_in(schema))
    assert all(found["required"] == list(found["properties"]) for found in objects_in(schema))


def test_docstrings_and_descriptions_reach_the_model_and_titles_do_not() -> None:
    schema = strict_schema(Verdict)

    assert schema["description"] == "What the message is."
    assert schema["properties"]["sentiment"] == {
        "type": "string",
        "enum": ["Positive", "Negative"],
        "description": "The tone of the whole message.",
    }
    assert schema["properties"]["first"]["description"] == "The first step."
    assert schema["properties"]["first"]["properties"]["action"]["enum"] == ["refund", "apologise"]
    assert "title" not in json.dumps(schema)


def test_a_property_may_be_called_like_a_keyword() -> None:
    class Odd(BaseModel):
        default: str
        format: Literal["only"]

    assert strict_schema(Odd)["properties"] == {
        "default": {"type": "string"},
        "format": {"type": "string", "enum": ["only"]},
    }


@pytest.mark.parametrize(
    ("annotation", "field"),
    [(dict[str, str], "free"), (tuple[int, str], "free"), (Any, "free"), (list[Any], "free")],
)
def test_what_a_strict_schema_cannot_say_is_refused_with_the_field(
    annotation: Any, field: str
) -> None:
    model = type("Loose", (BaseModel,), {"__annotations__": {field: annotation}})

    with pytest.raises(TypeError, match="strict schema"):
        strict_schema(model)


@pytest.mark.parametrize(
    "wrapped",
    [
        "{}",
        "  \n{}\n",
        "```json\n{}\n```",
        "```\n{}\n```",
        "Here is my answer: {}\nI hope that it helps {{smile}}.",
        "<think>set {{1, 2}}</think>{}",
        "\ufeff{}",
    ],
)
def test_an_answer_is_read_from_fences_and_stray_prose(wrapped: str) -> None:
    answer = read_answer(wrapped.format(json.dumps(GOOD)), Verdict)

    assert answer == Verdict.model_validate(GOOD)


def test_a_line_break_inside_a_string_is_taken_as_it_is() -> None:
    text = '{"name": "reply", "value": "Dear guest,\nwe are on our way."}'

    assert read_answer(text, Argument).value == "Dear guest,\nwe are on our way."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no valid JSON object"),
        ("I would rather not.", "no valid JSON object"),
        ('{"name": "a", "value": "b",}', "breaks at character 27"),
        ('{"name": "a", "value": "b"', "breaks at character 26"),
        ('{"outer": {"name": "a", "value": "b"}', "no valid JSON object"),
        ('{"name": "a", "value": "b"} {"name": "c", "value": "d"}', "2 JSON objects"),
        ('{"name": "a", "name": "b", "value": "c"}', "key is given twice"),
        ('{"name": "a", "value": NaN}', "out of range"),
        ('{"name": "a", "value": 1e999}', "out of range"),
        ('{"name": "a", "value": ' + "9" * 5000 + "}", "too deep"),
        ('{"a":' * 20000, "too deep"),
        ('{"name": "a"}', "field value: Field required"),
        ('{"name": "a", "value": ["x"]}', "field value: Input should be a valid string"),
        (r'{"name": "a", "value": "\ud800"}', "half of a surrogate"),
        (r'{"\udc00": 1}', "half of a surrogate"),
    ],
)
def test_an_unusable_answer_is_refused_in_words_for_the_model(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_answer(text, Argument)

    assert len(str(caught.value)) < 400


def test_a_refusal_names_the_choices_and_does_not_repeat_the_answer() -> None:
    wrong = {**GOOD, "sentiment": "mixed " * 500}

    with pytest.raises(ValueError, match=r"field sentiment: .*'Positive' or 'Negative'") as caught:
        read_answer(json.dumps(wrong), Verdict)

    assert "mixed" not in str(caught.value)


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    word: str
    number: float = 0
    more: list[str] = []


KEYS = st.sampled_from(["word", "number", "more", "extra"]) | st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)
TEXTS = (
    st.text()
    | st.text(alphabet='{}[]":,\\ud80e19\n ')
    | st.dictionaries(KEYS, VALUES, max_size=4).map(json.dumps)
    | st.tuples(st.text(max_size=9), st.dictionaries(KEYS, VALUES, max_size=4), st.text()).map(
        lambda parts: f"{parts[0]}{json.dumps(parts[1])}{parts[2]}"
    )
)


@given(TEXTS)
def test_any_text_gives_a_valid_answer_or_one_plain_refusal(text: str) -> None:
    try:
        answer = read_answer(text, Closed)
    except ValueError as refused:
        assert len(str(refused).encode()) < 4000  # noqa: PT017 - either outcome is right
    else:
        assert Closed.model_validate_json(answer.model_dump_json()) == answer


@given(st.text(), st.text(alphabet=st.characters(exclude_characters="{}")))
def test_whatever_was_written_as_json_is_read_back_the_same(word: str, prose: str) -> None:
    answer = Closed(word=word, more=[word])

    assert read_answer(f"{prose}{answer.model_dump_json()}{prose}", Closed) == answer
