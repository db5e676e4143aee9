"""Text as the checks read it: one form for what looks the same to people."""

# ruff: noqa: RUF001 - what looks alike is what this file is about
from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ODD = re.compile(r"[^\x00-\x7f]")
_SAME = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"} | dict.fromkeys("‐‑‒–—―−", "-"))


def clean_text(text: str) -> str:
    """Text without invisible characters and combining marks, in one form of letters and digits.

    Full-width and styled characters become plain ones, digits of every script ASCII, curly
    apostrophes and long dashes their short forms. Case, accents and line breaks stay. Linear.
    """
    if text.isascii():
        return text
    # Marks go first: CPython sorts a run of them in quadratic time when it normalises.
    bare = _ODD.sub(lambda found: _plain(found[0]), text)
    return unicodedata.normalize("NFKC", bare).translate(_SAME)


def fold_text(text: str) -> str:
    """``clean_text`` in lower case without accents, white space except line breaks made single."""
    folded = clean_text(text).casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = _ODD.sub(lambda found: _plain(found[0]), decomposed)
    return re.sub(r"[^\S\n]+", " ", folded)


def excerpt(text: str, limit: int = 60) -> str:
    """Somebody else's words on one line, cut, without quotes and control characters."""
    line = " ".join(text[: limit * 4].split()).replace('"', "'")
    shown = "".join(c for c in line if unicodedata.category(c)[0] != "C")
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
