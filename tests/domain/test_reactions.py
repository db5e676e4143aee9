"""Rules of a desk file: when they apply, what follows, and that nothing gets past policy."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain import policy
from shared.domain.case import SupportCase, Turn
from shared.domain.conditions import Condition
from shared.domain.desk import Desk
from shared.domain.proposed import effect_key_of
from shared.domain.rows import Channel
from shared.domain.stage import Risk, StageResult, Urgency, Writes
from shared.domain.verdicts import Proposal, decide
from tests.support.effect_calls import a_case
from tests.support.world import ACTING

URGENCIES, RISKS = get_args(Urgency), get_args(Risk)
REVIEW = {"texts": ({"language": "en", "text": "Thank you! https://example.com/review"},)}


def desk(*reactions: dict[str, Any], **more: Any) -> Desk:
    named = [{"name": f"rule_{n}", **said} for n, said in enumerate(reactions)]
    base = {**dict(ACTING), "review": REVIEW, **more}
    return Desk.model_validate({**base, "reactions": tuple(named)})


def message(text: str = "The room is dirty.", **more: Any) -> SupportCase:
    plain: dict[str, Any] = {"actions": (), "risks": (), "summary": None}
    return a_case(customer_query=text, **(plain | more))


def judged(**more: Any) -> Writes:
    said = {"sentiment": "Negative", "urgency": "normal", "wants_human": False, "risks": ()}
    answer = {**said, **more}
    return policy.judge(message(), **answer)


def assess(rules: Desk, case: SupportCase | None = None, **more: Any) -> StageResult:
    return policy.assess(case or message(), rules, judged(**more))


@pytest.mark.parametrize(
    ("words", "text", "holds"),
    [
        (("refund",), "I want a REFUND!", True),
        (("refund",), "I was refunded.", False),
        (("refund*",), "I was refunded.", True),
        (("money back",), "give me my money\n  back", True),
        (("café",), "das Cafe war zu", True),
        (("cafe",), "cafeteria", False),
        (("返金",), "すぐに返金してください", True),
        (("refund", "voucher"), "a voucher, please", True),
        (("a.c",), "abc", False),
    ],
)
def test_words_are_found_whole_whatever_case_accents_and_line_breaks(
    words: tuple[str, ...], text: str, holds: bool
) -> None:
    assert (not Condition(words=words).unmet(message(text))) is holds


def test_who_writes_again_has_an_earlier_message_in_the_case() -> None:
    first = message()
    again = first.model_copy(
        update={"turns": (*first.turns, Turn(turn=2, text="Hello?", received_at=first.created_at))}
    )
    announced = again.model_copy(
        update={"turns": (first.turns[0], again.turns[1].model_copy(update={"text": ""}))}
    )
    condition = Condition(writes_again=True)
    assert [bool(condition.unmet(case)) for case in (first, again, announced)] == [
        True,
        False,
        True,
    ]


def test_a_repeat_customer_has_had_another_case() -> None:
    first, repeat = message(), message().model_copy(update={"repeat_customer": True})
    wanted, not_wanted = Condition(repeat_customer=True), Condition(repeat_customer=False)
    assert wanted.unmet(first) == "no earlier case of the customer is known"
    assert not_wanted.unmet(repeat) == "the customer has had a case before"
    assert (wanted.unmet(repeat), not_wanted.unmet(first)) == ("", "")
    assert wanted.excludes(not_wanted) == "repeat_customer"


def test_all_given_conditions_must_hold() -> None:
    rules = desk(
        {
            "when": {"sentiment": "Negative", "risks": ("fraud",), "words": ("card",)},
            "then": {"tags": ("card_fraud",)},
        }
    )
    card = message("My card was used.")
    assert assess(rules, card, risks=("fraud",)).writes.tags == ("card_fraud",)
    for case, more in (
        (card, {}),
        (message(), {"risks": ("fraud",)}),
        (card, {"risks": ("fraud",), "sentiment": "Positive"}),
    ):
        assert not assess(rules, case, **more).writes.reactions


def test_a_priority_is_raised_and_never_lowered_and_makes_a_case_one_for_people() -> None:
    rules = desk(
        {"when": {"words": ("wedding",)}, "then": {"priority": "high"}},
        {"when": {"sentiment": "Positive"}, "then": {"priority": "normal"}},
    )
    calm: dict[str, Any] = {"sentiment": "Positive", "urgency": "low"}
    raised = assess(rules, message("It is for our wedding."), **calm).writes
    assert (raised.urgency, raised.should_escalate) == ("high", True)
    assert raised.decision[0] == "escalate: urgency: high, by the rule rule_0"
    lower = assess(rules, message("It is for our wedding."), **(calm | {"urgency": "critical"}))
    assert lower.writes.urgency == "critical"
    little = assess(rules, **calm).writes
    assert (little.urgency, little.should_escalate) == ("normal", False)


def test_a_proposed_action_is_carried_out_when_the_desk_lets_it() -> None:
    wish = {"action": "send_help", "arguments": {"place": "lobby"}}
    rules = desk({"when": {"sentiment": "Positive"}, "then": {"propose": (wish,)}})
    result = assess(rules, sentiment="Positive", urgency="low")
    assert [(a.name, a.verdict, a.reaction) for a in result.actions] == [
        ("send_help", "execute", "rule_0")
    ]
    assert [e.key for e in result.effects] == [effect_key_of(result.actions[0].id)]
    assert not result.writes.should_escalate


def test_an_action_that_waits_for_a_yes_brings_people_in() -> None:
    wish = {"action": "pay", "arguments": {"amount": 40}}
    rules = desk({"when": {"sentiment": "Positive"}, "then": {"propose": (wish,)}})
    result = assess(rules, sentiment="Positive", urgency="low")
    assert [(a.name, a.verdict, a.approval) for a in result.actions] == [("pay", "ask", "human")]
    assert result.writes.should_escalate
    assert result.writes.decision[0] == (
        "escalate: pay, which the rule rule_0 proposes, waits for a yes"
    )
    assert result.effects == ()


def test_an_action_that_a_person_carries_out_brings_people_in() -> None:
    wish = {"action": "call", "arguments": {}}
    rules = desk({"when": {"sentiment": "Positive"}, "then": {"propose": (wish,)}})
    result = assess(rules, sentiment="Positive", urgency="low")
    assert [(a.name, a.verdict, a.backend) for a in result.actions] == [
        ("call", "execute", "manual")
    ]
    assert result.writes.should_escalate
    assert result.writes.decision[0] == (
        "escalate: call, which the rule rule_0 proposes, is for a person to do"
    )


def test_what_a_rule_proposes_the_model_does_not_propose_again() -> None:
    wish = {"action": "pay", "arguments": {"amount": 40}}
    rules = desk({"when": {"sentiment": "Negative"}, "then": {"propose": (wish,)}})
    (kept,) = assess(rules).actions
    view = a_case().actions[0].model_copy(update={**dict(kept), "state": "waiting"})
    result = policy.escalate(
        a_case(actions=(view,)),
        rules,
        [Proposal("pay", {"amount": "40"})],
        needs_upper_management=False,
        summary="",
    )
    assert [d.why for d in result.dropped] == ["proposed already by the desk's rule rule_0"]
    assert [e.key for e in result.effects if e.about == "case"] == ["escalated-1"]
    assert {e.awaits for e in result.effects if e.about == "reminder"} == {(kept.id,)}


def test_named_people_are_told_although_nobody_is_needed() -> None:
    rules = desk({"when": {"words": ("wedding",)}, "then": {"tell": ("Boss",)}})
    (told,) = assess(rules, message("A lovely wedding!"), sentiment="Positive").effects
    assert (told.to, told.about, told.sink) == (("boss@example.com",), "reaction", "email")


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, True),
        ({"sentiment": "Negative"}, False),
        ({"urgency": "high"}, False),
        ({"risks": ("legal",)}, False),
        ({"wants_human": True}, False),
    ],
)
def test_a_review_is_asked_for_only_where_nobody_is_needed(
    more: dict[str, Any], asked: bool
) -> None:
    rules = desk({"when": {"sentiment": "Positive"}, "then": {"ask_for_review": True}})
    case = message("Lovely stay, thank you!", channel=Channel(reply_address="https://x.example"))
    calm: dict[str, Any] = {"sentiment": "Positive", "urgency": "low"}
    result = assess(rules, case, **(calm | more))
    found = [e for e in result.effects if e.key == "review"]
    assert bool(found) is asked
    for effect in found:
        assert effect.while_answered
        assert effect.text == "Thank you! https://example.com/review"
        assert effect.not_before is not None
        assert effect.not_before > case.now


def test_a_review_is_asked_for_in_the_customers_language_or_the_first() -> None:
    texts = (
        {"language": "en", "text": "English"},
        {"language": "de", "text": "Deutsch"},
    )
    review = desk(review={"texts": texts}).review
    assert review is not None
    assert review.text_for("Vielen Dank für den schönen Aufenthalt bei Ihnen!") == "Deutsch"
    assert review.text_for("Merci beaucoup pour votre accueil, c'était parfait") == "English"


CALM = {"sentiment": "Positive"}


@pytest.mark.parametrize(
    ("when", "then", "said"),
    [
        (CALM, {"propose": ({"action": "fly"},)}, "no action of this desk; there are: send_help"),
        (CALM, {"propose": ({"action": "pay"},)}, "amount: missing"),
        (
            CALM,
            {"propose": ({"action": "pay", "arguments": {"amount": 5, "to": "x"}},)},
            "'to': not an argument",
        ),
        (CALM, {"tell": ("Nobody",)}, "nobody of that name under tell; there are: Duty, Boss"),
        (CALM, {}, "empty; give at least one of its fields"),
        ({}, {"priority": "high"}, "empty; give at least one of its fields"),
        ({"risks": ("fire",)}, {"priority": "high"}, "Input should be 'safety'"),
        ({"urgency": ("high",)}, {"priority": "high"}, "raises nothing"),
        (CALM, {"tags": ("Wedding!",)}, "is not a tag"),
        (CALM, {"tags": ("frontdesk_escalated",)}, "do not begin it with frontdesk"),
        ({"words": ("*",)}, {"priority": "high"}, "has no letter or digit"),
        ({"words": ("x",)}, {"ask_for_review": True}, "add sentiment: Positive"),
        (CALM | {"risks": ("legal",)}, {"ask_for_review": True}, "never asked for a review"),
        (CALM, {"ask_for_review": True, "priority": "high"}, "then.priority makes it one"),
        (
            CALM,
            {"ask_for_review": True, "propose": ({"action": "pay", "arguments": {"amount": 5}},)},
            "waits for approval: human",
        ),
        ({"urgency": ("low",)}, {"propose": ({"action": "close"},)}, "differ in urgency"),
        (
            {"risks": ("legal",), "without_risks": ("legal",)},
            {"priority": "high"},
            "legal is in risks and in without_risks",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(
    when: dict[str, Any], then: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        desk({"when": when, "then": then})
    assert said in str(refused.value)


def test_a_wish_for_reviews_needs_its_texts() -> None:
    with pytest.raises(ValidationError, match="add review: with its texts"):
        desk({"when": CALM, "then": {"ask_for_review": True}}, review=None)


_WISHES = st.one_of(
    st.builds(lambda p: {"action": "send_help", "arguments": {"place": p}}, st.just("lobby")),
    st.builds(lambda a: {"action": "pay", "arguments": {"amount": a}}, st.integers(1, 500)),
    st.builds(lambda a: {"action": "gift", "arguments": {"amount": a}}, st.integers(1, 500)),
    st.sampled_from([{"action": "close"}, {"action": "call"}]),
)
_WHEN = st.fixed_dictionaries(
    {},
    optional={
        "sentiment": st.sampled_from(["Positive", "Negative"]),
        "urgency": st.lists(st.sampled_from(URGENCIES), min_size=1, max_size=4).map(tuple),
        "risks": st.lists(st.sampled_from(RISKS), min_size=1, max_size=3).map(tuple),
        "wants_human": st.booleans(),
        "words": st.just(("dirty",)),
        "writes_again": st.booleans(),
        "repeat_customer": st.booleans(),
    },
).filter(bool)
_THEN = st.fixed_dictionaries(
    {"tags": st.just(("x",))},
    optional={
        "priority": st.sampled_from(URGENCIES),
        "propose": st.lists(_WISHES, max_size=3).map(tuple),
        "tell": st.just(("Boss",)),
        "ask_for_review": st.booleans(),
    },
)


@settings(max_examples=250, deadline=None)
@given(
    rules=st.lists(st.fixed_dictionaries({"when": _WHEN, "then": _THEN}), min_size=1, max_size=4),
    sentiment=st.sampled_from(["Positive", "Negative"]),
    urgency=st.sampled_from(URGENCIES),
    wants_human=st.booleans(),
    risks=st.lists(st.sampled_from(RISKS), max_size=2).map(tuple),
)
def test_no_rule_lets_an_action_escape_policy(
    rules: list[dict[str, Any]],
    sentiment: str,
    urgency: str,
    wants_human: bool,
    risks: tuple[Risk, ...],
) -> None:
    fitting = [rule for rule in rules if _fits(rule)]
    its_desk = desk(*fitting)
    answer: dict[str, Any] = {
        "sentiment": sentiment,
        "urgency": urgency,
        "wants_human": wants_human,
    }
    before = judged(risks=risks, **answer)
    result = assess(its_desk, risks=risks, **answer)

    # What is kept is what policy keeps of the same wishes when a model has them.
    facts = {name: getattr(result.writes, name) for name in ("urgency", "sentiment", "risks")}
    case = message(wants_human=before.wants_human, **facts)
    wishes = [Proposal(a.name, a.arguments) for a in result.actions]
    kept, _ = decide(case, its_desk, wishes)
    assert [(a.id, a.verdict, a.approval) for a in kept] == [
        (a.id, a.verdict, a.approval) for a in result.actions
    ]
    for action in result.actions:
        known = its_desk.action(action.name)
        assert known is not None
        assert action.verdict == "ask" or known.approval == "auto"
        if known.money:
            amount = action.arguments["amount"]
            assert isinstance(amount, int | float)
            assert amount <= known.money.most
            assert action.verdict == "ask" or amount <= known.money.automatic
    carried_out = [e.action.id for e in result.effects if e.action]
    assert carried_out == [
        a.id for a in result.actions if a.verdict == "execute" and a.backend != "manual"
    ]
    # Whoever needs a person before the rules needs one after them, as urgently at least.
    assert result.writes.should_escalate or not before.should_escalate
    assert any(a.verdict == "ask" for a in result.actions) <= bool(result.writes.should_escalate)
    assert URGENCIES.index(result.writes.urgency or "low") >= URGENCIES.index(before.urgency or "")
    if result.writes.should_escalate:
        assert not any(e.key == "review" for e in result.effects)


def _fits(rule: dict[str, Any]) -> bool:
    try:
        desk(rule)
    except ValidationError:
        return False
    return True
