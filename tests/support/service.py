"""A desk's own service on loopback: applies each idempotency key once, and fails to order."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web

from devkit.loopback import LoopbackServer


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


class Service(LoopbackServer):
    """Somebody else's server, in the running event loop.

    Attributes:
        faults: For the next requests, in their order.
        requests: Everything that arrived.
        ledger: The keys that were applied, in order.
    """

    host: ClassVar[str] = "localhost"

    def __init__(self, key_header: str = "idempotency-key") -> None:
        self.faults: deque[Fault] = deque()
        self.requests: list[Request] = []
        self.ledger: list[str] = []
        self._key_header = key_header

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
