"""The HTTP side: function routes, keys, limits, and the host's own admin addresses."""

import asyncio
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
from azure.functions.http import HttpRequest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from devkit.host.app import HostedFunction
from devkit.host.invocation import Invoker, Outcome
from devkit.host.routes import RouteTable

logger = logging.getLogger("devkit.host")

_FRAMING = ("content-length", "transfer-encoding")

Fire = Callable[[str, str], Awaitable[bool]]


@dataclass(frozen=True)
class Keys:
    """Keys asked for with --enable-auth: `host` opens function routes, `master` everything."""

    host: str
    master: str


@dataclass(frozen=True)
class HttpLimits:
    """What the platform puts on requests.

    Attributes:
        outstanding: requests in work before the next gets 429; None for no limit.
        answer: seconds until the front end gives up waiting, with 502; the function goes on.
        body: bytes a request may carry before 413.
    """

    outstanding: int | None = None
    answer: float = 230.0
    body: int = 100 * 1024 * 1024


class HttpFront:
    """An ASGI app that turns requests into invocations.

    Args:
        routes: the HTTP functions.
        invoker: runs them.
        limits: see HttpLimits.
        keys: None to let every request in, as `func start` does.
        fire: starts a timer or queue function by hand, given its name and an input text;
            False if there is none of that name.
        on_end: called after each request.
    """

    def __init__(
        self,
        routes: RouteTable,
        invoker: Invoker,
        limits: HttpLimits,
        keys: Keys | None,
        fire: Fire,
        on_end: Callable[[], None],
    ) -> None:
        self._routes = routes
        self._invoker = invoker
        self._limits = limits
        self._keys = keys
        self._fire = fire
        self._on_end = on_end
        self._started = time.monotonic()
        self._in_work: set[asyncio.Task[Outcome]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)
        self._on_end()

    async def stop(self, grace: float) -> None:
        """Give running invocations `grace` seconds, then cancel them; their callers get 503."""
        if self._in_work:
            _, late = await asyncio.wait(self._in_work, timeout=grace)
            for invocation in late:
                invocation.cancel()

    async def _answer(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        if path.startswith("/admin/"):
            return await self._administer(request, path.removeprefix("/admin/").rstrip("/"))
        found = self._routes.find(request.method, path)
        if found is None and path == "/":
            return JSONResponse({"state": "Running", "host": "frontdesk devkit"})
        if found is None:
            return _empty(HTTPStatus.NOT_FOUND)
        route, route_params = found
        if not self._is_allowed(request, route.trigger.auth_level):
            return _empty(HTTPStatus.UNAUTHORIZED)
        limit = self._limits.outstanding
        if limit is not None and len(self._in_work) >= limit:
            return _empty(HTTPStatus.TOO_MANY_REQUESTS)
        return await self._invoke(route.function, request, route_params)

    async def _invoke(
        self, function: HostedFunction, request: Request, route_params: dict[str, str]
    ) -> Response:
        body = await self._read_body(request)
        if body is None:
            return _empty(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        argument = _to_function_request(request, route_params, body)
        invocation = asyncio.create_task(
            self._invoker.invoke(function, lambda: argument, _to_response)
        )
        self._in_work.add(invocation)
        invocation.add_done_callback(self._in_work.discard)
        done, _ = await asyncio.wait({invocation}, timeout=self._limits.answer)
        if not done:
            logger.warning("no answer in time; 502 sent", extra={"function": function.name})
            return _empty(HTTPStatus.BAD_GATEWAY)
        if invocation.cancelled():
            return _empty(HTTPStatus.SERVICE_UNAVAILABLE)
        outcome = invocation.result()
        if outcome.error:
            return _empty(HTTPStatus.INTERNAL_SERVER_ERROR)
        response: Response = outcome.value
        return response

    async def _read_body(self, request: Request) -> bytes | None:
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._limits.body:
            return None
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._limits.body:
                return None
        return bytes(body)

    def _is_allowed(self, request: Request, level: str) -> bool:
        if self._keys is None or level == "anonymous":
            return True
        given = request.headers.get("x-functions-key")
        if given is None:
            given = request.query_params.get("code", "")
        accepted = [self._keys.master]
        if level == "function":
            accepted.append(self._keys.host)
        return any(hmac.compare_digest(given.encode(), key.encode()) for key in accepted)

    async def _administer(self, request: Request, path: str) -> Response:
        if not self._is_allowed(request, "admin"):
            return _empty(HTTPStatus.UNAUTHORIZED)
        if path == "host/status" and request.method == "GET":
            uptime = round((time.monotonic() - self._started) * 1000)
            return JSONResponse({"id": "devkit", "state": "Running", "processUptime": uptime})
        if path.startswith("functions/") and request.method == "POST":
            try:
                text = json.loads(await self._read_body(request) or b"{}").get("input", "")
            except (ValueError, AttributeError):
                return _empty(HTTPStatus.BAD_REQUEST)
            text = text if isinstance(text, str) else json.dumps(text)
            if await self._fire(path.removeprefix("functions/"), text):
                return _empty(HTTPStatus.ACCEPTED)
        return _empty(HTTPStatus.NOT_FOUND)


def _empty(status: HTTPStatus) -> Response:
    return Response(status_code=status)


def _to_function_request(
    request: Request, route_params: dict[str, str], body: bytes
) -> HttpRequest:
    """What the handler gets; repeated headers and query parameters are joined by commas."""
    params: dict[str, str] = {}
    query = request.scope["query_string"].decode("latin-1")
    for key, value in parse_qsl(query, keep_blank_values=True):
        params[key] = f"{params[key]},{value}" if key in params else value
    headers: dict[str, str] = {}
    for key, value in request.headers.items():
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    path = request.scope["raw_path"].decode("latin-1")
    return HttpRequest(
        method=request.method,
        url=f"http://{headers.get('host', '')}{path}" + (f"?{query}" if query else ""),
        headers=headers,
        params=params,
        route_params=route_params,
        body_type="bytes",
        body=body,
    )


def _to_response(value: Any) -> Response:
    if isinstance(value, str):
        return Response(value, media_type="text/plain")
    if not isinstance(value, func.HttpResponse):
        raise TypeError(
            f"an HTTP function must return HttpResponse or str, not {type(value).__name__}"
        )
    bodiless = value.status_code in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    response = Response(b"" if bodiless else value.get_body(), status_code=value.status_code)
    for name, header in value.headers.items():
        if name.lower() not in _FRAMING:
            response.headers.append(name, header)
    if "content-type" not in response.headers and not bodiless:
        charset = f"; charset={value.charset}" if value.mimetype.startswith("text/") else ""
        response.headers["content-type"] = value.mimetype + charset
    return response
