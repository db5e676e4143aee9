"""What we write into a CRM, for all vendors, and how it is known when it returns. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from shared.domain.stage import Urgency

_MARK = re.compile(r"\[fd-([0-9a-f]{12})-([0-9a-f]{8})\]\s*\Z")


@dataclass(frozen=True, slots=True)
class Post:
    """Something to write into a ticket.

    Attributes:
        how: ``public`` to the customer, ``note`` for colleagues, ``draft`` for a colleague to send.
        text: Plain text.
        html: The same as HTML, all that others wrote escaped.
        key: Idempotency key; ``mark_of`` makes a mark of it.
    """

    ticket_id: str
    how: Literal["public", "note", "draft"]
    text: str
    html: str
    key: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What a ticket is sorted by. Setting them twice is the same as once.

    Attributes:
        tags: Small letters, digits and ``_``.
        urgency: For the ticket's priority, which is raised and never lowered.
        key: Idempotency key.
    """

    ticket_id: str
    tags: tuple[str, ...]
    urgency: Urgency | None
    key: str


#: What a ticket is set to: it waits for the customer, or for us.
Stand = Literal["waiting", "open"]


def mark_of(idempotency_key: str) -> str:
    """Names an effect inside a CRM, so that it can be looked up there."""
    return "fd-" + hashlib.sha256(idempotency_key.encode()).hexdigest()[:12]


def marked(text: str, mark: str) -> str:
    """A text that ends in its mark, for vendors who keep nothing else of ours with it."""
    return f"{text.rstrip()}\n\n[{mark}-{_digest(text)}]"


def marked_html(post: Post) -> str:
    """The same for a text that is written as HTML."""
    text = marked(post.text, mark_of(post.key))
    return f"{post.html}<br>\n<br>\n{text[text.rindex('[') :]}"


def carries(text: str, mark: str) -> bool:
    """Whether a text was written by the effect of that mark."""
    return f"[{mark}-" in text


def is_echo(text: str) -> bool:
    """Whether we wrote a text: it ends in a mark, and the mark fits all that stands before it.

    A customer's mail that quotes ours below the answer also ends in our mark, and is no echo.
    """
    found = _MARK.search(text)
    return found is not None and _digest(text[: found.start()]) == found[2]


def _digest(text: str) -> str:
    """Of letters and digits alone: vendors change line breaks, quotes and spaces."""
    kept = "".join(character for character in text.casefold() if character.isalnum())
    return hashlib.sha256(kept.encode()).hexdigest()[:8]
