"""The language of a text, only where it is certain."""

from __future__ import annotations

import pytest

from shared.domain.language import differing, read_language

SENTENCES = {
    "en": (
        "I waited at the gate for two hours and nobody told us anything.",
        "Could somebody look at the lamp above the mirror?",
        "Lovely evening, we will come back.",
    ),
    "de": (
        "Der Fernseher geht seit gestern Abend nicht mehr an.",
        "Können Sie mir bitte ein zweites Kissen bringen?",
        "Ich wurde zweimal belastet und möchte mein Geld zurück.",
    ),
    "fr": (
        "La douche est froide depuis ce matin.",
        "Pourriez-vous m'apporter un deuxième oreiller ?",
        "On m'a débité deux fois et je veux être remboursé.",
    ),
    "es": (
        "La ducha está fría desde esta mañana.",
        "¿Me pueden traer otra almohada, por favor?",
        "Me han cobrado dos veces y quiero que me devuelvan el dinero.",
    ),
    "it": (
        "La doccia è fredda da stamattina e nessuno è venuto.",
        "Mi può portare un secondo cuscino per favore?",
        "Mi hanno addebitato due volte la stessa cena.",
    ),
    "nl": (
        "De douche is koud sinds vanochtend.",
        "Kunt u mij een tweede kussen brengen?",
        "Er is twee keer geld van mijn rekening gehaald.",
    ),
    "pt": (
        "O chuveiro está frio desde hoje de manhã.",
        "Podem trazer uma segunda almofada, por favor?",
        "Cobraram duas vezes e quero o meu dinheiro de volta.",
    ),
    "pl": (
        "Prysznic jest zimny od rana i nikt nie przyszedł.",
        "Czy mogę prosić o drugą poduszkę do pokoju?",
        "Dwa razy pobrano pieniądze z mojego konta.",
    ),
    "ja": ("シャワーが冷たいです。", "枕をもう一つお願いします。", "二重に請求されました。"),
    "zh": ("淋浴是冷的。", "请再给我一个枕头。", "我被重复扣款了。"),
}


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in SENTENCES.items() for text in texts]
)
def test_a_sentence_is_read_as_its_language_or_left_open(code: str, text: str) -> None:
    assert read_language(text).code in (code, None)


def test_few_sentences_are_left_open() -> None:
    every = [(code, text) for code, texts in SENTENCES.items() for text in texts]

    assert sum(read_language(text).code == code for code, text in every) >= len(every) - 4


@pytest.mark.parametrize("text", ["", "OK", "12345", "Wi-Fi", "Tesco", "Odam çok kirli", "😀😀"])
def test_what_says_too_little_is_left_open(text: str) -> None:
    assert read_language(text).code is None


@pytest.mark.parametrize(
    ("message", "reply", "differ"),
    [
        ("The shower is cold.", "Es tut uns leid, dass die Dusche kalt ist.", ("en", "de")),
        (
            "The shower is cold.",
            "シャワーの件、申し訳ございません。担当者に伝えました。",
            ("en", "ja"),
        ),
        (
            "Комната грязная и холодная",
            "We are sorry about the state of your room.",
            ("Cyrl", "en"),
        ),
        ("The shower is cold.", "We are sorry about the shower.", None),
        ("Odam çok kirli", "We are sorry about the state of your room.", None),
        ("OK", "Vielen Dank für Ihre Nachricht.", None),
        ("Answer in German please: the shower is cold.", "Es tut uns sehr leid.", None),
    ],
)
def test_languages_differ_only_when_both_are_certain(
    message: str, reply: str, differ: tuple[str, str] | None
) -> None:
    assert differing(message, reply) == differ
