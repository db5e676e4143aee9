"""The desk files that come with Frontdesk are what people copy from: they keep their own rules."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shared.adapters.desk_files import load_desks
from shared.domain.approvals import Approvals
from shared.domain.budget import Budget
from shared.domain.catalogue import catalogue_for_model
from shared.domain.conditions import Condition
from shared.domain.contacts import Contact, Flood
from shared.domain.desk import Acknowledgement, Desk
from shared.domain.desk_action import Argument, CatalogueAction, Money
from shared.domain.reactions import Consequence, Proposing, Reaction, Review, ReviewText

ROOT = Path(__file__).parents[2]
DESKS = load_desks(ROOT / "desks")
each_desk = pytest.mark.parametrize("desk", DESKS.every, ids=DESKS.names)


def test_the_desks_of_the_readme_are_there() -> None:
    assert {"bank", "default", "hotel", "restaurant", "shop", "telecom"} <= set(DESKS.names)


@each_desk
def test_a_desk_is_neither_thin_nor_long(desk: Desk) -> None:
    assert 8 <= len(desk.facts) <= 15
    assert all(len(fact) <= 120 for fact in desk.facts)
    assert 6 <= len(desk.actions) <= 9
    assert {contact.about for contact in desk.tell} == {"escalated", "management"}
    # Prompt, catalogue and message have to fit a local model's context of 4096 tokens.
    assert len(json.dumps(catalogue_for_model(desk))) <= 5000


@each_desk
def test_money_is_capped_and_never_moves_without_a_person(desk: Desk) -> None:
    for action in desk.actions:
        for argument in action.arguments:
            if argument.type in ("number", "integer"):
                assert action.approval != "auto", action.name
                assert argument.maximum is not None, action.name


@each_desk
def test_formal_matters_are_for_management(desk: Desk) -> None:
    formal = desk.action("answer_formal_matter")
    assert formal is not None
    assert formal.approval == "management"


@each_desk
def test_every_approval_says_why(desk: Desk) -> None:
    text = (ROOT / "desks" / f"{desk.name}.yaml").read_text("utf-8")
    reasons = re.findall(r"^    approval: \w+ # \w.+$", text, re.MULTILINE)
    assert len(reasons) == len(desk.actions)


@each_desk
def test_people_and_numbers_are_made_up(desk: Desk) -> None:
    assert all((contact.email or "example.com").endswith("example.com") for contact in desk.tell)
    written = (desk.scene, *desk.facts, *(said.text for said in desk.acknowledgements))
    numbers = re.findall(r"\d{3}-\d{3,}", " ".join(written))
    assert all(re.fullmatch(r"555-01\d\d", number) for number in numbers)


@pytest.mark.parametrize(
    "part",
    [
        Desk,
        CatalogueAction,
        Argument,
        Money,
        Condition,
        Contact,
        Approvals,
        Acknowledgement,
        Budget,
        Flood,
        Reaction,
        Consequence,
        Proposing,
        Review,
        ReviewText,
    ],
)
def test_the_documentation_explains_every_field(part: type[Desk]) -> None:
    page = (ROOT / "docs" / "desks.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert set(part.model_fields) <= set(rows)
