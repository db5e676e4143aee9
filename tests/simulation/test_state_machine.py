"""Hypothesis plays the world: whatever it does, what was accepted comes to its end, once."""

from __future__ import annotations

import logging

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.simulation.faults import KINDS
from tests.simulation.machine import Machine
from tests.simulation.scenario import Caller, Mood, Step

_ANY = st.integers(min_value=0, max_value=7)
_MOODS: st.SearchStrategy[Mood] = st.sampled_from(("good", "bad"))
_STAGES = st.sampled_from(("customer_query", "sentiment", "escalation"))


class FrontdeskMachine(RuleBasedStateMachine):
    """Opens cases, lets calls go on or fail, delivers, kills, acts, and lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        self.machine = Machine()
        self.machine.open(Caller(mood="bad"))

    @rule(mood=_MOODS, twin=st.sampled_from((None, 0.0)))
    def open(self, mood: Mood, twin: float | None) -> None:
        self.machine.open(Caller(mood=mood, twin=twin))

    @rule(number=_ANY)
    def go_on(self, number: int) -> None:
        self.machine.let_go(number, None)

    @rule(count=st.integers(min_value=2, max_value=12))
    def go_on_for_a_while(self, count: int) -> None:
        for _ in range(count):
            self.machine.let_go(0, None)

    @rule(number=_ANY, kind=st.sampled_from(sorted(KINDS)))
    def go_wrong(self, number: int, kind: str) -> None:
        self.machine.let_go(number, kind)

    @rule(number=_ANY)
    def deliver(self, number: int) -> None:
        self.machine.deliver(number)

    @rule(number=_ANY)
    def duplicate(self, number: int) -> None:
        self.machine.duplicate(number)

    @rule(stage=_STAGES)
    def poison(self, stage: str) -> None:
        self.machine.poison(stage)

    @rule(number=_ANY)
    def crash(self, number: int) -> None:
        self.machine.crash(number)

    @rule(mood=_MOODS, twin=st.sampled_from((None, 0.0)))
    def follow_up(self, mood: Mood, twin: float | None) -> None:
        self.machine.act(Step(0.0, "follow_up", mood, twin))

    @rule()
    def cancel(self) -> None:
        self.machine.act(Step(0.0, "cancel"))

    @rule()
    def resolve(self) -> None:
        self.machine.act(Step(0.0, "resolve"))

    @rule()
    def replay(self) -> None:
        self.machine.act(Step(0.0, "replay"))

    @rule(stage=_STAGES)
    def rerun(self, stage: str) -> None:
        self.machine.act(Step(0.0, "rerun", names=(stage,)))

    @rule()
    def sweep(self) -> None:
        self.machine.sweep()

    @rule(seconds=st.sampled_from((1.0, 20.0, 100.0, 700.0)))
    def delay(self, seconds: float) -> None:
        self.machine.tick(seconds)

    @rule()
    def let_leases_expire(self) -> None:
        self.machine.tick(self.machine.simulation.limits.lease.total_seconds() + 41.0)

    @invariant()
    def nothing_is_wrong_so_far(self) -> None:
        assert not self.machine.simulation.watch.findings.violations

    def teardown(self) -> None:
        try:
            assert not self.machine.rest().violations
        finally:
            logging.disable(logging.NOTSET)


TestFrontdeskMachine = FrontdeskMachine.TestCase
TestFrontdeskMachine.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
