"""What a breaker has to do, worked out from the calls that processes make and how they end."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.watch import Findings
    from tests.simulation.world import Process, World

#: Failures in a row after which a process makes no calls for a while.
FAILURES = 5
#: Seconds of its first rest, where the model names no time.
FIRST_REST = 30.0
_LONGEST_REST = 300.0


@dataclass
class _Seen:
    """What one process met since it was started.

    Attributes:
        failed: Failures since the last answer.
        until: When its rest ends, in seconds of the world.
    """

    failed: int = 0
    until: float = 0.0
    probing: bool = False


class Rests:
    """Follows the calls of every process."""

    def __init__(self, world: World, findings: Findings) -> None:
        self._world = world
        self._findings = findings
        self._seen: dict[Process, _Seen] = {}

    @contextmanager
    def called(self, process: Process) -> Iterator[None]:
        """Around one call."""
        seen = self._seen.setdefault(process, _Seen())
        probe = seen.failed >= FAILURES
        if probe:
            if self._world.now < seen.until:
                self._wrong("the model was called in a rest", process)
            if seen.probing:
                self._wrong("two calls at once try whether the model answers", process)
            seen.probing = True
        try:
            yield
        except RetryableError as error:
            before, seen.failed = seen.failed, seen.failed + 1
            if seen.failed >= FAILURES and probe == (before >= FAILURES):
                rest = max(1.0, min(_LONGEST_REST, error.retry_after or FIRST_REST))
                seen.until = self._world.now + rest
            raise
        except PermanentError:
            seen.failed = 0
            raise
        else:
            seen.failed = 0
        finally:
            seen.probing = seen.probing and not probe

    def asked(self, process: Process, pause: float) -> None:
        """A process wanted to know how long it should not call."""
        seen = self._seen.get(process, _Seen())
        if pause and seen.failed < FAILURES:
            self._wrong("a rest although the model answered", process)

    def forgot(self, process: Process) -> None:
        """The process died."""
        self._seen.pop(process, None)

    def _wrong(self, why: str, process: Process) -> None:
        self._world.note(f"!! {why}")
        self._findings.add(f"{why} (process {process.number})")
