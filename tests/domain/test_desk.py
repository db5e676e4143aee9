from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.desk import Desk, Desks
from shared.domain.desk_action import Argument, CatalogueAction

ACTION = {"name": "act", "description": "Does it.", "when": "It is wanted."}


def desk(**changes: Any) -> Desk:
    given = {"name": "default", "title": "Any", "scene": "A shop.", "actions": [ACTION]}
    return Desk.model_validate(given | changes)


def argument(**changes: Any) -> Argument:
    return Argument.model_validate({"name": "a", "description": "d"} | changes)


def test_version_stays_for_the_same_content_and_changes_with_any_of_it() -> None:
    assert desk().version == desk().version
    changed = [desk(scene="A bank."), desk(facts=["Open."]), desk(tone="Stern."), desk(name="x")]
    assert len({d.version for d in (desk(), *changed)}) == 5
    assert len(desk().version) == 12


def test_surrounding_space_is_no_content() -> None:
    assert desk(scene="\n A shop. \n").version == desk().version


def test_a_free_scene_gets_everything_but_the_scene_from_the_default_desk() -> None:
    desks = Desks((desk(), desk(name="hotel", title="Hotel")))

    free = desks.free("A flower shop.\nOpen on Sundays.")

    assert free.scene == "A flower shop.\nOpen on Sundays."
    assert free.model_copy(update={"scene": desk().scene}) == desk()
    assert free.version != desk().version


@pytest.mark.parametrize(
    ("scene", "said"),
    [(" \n", "at least 1"), ("x" * 4001, "at most 4000"), ("a\x00b", "control character")],
)
def test_an_unusable_free_scene_is_refused_with_the_reason(scene: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"^scene: .*{said}"):
        Desks((desk(),)).free(scene)


def test_desks_are_found_by_name_only() -> None:
    desks = Desks((desk(name="hotel"), desk()))

    assert desks.names == ("default", "hotel")
    assert desks.get("hotel") == desk(name="hotel")
    assert desks.get("Hotel") is None


def test_desks_need_a_default_and_differing_names() -> None:
    with pytest.raises(ValueError, match="no desk named default"):
        Desks((desk(name="hotel"),))
    with pytest.raises(ValueError, match="desk named twice: default"):
        Desks((desk(), desk()))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"type": "number", "choices": ["1"]}, "choices and max_length are for"),
        ({"type": "integer", "max_length": 5}, "choices and max_length are for"),
        ({"minimum": 1}, "minimum and maximum are for"),
        ({"type": "boolean", "maximum": 1}, "minimum and maximum are for"),
        ({"type": "number", "minimum": 2, "maximum": 1}, "minimum is greater"),
        ({"type": "integer", "minimum": 0.2, "maximum": 0.8}, "no whole number"),
        ({"choices": ["Bar", "bar"]}, "two choices are the same"),
        ({"choices": ["breakfast"], "max_length": 5}, "longer than max_length"),
        ({"type": "number", "maximum": float("nan")}, "finite"),
        ({"name": "Two Words"}, "is not a name"),
        ({"required": True, "requierd": True}, "Extra inputs"),
    ],
)
def test_an_argument_whose_limits_contradict_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        argument(**wrong)


def test_two_things_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="action named twice: act"):
        desk(actions=[ACTION, ACTION])
    with pytest.raises(ValidationError, match="argument named twice: a"):
        CatalogueAction.model_validate(ACTION | {"arguments": [argument(), argument()]})


@pytest.mark.parametrize("email", ["nobody", "a@b", "a b@c.de", "a@b.c@d.e", "a@b.de\x00", "@b.de"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError):
        desk(tell=[{"name": "X", "email": email}])
