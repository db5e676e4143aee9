"""Sample apps, hosts that run them in the test's loop, and queues that are deleted at the end."""

import asyncio
import json
import os
import sys
import textwrap
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.queue.aio import QueueClient

from devkit.azurite import Azurite
from devkit.host.server import LocalHost

REPOSITORY = Path(__file__).parents[3]

WriteApp = Callable[..., Path]


class Running:
    """A host at work, its app's module, and a client for its address."""

    def __init__(self, host: LocalHost, http: aiohttp.ClientSession) -> None:
        self.host = host
        self.app: ModuleType = sys.modules["function_app"]
        self.http = http

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        return await self.send("GET", path, **options)

    async def send(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        async with self.http.request(method, self.host.url + path, **options) as response:
            return response.status, await response.text()


class Queues:
    """Queues of one test, by short names."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._suffix = uuid.uuid4().hex[:10]
        self._transport = AioHttpTransport(use_env_settings=False)
        self._clients: dict[str, QueueClient] = {}

    def name(self, short: str) -> str:
        return f"{short}-{self._suffix}"

    def client(self, name: str) -> QueueClient:
        if name not in self._clients:
            self._clients[name] = QueueClient.from_connection_string(
                self._connection, name, transport=self._transport
            )
        return self._clients[name]

    async def create(self, short: str) -> QueueClient:
        """The queue itself; its poison queue is left for the host to make."""
        self.client(self.name(short) + "-poison")
        client = self.client(self.name(short))
        await client.create_queue()
        return client

    async def poisoned(self, short: str) -> list[str]:
        """Bodies, as on the wire, of the messages in the poison queue of `short`."""
        try:
            return [
                str(message.content)
                for message in await self.client(self.name(short) + "-poison").peek_messages(32)
            ]
        except ResourceNotFoundError:
            return []

    async def count(self, client: QueueClient) -> int | None:
        """How many messages a queue holds, hidden ones included."""
        return (await client.get_queue_properties()).approximate_message_count

    async def close(self) -> None:
        for client in self._clients.values():
            try:
                await client.delete_queue()
            except ResourceNotFoundError:
                continue
        await self._transport.close()


@pytest.fixture
async def queues(azurite: Azurite) -> AsyncIterator[Queues]:
    made = Queues(azurite.connection_string)
    yield made
    await made.close()


@pytest.fixture
def write_app(tmp_path: Path) -> WriteApp:
    """Write a sample app: its source, host.json, settings and further files by name."""

    def write(
        source: str,
        host: Mapping[str, Any] | None = None,
        settings: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        app_dir = tmp_path / "app"
        texts = {
            "function_app.py": textwrap.dedent(source),
            "host.json": json.dumps({"version": "2.0", **(host or {})}),
            "local.settings.json": json.dumps({"IsEncrypted": False, "Values": settings or {}}),
            **(files or {}),
        }
        for name, text in texts.items():
            path = app_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return app_dir

    return write


@pytest.fixture
def worker_like(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process as the worker's: no repository on sys.path, and nothing left of a sample app."""
    modules, environment = set(sys.modules), dict(os.environ)
    outside = ("", str(REPOSITORY))
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in outside])
    monkeypatch.delitem(sys.modules, "function_app", raising=False)
    monkeypatch.delenv("FRONTDESK_STATE", raising=False)
    yield
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).endswith(
            ("function_app.py", "parts.py")
        ):
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture
def hosting(worker_like: None) -> Callable[..., Any]:
    """Run a host for an app folder inside the test's loop."""

    @asynccontextmanager
    async def run(app_dir: Path, **options: Any) -> AsyncIterator[Running]:
        async with LocalHost(app_dir, port=0, **options) as host, aiohttp.ClientSession() as http:
            yield Running(host, http)

    return run


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait until a probe, plain or awaitable, gives what is expected, or anything true."""

    async def wait(probe: Callable[[], Any], expected: Any = None) -> None:
        deadline = time.monotonic() + 10
        while True:
            found = probe()
            if asyncio.iscoroutine(found):
                found = await found
            if found == expected or (expected is None and found):
                return
            assert time.monotonic() < deadline, f"it stayed {found!r}"
            await asyncio.sleep(0.02)

    return wait


SINK = """
    import asyncio
    import azure.functions as func

    app = func.FunctionApp()
    seen = []
    running = []
    fail = set()
    release = asyncio.Event()

    @app.queue_trigger("msg", "%IN%", "AzureWebJobsStorage")
    async def on_in(msg: func.QueueMessage) -> None:
        seen.append(msg)
        body = msg.get_body()
        if body in fail or b"fail" in body:
            raise ValueError("asked to fail")
        if b"hold" in body:
            running.append(body)
            await release.wait()
"""


@pytest.fixture
def sink(write_app: Callable[..., Path], queues: Any, azurite: Azurite) -> Callable[..., Path]:
    """An app on this test's own queues, with settings and `extensions.queues` on top."""

    def write(
        settings: Mapping[str, str] | None = None, source: str = SINK, **options: Any
    ) -> Path:
        known = {short.upper(): queues.name(short) for short in ("in", "out", "tail")}
        known["AzureWebJobsStorage"] = azurite.connection_string
        polling = {"maxPollingInterval": "00:00:00.2", **options}
        return write_app(source, {"extensions": {"queues": polling}}, {**known, **(settings or {})})

    return write
