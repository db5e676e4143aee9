"""The protocol's times and counts, in one place because they depend on each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often.

    Attributes:
        model_timeout: Seconds until a model call is given up.
        clock_skew: Seconds that two machines' clocks may differ.
        max_attempts: Claims of one stage after which it is parked.
        effect_timeout: Seconds until an attempt at an effect is given up.
        max_effect_attempts: Attempts at one effect after which a person decides.
        turn_deadline: Seconds from a message's arrival after which unfinished stages are parked.
        sweep_grace: Seconds that something may be due before a sweep nudges it.
        orphan_age: Seconds after which an open mark without a case is removed.
        crowded: Seconds until a stage looks again whether its desk's budget has room.
    """

    model_timeout: float = 60.0
    clock_skew: float = 20.0
    max_attempts: int = 12
    turn_deadline: float = 3600.0
    effect_timeout: float = 20.0
    max_effect_attempts: int = 12
    sweep_grace: float = 20.0
    orphan_age: float = 3600.0
    crowded: float = 15.0

    @property
    def lease(self) -> timedelta:
        """How long a claim holds: two calls, the skew on both sides, and a margin.

        At the default 180 s it stays below functionTimeout (300 s) and below
        maxDequeueCount x visibilityTimeout (5 x 45 s) of host.json.
        """
        return timedelta(seconds=2 * self.model_timeout + 2 * self.clock_skew + 20)

    @property
    def closing(self) -> timedelta:
        """How long after its end a digest's window stays open: what began in it is stored by then.

        At the default 220 s: the timer rings five minutes past.
        """
        return self.lease + timedelta(seconds=2 * self.clock_skew)

    @property
    def effect_lease(self) -> timedelta:
        """How long a claim of an effect holds: a late start, one attempt, the skew, a margin."""
        return timedelta(seconds=self.effect_timeout + 3 * self.clock_skew + 10)

    @property
    def last_call(self) -> timedelta:
        """How long after its claim a worker may still start a call that ends inside its lease."""
        return self.lease - timedelta(seconds=self.model_timeout + 2 * self.clock_skew)

    def backoff(self, attempts: int, retry_after: float) -> float:
        """Seconds to wait before the next attempt: doubling from 5 to 300, at least as asked."""
        return max(retry_after, min(300.0, 5.0 * 2.0 ** max(0, attempts - 1)))
