"""Texts with gaps."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.templates import fill, gaps


@pytest.mark.parametrize(
    ("text", "names", "filled"),
    [
        ("rooms/{room}/{what}", ("room", "what"), "rooms/12/True story"),
        ("{{room}} {room}", ("room",), "{room} 12"),
        ("{nothing}!", ("nothing",), "!"),
        ("{price} {vip}", ("price", "vip"), "20 true"),
        ("plain", (), "plain"),
    ],
)
def test_gaps_are_named_and_filled(text: str, names: tuple[str, ...], filled: str) -> None:
    values = {"room": 12, "what": "True story", "price": 20.0, "vip": True}
    assert gaps(text) == names
    assert fill(text, values) == filled


@pytest.mark.parametrize("text", ["{", "}", "{Room}", "{a b}", "{}", "a { b", "{{room}"])
def test_a_brace_alone_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="stands alone"):
        gaps(text)


@given(st.text())
def test_what_goes_into_a_gap_never_makes_another(value: str) -> None:
    assert fill("a{x}b", {"x": value, "y": "no"}) == f"a{value}b"
    said = fill("/{x}/", {"x": value}, lambda text: quote(text, safe=""))
    assert said.count("/") == 2
    assert unquote(said[1:-1]) == value.encode(errors="replace").decode() or max(value) >= "\ud800"
