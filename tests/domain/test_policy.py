"""The rules: what escalates, what is proposed, what is dropped."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from shared.domain import policy, verdicts
from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.desk_action import Argument, CatalogueAction
from shared.domain.stage import Risk, Sentiment, Urgency, Writes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DESK = Desk(
    name="hotel",
    title="Hotel",
    scene="A hotel.",
    actions=(
        CatalogueAction(
            name="send_housekeeping",
            description="Sends housekeeping to a room.",
            when="A room is not clean.",
            arguments=(Argument(name="room", type="integer", description="Room", minimum=1),),
            approval="auto",
        ),
        CatalogueAction(
            name="offer_refund",
            description="Offers money back.",
            when="The stay was spoiled.",
            arguments=(
                Argument(name="amount", type="number", description="Euro", minimum=0, maximum=100),
            ),
            approval="management",
        ),
    ),
)


def a_case(
    signals: tuple[Risk, ...] = (), *, asks: bool = False, risks: tuple[Risk, ...] = ()
) -> SupportCase:
    return SupportCase(
        case_id="c",
        support_context="A hotel.",
        customer_query="…",
        created_at=NOW,
        updated_at=NOW,
        desk="hotel",
        signals=signals,
        asks_for_human=asks,
        risks=risks,
    )


def judged(
    case: SupportCase,
    sentiment: Sentiment = "Positive",
    urgency: Urgency = "normal",
    *,
    human: bool = False,
    risks: tuple[Risk, ...] = (),
) -> Writes:
    return policy.judge(case, sentiment=sentiment, urgency=urgency, wants_human=human, risks=risks)


def test_a_positive_harmless_message_does_not_escalate() -> None:
    writes = judged(a_case())
    assert writes.should_escalate is False
    assert writes.decision == ("answered without escalation: positive, no risk, nobody asked for",)


@pytest.mark.parametrize(
    ("writes", "reason"),
    [
        (judged(a_case(), "Negative"), "escalate: negative sentiment"),
        (judged(a_case(), urgency="critical"), "escalate: urgency: critical"),
        (judged(a_case(), human=True), "escalate: the customer asks for a person"),
        (judged(a_case(asks=True)), "escalate: the customer asks for a person"),
        (judged(a_case(), risks=("fraud",)), "escalate: risk: fraud"),
        (judged(a_case(("safety",))), "escalate: risk: safety"),
    ],
)
def test_each_reason_alone_escalates_and_is_written_down(writes: Writes, reason: str) -> None:
    assert writes.should_escalate is True
    assert reason in writes.decision


def test_no_model_answer_suppresses_what_the_text_shows() -> None:
    """Given a gas leak in the text, when the model says all is well, then it escalates anyway."""
    for sentiment, urgency, human in product(
        ("Positive", "Negative"), ("low", "normal", "high", "critical"), (True, False)
    ):
        writes = judged(a_case(("safety",)), sentiment, urgency, human=human)  # type: ignore[arg-type]
        assert writes.should_escalate
        assert writes.urgency == "critical"
        assert writes.risks == ("safety",)


def test_actions_are_kept_only_from_the_catalogue_with_checked_arguments() -> None:
    kept, dropped = verdicts.decide(
        a_case(),
        DESK,
        [
            verdicts.Proposal("send_housekeeping", {"room": "12"}, "dirty  room"),
            verdicts.Proposal("send_housekeeping", {"room": "12"}, "again"),
            verdicts.Proposal("wire_money", {"to": "attacker"}),
            verdicts.Proposal("offer_refund", {"amount": "5000"}),
        ],
    )
    assert [(a.name, a.arguments, a.approval, a.reason) for a in kept] == [
        ("send_housekeeping", {"room": 12}, "auto", "dirty room")
    ]
    assert [d.name for d in dropped] == ["send_housekeeping", "wire_money", "offer_refund"]
    assert dropped[0].why == "proposed twice"
    assert dropped[1].why == "not in the desk's catalogue"
    assert "amount" in dropped[2].why


def test_the_catalogue_decides_who_approves_not_the_model() -> None:
    kept, _ = verdicts.decide(a_case(), DESK, [verdicts.Proposal("offer_refund", {"amount": "50"})])
    assert kept[0].approval == "management"


def test_grave_risks_reach_upper_management_whatever_the_model_says() -> None:
    result = policy.escalate(
        a_case(risks=("legal",)), DESK, [], needs_upper_management=False, summary="  A   summary "
    )
    assert result.writes.needs_upper_management_attention
    assert result.writes.escalated
    assert result.writes.summary == "A summary"
    assert "upper management: legal" in result.writes.decision


def test_an_action_whose_arguments_are_the_catalogues_own_words_is_dropped_and_recorded() -> None:
    matter = Argument(name="matter", description="What it is about")
    call = CatalogueAction(name="call", description="Calls.", when="Wanted.", arguments=(matter,))
    desk = DESK.model_copy(update={"actions": (call,)})
    kept, dropped = verdicts.decide(
        a_case(), desk, [verdicts.Proposal("call", {"matter": "What it is about."})]
    )
    assert kept == ()
    why = "matter: repeats what the argument is about"
    assert [(item.name, item.why, item.arguments) for item in dropped] == [("call", why, {})]


def test_more_actions_than_allowed_are_dropped() -> None:
    proposals = [verdicts.Proposal("send_housekeeping", {"room": str(n)}) for n in range(1, 9)]
    kept, dropped = verdicts.decide(a_case(), DESK, proposals)
    assert len(kept) == verdicts.MAX_ACTIONS
    assert len(dropped) == 3
