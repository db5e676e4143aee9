"""The escalation agent: what it may answer at a desk, and how its answers are read."""

from __future__ import annotations

import json

import pytest

from agents.escalation import EscalationAgent
from shared.adapters.desk_files import load_desks
from shared.bootstrap import ROOT
from shared.domain.desk import Desk

AGENT = EscalationAgent()
DESKS = load_desks(ROOT / "desks")
each_desk = pytest.mark.parametrize("desk", DESKS.every, ids=DESKS.names)


@each_desk
def test_the_schema_of_each_desk_spells_out_its_actions_within_what_strict_mode_takes(
    desk: Desk,
) -> None:
    schema = AGENT.output_schema(desk)
    options = schema["$defs"]["ProposedAction"]["anyOf"]

    assert [option["properties"]["name"]["enum"] for option in options] == [
        [action.name] for action in desk.actions
    ]
    assert json.dumps(schema).count('"type"') < 100  # properties, at most
    assert "anyOf" not in AGENT.wire_schema["$defs"]["ProposedAction"]


def answered(arguments: object) -> dict[str, object]:
    action = {"name": "refund", "arguments": arguments, "reason": "late"}
    whole = {"actions": [action], "needs_upper_management_attention": False, "summary": "Late."}
    return dict(AGENT.parse(json.dumps(whole)).actions[0].arguments)


def test_arguments_are_read_by_name_with_their_types_or_as_pairs() -> None:
    assert answered({"amount": 5, "reason": "late", "vip": True, "note": None}) == {
        "amount": 5,
        "reason": "late",
        "vip": True,
        "note": None,
    }
    assert answered([{"name": "amount", "value": "5"}]) == {"amount": "5"}


@pytest.mark.parametrize(
    "arguments",
    [None, "amount=5", [{"name": "amount"}], [["amount", "5"]], ["amount"], {"amount": {"is": 5}}],
)
def test_other_arguments_are_refused_in_words_for_the_model(arguments: object) -> None:
    with pytest.raises(ValueError, match=r"actions\.0\.arguments"):
        answered(arguments)


def test_the_examples_are_in_the_form_that_is_asked_for() -> None:
    said = [json.loads(m.content) for m in AGENT.opening if m.role == "assistant"]

    assert any(answer["actions"] for answer in said)
    assert all(isinstance(a["arguments"], dict) for answer in said for a in answer["actions"])
