"""A ticket's words as conversations: what it began with counts once."""

from __future__ import annotations

import pytest

from shared.domain.inbound import OPENING, CustomerWords, conversation

MAIL = CustomerWords(id="m-1", text="My room is dirty.\n-- \nAna")
REPLY = CustomerWords(id="m-2", text="Still dirty!")

SECOND = ("m-2", REPLY.text)


@pytest.mark.parametrize(
    ("subject", "text", "later", "said"),
    [
        ("Room 4", "It is dirty.", [REPLY], [(OPENING, "Room 4\n\nIt is dirty."), SECOND]),
        ("Room 4", "My room is dirty. -- Ana", [MAIL], [(OPENING, f"Room 4\n\n{MAIL.text}")]),
        ("", "My room is dirty.", [MAIL], [(OPENING, "My room is dirty."), ("m-1", MAIL.text)]),
        ("Room 4", "", [MAIL, REPLY], [("m-1", MAIL.text), SECOND]),
        ("Room 4", " ", [], [(OPENING, "Room 4")]),
        ("", "", [], [(OPENING, "")]),
        ("", "Hi", [CustomerWords(id="m", text="Hi there")], [(OPENING, "Hi"), ("m", "Hi there")]),
        ("", "!", [CustomerWords(id="m", text="?")], [(OPENING, "!"), ("m", "?")]),
    ],
)  # fmt: skip
def test_what_a_ticket_began_with_counts_once(
    subject: str, text: str, later: list[CustomerWords], said: list[tuple[str, str]]
) -> None:
    assert [(one.id, one.text) for one in conversation(subject, text, later)] == said
