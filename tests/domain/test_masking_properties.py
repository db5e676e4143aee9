"""Masking lets no valid card or IBAN through, changes nothing the second time, and is linear."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.masking import mask

LONG = 256 * 1024
PREFIXES = {
    "4": 16,
    "51": 16,
    "2221": 16,
    "34": 15,
    "37": 15,
    "36": 14,
    "6011": 16,
    "65": 16,
    "3528": 16,
}
SEPARATORS = ["", " ", "-", ".", "  ", " - ", "\u00a0", "\u2013", "\u200b", "\u00ad", "\n", "\t"]
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def with_luhn(digits: str) -> str:
    total = sum(sum(divmod(int(d) * 2, 10)) for d in digits[-1::-2]) + sum(map(int, digits[-2::-2]))
    return digits + str(-total % 10)


@st.composite
def cards(draw: st.DrawFn) -> str:
    prefix = draw(st.sampled_from(sorted(PREFIXES)))
    rest = PREFIXES[prefix] - len(prefix) - 1
    return with_luhn(prefix + draw(st.text("0123456789", min_size=rest, max_size=rest)))


@st.composite
def written_cards(draw: st.DrawFn) -> tuple[str, str]:
    """A card number and one way to write it."""
    card = draw(cards())
    sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(len(card), (4, 4, 4, 4))
    separator = draw(st.sampled_from(SEPARATORS))
    parts, at = [], 0
    for size in sizes:
        parts.append(card[at : at + size])
        at += size
    written = separator.join(parts)
    return card, written.translate(FULL_WIDTH) if draw(st.booleans()) else written


@st.composite
def ibans(draw: st.DrawFn) -> str:
    country, form = draw(
        st.sampled_from([("DE", "n" * 18), ("GB", "aaaa" + "n" * 14), ("NL", "aaaa" + "n" * 10)])
    )
    account = "".join(
        draw(st.sampled_from("0123456789" if kind == "n" else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        for kind in form
    )
    number = int("".join(str(int(c, 36)) for c in account + country + "00"))
    return f"{country}{98 - number % 97:02d}{account}"


prose = st.text("abc XY.,;:!?()\n'\"äß日", max_size=20)


@settings(max_examples=400, deadline=None)
@given(before=prose, written=written_cards(), after=prose)
def test_no_valid_card_gets_through(before: str, written: tuple[str, str], after: str) -> None:
    card, text = written

    masked = mask(f"{before} {text} {after}").text

    assert f"[card ending {card[-4:]}]" in masked
    assert text not in masked
    assert card[:-4] not in re.sub(r"\D", "", masked)


@settings(max_examples=200, deadline=None)
@given(
    before=prose,
    iban=ibans(),
    group=st.sampled_from([4, 5, 34]),
    separator=st.sampled_from(SEPARATORS[:8]),
    small=st.booleans(),
    after=prose,
)
def test_no_valid_iban_gets_through(
    before: str, iban: str, group: int, separator: str, small: bool, after: str
) -> None:
    parts = [iban[at : at + group] for at in range(0, len(iban), group)]
    text = separator.join(parts)

    masked = mask(f"{before} {text.lower() if small else text} {after}")

    assert "IBAN" in masked.found
    assert f"[IBAN {iban[:2]}…{iban[-2:]}]" in masked.text


PIECES = (
    "4242", "424242", " ", "-", "4242424242424242", "DE89", "370400440532013000", "is", "password",
    ": ", "PIN", "1234", "cvv ", "[", "]", "[password]", "[card ending 4242]", '"', "\\", "\\n",
    "{", "}", "219-09-9999", "SSN ", "12345678Z", "eyJhbGciOiJI.eyJzdWIiOiI",
    "sk-abcdefghijklmnopqrst", "hunter2", "no", "card ", "\u200b", "４２", "ß", "\n", ",",
    "passport number ", "1", "=", "\\u0034", "86 095 742 719",
)  # fmt: skip
pieces = st.sampled_from(PIECES)
mixtures = st.one_of(st.text(), st.lists(pieces, max_size=14).map("".join))


@settings(max_examples=400, deadline=None)
@given(text=mixtures)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)

    assert mask(once.text).text == once.text
    assert once.found or once.text == text


json_values = st.recursive(
    st.one_of(
        st.integers(),
        st.booleans(),
        st.none(),
        mixtures.filter(str.isprintable),
        cards(),
        cards().map(int),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(mixtures, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(
    value=st.dictionaries(st.text(max_size=8), json_values, max_size=4), ascii_only=st.booleans()
)
def test_masked_json_can_be_read(value: dict[str, object], ascii_only: bool) -> None:
    json.loads(mask(json.dumps(value, ensure_ascii=ascii_only)).text)


HOSTILE = (
    "a", "4", "4 ", "4-", "4242 ", "4242424242424242 ", "eyJ", "eyJaaaaaaaa.", "DE12", "[", "sk-",
    "AT10 1234 ", "password is ", "pin to for a b ", "-----BEGIN PRIVATE KEY-----", "\\u0034", "４",
    "4\u200b", "\\", '"', "a\u0315\u0300", " ", "\n", "123-45-", "card number ", "SSN 123456789 ",
    "12.345.678", "AB123456",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_is_masked_in_linear_time(piece: str) -> None:
    text = piece * (LONG // len(piece.encode()))
    started = time.process_time()

    mask(text)

    # About a second on a slow machine; a pattern that goes back and forth takes hours.
    assert time.process_time() - started < 20
