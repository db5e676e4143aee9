"""Runs the host in a process of its own and starts it anew when the app's files change."""

import asyncio
import signal
import socket
import sys
from pathlib import Path

import watchfiles

from devkit.host.errors import StartError

_SUFFIXES = (".py", ".yaml", ".yml", ".json")
_IGNORED = frozenset({".frontdesk", ".git", ".venv", "__pycache__", "node_modules", "tests"})
_STOP_MARGIN_S = 5.0


async def supervise(
    app_dir: Path, listening: socket.socket, options: list[str], grace: float
) -> None:
    """Keep a host process running until SIGTERM or SIGINT.

    The socket stays open across restarts, so a request sent meanwhile waits for the new
    process. A host that cannot start has said why; the next change starts it again.

    Args:
        app_dir: the folder to watch.
        listening: handed to each process.
        options: further command-line options for it.
        grace: seconds it may take to stop, before it is killed a little later.

    Raises:
        StartError: the system cannot watch so many folders.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    command = [sys.executable, "-m", "devkit.host", "--app", str(app_dir), *options]
    command += ["--socket", str(listening.fileno())]

    changes = watchfiles.awatch(
        app_dir,
        watch_filter=lambda _, path: _is_source(Path(path).relative_to(app_dir)),
        stop_event=stop,
        debounce=200,
    )
    host = await _run(command, listening)
    try:
        async for changed in changes:
            names = ", ".join(sorted({Path(path).name for _, path in changed}))
            print(f"Changed: {names}. Restarting.", file=sys.stderr, flush=True)
            await _end(host, grace)
            host = await _run(command, listening)
    except OSError as error:
        raise StartError(f"Cannot watch {app_dir}: {error}.") from error
    finally:
        await _end(host, grace)


async def _run(command: list[str], listening: socket.socket) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(*command, pass_fds=[listening.fileno()])


async def _end(host: asyncio.subprocess.Process, grace: float) -> None:
    if host.returncode is None:
        host.terminate()
        try:
            async with asyncio.timeout(grace + _STOP_MARGIN_S):
                await host.wait()
        except TimeoutError:
            host.kill()
            await host.wait()


def _is_source(path: Path) -> bool:
    return path.suffix in _SUFFIXES and not _IGNORED.intersection(path.parts)
