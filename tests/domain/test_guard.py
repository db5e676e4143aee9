"""What a reply may say: facts and the customer's words in any form, and nothing that commits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.adapters.desk_files import load_desks
from shared.domain.acknowledgements import safe_acknowledgement
from shared.domain.desk import Acknowledgement, Desk
from shared.domain.guard import MAX_VIOLATIONS, Violation, check_reply
from shared.domain.stage import Action

DESKS = load_desks(Path(__file__).resolve().parents[2] / "desks")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja", "zh")

REFUND = {
    "name": "refund_guest",
    "description": "Pays back part of the bill.",
    "when": "The guest was charged wrongly.",
    "arguments": [{"name": "amount", "description": "Amount", "type": "number"}],
}


def desk(**changes: Any) -> Desk:
    given = {"name": "shop", "title": "A shop", "scene": "You sell hats.", "actions": [REFUND]}
    return Desk.model_validate(given | changes)


def kinds(
    reply: str, message: str = "Hello", approved: tuple[Action, ...] = (), **made: Any
) -> set[str]:
    found = check_reply(reply, desk=desk(**made), message=message, approved=approved)
    return {violation.kind for violation in found}


SAME = [
    ("Breakfast is until 22:00.", "Breakfast is until 10 pm."),
    ("Breakfast is until 22:00.", "Breakfast is until 10 p.m."),
    ("Breakfast is until 22:00.", "Breakfast is until 10."),
    ("Breakfast is until 22:00.", "Das Frühstück gibt es bis 22 Uhr."),
    ("Breakfast is until 22:00.", "Das Frühstück gibt es bis 22.00 Uhr."),
    ("Breakfast is until 22:00.", "Le petit déjeuner est servi jusqu'à 22 h."),
    ("Breakfast is until 22:00.", "Le petit déjeuner est servi jusqu'à 22h00."),
    ("Breakfast is until 12:00.", "Breakfast is until noon."),
    ("Breakfast is from 7 am to 10 am.", "Breakfast is served from 7:00 to 10:00."),
    ("The shop is open day and night.", "The shop is open 24/7."),
    ("A hat costs 50 €.", "A hat costs EUR 50."),
    ("A hat costs 50 €.", "A hat costs 50.00 euros."),
    ("A hat costs 50 €.", "A hat costs fifty euros."),
    ("A hat costs 50 €.", "Ein Hut kostet fünfzig Euro."),
    ("A hat costs 1,500 dollars.", "A hat costs $1500."),
    ("Ein Hut kostet 1.500,00 €.", "A hat costs 1,500 euros."),
    ("A hat takes two days.", "A hat takes 2 days."),
    ("A hat takes two days.", "A hat takes 48 hours."),
    ("A hat takes two days.", "Ein Hut braucht zwei Tage."),
    ("A hat takes two days.", "Un chapeau prend deux jours."),
    ("A hat takes 14 days.", "A hat takes two weeks."),
    ("A hat takes one hour.", "A hat is ready in an hour."),
    ("Die Hutmacherin kommt am Montag.", "The maker of hats comes on Monday."),
    ("The sale of hats is on 3 May 2026.", "The sale of hats is on May 3rd."),
    ("The sale of hats is on 3 May 2026.", "The sale of hats is on 03.05.2026."),
    ("The sale of hats is on 3 May 2026.", "Der Verkauf der Hüte ist am 3. Mai."),
    ("Call +49 (0)30 901820.", "Call 030 901820."),
    ("Call 030-90 18 20.", "Call +49 30 901820."),
    ("Write to Hats@Example.com.", "Write to hats@example.com."),
    ("See https://www.hats.example/help/.", "See hats.example/help for hats."),
    ("The hat shop has 3 floors.", "The hat shop has three floors."),
    ("The hat shop has three floors.", "The hat shop has 3 floors."),
    ("A fifth of hats, 20 %, is blue.", "20 percent of hats is blue."),
]


@pytest.mark.parametrize(("fact", "reply"), SAME)
def test_a_fact_may_be_stated_in_another_form(fact: str, reply: str) -> None:
    assert kinds(reply, message="", facts=(fact,)) == set()


OTHER = [
    ("Breakfast is until 22:00.", "Breakfast is until 10 am.", "time"),
    ("Breakfast is until 10:30.", "Breakfast is until 10:30 pm.", "time"),
    ("A hat costs 50 €.", "A hat costs 50 dollars.", "amount"),
    ("A hat takes 50 minutes.", "A hat costs 50 euros.", "amount"),
    ("A hat takes two working days.", "A hat takes two days.", "duration"),
    ("A hat takes two days.", "A hat takes two working days.", "duration"),
    ("A hat takes two days.", "A hat costs two percent.", "percentage"),
    ("The sale is on 3 May.", "The sale is on 3 May 2027.", "date"),
    ("Call 030 901820.", "Call 030 901821.", "phone number"),
    ("See hats.example/help for hats.", "See hats.example/login for hats.", "link"),
    (
        "Your refund from a shop is sent within 10 days.",
        "The hats are ready in 10 days.",
        "duration",
    ),
]


@pytest.mark.parametrize(("fact", "reply", "kind"), OTHER)
def test_a_fact_allows_no_other_value_kind_or_matter(fact: str, reply: str, kind: str) -> None:
    assert kind in kinds(reply, facts=(fact,))


def test_what_the_customer_wrote_may_be_repeated() -> None:
    message = "I paid 64,50 € for order HB-20431 on 3 May and my number is 0170 5550143."

    assert kinds("I see: order HB-20431 of May 3rd, 64.50 euros, 0170-5550143.", message) == set()


@pytest.mark.parametrize(
    ("mention", "promise"),
    [
        ("I have passed on your request for a refund.", "I have decided on a refund for you."),
        ("I have passed on your refund request.", "Your refund request has been approved."),
        ("You would like a refund of 50 euros.", "You will get a refund of 50 euros."),
        ("A colleague decides whether a refund is possible.", "A refund is possible."),
        ("I cannot promise a refund.", "I can promise a refund."),
        ("I am sorry that your refund has not arrived.", "I am sorry, here is your refund."),
    ],
)
def test_a_demand_may_be_mentioned_and_not_be_met(mention: str, promise: str) -> None:
    message = "I want a refund of 50 euros!"

    assert kinds(mention, message) == set()
    assert "commitment" in kinds(promise, message)


def test_nobody_brings_up_a_refund_that_was_not_asked_for() -> None:
    assert "commitment" in kinds(
        "A colleague decides about your request for a refund.", "My hat tore."
    )


def test_a_fact_about_requests_promises_nothing() -> None:
    facts = ("The manager reviews every request for a refund within two working days.",)

    assert kinds("The manager reviews your request for a refund.", facts=facts) == set()
    assert kinds("The manager will refund you within two working days.", facts=facts) == {
        "commitment"
    }


def test_a_present_is_allowed_for_what_the_facts_name_only() -> None:
    facts = ("Wrapping paper is free of charge.",)

    assert kinds("Wrapping paper is free of charge for everybody.", facts=facts) == set()
    assert kinds("Your hat is free of charge.", facts=facts) == {"commitment"}


def test_an_approved_action_may_be_told_with_its_amount() -> None:
    approved = (Action(name="refund_guest", arguments={"amount": 50.0}, approval="human"),)
    reply = "We refund you 50 dollars. The refund has been approved."

    assert kinds(reply, "I was charged twice", approved) == set()
    assert kinds(reply, "I was charged twice") == {"amount", "commitment"}
    assert kinds("We refund you 60 dollars.", "I was charged twice", approved) == {"amount"}
    assert kinds("We give you a voucher.", "I was charged twice", approved) == {"commitment"}


def test_a_desk_may_allow_questions_and_set_the_length() -> None:
    assert kinds("Which hat is it?") == {"question"}
    assert kinds("Which hat is it?", may_ask=True) == set()
    assert kinds("Hats are fine. " + "abcd" * 25, max_reply_chars=100) == {"length"}


@pytest.mark.parametrize("mark", ["？", "¿", "؟", "\u037e", "⁇", "‽", "՞", "︖"])
def test_question_marks_of_other_scripts_are_seen(mark: str) -> None:
    assert "question" in kinds(f"Hut{mark}")


def test_a_reply_may_be_in_a_language_that_the_customer_names() -> None:
    german = "Vielen Dank für Ihre Nachricht, wir sehen sie uns an."

    assert kinds(german, "My hat is too small and I am not happy with it.") == {"language"}
    assert kinds(german, "My hat is too small. Please answer in German.") == set()


def test_masked_text_may_be_repeated_and_other_brackets_may_not() -> None:
    message = "My card [card ending 4242] was charged."

    assert kinds("I am sorry about the card [card ending 4242].", message) == set()
    assert kinds("I am sorry about the card [card number].", message) == {"markup"}


def test_violations_are_few_short_and_on_one_line() -> None:
    parts = [
        f"Call 0170 555{n:04d}\n\x1b[31m\u202e, pay {n} $ on {n % 28 + 1} May." for n in range(400)
    ]

    found = check_reply("".join(parts) + "?" * 5000, desk=desk(), message="Hello")

    assert len(found) == MAX_VIOLATIONS
    for violation in found:
        assert len(violation.text) <= 200
        assert violation.text.isprintable()


def test_a_violation_reads_after_the_reply() -> None:
    reply = "We pay 50 EUR."

    assert check_reply(reply, desk=desk(), message="Hello") == (
        Violation("amount", 'states an amount that is not in the facts: "50 eur"'),
    )


def test_talk_of_models_is_no_better_when_the_customer_began_it() -> None:
    message = "Are you an AI language model?"

    assert kinds("I am an AI language model.", message) == {"self-description"}
    assert (
        kinds("This chat is run by an AI.", message, facts=("This chat is run by an AI.",)) == set()
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DESKS.names)
def test_every_safe_acknowledgement_passes_the_guard(name: str, language: str) -> None:
    of = DESKS.get(name)
    assert of is not None
    text = safe_acknowledgement(of, language)

    assert check_reply(text, desk=of, message="") == ()


def test_a_desks_own_acknowledgement_comes_first() -> None:
    own = (
        Acknowledgement(language="de", text="Danke!"),
        Acknowledgement(language="tr", text="Sağ ol!"),
    )
    of = desk(acknowledgements=own)

    assert safe_acknowledgement(of, "de-AT") == "Danke!"
    assert safe_acknowledgement(of, "tr") == "Sağ ol!"
    assert safe_acknowledgement(of, "fr").startswith("Merci")
    assert safe_acknowledgement(of, "sv") == "Danke!"
    assert safe_acknowledgement(of, None) == "Danke!"
    assert safe_acknowledgement(desk(), "<script>").startswith("Thank you")


def test_a_desk_has_one_acknowledgement_a_language() -> None:
    twice = [{"language": "de", "text": "a"}, {"language": "de", "text": "b"}]

    with pytest.raises(ValueError, match="acknowledgement named twice: de"):
        desk(acknowledgements=twice)
    with pytest.raises(ValueError, match="not a language; write its two letters"):
        desk(acknowledgements=[{"language": "German", "text": "a"}])
