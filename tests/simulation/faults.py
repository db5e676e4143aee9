"""What can go wrong at a call of a port, and who decides that it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.world import Call


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: A key of ``KINDS``.
        seconds: How long a pause lasts, a slow answer takes, a message is held back, or what
            Retry-After says.
    """

    kind: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind}:{self.seconds:g}" if self.seconds else self.kind

    @classmethod
    def parse(cls, text: str) -> Fault:
        """The fault that ``str`` wrote; ValueError when there is none of that name."""
        kind, _, seconds = text.partition(":")
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are: {', '.join(KINDS)}")
        return cls(kind, float(seconds or 0))


#: Every kind with the group that ``--faults`` switches.
KINDS: dict[str, str] = {
    "crash_before": "crash",  # the process dies before the call had any effect
    "crash_after": "crash",  # it dies after the effect and before the answer
    "lost": "lost",  # it took effect, the answer was lost
    "conflict": "lost",  # as lost, and the SDK tried again by itself and met its own write
    "error": "error",  # no effect, RetryableError
    "pause_before": "pause",  # the worker stands still, then calls
    "pause_after": "pause",  # it calls, then stands still
    "twice": "queues",  # two messages are sent
    "late": "queues",  # the message is held back
    "busy": "model",  # 429 with Retry-After
    "slow": "model",  # an answer just inside the timeout
    "timeout": "model",  # an answer that nobody waited for; paid
    "malformed": "model",
    "refusal": "model",
    "filtered": "model",
    "bug": "model",  # our own code raises something unforeseen
    "refused": "sinks",  # the receiver will never take it
    "unsure": "sinks",  # no answer, and it did not happen
    "belated": "sinks",  # no answer, and it happens a while later
}
#: How long each lasts where nothing is drawn.
SECONDS = {
    "pause_before": 200.0,
    "pause_after": 200.0,
    "late": 100.0,
    "busy": 60.0,
    "slow": 40.0,
    "belated": 55.0,
}
GROUPS: tuple[str, ...] = (*dict.fromkeys(KINDS.values()), "skew", "people", "outage")

_ANY = ("crash_before", "crash_after", "lost", "error", "pause_before", "pause_after")
_POSSIBLE: dict[str, tuple[str, ...]] = {
    "store.insert": (*_ANY, "conflict"),
    "store.replace": (*_ANY, "conflict"),
    "spending.write": (*_ANY, "conflict"),
    "nudges.send": (*_ANY, "twice", "late"),
    "model.complete": (
        *_ANY, "busy", "slow", "timeout", "malformed", "refusal", "filtered", "bug",
    ),
    "connector.fetch": (*_ANY, "busy", "refused"),
    "sink.send": (*_ANY, "refused", "unsure"),
    "tickets.create": (*_ANY, "refused", "unsure", "belated"),
    "tickets.insert": (*_ANY, "conflict"),
    "host.receive": ("lost",),
    "host.delete": ("crash_before", "crash_after", "error", "pause_before"),
}  # fmt: skip


def possible(name: str) -> tuple[str, ...]:
    """The kinds of fault that a port's call can meet."""
    return _POSSIBLE.get(name, _ANY)


class Plan(Protocol):
    """Decides about each call."""

    def pick(self, call: Call) -> Fault | None:
        """What goes wrong with this call; None for nothing."""


class NoFaults:
    """Nothing goes wrong."""

    def pick(self, call: Call) -> Fault | None:
        return None


class PinnedFaults:
    """Faults at named calls and nowhere else.

    Args:
        pins: By ``Call.key``.
    """

    def __init__(self, pins: Mapping[str, Fault]) -> None:
        self.pins = dict(pins)

    def pick(self, call: Call) -> Fault | None:
        return self.pins.get(call.key)


class RandomFaults:
    """Faults at random, at most ``budget`` of them and none after ``until``.

    Args:
        rates: Chance per call, by group.
        handlers_only: Spare everything but the queues' workers, and what they send: a nudge that
            cannot be sent is left to the sweep.

    Attributes:
        fired: What went wrong so far, by ``Call.key``: replays the schedule when pinned.
    """

    _PAUSES = (12.0, 25.0, 70.0, 100.0, 150.0, 200.0, 200.0, 400.0, 700.0, 1000.0)
    _DELAYS = (5.0, 30.0, 100.0, 300.0, 900.0)

    def __init__(
        self,
        rates: Mapping[str, float],
        until: float,
        budget: int,
        *,
        handlers_only: bool = False,
        kinds: frozenset[str] = frozenset(KINDS),
    ) -> None:
        self.fired: dict[str, Fault] = {}
        self._rates = rates
        self._until = until
        self._budget = budget
        self._handlers_only = handlers_only
        self._kinds = kinds
        self._odds: dict[str, tuple[float, list[tuple[str, float]]]] = {}

    def pick(self, call: Call) -> Fault | None:
        if self._budget <= 0 or call.at > self._until:
            return None
        if self._handlers_only and (call.invocation.message is None or call.name == "nudges.send"):
            return None
        total, odds = self._odds_of(call.name)
        random = call.invocation.random
        drawn = random.random()
        if drawn >= total:
            return None
        kind = next((kind for kind, upto in odds if drawn < upto), odds[-1][0])
        self._budget -= 1
        fault = Fault(kind, self._seconds(kind, random))
        self.fired[call.key] = fault
        return fault

    def _odds_of(self, name: str) -> tuple[float, list[tuple[str, float]]]:
        known = self._odds.get(name)
        if known is None:
            total, upto = 0.0, []
            kinds = [kind for kind in possible(name) if kind in self._kinds]
            for kind in kinds:
                group = KINDS[kind]
                alike = sum(KINDS[other] == group for other in kinds)
                total += self._rates.get(group, 0.0) / alike
                upto.append((kind, total))
            known = self._odds[name] = (total, upto)
        return known

    def _seconds(self, kind: str, random: Random) -> float:
        match kind:
            case "pause_before" | "pause_after":
                return random.choice(self._PAUSES)
            case "late":
                return random.choice(self._DELAYS)
            case "belated":
                return random.choice((5.0, 20.0, 40.0, 60.0))
            case "busy":
                return random.choice((0.0, 1.0, 17.0, 60.0, 200.0, 900.0, 1800.0))
            case "slow":
                return random.uniform(20.0, 53.0)
            case _:
                return 0.0
