"""Sink ``copy``: keeps each digest in Blob storage, as HTML, plain text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shared.domain.digest import Digest
from shared.domain.digest_letter import digest_letter
from shared.domain.letter_text import where_to_look
from shared.errors import PermanentError

if TYPE_CHECKING:
    from shared.ports import EffectCall, Texts


class CopySink:
    """Writes ``digests/{desk}/{window}.html``, ``.txt`` and ``.json``; writing again is harmless.

    Args:
        texts: Where to.
        public_url: Where people reach this app; empty for commands instead of links.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "keyed"
    window = 1e9

    def __init__(self, texts: Texts, public_url: str) -> None:
        self._texts = texts
        self._public_url = public_url

    async def send(self, call: EffectCall) -> str:
        if not isinstance(call.about, Digest):
            raise PermanentError("not_a_digest")
        digest = call.about
        letter = digest_letter(digest, lambda case_id: where_to_look(self._public_url, case_id))
        name = f"digests/{digest.desk}/{digest.end:%Y-%m-%dT%H%MZ}"
        await self._texts.put(f"{name}.json", digest.model_dump_json(indent=1))
        await self._texts.put(f"{name}.txt", letter.text)
        await self._texts.put(f"{name}.html", letter.html)
        return f"{name}.html"

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: writing again does no harm."""
        return None
