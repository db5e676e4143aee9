"""Stand-ins of CRMs' HTTP APIs on loopback: they refuse what the vendor would refuse.

A vendor's own stand-in says how requests are authorised and what each does; the ledger holds the
marks of what was written, and one that is there twice was written twice.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl

from aiohttp import web
from anyio.from_thread import start_blocking_portal

from devkit.loopback import LoopbackServer


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request: a status, or no answer at all.

    Attributes:
        keep: Apply it all the same.
        cut: Cut the connection instead of answering.
        hang: Answer after a minute.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    keep: bool = False
    cut: bool = False
    hang: bool = False


class RefusedError(Exception):
    """The vendor answers with this status, and with JSON of its own form where that matters."""

    def __init__(self, status: int, why: str, said: Any = None) -> None:
        super().__init__(why)
        self.status = status
        self.said = said or {"error": why}


class Answer(NamedTuple):
    """What the vendor answers with besides 200."""

    status: int
    said: Any


class VendorApi(LoopbackServer):
    """One vendor's API in the running event loop.

    Attributes:
        vendor: As in the webhook's address.
        credentials: Settings that it accepts, besides ``URL``.
        faults: For the next requests, in their order.
        fault: Makes what goes wrong with every request after those; None for nothing.
        refusals: The same in the vendor's own words.
        spares_reads: Whether only requests that write have faults.
        requests: Method and path of all that were let in, in their order.
        headers: Those of the last of them.
        ledger: The marks of what was written into tickets.
        numbers_from: What the numbers of messages begin with, where they have to be new ones.
        token_path: Where access tokens are given, by vendors that give some.
        token_form: What has to be said for one.
        token_lives: Seconds that one says to live; None for vendors that do not say.
        tokens: How many were given; only the last is taken.
        keeps_tokens: Whether all of them are taken, as by vendors that let several run.
    """

    token_path: ClassVar[str] = ""
    token_form: ClassVar[Mapping[str, str]] = {}
    token_lives: ClassVar[int | None] = 3599

    vendor: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]]

    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.fault: Callable[[], Fault] | None = None
        self.keeps_tokens = False
        self.refusals: deque[RefusedError] = deque()
        self.spares_reads = False
        self.tokens = 0
        self.numbers_from = 0
        self.requests: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.ledger: list[str] = []

    def settings(self, desk: str, secret: str) -> dict[str, str]:
        """What to set for a desk, by what follows FRONTDESK_CRM_."""
        fields = {"SECRET": secret, "URL": self.url, **self.credentials}
        prefix = f"{desk.upper().replace('-', '_')}_{self.vendor.upper()}_"
        return {prefix + name: value for name, value in fields.items()}

    @abstractmethod
    def authorised(self, request: web.Request, raw: bytes) -> bool:
        """Whether it is ours: its headers are those of our credentials, its body is signed."""

    def takes_token(self, request: web.Request) -> bool:
        """Whether it names an access token that is taken."""
        taken = range(1 if self.keeps_tokens else self.tokens, self.tokens + 1)
        said = request.headers.get("Authorization")
        return any(said == f"Bearer access-{number}" for number in taken)

    def _give(self, request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        asked = (request.method, request.content_type)
        if asked != ("POST", "application/x-www-form-urlencoded") or form != self.token_form:
            return web.json_response({"error": "invalid_client"}, status=400)
        self.tokens += 1
        lives = {"expires_in": self.token_lives} if self.token_lives else {}
        return web.json_response({"access_token": f"access-{self.tokens}", **lives})

    @abstractmethod
    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """Does what is asked and returns the JSON to answer with."""

    def note_mark(self, text: str) -> None:
        """Puts the mark that a text carries into the ledger."""
        found = re.search(r"\[(fd-[0-9a-f]{12})-", text)
        self.ledger.append(found[1] if found else "no mark")

    def _next_fault(self, method: str) -> Fault:
        if self.spares_reads and method == "GET":
            return Fault(keep=True)
        if self.faults:
            return self.faults.popleft()
        return self.fault() if self.fault else Fault(keep=True)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if self.token_path and request.path == self.token_path:
            return self._give(request, dict(parse_qsl(raw.decode())))
        if not self.authorised(request, raw):
            return web.json_response({"error": "not authorised"}, status=401)
        if raw and request.content_type != "application/json":
            return web.json_response({"error": "not JSON"}, status=415)
        self.requests.append(f"{request.method} {request.path}")
        self.headers = request.headers
        fault = self._next_fault(request.method)
        status, said = self._applied(request, raw) if fault.keep else (200, None)
        if fault.hang:
            await asyncio.sleep(60)
        if fault.cut and request.transport is not None:
            request.transport.abort()
        if fault.status != 200:
            status = fault.status
        return web.json_response(said, status=status, headers=fault.headers)

    def _applied(self, request: web.Request, raw: bytes) -> tuple[int, Any]:
        try:
            if self.refusals:
                raise self.refusals.popleft()
            body = json.loads(raw) if raw else None
            said = self.answer(request.method, request.path, dict(request.query), body)
        except RefusedError as refused:
            return refused.status, refused.said
        return said if isinstance(said, Answer) else (200, said)


def basic(user: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def serving(api: VendorApi) -> Iterator[None]:
    """Runs a stand-in in a thread for as long as the block runs."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(api):
        yield


def insist(right: object, why: str) -> None:
    """Refuses, as the vendor would, what is not right."""
    if not right:
        raise RefusedError(400, why)


def only(body: Any, *known: str) -> dict[str, Any]:
    """An object with no other than the known fields, as the vendor documents them."""
    if not isinstance(body, dict) or set(body) - set(known):
        raise RefusedError(422, f"known are {known}")
    return body
