"""A reply that breaks a rule: asked for once more, then held back, and people see why."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from shared.adapters.scripted_model import Script
from shared.domain.case import SupportCase
from shared.errors import PermanentError, RetryableError
from shared.ports import ModelCall
from tests.support.world import NEGATIVE, POSITIVE, World

REFUND = "You will get a refund of 200 dollars."
FINE = "We are sorry and look into it."
ACKNOWLEDGED = "Thank you for your message. It has reached us, and our team will look at it."


def replies(*texts: str | Exception) -> Script:
    """Each text is one answer of the reply's agent."""
    answers: Iterator[str | Exception] = iter(texts)

    def next_answer(_: ModelCall) -> str | Exception:
        said = next(answers)
        if isinstance(said, Exception) or said.startswith("not json"):
            return said
        return json.dumps({"reply": said, "language": "en"})

    return {"customer_query": next_answer}


async def handled(script: Script, text: str) -> tuple[SupportCase, World]:
    world = World(script)
    case_id = await world.open(text, desk="hotel")
    await world.deliver()
    return await world.case(case_id), world


async def test_a_model_that_breaks_a_rule_is_told_and_its_better_answer_is_sent() -> None:
    case, world = await handled({**NEGATIVE, **replies(REFUND, FINE)}, "My room is dirty.")

    asked_again = world.model.calls[1].messages[-1]
    assert asked_again.role == "user"
    assert "the reply decides on a refund, which the facts do not allow" in asked_again.content
    assert (case.support_response, case.reply_held_back) == (FINE, False)
    assert case.stages[0].usage.calls == 2
    finished = next(e for e in case.trace if (e.who, e.event) == ("customer_query", "finished"))
    assert finished.detail.startswith("asked again: the reply states an amount")


async def test_the_complaint_is_short_however_much_is_wrong() -> None:
    """The budget of a re-ask counts on it, and a model reads no list of fifty."""
    awful = " ".join(
        f"Call 555-01{n} or pay {n} dollars by {n % 12 + 1} pm." for n in range(10, 99)
    )
    _, world = await handled({**NEGATIVE, **replies(awful, FINE)}, "My room is dirty.")

    assert len(world.model.calls[1].messages[-1].content) < 600


async def test_a_rule_broken_twice_brings_the_desks_acknowledgement_and_says_so() -> None:
    case, world = await handled({**NEGATIVE, **replies(REFUND, REFUND)}, "My room is dirty.")

    assert (case.support_response, case.reply_held_back) == (ACKNOWLEDGED, True)
    assert len([c for c in world.model.calls if c.stage == "customer_query"]) == 2
    assert any(
        line.startswith("reply held back, the desk's acknowledgement was sent: the reply decides")
        for line in case.decision
    )
    finished = next(e for e in case.trace if (e.who, e.event) == ("customer_query", "finished"))
    assert finished.detail.startswith("not used: the reply states an amount")
    reply = case.stages[0]
    assert (reply.state, reply.output) == ("finished", None)
    assert REFUND in reply.messages[-2].content, "people can read what was held back"
    assert case.turns[0].reply_held_back


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (REFUND, "not json"),
        ("not json", REFUND),
        (REFUND, PermanentError("content_filter_output", "hate: high")),
    ],
)
async def test_bad_answers_of_either_kind_share_the_one_re_ask(
    first: str, second: str | Exception
) -> None:
    case, world = await handled({**NEGATIVE, **replies(first, second)}, "My room is dirty.")

    assert (case.support_response, case.reply_held_back) == (ACKNOWLEDGED, True)
    assert len([c for c in world.model.calls if c.stage == "customer_query"]) == 2
    assert case.stages[0].state == "finished"


async def test_a_re_ask_that_is_refused_for_now_is_tried_again_later() -> None:
    script = {**NEGATIVE, **replies(REFUND, RetryableError("rate_limited"), REFUND, FINE)}
    world = World(script)
    case_id = await world.open("My room is dirty.")
    await world.deliver()
    world.make_visible()
    await world.deliver()
    case = await world.case(case_id)

    assert (case.support_response, case.reply_held_back) == (FINE, False)


async def test_a_customer_who_asked_for_something_is_not_left_with_an_acknowledgement() -> None:
    """Given a calm question, when its reply is held back, then a person answers it."""
    script = {**NEGATIVE, **POSITIVE, **replies("At 5 pm.", "At 5 pm.")}
    case, _ = await handled(script, "When does the pool open?")

    assert (case.sentiment, case.status) == ("Positive", "escalated")
    assert "escalate: the customer asks for something and has only an acknowledgement" in (
        case.decision
    )


async def test_thanks_need_no_person_when_the_reply_is_held_back() -> None:
    thanks = "Lovely stay. The breakfast was a dream."
    case, _ = await handled({**POSITIVE, **replies(REFUND, REFUND)}, thanks)

    assert (case.support_response, case.status) == (ACKNOWLEDGED, "answered")
    assert case.reply_held_back


async def test_the_acknowledgement_is_in_the_language_of_the_message() -> None:
    script = {**NEGATIVE, **replies(REFUND, REFUND)}
    case, _ = await handled(script, "Mein Zimmer ist schmutzig und niemand kommt.")

    assert case.language == "de"
    assert (case.support_response or "").startswith("Vielen Dank")


async def test_what_the_caller_said_of_the_business_may_be_stated() -> None:
    world = World({**POSITIVE, **replies("The shop is open until 18:00.")})
    case_id = await world.open("When do you close?", scene="A shop, open until 18:00.")
    await world.deliver()

    assert not (await world.case(case_id)).reply_held_back
