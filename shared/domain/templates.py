"""Texts with gaps, ``rooms/{room}/cleanings``, as people write them in desk files. Pure.

A gap is a name in braces; ``{{`` and ``}}`` are braces themselves. What goes into a gap came from a
customer by way of a model, so whoever fills one says how it is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_-]{0,39})\}|[{}]")


def gaps(text: str) -> tuple[str, ...]:
    """The names of a text's gaps.

    Raises:
        ValueError: A brace stands alone; says how to write it.
    """
    found: list[str] = []
    for piece in _PIECE.finditer(text):
        if piece[0] in ("{", "}"):
            raise ValueError(f"a {piece[0]} stands alone; write {{name}} for a gap, {piece[0] * 2}")
        if piece[1]:
            found.append(piece[1])
    return tuple(found)


def fill(
    text: str, values: Mapping[str, object], encode: Callable[[str], str] = lambda text: text
) -> str:
    """The text with its gaps filled; a gap without a value is left empty."""

    def piece(found: re.Match[str]) -> str:
        name = found[1]
        return found[0][:1] if not name else encode(spoken(values.get(name, "")))

    return _PIECE.sub(piece, text)


def spoken(value: object) -> str:
    """A value as text: booleans in small letters, numbers without a needless ``.0``."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
