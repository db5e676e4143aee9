"""Stops calling a deployment that does not answer, and finds out when it answers again.

After some failures in a row no call is made for a while. Then exactly one is let through, and what
becomes of it decides. Each process counts for itself: a shared count would cost storage calls, and
a process that has not met the outage yet learns of it by a few calls.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.domain.stage import Usage
from shared.errors import PermanentError, RetryableError
from shared.ports import RESTING
from shared.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Longest rest in seconds: so long it takes at most until the end of an outage is noticed.
LONGEST_REST = 300.0
#: Seconds after which others ask again while the one call is under way.
_WHILE_PROBING = 10.0
_log = logger("model")


class Breaker:
    """The breaker of one deployment.

    Args:
        deployment: Its name, for the log.
        failures: Failures in a row after which it rests; 0 for never.
        seconds: Its first rest where the endpoint names no time; doubled with each failed probe.
        now: Seconds on a clock that only goes forward.
    """

    def __init__(
        self,
        deployment: str,
        failures: int,
        seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deployment = deployment
        self._most = failures
        self._seconds = seconds
        self._now = now
        self._failed = 0
        self._rests = 0
        self._until = 0.0
        self._probing = False

    def pause(self) -> float:
        """Seconds until it is worth asking again; 0 when a call may be made."""
        if not self._rests:
            return 0.0
        if self._probing:
            return _WHILE_PROBING
        return max(0.0, self._until - self._now())

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call: refuses it while the deployment rests, and learns from its outcome.

        Only failures that say nothing about the call itself count: no answer, 5xx, 429, a key or a
        deployment that is refused. A refusal, a filter or a truncated answer is an answer.

        Raises:
            RetryableError: ``RESTING``; nothing was called.
        """
        if pause := self.pause():
            detail = f"{self._deployment} did not answer lately"
            raise RetryableError(RESTING, pause, detail, Usage())
        probe = self._probing = self._rests > 0
        try:
            yield
        except RetryableError as error:
            self._count(error, probe=probe)
            raise
        except PermanentError:
            self._answered()
            raise
        else:
            self._answered()
        finally:
            if probe:
                self._probing = False

    def _count(self, error: RetryableError, *, probe: bool) -> None:
        self._failed += 1
        if probe != (self._rests > 0):
            return  # it began before the rest did, or another call was answered meanwhile
        if not self._most or (not probe and self._failed < self._most):
            return
        doubled = self._seconds * 2.0 ** min(self._rests, 10)
        self._rests += 1
        rest = max(1.0, min(LONGEST_REST, error.retry_after or doubled))
        self._until = self._now() + rest
        if not probe:
            _log.error(
                "The model does not answer: it is not called for a while",
                extra={
                    "deployment": self._deployment,
                    "failures": self._failed,
                    "code": error.code,
                    "seconds": rest,
                },
            )

    def _answered(self) -> None:
        if self._rests:
            _log.warning("The model answers again", extra={"deployment": self._deployment})
        self._failed = self._rests = 0
