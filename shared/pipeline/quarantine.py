"""Keeps queue messages that nobody can make sense of, so that a person can look."""

from __future__ import annotations

import hashlib

from shared.ports import Clock, Quarantine, Quarantined

_BODY_CHARS = 16_000


class Ward:
    """Puts messages into quarantine. The same message twice is one entry."""

    def __init__(self, quarantine: Quarantine, clock: Clock) -> None:
        self._quarantine = quarantine
        self._clock = clock

    async def keep(self, queue: str, body: bytes, reason: str) -> None:
        """Keeps one message.

        Raises:
            RetryableError: The store could not be reached: the host delivers the message again.
        """
        digest = hashlib.sha256(queue.encode() + b"\n" + body).hexdigest()[:32]
        text = body.decode(errors="backslashreplace")[:_BODY_CHARS]
        await self._quarantine.put(
            Quarantined(id=digest, queue=queue, reason=reason, body=text, at=self._clock.now())
        )
