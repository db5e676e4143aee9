r"""The words by which ``signals`` finds risks and the wish for a person: a file a language.

A word belongs here when a customer who writes it, however calmly, should be read by a person. A
word that also names what desks sell, such as television or smoke, needs company. docs/evals.md says
how often the words are right, and how to measure a change.

Each line holds regular expressions with ``|`` between them, over folded text: lower case, no
accents, one space between words. Each is tried from a word's beginning; ``\b`` ends it where a
longer word would mean something else. Beside what regular expressions have:

- ``<name>`` stands for the part of that name in the file's ``PARTS``;
- ``…`` stands for up to 40 characters of other words. No other gap may be long, so that a scan
  stays linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from shared.domain.risk_words import (
    dutch,
    english,
    french,
    german,
    italian,
    polish,
    portuguese,
    spanish,
)
from shared.domain.stage import Risk

Kind = Risk | Literal["human"]

_LANGUAGES = (english, german, french, spanish, italian, dutch, portuguese, polish)


def patterns() -> dict[Kind, str]:
    """One long alternation a kind, over all languages."""
    kinds: dict[Kind, list[str]] = {}
    for language in _LANGUAGES:
        for kind, words in language.WORDS.items():
            kinds.setdefault(kind, []).append(_expand(words, language.PARTS))
    return {kind: "|".join(languages) for kind, languages in kinds.items()}


def _expand(words: str, parts: Mapping[str, str]) -> str:
    lines = [line.strip() for line in words.splitlines()]
    said = "|".join(line for line in lines if line)
    said = re.sub(r"<([a-z]+)>", lambda name: parts[name[1]], said)
    return said.replace(" … ", "(.{0,40})? ").replace("…", ".{0,40}")
