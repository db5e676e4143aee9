"""A stand-in's HTTP server on a free port of this machine."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from typing import ClassVar, Self

from aiohttp import web


class LoopbackServer(ABC):
    """Somebody else's server, in the running event loop for as long as the block runs.

    Attributes:
        route: Method and path that it answers; others get 404 or 405.
        host: How it is called.
        path: What its URL ends with.
        url: Where it is.
        port: On 127.0.0.1.
    """

    route: ClassVar[tuple[str, str]] = ("*", "/{path:.*}")
    host: ClassVar[str] = "127.0.0.1"
    path: ClassVar[str] = ""
    tls: ssl.SSLContext | None = None
    url = ""
    port = 0

    @abstractmethod
    async def _take(self, request: web.Request) -> web.StreamResponse:
        """Answers one request; it is cancelled when the other side leaves."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route(*self.route, self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.port = int(self._runner.addresses[0][1])
        self.url = f"{'https' if self.tls else 'http'}://{self.host}:{self.port}{self.path}"
        return self

    async def __aexit__(self, *about: object) -> None:
        await self._runner.cleanup()
