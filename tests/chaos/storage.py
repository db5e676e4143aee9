"""Azurite that can be restarted under running hosts: its address stays, whatever port it gets."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from devkit.azurite import Azurite

if TYPE_CHECKING:
    from devkit.processes import Child

_PORT = re.compile(r"(Table|Queue|Blob)Endpoint=http://127\.0\.0\.1:(\d+)")
_KILLED = 128 + 9


class Door:
    """A port of ours that passes connections on to wherever the service is now.

    Attributes:
        port: Where it listens.
        service: Port of the service behind it; 0 while there is none.
    """

    def __init__(self) -> None:
        self.port = 0
        self.service = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Python 3.11 prints a traceback for a connection whose handler is cancelled.
        with suppress(asyncio.CancelledError):
            try:
                from_service, to_service = await asyncio.open_connection("127.0.0.1", self.service)
            except OSError:
                writer.transport.abort()
                return
            ends = {writer, to_service}
            self._open |= ends
            await asyncio.gather(_pump(reader, to_service), _pump(from_service, writer))
            self._open -= ends


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class RestartedStorage:
    """Azurite over a folder of its own, behind doors that stay open while it is down.

    Attributes:
        connection_string: Of the doors; good for the whole run.
        restarts: How often it was stopped and started again.
    """

    def __init__(self, data: Path, logs: Path) -> None:
        self.connection_string = ""
        self.restarts = 0
        self._data = data
        self._logs = logs
        self._doors = {name: Door() for name in ("Table", "Queue", "Blob")}
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        for door in self._doors.values():
            await door.open()
        await asyncio.to_thread(self._start)
        return self

    async def __aexit__(self, *_: object) -> None:
        for door in self._doors.values():
            door.close()
        if self._child:
            await asyncio.to_thread(self._child.stop)

    async def restart(self) -> None:
        """Stops it by SIGTERM, which saves its data, and starts it over the same folder.

        Raises:
            RuntimeError: It did not end in time and was killed, which loses acknowledged data:
                the run proves nothing any more.
        """
        assert self._child
        if await asyncio.to_thread(self._child.stop) == _KILLED:
            raise RuntimeError("Azurite did not stop in time; the machine is too busy for a run")
        self.restarts += 1
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        azurite = Azurite(self._data, self._logs / f"azurite-{self.restarts}.log")
        self._child = azurite.start()
        azurite.wait_ready()
        for name, port in _PORT.findall(azurite.connection_string):
            self._doors[name].service = int(port)
        self.connection_string = _PORT.sub(
            lambda found: f"{found[1]}Endpoint=http://127.0.0.1:{self._doors[found[1]].port}",
            azurite.connection_string,
        )
