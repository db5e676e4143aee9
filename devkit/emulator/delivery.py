"""How an answer travels: whole, or with the connection's faults."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from starlette.types import Receive, Send

#: Seconds between two bytes of a trickle.
_DRIP = 0.2


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out.

    Attributes:
        status: HTTP status.
        body: The whole body.
        headers: Further headers.
        ending: ``none`` sends nothing, ``half`` stops in the middle of the body, ``trickle``
            sends it byte by byte.
        seconds: How long to wait before nothing is sent, or to trickle, unless the client leaves.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    ending: Literal["whole", "none", "half", "trickle"] = "whole"
    seconds: float = 0


async def deliver(reply: Reply, headers: dict[str, str], receive: Receive, send: Send) -> None:
    """Send a reply, or as much of it as it is meant to get through.

    Args:
        reply: What to send.
        headers: Headers of every answer.
        receive: ASGI's, to notice a client that leaves.
        send: ASGI's.
    """
    if reply.ending == "none":
        await _left(receive, reply.seconds)
        _abort(send)
        return
    sent = {"content-type": "application/json", **headers, **reply.headers}
    sent["content-length"] = str(len(reply.body))
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    if reply.ending == "whole":
        await send({"type": "http.response.body", "body": reply.body})
    elif reply.ending == "half":
        # Returning before the body is complete makes uvicorn close the connection.
        half = reply.body[: len(reply.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
    else:
        await _trickle(reply, receive, send)
        _abort(send)


async def _trickle(reply: Reply, receive: Receive, send: Send) -> None:
    drips = min(len(reply.body) - 1, int(reply.seconds / _DRIP))
    for at in range(drips):
        await send(
            {"type": "http.response.body", "body": reply.body[at : at + 1], "more_body": True}
        )
        if await _left(receive, _DRIP):
            return


async def _left(receive: Receive, seconds: float) -> bool:
    """Wait for the client to leave; False when the seconds are over first."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _abort(send: Send) -> None:
    # ASGI has no way to end a connection without an answer. uvicorn's ``send`` is a method of
    # the exchange, which holds the transport and sends nothing once it is marked disconnected.
    exchange = send.__self__  # type: ignore[attr-defined]
    exchange.disconnected = True
    exchange.transport.abort()
