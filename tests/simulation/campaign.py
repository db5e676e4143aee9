"""Many schedules on several processor cores: random, enumerated, and hunts for mutants."""

from __future__ import annotations

import gc
import logging
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Protocol, TypeVar, cast

from tests.simulation.faults import SECONDS, Fault, PinnedFaults, possible
from tests.simulation.mutants import MUTANTS
from tests.simulation.scenario import BASE
from tests.simulation.schedule import ALL, Result, of_seed, run

#: Seed of the latencies in enumerated schedules; the faults are what is varied there.
BASE_SEED = 0
_CHUNK = 40
_HUNTED = 10
#: What pairs are made of; singles try every kind.
_IN_PAIRS = frozenset(
    {"crash_before", "crash_after", "lost", "error", "pause_before", "pause_after"}
)
Pin = tuple[str, Fault]
A = TypeVar("A")
B = TypeVar("B")


@dataclass
class Failure:
    """A schedule in which something was wrong.

    Attributes:
        replay: Options of ``./frontdesk simulate`` that run it again.
    """

    replay: str
    violations: list[str]


@dataclass
class Totals:
    """The sum over schedules."""

    schedules: int = 0
    cases: int = 0
    port_calls: int = 0
    faults: int = 0
    crashes: int = 0
    paid: int = 0
    effects: int = 0
    uncertain: int = 0
    stale: int = 0
    lost: int = 0
    duplicated: int = 0
    avoidable: int = 0
    violations: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def add(self, result: Result, replay: str) -> None:
        """Counts one schedule in."""
        found = result.findings
        self.schedules += 1
        self.cases += found.cases
        self.port_calls += result.port_calls
        self.faults += result.faults
        self.crashes += result.crashes
        self.paid += found.paid
        self.effects += found.effects
        self.uncertain += found.uncertain
        self.stale += found.stale
        self.lost += found.lost
        self.duplicated += found.duplicated
        self.avoidable += found.avoidable
        self.violations += len(found.violations)
        if found.violations:
            self.failures.append(Failure(replay, found.violations))

    def merge(self, other: Totals) -> None:
        """Counts other schedules in."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def verdict(self) -> str:
        """One line."""
        share = 100.0 * self.uncertain / self.effects if self.effects else 0.0
        return (
            f"{self.schedules:,} schedules, {self.cases:,} cases, {self.crashes:,} crashes, "
            f"{self.faults:,} faults, {self.port_calls:,} port calls: "
            f"{self.lost} lost, {self.duplicated} duplicated, "
            f"{self.avoidable} avoidably paid of {self.paid:,} paid calls, "
            f"{self.violations} violations, "
            f"{self.uncertain:,} uncertain of {self.effects:,} effects ({share:.1f} %), "
            f"{self.stale} stale lines; {self.seconds:.0f} s"
        )


class Spread(Protocol):
    """Applies a function to many things, in order."""

    def __call__(self, work: Callable[[A], B], things: Iterable[A]) -> Iterator[B]:
        """What the function gave for each."""


@contextmanager
def spread(processes: int) -> Iterator[Spread]:
    """Work over this many processor cores."""
    if processes == 1:
        with _quiet():
            yield cast("Spread", map)
        return
    with _quiet(), multiprocessing.get_context("spawn").Pool(processes, _settle_in) as pool:
        yield cast("Spread", pool.imap)


def at_random(
    over: Spread,
    seeds: range,
    groups: frozenset[str] = ALL,
    mutant: str | None = None,
    told: Callable[[Totals], None] = lambda _: None,
) -> Totals:
    """Runs the schedules of these seeds."""
    chunks = [
        (range(start, min(start + _CHUNK, seeds.stop)), groups, mutant)
        for start in range(seeds.start, seeds.stop, _CHUNK)
    ]
    return _summed(over(_run_seeds, chunks), told)


def singles(
    over: Spread, names: Iterable[str], told: Callable[[Totals], None] = lambda _: None
) -> Totals:
    """Every fault at every call of these scenarios."""
    todo = [(name, [pin]) for name in names for pin in _pins_of(name, only=None)]
    chunks = [todo[n : n + _CHUNK] for n in range(0, len(todo), _CHUNK)]
    return _summed(over(_run_pinned, chunks), told)


def pairs(
    over: Spread,
    names: Iterable[str],
    about: int | None,
    told: Callable[[Totals], None] = lambda _: None,
) -> Totals:
    """Two faults in one schedule, each at every call.

    Args:
        about: How many pairs to draw in all; None for every pair there is.
    """
    firsts = [(name, pin) for name in names for pin in _pins_of(name, _IN_PAIRS)]
    each = None if about is None else -(-about // len(firsts))
    return _summed(over(_run_pairs, [(name, pin, each) for name, pin in firsts]), told)


def hunt(over: Spread, name: str, most: int) -> tuple[int, list[str]]:
    """Looks for the first schedule that shows a mutant.

    Returns:
        How many schedules it took, 0 when none showed it, and what was found.
    """
    groups, done = MUTANTS[name].groups, 0
    while done < most:
        # A few at a time: what is handed out to other processes is worked off, found or not.
        chunks = [(range(n, n + _HUNTED), groups, name) for n in range(done, done + 40, _HUNTED)]
        done += 40
        for totals in over(_run_until_caught, chunks):
            if totals.failures:
                seed = int(totals.failures[0].replay.split()[1])
                return seed + 1, totals.failures[0].violations
    return 0, []


def shrunk(seed: int, groups: frozenset[str]) -> Result:
    """The schedule of a seed with as few of its faults as still go wrong."""
    with _quiet():
        pins = dict(of_seed(seed, groups).fired)
        for key in list(pins):
            fewer = {kept: fault for kept, fault in pins.items() if kept != key}
            if of_seed(seed, groups, pins=fewer).findings.violations:
                pins = fewer
        return of_seed(seed, groups, pins=pins, record=True)


def recorded(story: str, pins: Iterable[Pin]) -> Result:
    """One enumerated schedule with its history."""
    with _quiet():
        return run(story, BASE[story], BASE_SEED, PinnedFaults(dict(pins)), record=True)


def pinned_options(story: str, pins: Iterable[Pin]) -> str:
    """The options that run an enumerated schedule again."""
    said = ",".join(f"{key}={fault}" for key, fault in pins)
    return f"--scenario {story} --pin '{said}'"


def _pins_of(name: str, only: frozenset[str] | None) -> list[Pin]:
    """Every fault that may happen in a scenario in which nothing else goes wrong."""
    with _quiet():
        calm = run(name, BASE[name], BASE_SEED, PinnedFaults({}), list_calls=True)
    return _possible_pins(calm, only)


def _possible_pins(result: Result, only: frozenset[str] | None) -> list[Pin]:
    return [
        (key, Fault(kind, SECONDS.get(kind, 0.0)))
        for key, name in result.calls
        for kind in possible(name)
        if only is None or kind in only
    ]


def _summed(parts: Iterable[Totals], told: Callable[[Totals], None]) -> Totals:
    began, whole = perf_counter(), Totals()
    for part in parts:
        whole.merge(part)
        told(whole)
    whole.seconds = perf_counter() - began
    return whole


def _run_seeds(order: tuple[range, frozenset[str], str | None]) -> Totals:
    seeds, groups, name = order
    mutant = MUTANTS[name] if name else None
    totals = Totals()
    for seed in seeds:
        totals.add(of_seed(seed, groups, mutant), f"--seed {seed} --schedules 1")
    gc.collect()
    return totals


def _run_until_caught(order: tuple[range, frozenset[str], str]) -> Totals:
    seeds, groups, name = order
    totals = Totals()
    for seed in seeds:
        totals.add(of_seed(seed, groups, MUTANTS[name]), f"--seed {seed}")
        if totals.failures:
            break
    gc.collect()
    return totals


def _run_pinned(todo: list[tuple[str, list[Pin]]]) -> Totals:
    totals = Totals()
    for name, pins in todo:
        result = run(name, BASE[name], BASE_SEED, PinnedFaults(dict(pins)))
        totals.add(result, pinned_options(name, pins))
    gc.collect()
    return totals


def _run_pairs(order: tuple[str, Pin, int | None]) -> Totals:
    name, first, each = order
    alone = run(name, BASE[name], BASE_SEED, PinnedFaults(dict([first])), list_calls=True)
    keys = [key for key, _ in alone.calls]
    alone.calls = alone.calls[keys.index(first[0]) + 1 :]
    seconds = _possible_pins(alone, _IN_PAIRS)
    if each is not None and each < len(seconds):
        seconds = Random(f"{name} {first}").sample(seconds, each)
    return _run_pinned([(name, [first, second]) for second in seconds])


def _settle_in() -> None:
    """What a worker process does first: no garbage is collected within a schedule."""
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.disable()


@contextmanager
def _quiet() -> Iterator[None]:
    """The product warns of what the schedules do to it; nobody needs to read that."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
