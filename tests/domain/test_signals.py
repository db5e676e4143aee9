"""Risks that the text itself shows."""

from __future__ import annotations

import pytest

from shared.domain.signals import scan


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("Just so you know, it smells of gas in the hallway.", "safety"),
        ("Im Flur riecht nach Gas.", "safety"),
        ("My lawyer will contact you.", "legal"),
        ("I'll sue you!", "legal"),
        ("There is a payment that I don't recognise.", "fraud"),
        ("Someone stole my card", "fraud"),
        ("You sent me someone else's account statement: a data breach.", "privacy"),
        ("I am a journalist and will write about this.", "media"),
        ("Your waiter harassed my daughter.", "harassment"),
        ("FUITE DE GAZ dans la cuisine", "safety"),
    ],
)
def test_grave_words_are_found_whatever_the_tone(text: str, risk: str) -> None:
    assert risk in scan(text).risks


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for your hospitality, we enjoyed every minute.",
        "Das Gericht war köstlich!",
        "Do you send periodic statements?",
        "What time is breakfast?",
        "My steak is still raw.",
        "Is there an issue with the pursuer of the suede shoes?",
    ],
)
def test_harmless_words_raise_nothing(text: str) -> None:
    found = scan(text)
    assert found.risks == ()
    assert not found.asks_for_human


@pytest.mark.parametrize(
    "text",
    [
        "I want to speak to a real person",
        "Let me talk to your manager.",
        "human please",
        "Call me back",
        "Ich möchte mit einem Menschen sprechen",
    ],
)
def test_the_wish_for_a_person_is_found(text: str) -> None:
    assert scan(text).asks_for_human


def test_hidden_characters_and_accents_do_not_hide_a_risk() -> None:
    assert "safety" in scan("there is a g\u200bas le\u00e1k").risks


def test_a_risk_at_the_end_of_a_long_text_is_found() -> None:
    assert "safety" in scan("all fine. " * 26_000 + "Gas leak in room 4").risks
