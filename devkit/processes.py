"""Child processes that never outlive us.

Each child runs under a small supervisor (this file as a program) that holds the read end of a pipe
from us. When the pipe closes, because we stop the child, exit, or are killed with SIGKILL, the
supervisor ends the child: SIGTERM first, so that Azurite saves its data, SIGKILL after the grace
period. A pipe does this on Linux and macOS alike; PR_SET_PDEATHSIG is Linux only and fires already
when the starting thread ends. Supervisor and child have sessions of their own, so Ctrl-C reaches
only us and we choose the order of the stop.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar, cast

_POLL = 0.02  # seconds between two looks at a log
_KILL_MARGIN = 5.0  # seconds that a supervisor gets beyond the child's grace

_T = TypeVar("_T")


class ProcessError(Exception):
    """A child did not start, died, or was not ready in time. The message ends with its log."""


class Child:
    """A child process under its supervisor. Made by `start`."""

    def __init__(
        self, name: str, log: Path, supervisor: subprocess.Popen[bytes], grace: float
    ) -> None:
        self.name = name
        self.log = log
        self._supervisor = supervisor
        self._grace = grace

    @property
    def exit_code(self) -> int | None:
        """The exit code, 128 + signal after a death by signal, None while it runs."""
        return self._supervisor.poll()

    def wait_for_line(self, pattern: str, seconds: float) -> re.Match[str]:
        """Waits until the pattern is found in what the child has printed.

        Args:
            pattern: regular expression.
            seconds: how long to wait at most.

        Raises:
            ProcessError: the child ended, or was not ready in time.
        """
        return self.wait_until(lambda: re.search(pattern, self._printed()), seconds)

    def wait_until(self, ready: Callable[[], _T | None], seconds: float) -> _T:
        """Waits until `ready` gives something that is true.

        Args:
            ready: asked every 20 ms.
            seconds: how long to wait at most.

        Raises:
            ProcessError: the child ended, or was not ready in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            # Asked before `ready`: a child's last words count although it has ended by now.
            code = self.exit_code
            answer = ready()
            if answer:
                return answer
            if code is not None:
                raise self.failure(f"ended with exit code {code}")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready after {seconds:g} s")
            time.sleep(_POLL)

    def failure(self, what: str) -> ProcessError:
        """An error that says what happened and shows the last lines of the log."""
        lines = self._printed().strip().splitlines()[-15:]
        return ProcessError("\n    ".join([f"{self.name} {what}. {self.log} ends with:", *lines]))

    def release(self) -> None:
        """Asks the child to end, and returns at once."""
        with contextlib.suppress(BrokenPipeError):
            cast("IO[bytes]", self._supervisor.stdin).close()

    def stop(self) -> int:
        """Ends the child: SIGTERM, SIGKILL after the grace period. Returns its exit code."""
        self.release()
        try:
            return self._supervisor.wait(self._grace + _KILL_MARGIN)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            return self._supervisor.wait()

    def _printed(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    grace: float = 10.0,
    hold: Sequence[int] = (),
) -> Child:
    """Starts a child that ends when we do, however we end.

    Args:
        name: what to call it in messages.
        command: program and arguments.
        log: file for its output, begun anew.
        environment: its whole environment; ours when None.
        folder: its working directory; ours when None.
        grace: seconds between SIGTERM and SIGKILL when it is stopped.
        hold: file descriptors, such as locks, to keep open for as long as the child may run.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(grace), *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=folder,
            start_new_session=True,
            pass_fds=hold,
        )
    return Child(name, log, supervisor, grace)


def _supervise(grace: float, command: Sequence[str]) -> int:
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"{command[0]} does not start: {error.strerror}", flush=True)
        return 127

    def end() -> None:
        while os.read(0, 4096):
            pass
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            _kill_group(child.pid)

    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=end, daemon=True).start()
    code = child.wait()
    _kill_group(child.pid)  # what the child itself started, such as the workers of `func`
    return code if code >= 0 else 128 - code


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_supervise(float(sys.argv[1]), sys.argv[2:]))
