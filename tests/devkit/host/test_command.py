"""`python -m devkit.host` as people run it: its lines, its exit codes, signals and --watch."""

import asyncio
import base64
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from devkit.azurite import Azurite

REPOSITORY = Path(__file__).parents[3]

APP = """
    import time
    import azure.functions as func

    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    VERSION = "one"

    @app.route("version", methods=["GET"])
    async def version(req: func.HttpRequest) -> str:
        return VERSION

    @app.queue_trigger("msg", "%IN%", "AzureWebJobsStorage")
    def hold(msg: func.QueueMessage) -> None:
        print("holding", flush=True)
        time.sleep(float(msg.get_body()))
"""


class Command:
    """A running command, its output read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self, stream: str = "stdout", containing: str = "") -> str:
        reader = getattr(self.process, stream)
        async with asyncio.timeout(20):
            while line := bytes(await reader.readline()).decode().rstrip("\n"):
                if containing in line:
                    return line
        raise AssertionError(f"{stream} ended without {containing!r}")

    async def end(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Exit code and the rest of stderr, after sending a signal if one is given."""
        if number:
            self.process.send_signal(number)
        async with asyncio.timeout(20):
            _, errors = await self.process.communicate()
        return self.process.returncode or 0, errors.decode()


@pytest.fixture
async def command() -> AsyncIterator[Callable[..., Any]]:
    started: list[asyncio.subprocess.Process] = []

    async def start(app_dir: Path, *options: str) -> Command:
        arguments = ["-m", "devkit.host", "--app", str(app_dir), "--port", "0", *options]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return Command(process)

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def app_dir(write_app: Callable[..., Path], queues: Any, azurite: Azurite) -> Path:
    settings = {"IN": queues.name("in"), "AzureWebJobsStorage": azurite.connection_string}
    return write_app(APP, settings=settings)


async def get(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await response.text()


async def test_it_says_when_it_is_ready_lists_its_functions_and_stops_cleanly(
    command: Callable[..., Any], app_dir: Path, queues: Any
) -> None:
    running = await command(app_dir)
    ready = await running.line()
    url = ready.removeprefix("Host ready on ")

    assert ready == f"Host ready on {url}"
    assert url.startswith("http://127.0.0.1:")
    row = await running.line("stderr", "version")
    assert row.split() == ["version", "http", "GET", f"{url}/api/version"]
    assert (await running.line("stderr", "hold")).split()[1:] == ["queue", queues.name("in")]
    assert await get(f"{url}/api/version") == "one"

    code, errors = await running.end(signal.SIGTERM)
    assert code == 0
    (line,) = errors.splitlines()
    assert "function=version result=succeeded duration_ms=" in line


async def test_ctrl_c_gives_back_a_message_whose_handler_does_not_end(
    command: Callable[..., Any], app_dir: Path, queues: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = await queues.create("in")
    await queue.send_message(base64.b64encode(b"60").decode())
    running = await command(app_dir, "--grace", "0.3")
    await running.line(containing="holding")

    code, _ = await running.end(signal.SIGINT)

    assert code == 0
    assert await queue.receive_message() is not None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import azure.functions\n\nraise RuntimeError('broken on purpose')", "line 3"),
        ("def (", "line 1: SyntaxError"),
    ],
)
async def test_a_broken_app_is_one_message_and_exit_code_1(
    command: Callable[..., Any], write_app: Callable[..., Path], source: str, message: str
) -> None:
    running = await command(write_app(source))

    code, errors = await running.end()

    assert code == 1
    assert message in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == 1


async def test_watch_restarts_on_a_change_keeps_the_port_and_survives_a_syntax_error(
    command: Callable[..., Any], app_dir: Path
) -> None:
    source = (app_dir / "function_app.py").read_text()
    running = await command(app_dir, "--watch")
    url = (await running.line()).removeprefix("Host ready on ")

    (app_dir / "tests").mkdir()
    (app_dir / "tests" / "test_x.py").write_text("ignored")
    (app_dir / "function_app.py").write_text("def broken(:")
    changed = await running.line("stderr", "Changed")
    assert changed == "Changed: function_app.py. Restarting."
    await running.line("stderr", "SyntaxError")
    (app_dir / "function_app.py").write_text(source.replace('"one"', '"two"'))

    assert await running.line() == f"Host ready on {url}"
    assert await get(f"{url}/api/version") == "two"
    code, _ = await running.end(signal.SIGTERM)
    assert code == 0
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(f"{url}/api/version")
