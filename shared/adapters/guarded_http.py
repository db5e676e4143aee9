"""HTTP requests to addresses that people set, kept off whatever is not meant by them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from shared.adapters.callback_guard import GuardedResolver
from shared.adapters.model_errors import retry_after
from shared.errors import PermanentError, RetryableError, UncertainError

#: The receiver says that it did not take the request.
_NOT_NOW = frozenset({408, 425, 429, 503})
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_ANSWER_BYTES = 64 * 1024
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        headers: By any spelling of their names.
        body: Empty where it was longer than 64 KiB.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class GuardedHttp:
    """One request at a time, to public addresses, without redirects, cookies or proxies.

    Args:
        resolver: Makes what turns names into addresses, behind the guard.
        connect: Seconds until a connection, TLS included, is given up.
        total: Seconds until the whole attempt is given up.
    """

    def __init__(
        self,
        *,
        resolver: Callable[[], AbstractResolver] = ThreadedResolver,
        connect: float = 8.0,
        total: float = 20.0,
    ) -> None:
        self._resolver = resolver
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect)
        self._tls: ssl.SSLContext | None = None

    async def send(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Sends one request and returns the status of an answer below 300; no body is read.

        Raises:
            RetryableError: It surely was not taken; later it may be.
            UncertainError: It may have been taken.
            PermanentError: It was refused for good.
        """
        return await self._exchange(method, address, body, headers, _taken)

    async def ask(
        self, method: str, address: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        """Sends one request and returns its answer, whatever it is.

        Raises:
            RetryableError: It surely did not arrive.
            UncertainError: It may have arrived.
            PermanentError: It is not sent into a private network.
        """
        plain = {**headers, "Accept-Encoding": "identity"}  # nothing is unpacked here
        return await self._exchange(method, address, body, plain, _whole)

    async def _exchange(
        self,
        method: str,
        address: str,
        body: bytes,
        headers: Mapping[str, str],
        read: Callable[[aiohttp.ClientResponse], Awaitable[_Read]],
    ) -> _Read:
        try:
            async with (
                # A connection of its own for each attempt: one that was kept and that the
                # receiver closed meanwhile would look like a lost answer.
                aiohttp.ClientSession(
                    connector=self._connector(),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=self._timeout,
                    trust_env=False,
                    auto_decompress=False,
                ) as session,
                session.request(
                    method, address, data=body or None, headers=headers, allow_redirects=False
                ) as response,
            ):
                return await read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise RetryableError("receiver_unreachable", detail=_said(error)) from None
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise UncertainError("answer_lost", type(error).__name__) from None

    async def reach(self, address: str) -> str:
        """Connects, TLS included, and hangs up; returns whom to.

        Raises:
            RetryableError: There is no connection to be had.
            PermanentError: The name leads into a private network.
        """
        found = urlsplit(address)
        host, tls = found.hostname or "", found.scheme == "https"
        port = found.port or (443 if tls else 80)
        lost: OSError = OSError()
        try:
            async with asyncio.timeout(self._timeout.connect):
                for at in [host] if host in _LOOPBACK else await self._resolved(host, port):
                    try:
                        await self._connected(at, port, host if tls else None)
                    except OSError as error:
                        lost = error
                    else:
                        return f"{host}:{port}"
        except OSError as error:  # TimeoutError and TLS's are OSErrors
            lost = error
        why = "no such name" if isinstance(lost, socket.gaierror) else type(lost).__name__
        raise RetryableError("receiver_unreachable", detail=f"{why}, {host}:{port}") from None

    async def _resolved(self, host: str, port: int) -> list[str]:
        resolver = GuardedResolver(self._resolver())
        try:
            return [one["host"] for one in await resolver.resolve(host, port, socket.AF_UNSPEC)]
        finally:
            await resolver.close()

    async def _connected(self, at: str, port: int, name: str | None) -> None:
        tls = self._context() if name else None
        _, writer = await asyncio.open_connection(at, port, ssl=tls, server_hostname=name)
        writer.close()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            resolver=GuardedResolver(self._resolver()),
            ssl=self._context(),
            use_dns_cache=False,
            force_close=True,
        )


async def _whole(response: aiohttp.ClientResponse) -> Answer:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_ANSWER_BYTES):
        body += chunk
        if len(body) > _ANSWER_BYTES:
            body.clear()
            break
    return Answer(response.status, response.headers, bytes(body))


async def _taken(response: aiohttp.ClientResponse) -> int:
    status = response.status
    said = f"HTTP {status}"
    if 200 <= status < 300:
        return status
    if status in _NOT_NOW:
        raise RetryableError("receiver_busy", retry_after(response.headers), said)
    if status >= 500:
        raise UncertainError("receiver_failed", said)
    if 300 <= status < 400:
        raise PermanentError("redirect_refused", said)
    raise PermanentError("receiver_gone" if status == 410 else "receiver_refused", said)


def _said(error: Exception) -> str:
    """The kind of failure; the message would repeat the address."""
    cause = getattr(error, "os_error", None)
    return type(cause or error).__name__
