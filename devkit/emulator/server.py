"""The emulator on a socket: in a thread for tests, or as the whole process."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from devkit.emulator.app import EmulatorApp, Received
from devkit.emulator.script import Script, load_script, read_script

#: Seconds that the thread gets to end.
_STOP_LIMIT = 10


class Emulator:
    """An emulator in a thread of its own: ``with Emulator() as emulator: … emulator.url``.

    Args:
        script: What to answer, as a file's path, as the parsed document, or ready; default: the
            usual answers.
        port: 0 takes a free one.

    Raises:
        ScriptError: The script cannot be used.
    """

    def __init__(
        self, script: Script | dict[str, Any] | Path | None = None, *, port: int = 0
    ) -> None:
        self._app = EmulatorApp(_script(script))
        self._socket = listen(port)
        self.url = address(self._socket)
        self._server = server(self._app)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="emulator", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_LIMIT)
        self._socket.close()

    @property
    def requests(self) -> list[Received]:
        """What was received since the start or the last ``clear``, oldest first."""
        return list(self._app.requests)

    def clear(self) -> None:
        """Forget what was received."""
        self._app.requests.clear()

    def use(self, script: Script | dict[str, Any] | Path | None = None) -> None:
        """Go on with another script; its counts start anew.

        Raises:
            ScriptError: The script cannot be used; the old one stays.
        """
        self._app.use(_script(script))


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; clients may connect before the server runs.

    Raises:
        OSError: The port is taken.
    """
    # asyncio turns Nagle's delay of 40 ms off only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening


def address(listening: socket.socket) -> str:
    """Base address of a listening socket."""
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def server(app: Any) -> uvicorn.Server:
    """The HTTP server; it stops at once, whatever hangs."""
    config = uvicorn.Config(
        app,
        http="h11",
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        log_level="critical",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=0,
    )
    return uvicorn.Server(config)


def _script(given: Script | dict[str, Any] | Path | None) -> Script:
    if isinstance(given, Script):
        return given
    return load_script(given) if isinstance(given, Path) else read_script(given)
