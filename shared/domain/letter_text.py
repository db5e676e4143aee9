"""Somebody else's words on their way into mails and chats: made visible, and cut. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape

_JOINERS = "\u200c\u200d"  # Persian and emoji need them, and they hide nothing


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail without its addresses.

    Attributes:
        subject: One line without control characters.
        text: The plain text part.
        html: The HTML part; loads nothing from anywhere.
    """

    subject: str
    text: str
    html: str


def where_to_look(public_url: str, case_id: str) -> str:
    """Where people see a whole case: a URL, or without one a command."""
    if public_url:
        return f"{public_url.rstrip('/')}/api/cases/{case_id}"
    return f"./frontdesk show {case_id}"


def one_line(text: str, most: int) -> str:
    """The text on one line, cut."""
    return _shorten(" ".join(_visible(text[: 4 * most]).split()), most)


def visible(text: str, most: int) -> str:
    """Somebody else's words: cut, and without what would reorder or hide text around them."""
    return _shorten(_visible(text[: 4 * most]).strip(), most)


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _visible(text: str) -> str:
    """The text without what would reorder, hide or break lines that are not its own."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_shown(character) for character in lines)


def _shown(character: str) -> str:
    if character == "\n" or character in _JOINERS:
        return character
    match unicodedata.category(character):
        case "Zl" | "Zp":
            return "\n"
        case "Cc" | "Cs":
            return " "
        case "Cf":
            return ""
        case _:
            return character


def link(where: str, what: str) -> str:
    """A link, or the command to type."""
    if where.startswith(("https://", "http://")):
        return f'<a href="{escape(where)}">{escape(what)}</a>'
    return f"<code>{escape(where)}</code>"
