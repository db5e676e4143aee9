"""A TCP proxy before Azurite that passes requests on, and loses the answers it is told to lose."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self


class LossyProxy:
    """Stands between an SDK client and one service on loopback, for HTTP/1.1 with keep-alive.

    Args:
        port: Of the service.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self.answers = 0
        self.stalled = False
        self._service = port
        self._server: asyncio.Server | None = None
        self._lost: set[int] = set()
        self._open: set[asyncio.StreamWriter] = set()

    def lose(self, *answers: int) -> None:
        """Loses these answers, counted from now; 1 is the next. The service does its work."""
        self._lost = {self.answers + n for n in answers}

    async def up(self) -> None:
        """Accepts connections, after the first time on the same port again."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Breaks every connection off and refuses new ones."""
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service_reader, service_writer = await asyncio.open_connection("127.0.0.1", self._service)
        ends = {writer, service_writer}
        self._open |= ends
        asked = asyncio.Event()
        async with asyncio.TaskGroup() as ways:
            ways.create_task(self._pass_requests(reader, service_writer, asked))
            ways.create_task(self._pass_answers(service_reader, writer, asked))
        self._open -= ends

    async def _pass_requests(
        self, client: asyncio.StreamReader, service: asyncio.StreamWriter, asked: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await client.read(65536):
                if not self.stalled:
                    asked.set()
                    service.write(data)
                    await service.drain()
        service.close()

    async def _pass_answers(
        self, service: asyncio.StreamReader, client: asyncio.StreamWriter, asked: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await service.read(65536):
                if asked.is_set():
                    # The first bytes since a request are the start of its answer.
                    asked.clear()
                    self.answers += 1
                    if self.answers in self._lost:
                        break
                client.write(data)
                await client.drain()
        client.close()
