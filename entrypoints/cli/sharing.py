"""One local stack, several commands at once.

Whoever uses the stack of a state folder holds a shared lock on a file in it; whoever starts the
stack, or stops one that others may use, holds the lock alone. So a command never finds half a
stack, and does not lose the one that another command has brought up. The system lets go of a dead
command's lock.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from entrypoints.cli.exits import CliError

_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 1.0
# Starting takes 5 s; loading the model from a slow disk, or Core Tools, up to two minutes.
_START_SECONDS = 180.0
_ABSENT_SECONDS = 10.0
_LEAVE_SECONDS = 300.0


class Place:
    """This command's part in the local stack.

    Args:
        lock: The open lock file.
        say: Called with a line when others have to be waited for.
    """

    def __init__(self, lock: int, say: Callable[[str], None]) -> None:
        self._lock = lock
        self._say = say

    def enter(self, running: Callable[[], bool]) -> bool:
        """Become a user of the stack that runs, or the only one that may start it.

        Args:
            running: Whether a stack answers where this command looks for it.

        Returns:
            True when it runs, False when the caller has to start it.

        Raises:
            CliError: Other commands have the stack and it cannot be used.
        """
        began = present = time.monotonic()
        told = False
        while (now := time.monotonic()) < began + _START_SECONDS:
            if self.alone():
                if not running():
                    return False
                self._share()
                return True
            if self._take(fcntl.LOCK_SH):
                if running():
                    return True
                if now > present + _ABSENT_SECONDS:
                    raise CliError(
                        "another frontdesk command has this folder's local stack, and it does not "
                        "answer on this port: stop that command, or name its port with --port"
                    )
                fcntl.flock(self._lock, fcntl.LOCK_UN)
            else:
                present = now
            if not told and now > began + _PATIENCE_SECONDS:
                self._say("waiting for another frontdesk command that has the local stack")
                told = True
            time.sleep(_PAUSE_SECONDS)
        raise CliError(
            f"another frontdesk command has kept the local stack for {_START_SECONDS:g} s; stop it"
        )

    def alone(self) -> bool:
        """Have the lock alone, if nobody else has it now."""
        return self._take(fcntl.LOCK_EX)

    @contextmanager
    def shared(self, *, wait: bool = True) -> Iterator[None]:
        """Let others use the stack that the caller has started.

        Args:
            wait: Whether to stay at the end until the others have finished, 300 s at most. A
                command that is interrupted does not.
        """
        self._share()
        seconds = _LEAVE_SECONDS if wait else 0.0
        try:
            yield
        except Exception:
            self._leave(seconds)
            raise
        self._leave(seconds)

    def _leave(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        told = False
        with suppress(KeyboardInterrupt):
            while not self.alone() and time.monotonic() < deadline:
                if not told:
                    self._say("another frontdesk command uses this stack: waiting for it to finish")
                    self._say("Ctrl-C stops the stack now")
                    told = True
                time.sleep(_PAUSE_SECONDS)

    def _share(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _take(self, kind: int) -> bool:
        try:
            fcntl.flock(self._lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def place(state: Path, say: Callable[[str], None]) -> Iterator[Place]:
    """This command's place at the local stack of a state folder, given up at the end.

    Raises:
        CliError: The folder cannot be written.
    """
    path = state / "stack.lock"
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CliError(
            f"cannot write {path} ({error.strerror}); name another folder with FRONTDESK_STATE"
        ) from None
    try:
        yield Place(lock, say)
    finally:
        os.close(lock)
