"""Queue clients over one HTTP transport, and what storage errors mean to the host."""

import logging
import urllib.request

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.queue.aio import QueueClient

from devkit.host.errors import StartError

logger = logging.getLogger("devkit.host")

_GONE = ("QueueNotFound", "QueueBeingDeleted", "QueueDisabled")
_LEASE_LOST = ("MessageNotFound", "PopReceiptMismatch", "InvalidQueryParameterValue", *_GONE)


class QueueStorage:
    """The queues of the app, by connection and name, with the state of the storage behind them."""

    def __init__(self) -> None:
        # Reading proxy settings costs a third of every SDK call, so only where a proxy is set.
        self._transport = AioHttpTransport(use_env_settings=bool(urllib.request.getproxies()))
        self._clients: dict[tuple[str, str], QueueClient] = {}
        self._down = False

    def queue(self, connection: str, name: str) -> QueueClient:
        """The client of one queue; message bodies are the raw text on the wire.

        Raises:
            StartError: the connection string cannot be used.
        """
        key = (connection, name)
        if key not in self._clients:
            try:
                self._clients[key] = QueueClient.from_connection_string(
                    connection,
                    name,
                    transport=self._transport,
                    retry_total=2,
                    initial_backoff=1,
                    connection_timeout=5,
                )
            except ValueError as error:
                raise StartError(f"Queue {name}: its connection string: {error}") from error
        return self._clients[key]

    def failed(self, error: AzureError) -> None:
        """Log the first failure of an outage; the ones after it are silent."""
        if not self._down:
            self._down = True
            logger.warning(
                "storage does not answer; polling goes on", extra={"error": _first_line(error)}
            )

    def answered(self) -> None:
        """Log the end of an outage, if there was one."""
        if self._down:
            self._down = False
            logger.warning("storage answers again")

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()


async def send(queue: QueueClient, text: str) -> None:
    """Add a message as text on the wire, creating the queue if it is missing.

    Args:
        queue: where to.
        text: the body, encoded already; it expires after 7 days, the protocol's default.
    """
    try:
        await queue.send_message(text)
    except HttpResponseError as error:
        if not queue_is_gone(error):
            raise
        try:
            await queue.create_queue()
        except ResourceExistsError:
            logger.debug("queue was created by another", extra={"queue": queue.queue_name})
        await queue.send_message(text)


def queue_is_gone(error: AzureError) -> bool:
    """Whether the queue is missing, deleted at this moment, or disabled."""
    return getattr(error, "error_code", None) in _GONE


def lease_is_lost(error: AzureError) -> bool:
    """Whether a message has a new owner or is gone, so that it is no longer ours to settle."""
    return getattr(error, "error_code", None) in _LEASE_LOST


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
