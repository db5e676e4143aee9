"""The suite escalation: every figure on outcomes made by hand, and the way there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.items import Item
from evals.run import Measured, Model, Order, choose, measure
from evals.suites.escalation import EscalationSuite
from evals.summary import summarize
from shared.adapters.desk_files import load_desks
from shared.adapters.scripted_model import ScriptedModel
from shared.bootstrap import ROOT
from shared.ports import ModelCall
from shared.settings import Settings

SUITE = EscalationSuite()


def case(name: str, *, escalate: bool, **more: Any) -> Item:
    row = {
        "required": [],
        "allowed": [],
        "management": None,
        "tags": ["complaint"],
        "language": "en",
        "held_out": False,
    }
    return Item(name, "…", "hotel", row={**row, "escalate": escalate, **more})


def came(escalated: int, *actions: str, alone: int = 0, **more: Any) -> dict[str, Any]:
    outcome = {
        "failed": False,
        "escalated": bool(escalated),
        "management": False,
        "actions": sorted(actions),
        "dropped": [],
        "alone": bool(alone),
        "management_alone": False,
    }
    return {**outcome, **more}


def test_recall_and_precision_of_escalation_with_the_model_and_alone() -> None:
    grave = {"tags": ["safety"]}
    told = [
        (case("a", escalate=True, **grave), came(1, alone=1)),
        (case("b", escalate=True, **grave), came(0, alone=1)),
        (case("c", escalate=True), came(1)),
        (case("d", escalate=True), came(1)),
        (case("e", escalate=False), came(1)),
        (case("f", escalate=False), came(0, alone=1)),
    ]
    figures = SUITE.figures(told)

    assert figures["recall"] == pytest.approx(3 / 4)
    assert figures["grave_recall"] == pytest.approx(1 / 2)
    assert figures["precision"] == pytest.approx(3 / 4)
    assert figures["alone_recall"] == pytest.approx(2 / 4)
    assert figures["alone_grave_recall"] == 1.0
    assert figures["alone_precision"] == pytest.approx(2 / 3)


def test_actions_are_counted_over_all_cases_together() -> None:
    told = [
        (case("a", escalate=True, required=["x", "y"], allowed=["z"]), came(1, "x", "z")),
        (case("b", escalate=True, required=["x"]), came(1, "x", "wrong")),
        (case("c", escalate=True, required=["x"]), came(0)),
        (case("d", escalate=False), came(1, "x")),
    ]
    figures = SUITE.figures(told)

    assert figures["action_recall"] == pytest.approx(2 / 4)
    assert figures["action_precision"] == pytest.approx(3 / 5)


def test_upper_management_is_counted_where_the_case_says_what_it_should_be() -> None:
    told = [
        (case("a", escalate=True, management=True), came(1, management=True)),
        (case("b", escalate=True, management=True), came(1, management_alone=True)),
        (case("c", escalate=True, management=False), came(1, management=True)),
        (case("d", escalate=True, management=None), came(1, management=True)),
        (case("e", escalate=False), came(1, management=True, management_alone=True)),
    ]
    figures = SUITE.figures(told)

    assert figures["management_recall"] == pytest.approx(1 / 2)
    assert figures["management_precision"] == pytest.approx(1 / 3)
    assert figures["alone_management_recall"] == pytest.approx(1 / 2)
    assert figures["alone_management_precision"] == pytest.approx(1 / 2)


def test_nothing_to_divide_by_is_0_and_failures_are_counted() -> None:
    figures = SUITE.figures([(case("a", escalate=False), {"failed": True})])

    assert figures.pop("failed") == 1.0
    assert set(figures.values()) == {0.0}


@pytest.mark.parametrize(
    ("item", "outcome", "right"),
    [
        (case("a", escalate=True, required=["x"], allowed=["y"]), came(1, "x", "y"), True),
        (case("a", escalate=True, required=["x"]), came(1), False),
        (case("a", escalate=True, required=["x"]), came(1, "x", "y"), False),
        (case("a", escalate=True, management=True), came(1), False),
        (case("a", escalate=True), came(1, management=True), True),
        (case("a", escalate=True), came(0), False),
        (case("a", escalate=False), came(0), True),
        (case("a", escalate=False), came(0, failed=True), False),
    ],
)
def test_a_case_is_right_when_everything_about_it_is(
    item: Item, outcome: dict[str, Any], right: bool
) -> None:
    assert SUITE.passed(item, outcome) is right


async def measured(folder: Path, script: Any, **more: Any) -> Measured:
    order = Order(suite=SUITE, folder=folder, **more)
    data, items = choose(order)
    model = Model(ScriptedModel(script), "scripted", {}, Settings())
    return await measure(order, data, items, model, load_desks(ROOT / "desks"), lambda *_: None)


def first_of_the_catalogue(call: ModelCall) -> dict[str, Any]:
    name, known = next(iter(json.loads(call.messages[-1].content)["catalogue"].items()))
    action = {"name": name, "arguments": dict.fromkeys(known["arguments"], "x"), "reason": ""}
    return {"actions": [action], "needs_upper_management_attention": False, "summary": "It is."}


async def test_a_model_that_sees_nothing_leaves_what_the_words_show(tmp_path: Path) -> None:
    script = {
        "sentiment": {"mood": "happy", "urgency": "low", "wants": "answer", "risks": []},
        "escalation": {
            "actions": [],
            "needs_upper_management_attention": False,
            "summary": "All is well.",
        },
    }
    run = await measured(tmp_path, script, desks=("hotel", "telecom"))
    figures = {figure.name: figure.value for figure in summarize(run, None).figures}

    assert {item.desk for item in run.items} == {"hotel", "telecom"}
    assert 0.5 < figures["grave_recall"] < 1
    for name in ("recall", "grave_recall", "precision", "management_recall"):
        assert figures[name] == figures[f"alone_{name}"]
    assert figures["failed"] == 0


async def test_labels_choose_by_tag_language_and_part(tmp_path: Path) -> None:
    script = {
        "sentiment": {"mood": "angry", "urgency": "low", "wants": "answer", "risks": []},
        "escalation": first_of_the_catalogue,
    }
    run = await measured(tmp_path, script, labels=("question", "en", "held-out"))

    assert run.items
    assert all("question" in item.row["tags"] and item.row["held_out"] for item in run.items)
    summary = summarize(run, None)
    assert {figure.name: figure.value for figure in summary.figures}["precision"] == 0.0
    beside, by_tag = summary.tables
    assert beside.heads == (
        "figure",
        "all, model",
        "all, alone",
        "held-out, model",
        "held-out, alone",
    )
    assert {row[0] for row in by_tag.rows} >= {"question", "look-alike", "en"}
