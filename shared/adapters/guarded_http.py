"""HTTP requests to addresses that desk files name, kept off whatever is not meant by them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from shared.adapters.callback_guard import GuardedResolver
from shared.adapters.model_errors import retry_after
from shared.errors import PermanentError, RetryableError, UncertainError

#: The receiver says that it did not take the request.
_NOT_NOW = frozenset({408, 425, 429, 503})


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
                    method, address, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                return _taken(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise RetryableError("receiver_unreachable", detail=_said(error)) from None
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise UncertainError("answer_lost", type(error).__name__) from None

    def _connector(self) -> aiohttp.TCPConnector:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return aiohttp.TCPConnector(
            resolver=GuardedResolver(self._resolver()),
            ssl=self._tls,
            use_dns_cache=False,
            force_close=True,
        )


def _taken(response: aiohttp.ClientResponse) -> int:
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
