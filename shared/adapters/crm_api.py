"""Calls of a CRM's HTTP API: what each failure means, and nothing of an answer that is too long."""

from __future__ import annotations

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import aiohttp

from shared.adapters.crm_vendor import Access
from shared.adapters.model_errors import OPERATOR_PAUSE, retry_after
from shared.errors import FrontdeskError, PermanentError, RetryableError, UncertainError
from shared.telemetry import logger

_ANSWER_BYTES = 8 * 1024 * 1024
#: The vendor says that it did not take the request.
_NOT_NOW = frozenset({408, 409, 423, 425, 429, 503})
_ACCESS = "crm_access_refused"
_LONGEST_WAIT = 3600.0
#: Seconds to wait after a limit that says no end.
_PAUSE = 60.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_log = logger("crm")

Headers = Callable[[], Awaitable[Mapping[str, str]]]
Refusal = Callable[[int, Any], FrontdeskError | None]


class Pass(Protocol):
    """Names us by something that ends, such as an access token."""

    async def headers(self) -> Mapping[str, str]:
        """The headers that name us."""

    def ended(self) -> None:
        """The vendor no longer takes what ``headers`` gave."""


class Api:
    """One vendor's API for one desk.

    Args:
        access: Its setting ``URL`` is where the API is, unless ``base`` says it.
        headers: Makes the headers that name us, asked before each call; or a pass, which is renewed
            once when the vendor answers 401.
        refusal: What one of the vendor's own refusals means, by status and JSON; None where it
            means what it does everywhere.
        connect: Seconds until a connection, TLS included, is given up.
        total: Seconds until the whole call is given up; an effect's attempt has 20.
    """

    def __init__(
        self,
        access: Access,
        headers: Headers | Pass,
        *,
        base: str | None = None,
        refusal: Refusal | None = None,
        connect: float = 5.0,
        total: float = 15.0,
    ) -> None:
        self._access = access
        self._pass = None if callable(headers) else headers
        self._headers = headers if callable(headers) else headers.headers
        self._base = base
        self._refusal = refusal
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect)
        self._tls: ssl.SSLContext | None = None

    async def read(self, path: str, **query: str) -> Any:
        """GET: the answer's JSON.

        Raises:
            RetryableError: It cannot be had now.
            PermanentError: It is not there, or we may not see it.
        """
        try:
            return await self._call("GET", path, None, query)
        except UncertainError as error:
            raise RetryableError(error.code, detail=error.detail) from None

    async def ask(self, path: str, body: object, **headers: str) -> Any:
        """POST that only reads or gives a token; raises as ``read`` does."""
        try:
            return await self._call("POST", path, body, {}, headers)
        except UncertainError as error:
            raise RetryableError(error.code, detail=error.detail) from None

    async def write(self, method: str, path: str, body: object, **headers: str) -> Any:
        """Any other method, with a JSON body: the answer's JSON, None for an empty one.

        Raises:
            RetryableError: It surely did not happen.
            UncertainError: It may have happened.
            PermanentError: It will never happen.
        """
        return await self._call(method, path, body, {}, headers)

    async def _call(
        self,
        method: str,
        path: str,
        body: object,
        query: Mapping[str, str],
        more: Mapping[str, str] | None = None,
    ) -> Any:
        renewable = self._pass
        while True:
            try:
                return await self._send(method, path, body, query, more or {})
            except RetryableError as error:
                if error.code != _ACCESS:
                    raise
                if renewable is None:
                    host = urlsplit(self._address()).hostname
                    _log.error("a vendor does not accept our credentials", extra={"host": host})
                    raise
            renewable.ended()
            renewable = None

    async def _send(
        self,
        method: str,
        path: str,
        body: object,
        query: Mapping[str, str],
        more: Mapping[str, str],
    ) -> Any:
        base = self._address()
        headers = {
            "User-Agent": "Frontdesk",
            "Accept": "application/json",
            **await self._headers(),
            **more,
        }
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=self._context(), force_close=True),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=self._timeout,
                    trust_env=False,
                    middlewares=(_once,),
                ) as session,
                session.request(
                    method,
                    base + path,
                    params=query,
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                await self._check(response)
                return _json(await _body(response), method)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            where = f"{type(error).__name__}, {urlsplit(base).hostname}"
            raise RetryableError("crm_unreachable", detail=where) from None
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise UncertainError("answer_lost", type(error).__name__) from None

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if 200 <= response.status < 300:
            return
        if response.status == 403 and _limited(response.headers):
            raise RetryableError("crm_rate_limited", _wait(response.headers) or _PAUSE, "HTTP 403")
        if self._refusal is not None:
            said = _json(await _body(response), "")
            if error := self._refusal(response.status, said):
                raise error
        _refuse(response)

    def _address(self) -> str:
        return address_of(self._access, self._base)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def address_of(access: Access, base: str | None = None) -> str:
    """Where a vendor's API is.

    Raises:
        PermanentError: ``connector_not_configured``, it is not set or of no use.
    """
    address = (base or access.need("URL")).rstrip("/")
    found = urlsplit(address)
    local = access.development and found.hostname in _LOOPBACK
    if not found.hostname or (found.scheme != "https" and not local):
        raise PermanentError(
            "connector_not_configured", f"{access.prefix}URL must begin with https://"
        )
    return address


def segment(value: str) -> str:
    """A vendor's id as one segment of a path: it came from outside."""
    return quote(value, safe="")


async def no_headers() -> Mapping[str, str]:
    """For endpoints that are told who we are in the body."""
    return {}


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP's basic authentication."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending a PUT again by itself after a lost connection.

    It takes every PUT for idempotent, and one that adds a comment is not.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise UncertainError("answer_lost", type(error).__name__) from None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        body += chunk
        if len(body) > _ANSWER_BYTES:
            return b""
    return bytes(body)


def _json(body: bytes, method: str) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        if method == "GET":
            raise RetryableError("crm_answer_unreadable") from None
        # What was asked for has happened; only the vendor's words about it are of no use.
        return None


def _refuse(response: aiohttp.ClientResponse) -> None:
    status = response.status
    said = f"HTTP {status}"
    if status in _NOT_NOW:
        code = "crm_rate_limited" if status == 429 else "crm_busy"
        raise RetryableError(code, _wait(response.headers), said)
    if status >= 500:
        raise UncertainError("crm_failed", said)
    if status == 401:
        raise RetryableError(_ACCESS, OPERATOR_PAUSE, said)
    if 300 <= status < 400:
        raise PermanentError("redirect_refused", said)
    raise PermanentError("crm_ticket_missing" if status in (404, 410) else "crm_refused", said)


def _limited(headers: Mapping[str, str]) -> bool:
    """Whether a 403 is no refusal: GitHub's limits answer so.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    return "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0"


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds to wait: for as long as is said, or until the moment at which the limit ends.

    The moment is in seconds since 1970, or in ISO 8601 as Jira has it.
    https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
    """
    at = headers.get("X-RateLimit-Reset", "")
    if wait := retry_after(headers):
        return wait
    if at.isascii() and at.isdigit() and len(at) <= 12:
        ends = float(at)
    else:
        try:
            ends = datetime.fromisoformat(at).timestamp()
        except (ValueError, OverflowError):
            return 0.0
    return min(max(ends - time.time(), 0.0), _LONGEST_WAIT)
