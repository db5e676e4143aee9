"""For any answer of a model: no action outside policy, no escalation of policy's suppressed.

The oracle is written from the desk file alone: it uses none of the code that it judges.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.escalation import EscalationAgent
from agents.sentiment import SentimentAgent
from shared.adapters.desk_files import load_desks
from shared.domain.acknowledgements import acknowledgements
from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.guard import check_reply
from shared.domain.signals import scan
from shared.domain.stage import Action
from shared.ports import ModelCall
from tests.support.effect_calls import a_case
from tests.support.hostile import DEMANDING, WRAPPINGS, answers
from tests.support.world import World

DESKS = load_desks(Path(__file__).resolve().parents[2] / "desks")
each_desk = pytest.mark.parametrize("desk", DESKS.every, ids=DESKS.names)
REPLIES_GO_TO = "https://crm.example.com/replies"


def check_action(action: Action, desk: Desk) -> None:
    known = next(a for a in desk.actions if a.name == action.name)
    assert known.approval in (action.approval, "auto")
    at_once = action.verdict == "execute"
    if at_once:
        assert known.approval == "auto"
    arguments = {argument.name: argument for argument in known.arguments}
    assert action.arguments.keys() <= arguments.keys()
    for name, argument in arguments.items():
        value = action.arguments.get(name)
        if value is None:
            assert not argument.required
            continue
        if at_once:
            assert str(value).casefold() != "unknown"
        if argument.choices:
            assert value in argument.choices
        if argument.type == "text":
            assert isinstance(value, str)
            assert 0 < len(value) <= argument.max_length
        elif argument.type in ("number", "integer"):
            assert isinstance(value, int | float)
            assert argument.minimum is None or value >= argument.minimum
            assert argument.maximum is None or value <= argument.maximum
    if money := known.money:
        amount = action.arguments.get(money.argument)
        assert amount is None or float(amount) <= money.most
        if at_once:
            assert amount is not None
            assert float(amount) <= money.automatic


@each_desk
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_action_outside_the_catalogue_its_limits_and_its_approval_is_proposed(
    desk: Desk, data: st.DataObject
) -> None:
    said = data.draw(answers("escalation", desk).filter(lambda a: not isinstance(a, Exception)))
    agent, text = EscalationAgent(), said if isinstance(said, str) else json.dumps(said)
    try:
        output = agent.parse(text)
    except ValueError:
        return
    result = agent.apply(a_case(risks=("safety",)), desk, output)

    assert len(result.actions) + len(result.dropped) == len(output.actions)
    for action in result.actions:
        check_action(action, desk)
    assert result.writes.escalated
    assert result.writes.needs_upper_management_attention


@settings(max_examples=200, deadline=None)
@given(
    message=st.sampled_from(DEMANDING),
    wrapping=st.sampled_from(WRAPPINGS),
    said=answers("sentiment", DESKS.every[0]).filter(lambda a: isinstance(a, dict)),
)
def test_no_mood_that_a_model_reports_suppresses_an_escalation(
    message: str, wrapping: str, said: dict[str, Any]
) -> None:
    text = wrapping.format(message)
    found = scan(text)
    case = a_case(
        customer_query=text, signals=found.risks, asks_for_human=found.asks_for_human, risks=()
    )
    agent = SentimentAgent()
    writes = agent.apply(case, DESKS.every[0], agent.parse(json.dumps(said))).writes

    assert found.risks or found.asks_for_human
    assert writes.should_escalate
    assert set(found.risks) <= set(writes.risks or ())


async def work_through(desk: Desk, message: str, script: dict[str, list[Any]]) -> SupportCase:
    """The real intake, runner and effects, until nothing more is due."""
    from shared.domain.rows import Channel

    def next_of(stage: str) -> Any:
        return lambda call: script[stage].pop(0)

    world = World({stage: next_of(stage) for stage in script}, desks=DESKS.every)
    channel = Channel(source="crm", reply_address=REPLIES_GO_TO)
    case_id = await world.open(message, desk=desk.name, channel=channel)
    await world.deliver()
    assert await world.open_marks() == 0
    return await world.case(case_id)


@each_desk
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_answers_together_get_past_policy(desk: Desk, data: st.DataObject) -> None:
    demanding = data.draw(st.booleans())
    inner = data.draw(st.sampled_from(DEMANDING)) if demanding else "Where is my order? It is late."
    message = data.draw(st.sampled_from(WRAPPINGS)).format(inner)
    two = {
        stage: [data.draw(answers(stage, desk)), data.draw(answers(stage, desk))]
        for stage in ("customer_query", "sentiment", "escalation")
    }
    case = asyncio.run(work_through(desk, message, two))

    for action in case.actions:
        check_action(action, desk)
    if demanding:
        assert (case.status, case.escalated) == ("escalated", True)
        assert case.wants_human or case.signals
    if {"safety", "legal", "media"} & set(case.signals):
        assert case.needs_upper_management_attention
        management = {c.email for c in desk.tell}
        assert management <= {to for e in case.effects if e.sink == "email" for to in e.to}
    if case.support_response is not None and case.support_response not in (
        acknowledgements(desk).values()
    ):
        assert check_reply(case.support_response, desk=desk, message=message) == ()
    at_once = {f"action-{a.id}" for a in case.actions if a.verdict == "execute"}
    for effect in case.effects:
        if effect.sink == "callback":
            assert effect.to == (REPLIES_GO_TO,)
        elif effect.sink == "email":
            assert set(effect.to) <= {contact.email for contact in desk.tell}
        else:
            assert effect.key in at_once


@each_desk
def test_money_over_a_cap_is_dropped_and_recorded(desk: Desk) -> None:
    agent = EscalationAgent()
    for action in desk.actions:
        for capped in (a for a in action.arguments if a.maximum is not None):
            arguments = [
                {"name": a.name, "value": a.choices[0] if a.choices else "12"}
                for a in action.arguments
                if a is not capped
            ]
            arguments.append({"name": capped.name, "value": str(int(capped.maximum or 0) + 1)})
            said = {
                "actions": [{"name": action.name, "arguments": arguments, "reason": "please"}],
                "needs_upper_management_attention": False,
                "summary": "",
            }
            result = agent.apply(a_case(), desk, agent.parse(json.dumps(said)))
            assert result.actions == ()
            assert f"{capped.name}: more than" in result.dropped[0].why


def test_the_oracle_can_fail() -> None:
    desk = DESKS.get("bank")
    assert desk is not None
    asked = Action(name="review_fee", arguments={"fee": "x", "amount": 5.0}, approval="human")
    check_action(asked, desk)
    for wrong in (
        {"verdict": "execute"},
        {"approval": "auto"},
        {"arguments": {"fee": "x", "amount": 101.0}},
        {"arguments": {"fee": "x", "to": "me"}},
    ):
        with pytest.raises(AssertionError):
            check_action(asked.model_copy(update=wrong), desk)


def test_the_model_is_called_twice_at_most_for_a_stage() -> None:
    calls: list[ModelCall] = []

    def never(call: ModelCall) -> str:
        calls.append(call)
        return json.dumps({"reply": "You get a refund of 9 dollars.", "language": "en"})

    world = World(
        {"customer_query": never, "sentiment": never, "escalation": never}, desks=DESKS.every
    )

    async def run() -> None:
        await world.open("It is late.", desk="hotel")
        await world.deliver()

    asyncio.run(run())
    assert [call.stage for call in calls].count("customer_query") == 2
    assert len(calls) == 4
