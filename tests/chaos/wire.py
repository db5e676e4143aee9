"""Requests of people and of CRMs: sent to whichever host answers, until an answer counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

#: Seconds: of one request, and of all tries together until somebody answers.
_REQUEST = aiohttp.ClientTimeout(total=20)
_PATIENCE = 240.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. ``path`` may have a query."""

    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that counts.

    Attributes:
        lost: Whether an earlier try may have got through.
    """

    status: int
    body: bytes
    lost: bool

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body or b"{}")


class Wire:
    """Sends requests.

    Args:
        hosts: The addresses that answer now.

    Attributes:
        troubles: Answers that should not have been given.
    """

    def __init__(self, hosts: Callable[[], list[str]]) -> None:
        self.troubles: list[str] = []
        self._hosts = hosts
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Ends its connections."""
        if self._session:
            await self._session.close()

    async def send(self, make: Callable[[], Request], dice: Random) -> Answer:
        """Sends until a host gives an answer that counts: not 429, no failure of its own.

        Args:
            make: Makes each try's request: signatures have times in them.
        """
        lost = False
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_REQUEST)
        async with asyncio.timeout(_PATIENCE):
            while True:
                hosts = self._hosts()
                if not hosts:
                    await asyncio.sleep(0.1)
                    continue
                request = make()
                try:
                    async with self._session.request(
                        request.method,
                        dice.choice(hosts) + request.path,
                        data=request.body,
                        headers=request.headers,
                    ) as answer:
                        said = await answer.read()
                        if answer.status == 500:
                            self.troubles.append(f"{request.path} was answered with 500")
                        if answer.status < 500 and answer.status != 429:
                            return Answer(answer.status, said, lost)
                except (aiohttp.ClientError, TimeoutError):
                    pass
                lost = True
                await asyncio.sleep(dice.uniform(0.1, 0.5))

    async def post(self, path: str, body: Mapping[str, Any], dice: Random, key: str = "") -> Answer:
        """Posts JSON."""
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        request = Request(path, json.dumps(body).encode(), headers)
        return await self.send(lambda: request, dice)

    async def get(self, path: str, dice: Random) -> Answer:
        """Gets."""
        request = Request(path, method="GET")
        return await self.send(lambda: request, dice)
