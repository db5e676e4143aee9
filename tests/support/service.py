"""A desk's own service on loopback: applies each idempotency key once, and fails to order."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        keep: Apply it all the same.
        cut: Cut the connection instead of answering.
        hang: Answer after so many seconds.
    """

    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    keep: bool = False
    cut: bool = False
    hang: float = 0.0


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Service:
    """Somebody else's server, in the running event loop.

    Attributes:
        faults: For the next requests, in their order.
        requests: Everything that arrived.
        ledger: The keys that were applied, in order.
    """

    def __init__(self, key_header: str = "idempotency-key") -> None:
        self.url = ""
        self.faults: deque[Fault] = deque()
        self.requests: list[Request] = []
        self.ledger: list[str] = []
        self._key_header = key_header

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://localhost:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = json.loads(await request.read())
        self.requests.append(Request(request.method, request.raw_path, headers, body))
        fault = self.faults.popleft() if self.faults else Fault(keep=True)
        key = headers[self._key_header]
        if fault.keep and key not in self.ledger:
            self.ledger.append(key)
        await asyncio.sleep(fault.hang)
        if fault.cut:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=fault.status, headers=fault.headers)
