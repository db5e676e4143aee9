"""Risks that the text itself shows."""

from __future__ import annotations

import re

import pytest

from shared.domain.plain_text import fold_text
from shared.domain.risk_words import patterns
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
        ("Mia figlia ha ingoiato una moneta, siamo al pronto soccorso.", "safety"),
        ("Er komen vonken uit het stopcontact.", "safety"),
        ("A minha mulher desmaiou no elevador.", "safety"),
        ("W kuchni czuć gaz.", "safety"),
        ("Het is een zaak voor mijn advocaat.", "legal"),
        ("Vou pedir o livro de reclamações.", "legal"),
        ("Oddam sprawę do sądu.", "legal"),
        ("Mi hanno rubato il portafoglio.", "fraud"),
        ("Zgubiłem kartę w pociągu.", "fraud"),
        ("Ich habe meine Karte verloren.", "fraud"),
        ("I see a payment that I definitely did not make.", "fraud"),
        ("J'ai reçu la facture d'un autre client.", "privacy"),
        ("El periodista llamará mañana; hablaré con la prensa.", "media"),
        ("Jullie monteur heeft mij bedreigd.", "harassment"),
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
        "I am sad that the television is so small.",
        "Can I smoke on the balcony?",
        "Die Rechnung betrug 50 Euro.",
        "Saumon fumé, s'il vous plaît.",
        "De rechter knop van de oven doet het niet.",
        "Ale czad, dziękuję!",
        "La televisión no tiene mando.",
        "Can I get a newspaper in my room?",
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
        "Je voudrais parler à un responsable.",
        "Quiero hablar con una persona",
        "Vorrei parlare con un operatore",
        "Kunt u mij laten bellen? Geen robot graag.",
        "Quero falar com um responsável",
        "Proszę o rozmowę z konsultantem",
        "Agent.",
    ],
)
def test_the_wish_for_a_person_is_found(text: str) -> None:
    assert scan(text).asks_for_human


def test_hidden_characters_and_accents_do_not_hide_a_risk() -> None:
    assert "safety" in scan("there is a g\u200bas le\u00e1k").risks


def test_a_risk_at_the_end_of_a_long_text_is_found() -> None:
    assert "safety" in scan("all fine. " * 26_000 + "Gas leak in room 4").risks


def test_a_word_is_tried_only_where_it_can_begin_and_none_is_lost() -> None:
    """Given the index by first letters, when every word is tried everywhere, then both agree."""
    slow = {kind: re.compile(rf"\b(?:{words})") for kind, words in patterns().items()}
    texts = [
        "1 million followers will see this",
        "the financial regulator was told",
        "die Finanzaufsicht weiß Bescheid",
        "please call me",
        "No. Agent!",
        "óleo quente caiu em cima de mim; łamie mi się ząb",
        "my visa card has been copied, the thief bought shoes",
        "someone is using my sim and knows where I live",
        "Kawałek szkła w zupie. Szkło w zupie.",
    ]

    for text in texts:
        folded = " ".join(fold_text(text).split())
        found = {kind for kind, pattern in slow.items() if pattern.search(folded)}
        signals = scan(text)
        assert found, text
        assert {*signals.risks, *(["human"] if signals.asks_for_human else [])} == found, text
