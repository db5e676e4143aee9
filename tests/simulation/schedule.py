"""A schedule by its seed: scenario and faults, all random and always the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING

from tests.simulation import scenario
from tests.simulation.faults import GROUPS, KINDS, Fault, NoFaults, PinnedFaults, RandomFaults
from tests.simulation.simulation import Simulation
from tests.simulation.watch import Findings

if TYPE_CHECKING:
    from tests.simulation.faults import Plan
    from tests.simulation.mutants import Mutant
    from tests.simulation.scenario import Scenario

ALL = frozenset(GROUPS)


@dataclass
class Result:
    """What one schedule came to.

    Attributes:
        name: The seed, or the scenario with its faults.
        fired: The faults, by call.
        calls: Every call of a port in order, key and name; only when asked for.
    """

    name: str
    findings: Findings
    port_calls: int
    crashes: int
    faults: int
    seconds: float
    fired: Mapping[str, Fault] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    history: list[str] = field(default_factory=list)


def of_seed(
    seed: int,
    groups: frozenset[str] = ALL,
    mutant: Mutant | None = None,
    *,
    pins: Mapping[str, Fault] | None = None,
    record: bool = False,
) -> Result:
    """Runs the schedule of a seed.

    Args:
        groups: Groups of faults that may happen.
        pins: Only these faults instead of the seed's own.
    """
    random = Random(seed)
    story, plan = _drawn(random, groups)
    if mutant is not None and mutant.story is not None:
        story = mutant.story
    if pins is not None:
        plan = PinnedFaults(pins)
    return run(str(seed), story, seed, plan, mutant, record=record)


def run(
    name: str,
    story: Scenario,
    seed: int,
    plan: Plan,
    mutant: Mutant | None = None,
    *,
    record: bool = False,
    list_calls: bool = False,
) -> Result:
    """Runs one schedule to its end and checks it."""
    began = perf_counter()
    simulation = Simulation(story, seed, plan, record=record)
    if list_calls:
        simulation.world.calls_seen = []
    if mutant is None:
        simulation.start()
        findings = simulation.finish()
    else:
        with mutant.in_place(simulation):
            simulation.start()
            findings = simulation.finish()
    world = simulation.world
    return Result(
        name=name,
        findings=findings,
        port_calls=world.port_calls,
        crashes=world.crashes,
        faults=world.faults,
        seconds=perf_counter() - began,
        fired=plan.fired if isinstance(plan, RandomFaults) else {},
        calls=world.calls_seen or [],
        history=world.history or [],
    )


def _drawn(random: Random, groups: frozenset[str]) -> tuple[Scenario, Plan]:
    faults = groups - {"skew", "people"}
    kind = random.random()
    if not faults or kind < 0.06:
        disturbed = groups and not faults
        story = scenario.at_random(random, groups) if disturbed else scenario.calm(random)
        return story, NoFaults()
    kinds = frozenset(kind for kind, group in KINDS.items() if group in faults)
    if kind < 0.14:
        heals = kinds & {"crash_before", "crash_after", "lost", "conflict", "error", "twice"}
        rates = dict.fromkeys(GROUPS, 0.06)
        plan = RandomFaults(rates, 60.0, 1, handlers_only=True, kinds=heals)
        return scenario.untimed(random), plan
    level = random.choice((0.01, 0.03, 0.03, 0.08))
    main = random.choice(sorted(faults)) if random.random() < 0.35 else None
    rates = {group: level * random.choice((0.0, 0.3, 1.0, 1.0, 2.0)) for group in GROUPS}
    if main is not None:
        # A day with much of one kind of trouble.
        rates = {group: 5 * level * (group == main) for group in GROUPS}
    until = random.choice((30.0, 600.0, 1800.0, 7200.0))
    budget = random.choice((1, 2, 3, 5, 10, 30))
    outage = "outage" in faults and (main == "outage" or random.random() < 0.15)
    story = scenario.at_random(random, groups, outage=outage)
    return story, RandomFaults(rates, until, budget, kinds=kinds)
