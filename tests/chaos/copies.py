"""Queue messages delivered twice, and messages that are none."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

from azure.storage.queue.aio import QueueServiceClient

from shared.adapters.azure_clients import AzureStorage
from shared.domain.nudge import Nudge
from shared.domain.partition import Partition
from shared.errors import RetryableError

_SHARE = 0.05
_GARBAGE = {
    "stage-sentiment": ("hello", '{"case": 7}'),
    "effects": ('{"case":"nobody","turn":1,"stage":"sentiment","effect":"reply-1"}',),
}


class Copies:
    """Sends copies of nudges that were sent before, at some later time.

    Attributes:
        sent: How many.
    """

    def __init__(self, storage: AzureStorage, seed: int) -> None:
        self.sent = 0
        self._storage = storage
        self._dice = Random(f"{seed} copies")

    async def of(self, case_id: str) -> None:
        """Looks at a case twice, early and late, and copies some of what was sent for it."""
        for longest in (1.5, 6.0):
            await asyncio.sleep(self._dice.uniform(0.0, longest))
            with contextlib.suppress(RetryableError):
                for nudge in _sent(await self._storage.cases.read(case_id)):
                    if self._dice.random() < _SHARE:
                        await self._storage.nudges.send(nudge)
                        self.sent += 1


def _sent(view: Partition) -> list[Nudge]:
    """Nudges that were sent for a case so far."""
    stages = [Nudge(view.case_id, p.turn, p.plan.stage) for p in view.progress if p.row or p.due_at]
    return stages + [
        Nudge(view.case_id, e.request.turn, e.asked_by, e.request.key) for e in view.effects
    ]


async def send_garbage(storage: AzureStorage) -> dict[str, tuple[str, ...]]:
    """Puts messages that are no nudges, or name nothing, into queues; returns bodies by queue."""
    await storage.nudges.ensure(_GARBAGE)
    for queue, bodies in _GARBAGE.items():
        for body in bodies:
            await storage.nudges._queue(queue).send_message(body)
    return _GARBAGE


async def messages_left(connection_string: str) -> dict[str, int]:
    """How many messages each queue holds.

    Hidden ones included, which a killed host leaves behind for ten minutes; in poison queues only
    those that nobody has taken yet.
    """
    left = {}
    async with QueueServiceClient.from_connection_string(connection_string) as service:
        async for found in service.list_queues():
            queue = service.get_queue_client(found.name)
            if found.name.endswith("-poison"):
                left[found.name] = len(await queue.peek_messages(max_messages=32))
            else:
                properties = await queue.get_queue_properties()
                left[found.name] = properties.approximate_message_count or 0
    return left
