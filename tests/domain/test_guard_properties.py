"""For any reply: what the guard lets through states no contact and no money of its own."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.adapters.desk_files import load_desks
from shared.domain.desk import Desk
from shared.domain.guard import check_reply

DESKS = load_desks(Path(__file__).resolve().parents[2] / "desks")
NAUGHTY = Path(__file__).parents[3] / "shared/data/naughty_strings/dev.jsonl"
LONG = 64 * 1024

MESSAGE = "I paid 64,50 € by card for 3 nights. My number is +49 170 5550143, bob@mail.example."


def hotel() -> Desk:
    found = DESKS.get("hotel")
    assert found is not None
    return found


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


# Deliberately simple and apart from the guard's own code.
CONTACTS = re.compile(
    r"https?://\S+|www\.\S+|\b[a-z0-9-]+\.(?:com|net|org|de|io)\b|[\w.]+@[\w.]+\w"
    r"|\+?[0-9][0-9 \-/()]{6,}[0-9]"
)
MONEY = re.compile(
    r"[$€£] ?([0-9]+)|([0-9]+)(?:[.,][0-9]{2})? ?(?:€|\$|£|euros?\b|dollars?\b|EUR\b|USD\b)"
)

SAID = "we are sorry about your room and the bill call pay front desk thank you soon - . , !"
words = st.sampled_from([*SAID.split(), "\n"])
number = st.integers(min_value=1, max_value=99999).map(str)
phones = st.from_regex(r"\A(\+49 |0)[1-9][0-9]{2}[ /-][0-9]{5,7}\Z")
links = st.from_regex(r"\A(https://|www\.)?[a-z]{3,9}\.(com|de|org|io)(/[a-z]{1,5})?\Z")
emails = st.from_regex(r"\A[a-z]{2,8}@[a-z]{3,9}\.(com|de)\Z")
money = st.one_of(
    number.map(lambda n: f"{n} €"),
    number.map(lambda n: f"${n}"),
    number.map(lambda n: f"{n} dollars"),
    number.map(lambda n: f"EUR {n}"),
    number.map(lambda n: f"{n}.00 euros"),
)
facts = st.sampled_from([*hotel().facts, *MESSAGE.split(". ")])
replies = st.lists(st.one_of(words, words, phones, links, emails, money, facts), max_size=12).map(
    " ".join
)


@settings(max_examples=200, deadline=None)
@given(
    reply=st.one_of(replies, st.text(max_size=80), st.from_regex(CONTACTS), st.from_regex(MONEY))
)
@example(reply="02€B")
@example(reply="01//1)10")
@example(reply="1+000004/0")
@example(reply="退款02€")
def test_nothing_that_passes_holds_a_foreign_contact_or_amount(reply: str) -> None:
    if check_reply(reply, desk=hotel(), message=MESSAGE):
        return
    sources = "\n".join((hotel().scene, *hotel().facts, MESSAGE)).casefold()
    for found in CONTACTS.finditer(reply.casefold()):
        text = found[0].strip(" .-/(")
        # Fewer than seven digits are no telephone number but numbers, such as 01//1)10.
        if text[-1:].isdigit() and len(digits(text)) < 7:
            continue
        known = text in sources or digits(text).removeprefix("49").lstrip("0") in digits(sources)
        assert known, found[0]
    for found in MONEY.finditer(reply):
        assert (found[1] or found[2]) in sources


@settings(max_examples=200, deadline=None)
@given(reply=st.text(), message=st.text())
def test_any_text_is_checked_without_a_crash(reply: str, message: str) -> None:
    for violation in check_reply(reply, desk=hotel(), message=message):
        assert violation.text.isprintable()
        assert len(violation.text) <= 200


def naughty() -> list[str]:
    own = [
        "", " ", "\ufeff", "\u202e", "\ud800", "\x00", "NaN", "1/0", "½ € 1e309", "²³ ①②③ 12³",
        "٩٨٧", "२४ घंटे", "Z̸̢a̴͝l̵g̶o̷", "${jndi:ldap://x}", "{{7*7}}", "<script>x</script>", "%s%n",
        "31/02/2020 00:60 24:00 25 Uhr", "99:99", "0/0/0", "00:00 am", "€€€ $-$ 5 €-6 €",
        "0" * 400, "first of may 0", "on on on 31", "--------", "((((", "[[[[",
        "a\u0315\u0300" * 50, "mil mil", "𝟓𝟓𝟓-𝟎𝟏𝟗𝟗",
    ]  # fmt: skip
    if not NAUGHTY.exists():
        return own
    return own + [json.loads(line)["text"] for line in NAUGHTY.read_text("utf-8").splitlines()]


def test_naughty_strings_are_read_on_both_sides() -> None:
    for text in naughty():
        check_reply(text, desk=hotel(), message=text)
        check_reply(text, desk=hotel(), message="")


HOSTILE = (
    "a", "1", "1 ", "1,", "12.12.", "a.", "a@a.", "4-", "a:/", "one ", "hundred", "um 5 ", "[",
    "you will get a refund ", "request for a ", "a\u0315\u0300", "5 to ", "1.234,", "@a", "€ 1 ",
    "\n", "_",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_is_read_in_linear_time(piece: str) -> None:
    text = piece * (LONG // len(piece.encode()))
    started = time.process_time()

    check_reply("Thank you.", desk=hotel(), message=text)
    check_reply(text, desk=hotel(), message="Hello")

    # A quarter of a second on a slow machine; a pattern that goes back and forth takes hours.
    assert time.process_time() - started < 10
