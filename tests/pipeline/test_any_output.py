"""Whatever a model writes: nothing outside the catalogue, over a cap or unasked is carried out."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.catalogue import check_arguments
from shared.domain.desk_action import BY_HAND
from tests.support.proposals import proposing
from tests.support.world import ACTING, World

_NAMES = st.one_of(st.sampled_from([a.name for a in ACTING.actions]), st.text(max_size=12))
_VALUES = st.one_of(
    st.sampled_from(["room 4", "10", "15", "16", "99.9", "100", "1e3", "unknown", "-5", "", "NaN"]),
    st.integers(-1000, 1000),
    st.text(max_size=20),
)
_ARGUMENTS = st.dictionaries(st.sampled_from(["place", "amount", "to"]), _VALUES, max_size=3)
_PROPOSALS = st.lists(st.tuples(_NAMES, _ARGUMENTS), max_size=7)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_OUTPUTS = st.one_of(
    _PROPOSALS.map(lambda actions: proposing(*actions)["escalation"]),
    _JSON.map(lambda value: {"actions": value, "summary": "x"}),
    _JSON,
)
_SENTIMENTS = st.fixed_dictionaries(
    {
        "mood": st.just("unhappy"),
        "urgency": st.sampled_from(["low", "normal", "high", "critical"]),
        "wants": st.sampled_from(["answer", "person"]),
        "risks": st.lists(st.sampled_from(["fraud", "legal"]), max_size=2),
    }
)
_DECISIONS = st.lists(
    st.tuples(st.sampled_from(["approve", "reject"]), st.integers(0, 6)), max_size=3
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(_OUTPUTS, _SENTIMENTS), min_size=1, max_size=3), _DECISIONS)
async def test_nothing_happens_that_neither_the_desk_nor_a_person_allows(
    runs: list[tuple[Any, dict[str, Any]]], decisions: list[tuple[str, int]]
) -> None:
    world = World()
    case_id = ""
    for number, (output, sentiment) in enumerate(runs):
        world.model.script |= {"escalation": output, "sentiment": sentiment}
        if not case_id:
            case_id = await world.open(desk="acting")
        elif number == 1:
            await world.app.intake.follow_up(case_id, "And another thing.")
        else:
            parked = [s for s in (await world.case(case_id)).stages if s.state == "error"]
            if not parked:
                await world.app.acts.replay(case_id, "ana", "again", ["1:escalation"])
        await world.deliver(200)
    yes = set()
    for act, number in decisions:
        waiting = [a for a in (await world.case(case_id)).actions if a.state == "waiting"]
        if waiting:
            chosen = waiting[number % len(waiting)]
            await world.app.acts.decide(case_id, chosen.id, act, "ana", "")  # type: ignore[arg-type]
            yes |= {chosen.id} if act == "approve" else set()
    await world.deliver(200)

    view = await world.store.read(case_id)
    spent = 0.0
    for done in world.backend.ledger:
        action = done.request.action
        assert action is not None
        known = ACTING.action(action.name)
        assert known is not None, "outside the catalogue"
        cleaned, problems = check_arguments(known, action.arguments)
        assert (cleaned, problems) == (action.arguments, ())
        if known.money:
            amount = float(action.arguments.get("amount", 0))
            assert amount <= known.money.most, "over the cap"
            spent += amount if action.id not in yes else 0
        if action.id not in yes:
            assert known.approval == "auto", "awaiting approval"
            assert "unknown" not in action.arguments.values()
    assert spent <= 15
    counted = Counter(done.key for done in world.backend.ledger)
    assert all(count == 1 for count in counted.values())
    approved = {act.action for act in view.acts if act.act == "approve"}
    assert approved == yes
    case = await world.case(case_id)
    for_people = {a.id for a in case.actions if a.state == "to_do" and a.backend == BY_HAND}
    assert yes <= for_people | {
        d.request.action.id for d in world.backend.ledger if d.request.action
    }
    json.dumps(case.model_dump(mode="json"))
