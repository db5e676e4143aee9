"""Polls one queue and settles its messages as the real queue extension does.

Source: Microsoft.Azure.WebJobs.Extensions.Storage.Queues (QueueListener, QueueProcessor) in
Azure/azure-sdk-for-net, and ApplyBindingData in Azure/azure-functions-host for the metadata.
"""

import asyncio
import base64
import binascii
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError
from azure.functions import QueueMessage
from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter
from azure.storage.queue import QueueMessage as StoredMessage
from azure.storage.queue.aio import QueueClient

from devkit.host import storage
from devkit.host.app import HostedFunction
from devkit.host.invocation import Invoke
from devkit.host.settings import QueueOptions
from devkit.host.storage import QueueStorage

logger = logging.getLogger("devkit.host")

POISON_SUFFIX = "-poison"
_FIRST_DELAY_S = 0.1
_WAKE_GAP_S = 0.05
_RENEW_RETRY_S = 60.0
_GIVE_BACK_S = 2.0


@dataclass
class _Delivery:
    """One received message; its pop receipt changes with every renewal."""

    message: StoredMessage
    receipt: str | None


class QueueListener:
    """The trigger of one function.

    Args:
        function: what to invoke for each message.
        queue: where its messages are.
        poison: where failing messages go; None for a poison queue, or one whose poison queue
            would have too long a name.
        options: host.json `extensions.queues`.
        invoke: runs the function.
        store: told of outages.
        on_poison: called with the poison queue's name after a message went there.
        lease: seconds a received message stays hidden; renewed at half of it.
    """

    def __init__(
        self,
        function: HostedFunction,
        queue: QueueClient,
        poison: QueueClient | None,
        options: QueueOptions,
        invoke: Invoke,
        store: QueueStorage,
        on_poison: Callable[[str], None],
        lease: float = 600.0,
    ) -> None:
        self._function = function
        self._queue = queue
        self._poison = poison
        self._options = options
        self._invoke = invoke
        self._store = store
        self._on_poison = on_poison
        self._lease = lease
        self._delay = _FIRST_DELAY_S
        self._polled_at = 0.0
        self._wake = asyncio.Event()
        self._stopping = False
        self._poller: asyncio.Task[None] | None = None
        self._in_work: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to poll."""
        self._poller = asyncio.create_task(self._poll())

    def wake(self) -> None:
        """Poll soon, and often for a while: a message may have been sent just now."""
        self._wake.set()

    async def stop(self, grace: float) -> None:
        """Poll no more; let invocations end, then give back the messages of the rest.

        Args:
            grace: seconds that running invocations get.
        """
        deadline = time.monotonic() + grace
        self._stopping = True
        self._wake.set()
        if self._poller:
            # A poll cut off at once would leave its messages hidden for the whole lease.
            await asyncio.wait({self._poller}, timeout=grace)
            self._poller.cancel()
        if self._in_work:
            _, late = await asyncio.wait(self._in_work, timeout=deadline - time.monotonic())
            for work in late:
                work.cancel()
            if late:
                await asyncio.wait(late, timeout=_GIVE_BACK_S)

    async def _poll(self) -> None:
        while not self._stopping:
            try:
                received = await self._receive()
            except Exception:
                logger.exception("polling failed", extra={"queue": self._queue.queue_name})
                received = []
            for message in received:
                work = asyncio.create_task(self._process(_Delivery(message, message.pop_receipt)))
                self._in_work.add(work)
                work.add_done_callback(self._in_work.discard)
            if received:
                self._delay = _FIRST_DELAY_S
                await self._below_threshold()
            else:
                await self._pause()

    async def _receive(self) -> list[StoredMessage]:
        self._wake.clear()
        self._polled_at = time.monotonic()
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size,
            visibility_timeout=int(self._lease),
            retry_total=0,
        ).by_page()
        try:
            page = await anext(pages, None)
        except AzureError as error:
            if storage.queue_is_gone(error):
                self._store.answered()
            else:
                self._store.failed(error)
            return []
        self._store.answered()
        return [message async for message in page] if page else []

    async def _below_threshold(self) -> None:
        while len(self._in_work) > self._options.new_batch_threshold and not self._stopping:
            await asyncio.wait(self._in_work, return_when=asyncio.FIRST_COMPLETED)

    async def _pause(self) -> None:
        """Wait for the next poll: double the delay each time, or begin anew when woken."""
        limit = self._options.max_polling_interval
        delay = min(self._delay * random.uniform(0.8, 1.2), limit)  # noqa: S311
        self._delay = min(self._delay * 2, limit)
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            return
        self._delay = _FIRST_DELAY_S
        # Under load every invocation wakes every idle queue; the gap bounds what that costs.
        await asyncio.sleep(max(0.0, self._polled_at + _WAKE_GAP_S - time.monotonic()))

    async def _process(self, delivery: _Delivery) -> None:
        try:
            await self._handle(delivery)
        except asyncio.CancelledError:
            await self._settle(delivery, self._release(delivery, 0))
        except Exception:
            logger.exception("message not settled", extra={"queue": self._queue.queue_name})

    async def _handle(self, delivery: _Delivery) -> None:
        message = delivery.message
        if self._stopping:
            await self._settle(delivery, self._release(delivery, 0))
            return
        body = _decode_body(message.content or "", is_base64=self._options.base64)
        if body is None:
            logger.warning(
                "message could not be decoded; check messageEncoding in host.json",
                extra={"queue": self._queue.queue_name, "message_id": message.id},
            )
        if body is None or (message.dequeue_count or 0) > self._options.max_dequeue_count:
            await self._settle(delivery, self._move_to_poison(delivery))
            return

        async with self._renewing(delivery):
            outcome = await self._invoke(self._function, lambda: to_queue_message(message, body))
        if outcome.error is None:
            action = self._queue.delete_message(message.id, delivery.receipt)
        elif self._poison is None:
            # The real host leaves it hidden until the lease ends, to prevent a fast loop.
            return
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            action = self._move_to_poison(delivery)
        else:
            action = self._release(delivery, int(self._options.visibility_timeout))
        await self._settle(delivery, action)

    async def _settle(self, delivery: _Delivery, action: Awaitable[Any]) -> None:
        try:
            await action
        except AzureError as error:
            if not storage.lease_is_lost(error):
                logger.warning(
                    "message not settled; it will be delivered again",
                    extra={"queue": self._queue.queue_name, "message_id": delivery.message.id},
                )

    async def _release(self, delivery: _Delivery, delay: int) -> None:
        await self._queue.update_message(
            delivery.message.id, delivery.receipt, visibility_timeout=delay
        )

    async def _move_to_poison(self, delivery: _Delivery) -> None:
        if self._poison is None:
            return
        await storage.send(self._poison, delivery.message.content or "")
        await self._queue.delete_message(delivery.message.id, delivery.receipt)
        logger.warning(
            "message moved to the poison queue",
            extra={"queue": self._poison.queue_name, "message_id": delivery.message.id},
        )
        self._on_poison(self._poison.queue_name)

    @asynccontextmanager
    async def _renewing(self, delivery: _Delivery) -> AsyncIterator[None]:
        """Keep the message hidden while the body of the `async with` runs."""
        ended = asyncio.Event()
        renewal = asyncio.create_task(self._renew(delivery, ended))
        try:
            yield
        finally:
            ended.set()
            # A renewal under way returns the receipt that settling needs: wait for it.
            await renewal

    async def _renew(self, delivery: _Delivery, ended: asyncio.Event) -> None:
        wait = self._lease / 2
        while True:
            try:
                async with asyncio.timeout(wait):
                    await ended.wait()
                return
            except TimeoutError:
                wait = self._lease / 2
            try:
                renewed = await self._queue.update_message(
                    delivery.message.id, delivery.receipt, visibility_timeout=int(self._lease)
                )
                delivery.receipt = renewed.pop_receipt
            except AzureError as error:
                if storage.lease_is_lost(error):
                    return
                wait = min(wait, _RENEW_RETRY_S)


def _decode_body(text: str, *, is_base64: bool) -> bytes | None:
    """The body of a message from its text on the wire; None if it is not base64."""
    if not is_base64:
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def encode_body(body: bytes, *, is_base64: bool) -> str:
    """The text on the wire of a message body."""
    return base64.b64encode(body).decode() if is_base64 else body.decode()


def to_queue_message(message: StoredMessage, body: bytes) -> QueueMessage:
    """What the handler gets, its metadata overridden by the body as in the real host.

    Top-level properties of a JSON body replace metadata of the same name, whatever the case:
    {"id": "x"} makes `msg.id` "x". Nulls and arrays do not.

    Raises:
        ValueError: the body is not UTF-8, or a property does not fit the metadata it replaces.
    """
    text = body.decode()
    metadata: dict[str, Any] = {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "ExpirationTime": message.expires_on and message.expires_on.isoformat(),
        "InsertionTime": message.inserted_on and message.inserted_on.isoformat(),
        "NextVisibleTime": message.next_visible_on and message.next_visible_on.isoformat(),
        "PopReceipt": message.pop_receipt,
    }
    names = {name.lower(): name for name in metadata}
    for key, value in _json_properties(text):
        if key.lower() in names and value is not None and not isinstance(value, list):
            metadata[names[key.lower()]] = value if isinstance(value, dict | str) else str(value)
    decoded: QueueMessage = QueueMessageInConverter.decode(
        Datum(text, "string"),
        trigger_metadata={
            name: Datum(json.dumps(value), "json")
            for name, value in metadata.items()
            if value is not None
        },
    )
    return decoded


def _json_properties(text: str) -> Iterator[tuple[str, Any]]:
    if not (text.strip().startswith("{") and text.strip().endswith("}")):
        return
    try:
        yield from json.loads(text).items()
    except (ValueError, RecursionError):
        return
