"""The nudges, on Azure Queue storage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from azure.storage.queue import TextBase64EncodePolicy

from shared.adapters.azure_errors import ensure, storage_errors, write_ensured
from shared.domain.nudge import nudge_body, whole_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.storage.queue.aio import QueueClient, QueueServiceClient

    from shared.domain.nudge import Nudge

_NEVER_EXPIRES = -1


class StorageNudges:
    """Nudges on the account's queues.

    Args:
        service: The account's queues; its owner closes it.
    """

    def __init__(self, service: QueueServiceClient) -> None:
        self._service = service
        self._queues: dict[str, QueueClient] = {}

    async def ensure(self, queues: Iterable[str]) -> None:
        """Makes these queues unless they are there; a trigger does not."""
        await asyncio.gather(*(ensure(self._queue(name).create_queue) for name in queues))

    async def send(self, nudge: Nudge, delay: float = 0.0) -> None:
        queue, body = self._queue(nudge.queue), nudge_body(nudge)

        async def write() -> None:
            async with storage_errors():
                await queue.send_message(
                    body,
                    visibility_timeout=whole_seconds(delay),
                    time_to_live=_NEVER_EXPIRES,
                    retry_read=0,  # an answer that is late or lost: the message lies there
                )

        await write_ensured(write, queue.create_queue)

    def _queue(self, name: str) -> QueueClient:
        if name not in self._queues:
            # The Functions host expects Base64 by default, and the SDK does not send it by default.
            self._queues[name] = self._service.get_queue_client(
                name, message_encode_policy=TextBase64EncodePolicy()
            )
        return self._queues[name]
