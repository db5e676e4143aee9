"""Risks that the text itself shows, found without a model.

Words that, in a customer's message, nobody wants to miss. They err towards a person: a false
alarm costs a look, a miss may cost far more. The model adds what words cannot say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import get_args

from shared.domain.plain_text import fold_text
from shared.domain.risk_words import Kind, patterns
from shared.domain.stage import Risk

_WORD = re.compile(r"\b\w")
#: An escaped character, a class, or any other character of a pattern.
_PIECE = re.compile(r"\\.|\[[^\]]*\]|.")


@dataclass(frozen=True, slots=True)
class Signals:
    """What the words of a message show.

    Attributes:
        risks: Found risks, in the order of ``Risk``.
        asks_for_human: The customer asks for a person.
    """

    risks: tuple[Risk, ...]
    asks_for_human: bool


def scan(text: str) -> Signals:
    """Looks through the whole text, however long; linear in its length."""
    folded = " ".join(fold_text(text).split())
    table = _by_letter()
    found: set[Kind] = set()
    for word in _WORD.finditer(folded):
        for kind, pattern in table.get(word[0], table[""]):
            if kind not in found and pattern.match(folded, word.start()):
                found.add(kind)
    return Signals(tuple(risk for risk in get_args(Risk) if risk in found), "human" in found)


@cache
def _by_letter() -> dict[str, list[tuple[Kind, re.Pattern[str]]]]:
    """What to try at a word, by its first letter; under "" at words with any other.

    One pattern for all words would try hundreds of alternatives at each: ten times slower, 4 s for
    the longest message that intake takes. Built at the first message, in 0.2 s.
    """
    alternatives = [
        (kind, part, _first_letters(part))
        for kind, words in patterns().items()
        for part in _split(words)
    ]
    table: dict[str, list[tuple[Kind, re.Pattern[str]]]] = {}
    for letter in {""}.union(*(letters for _, _, letters in alternatives)):
        parts: dict[Kind, list[str]] = {}
        for kind, part, letters in alternatives:
            if not letters or letter in letters:
                parts.setdefault(kind, []).append(part)
        table[letter] = [(kind, re.compile("|".join(tried))) for kind, tried in parts.items()]
    return table


def _split(pattern: str) -> list[str]:
    """The alternatives of a pattern, cut at each ``|`` outside of groups."""
    parts, depth = [""], 0
    for piece in _PIECE.findall(pattern):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return [part for part in parts if part]


def _first_letters(pattern: str) -> frozenset[str]:
    """Letters with which a match can begin; none when that is not plain to see."""
    found: frozenset[str] = frozenset()
    for part in _split(pattern):
        head, rest = _head(part)
        optional = rest.startswith(("?", "*", "{0,"))
        if head.startswith("(") and not head.startswith("(?"):
            first = _first_letters(head[1:-1])
        elif head.startswith("[") and head[1:-1].isalpha():
            first = frozenset(head[1:-1])
        else:
            first = frozenset(head if head.isalpha() else "")
        after = _first_letters(rest.lstrip("?*")) if optional and first else first
        if not first or not after:
            return frozenset()
        found |= first | after
    return found


def _head(pattern: str) -> tuple[str, str]:
    """The first character, class or group, and what follows."""
    depth, end = 0, 0
    for piece in _PIECE.findall(pattern):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        end += len(piece)
        if not depth:
            break
    return pattern[:end], pattern[end:]
