"""Keeps a customer's words: masked, long ones in a blob, with what they show before that."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import signals
from shared.domain.masking import mask
from shared.domain.stage import Risk, Secret
from shared.ports import Texts

INLINE_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A text as rows hold it.

    Attributes:
        text: The masked words, or their first 16 KiB when ``blob`` is set.
        blob: Name of the blob that holds them all.
        size: Bytes of all of them in UTF-8.
        signals: What was found in the words before they were masked.
        masked: What was masked, each kind once.
    """

    text: str
    blob: str | None
    size: int
    signals: tuple[Risk, ...]
    asks_for_human: bool
    masked: tuple[Secret, ...]


async def keep(texts: Texts, blob: str, text: str) -> Kept:
    """Scans a text, masks it, and stores what is too long for a row.

    Args:
        blob: Where a long text goes: a clashing delivery must not overwrite an accepted one.

    Raises:
        RetryableError: Storage is down.
    """
    # Risks are looked for in what the customer wrote; nothing else sees it.
    found, masked = signals.scan(text), mask(text)
    encoded = masked.text.encode()
    long = len(encoded) > INLINE_BYTES
    if long:
        await texts.put(blob, masked.text)
    return Kept(
        text=encoded[:INLINE_BYTES].decode(errors="ignore"),
        blob=blob if long else None,
        size=len(encoded),
        signals=found.risks,
        asks_for_human=found.asks_for_human,
        masked=tuple(dict.fromkeys(masked.found)),
    )
