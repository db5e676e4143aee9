"""A receiver of callbacks on loopback that checks signatures and applies each id once."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from devkit.crm import stand_in
from devkit.loopback import LoopbackServer

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBsb2NhbCByZWNlaXZlciE="


@dataclass(frozen=True)
class Fault(stand_in.Fault):
    """What goes wrong with one request.

    Attributes:
        hang: Never answer.
        flood: Answer with a body without end.
    """

    hang: bool = False
    flood: bool = False


class Receiver(LoopbackServer):
    """Somebody else's server, in the running event loop.

    Attributes:
        faults: For the next requests, in their order.
        requests: Headers (small letters) and JSON of everything that arrived.
        ledger: The ids that were applied, in order.
        flooded: Bytes of endless answers that the other side took.
    """

    host: ClassVar[str] = "localhost"
    path: ClassVar[str] = "/replies"

    def __init__(self, secret: str = SECRET, tls: ssl.SSLContext | None = None) -> None:
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.ledger: list[str] = []
        self.flooded = 0
        self._webhook = Webhook(secret)
        self.tls = tls
        self._stopped = asyncio.Event()

    async def __aexit__(self, *about: object) -> None:
        self._stopped.set()
        await super().__aexit__(*about)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, json.loads(body)))
        try:
            self._webhook.verify(body, headers)
        except WebhookVerificationError:
            return web.Response(status=401)
        fault = self.faults.popleft() if self.faults else Fault(keep=True)
        if fault.keep and headers["webhook-id"] not in self.ledger:
            self.ledger.append(headers["webhook-id"])
        if fault.hang:
            await self._stopped.wait()
        if fault.cut and request.transport is not None:
            request.transport.abort()
        if fault.flood:
            return await self._flood(request)
        return web.Response(status=fault.status, headers=fault.headers)

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while self.flooded < 100_000_000:
                await response.write(b"x" * 65536)
                self.flooded += 65536
        return response
