"""Memory twin of the sinks: a receiver of each kind with a ledger, and faults to order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from shared.errors import PermanentError, RetryableError, UncertainError

if TYPE_CHECKING:
    from shared.domain.stage import EffectRequest
    from shared.ports import Clock, EffectCall

#: ``before`` and ``after``: the answer is lost, before or after the receiver applied the effect.
#: ``busy``: refused for now. ``never``: refused for good.
Fault = Literal["none", "before", "after", "busy", "never"]


@dataclass(frozen=True, slots=True)
class Applied:
    """An effect that really happened."""

    key: str
    request: EffectRequest
    at: datetime


def _no_fault(_call: EffectCall) -> Fault:
    return "none"


class MemorySink:
    """A sink whose receiver is a list.

    Args:
        kind: ``keyed``: applies a key once within the window. ``queryable``: applies whatever
            comes, and can be asked. ``unkeyed``: applies whatever comes.
        clock: The receiver's.
        fault: Asked at each attempt for what goes wrong with it.
        window: Seconds for which the receiver remembers a key.

    Attributes:
        ledger: What happened, in order; a key that is there twice happened twice.
        attempts: The key of each attempt that reached the receiver's door.
    """

    def __init__(
        self,
        kind: Literal["keyed", "queryable", "unkeyed"],
        clock: Clock,
        fault: Callable[[EffectCall], Fault] = _no_fault,
        window: float = 86400.0,
    ) -> None:
        self.kind: Literal["keyed", "queryable", "unkeyed"] = kind
        self.window = window
        self.ledger: list[Applied] = []
        self.attempts: list[str] = []
        self._clock = clock
        self._fault = fault

    async def send(self, call: EffectCall) -> str:
        self.attempts.append(call.idempotency_key)
        fault = self._fault(call)
        if fault == "busy":
            raise RetryableError("receiver_busy")
        if fault == "never":
            raise PermanentError("receiver_refused")
        if fault == "before":
            raise UncertainError("answer_lost")
        receipt = self._apply(call)
        if fault == "after":
            raise UncertainError("answer_lost")
        return receipt

    async def find(self, call: EffectCall) -> str | None:
        if self.kind != "queryable":
            return None
        return self._known(call)

    def _apply(self, call: EffectCall) -> str:
        if self.kind == "keyed" and (known := self._known(call)):
            return known
        self.ledger.append(Applied(call.idempotency_key, call.request, self._clock.now()))
        return f"number {len(self.ledger)}"

    def _known(self, call: EffectCall) -> str | None:
        now = self._clock.now()
        for number, applied in enumerate(self.ledger, 1):
            fresh = (now - applied.at).total_seconds() <= self.window
            if applied.key == call.idempotency_key and fresh:
                return f"number {number}"
        return None
