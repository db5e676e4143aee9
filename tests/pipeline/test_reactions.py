"""Rules of a desk file at work: what people see of them, and the one request for a review."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.crm_sink import CrmSink
from shared.adapters.scripted_model import Script
from shared.domain.desk import Desk
from shared.domain.outbound import Labels
from shared.domain.rows import Channel
from shared.errors import PermanentError
from shared.pipeline.intake import Arrival
from tests.support.effect_calls import a_call, a_case
from tests.support.world import ACTING, DESKS, NEGATIVE, POSITIVE, World, a_desk

PRAISED: dict[str, Any] = {
    "review": {"after": "2h", "texts": ({"language": "en", "text": "Please review us."},)},
    "callback_hosts": ("crm.example.com",),
    "reactions": (
        {"name": "praise", "when": {"sentiment": "Positive"}, "then": {"ask_for_review": True}},
    ),
}
ADDRESS = "https://crm.example.com/replies"


def world(script: Script = POSITIVE, **more: Any) -> World:
    desk = Desk.model_validate({**dict(ACTING), "name": "ruled", **more})
    return World(script, desks=(*DESKS, desk))


async def opened(made: World, text: str = "Lovely stay, thank you all!") -> str:
    case_id = await made.open(text, desk="ruled", channel=Channel(reply_address=ADDRESS))
    await made.deliver()
    return case_id


async def later(made: World, hours: float) -> None:
    """Lets time pass; sweeps every quarter of an hour, and each minute of the last ten."""
    minutes = int(60 * hours)
    quarters = max(0, minutes - 10) // 15
    for length in [15] * quarters + [1] * (minutes - 15 * quarters):
        made.clock.advance(60 * length)
        await made.app.sweeper.sweep()
        await made.deliver()


def sent(made: World) -> list[str]:
    return [applied.request.key for applied in made.callback.ledger]


async def test_the_trace_names_each_rule_that_applied_with_its_place() -> None:
    made = world(
        NEGATIVE,
        reactions=(
            {"name": "dirt", "when": {"words": ("dirty",)}, "then": {"tags": ("cleaning",)}},
            {"name": "noise", "when": {"words": ("noise",)}, "then": {"tags": ("noise",)}},
        ),
    )
    desk = made.app.desks.get("ruled")
    assert desk is not None
    desk.reactions[0].standing_at("desks/ruled.yaml:12")

    case = await made.case(await opened(made, "My room is dirty."))

    assert [(e.who, e.detail) for e in case.trace if e.event == "reaction"] == [
        ("sentiment", "dirt (desks/ruled.yaml:12): tags cleaning")
    ]
    assert case.tags == ("cleaning",)
    assert "the desk's rule dirt (desks/ruled.yaml:12): tags cleaning" in case.decision


async def test_an_action_of_a_rule_waits_for_the_same_yes_as_the_models() -> None:
    made = world(
        reactions=(
            {
                "name": "sorry",
                "when": {"words": ("late",)},
                "then": {"propose": ({"action": "pay", "arguments": {"amount": 40}},)},
            },
        )
    )
    made.model.script |= {"escalation": NEGATIVE["escalation"]}
    case_id = await opened(made, "Breakfast was late, but lovely!")

    case = await made.case(case_id)
    assert (case.status, case.status_reason) == ("escalated", "waits for a yes: pay")
    assert [a.request.key for a in made.email.ledger] == ["escalated-1"]
    assert made.backend.ledger[0].request.action is not None
    assert [a.request.action.name for a in made.backend.ledger if a.request.action] == ["send_help"]

    await made.app.acts.decide(case_id, "pay", "approve", "ana", "")
    await made.deliver()
    assert [a.request.action.name for a in made.backend.ledger if a.request.action] == [
        "send_help",
        "pay",
    ]


async def test_a_review_is_asked_for_later_and_once() -> None:
    made = world(**PRAISED)
    case_id = await opened(made)
    assert (await made.case(case_id)).status == "answered"
    assert await made.open_marks() == 0
    await later(made, 1)
    assert sent(made) == ["reply-1"]
    await later(made, 1.1)
    assert sent(made) == ["reply-1", "review"]
    assert made.callback.ledger[-1].request.text == "Please review us."
    await made.app.intake.follow_up(case_id, "Thank you again!")
    await made.deliver()
    await later(made, 5)
    await later(made, 24)
    assert sent(made) == ["reply-1", "review", "reply-2"]


async def test_who_writes_again_before_is_asked_after_his_last_message() -> None:
    made = world(**PRAISED)
    case_id = await opened(made)
    await later(made, 1)
    await made.app.intake.follow_up(case_id, "And breakfast was lovely, too!")
    await made.deliver()
    await later(made, 1.5)
    assert sent(made) == ["reply-1", "reply-2"]
    await later(made, 1)
    assert sent(made) == ["reply-1", "reply-2", "review"]


@pytest.mark.parametrize("trouble", ["complaint", "cancel", "resolve", "refused reply"])
async def test_no_review_is_asked_for_once_something_is_wrong(trouble: str) -> None:
    made = world(**PRAISED)
    if trouble == "refused reply":
        made.fault = "never"
    case_id = await opened(made)
    made.fault = "none"
    match trouble:
        case "complaint":
            made.model.script |= NEGATIVE
            await made.app.intake.follow_up(case_id, "But now my room is dirty.")
            await made.deliver()
        case "cancel":
            await made.app.acts.cancel(case_id, "ana", "")
        case "resolve":
            await made.app.acts.resolve(case_id, "ana", "")
    for _ in range(3):
        await later(made, 3)
    assert "review" not in sent(made)
    assert await made.open_marks() == 0


async def test_a_parked_reply_keeps_the_review_back_until_it_is_sent() -> None:
    made = world(**PRAISED)
    answer = made.model.script["customer_query"]
    made.model.script["customer_query"] = PermanentError("content_filter")
    case_id = await made.open("Lovely stay!", desk="ruled", channel=Channel(reply_address=ADDRESS))
    await made.deliver()
    await later(made, 4)
    assert sent(made) == []
    made.model.script |= {"customer_query": answer}
    await made.app.acts.replay(case_id, "ana", "model is back")
    await made.deliver()
    assert sent(made) == ["reply-1"]
    await later(made, 4)
    assert sent(made) == ["reply-1", "review"]


async def test_a_promise_is_met_although_a_review_is_still_to_be_asked_for() -> None:
    promises = ({"urgency": "low", "first_reply": "30m", "resolution": "1h"},)
    made = world(**PRAISED, sla=promises)
    case_id = await opened(made)
    await later(made, 3)
    case = await made.case(case_id)
    assert sent(made) == ["reply-1", "review"]
    assert {target.standing for target in case.targets} == {"met"}


async def test_tags_reach_the_crm_beside_our_own() -> None:
    labels: list[Labels] = []

    class Connector:
        drafts = True

        async def label(self, given: Labels) -> str:
            labels.append(given)
            return "tags"

    class Connectors:
        def get(self, desk: str, vendor: str) -> Connector:
            return Connector()

    sink = CrmSink("zendesk", Connectors(), "")  # type: ignore[arg-type]
    call = a_call("T-1", case=a_case(tags=("cleaning", "vip")))
    request = call.request.model_copy(update={"key": "labels-1"})
    await sink.send(replace(call, request=request))
    assert labels[0].tags[-2:] == ("cleaning", "vip")
    assert labels[0].tags[0] == "frontdesk"


async def test_a_desk_without_rules_does_as_before() -> None:
    made = World(NEGATIVE, desks=(*DESKS, a_desk("plain", "duty@example.com")))
    arrival = Arrival(text="My room is dirty.", desk="plain")
    case_id = (await made.app.intake.accept(arrival)).case_id
    await made.deliver()
    case = await made.case(case_id)
    assert (case.tags, case.reactions) == ((), ())
    assert [e.key for e in case.effects] == ["escalated-1"]
    assert case.updated_at - case.created_at < timedelta(minutes=1)
