"""The protocol's clocks in a chaos run: the shipped ones, or hurried ones for the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.pipeline.limits import Limits


@dataclass(frozen=True, slots=True)
class HurriedLimits(Limits):
    """The same rules with short margins, so that what a kill cut off is due again in seconds."""

    clock_skew: float = 2.0
    effect_timeout: float = 3.0
    sweep_grace: float = 1.0

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=2 * self.model_timeout + 2 * self.clock_skew + 1)

    @property
    def effect_lease(self) -> timedelta:
        return timedelta(seconds=self.effect_timeout + 3 * self.clock_skew + 1)

    @property
    def last_call(self) -> timedelta:
        return self.lease - timedelta(seconds=self.model_timeout + 2 * self.clock_skew)

    def backoff(self, attempts: int, retry_after: float) -> float:
        return max(retry_after, min(10.0, 0.5 * 2.0 ** max(0, attempts - 1)))


@dataclass(frozen=True, slots=True)
class Clocks:
    """What a run's hosts are started with.

    Attributes:
        limits: The protocol's times, as the hosts compute them too.
        sweep_every: Seconds between sweeps that the run fires itself; 0 leaves it to the timers.
    """

    limits: Limits
    sweep_every: float = 0.0

    @property
    def environment(self) -> dict[str, str]:
        """Settings of the hosts."""
        hurry = "yes" if isinstance(self.limits, HurriedLimits) else ""
        timeout = f"{self.limits.model_timeout:g}"
        return {"FRONTDESK_MODEL_TIMEOUT_SECONDS": timeout, "CHAOS_HURRY": hurry}


#: As shipped, but for the setting of the model's timeout.
SHIPPED = Clocks(Limits(model_timeout=3.0))
HURRIED = Clocks(HurriedLimits(model_timeout=1.5), sweep_every=1.0)
