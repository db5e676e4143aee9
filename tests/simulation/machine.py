"""A schedule whose every move somebody else decides: what Hypothesis plays with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.nudge import Nudge, nudge_body
from tests.simulation.faults import SECONDS, Fault, NoFaults, possible
from tests.simulation.scenario import Caller, Scenario, Step
from tests.simulation.simulation import Simulation

if TYPE_CHECKING:
    from tests.simulation.watch import Findings
    from tests.simulation.world import Call


class Machine:
    """A world in which a call waits until it is let go, and a message until it is delivered.

    Attributes:
        simulation: The product with everything around it.
    """

    def __init__(self) -> None:
        scenario = Scenario((), callback="keyed", callback_window=300.0, email="queryable")
        self.simulation = Simulation(scenario, 1, NoFaults(), by_hand=True)
        self._steps = 0
        self._callers = 0

    def open(self, caller: Caller) -> None:
        """A customer writes, now."""
        self._callers += 1
        self.simulation.people.arrive(self._callers, caller)
        self.tick(0.0)

    def act(self, step: Step) -> None:
        """Somebody does something to the case that was opened first and is accepted."""
        promises = self.simulation.people.promises
        if promises:
            self._steps += 1
            self.simulation.people.do(promises[0].case_id, step, f"m{self._steps}")
            self.tick(0.0)

    def let_go(self, number: int, kind: str | None) -> None:
        """One waiting call has its effect and its answer, or what goes wrong instead."""
        waiting = self._waiting()
        if waiting:
            call = waiting[number % len(waiting)]
            self.simulation.world.waiting.remove(call)
            fault = Fault(kind, SECONDS.get(kind, 0.0)) if kind else None
            if fault and fault.kind not in possible(call.name):
                fault = None
            self.simulation.world.let_go(call, fault)
            self.tick(8.0)

    def deliver(self, number: int) -> None:
        """A message is delivered, in whatever order."""
        messages = list(self.simulation.host.messages)
        process = self.simulation.world.a_process()
        if messages and process:
            self.simulation.host.start(messages[number % len(messages)], process)
            self.tick(0.0)

    def duplicate(self, number: int) -> None:
        """A message is there twice."""
        messages = list(self.simulation.host.messages)
        if messages:
            message = messages[number % len(messages)]
            self.simulation.host.put(message.queue, message.body)

    def poison(self, stage: str) -> None:
        """The host gave up on a message of the first case."""
        promises = self.simulation.people.promises
        if promises:
            nudge = Nudge(promises[0].case_id, 1, stage)
            self.simulation.host.put(f"{nudge.queue}-poison", nudge_body(nudge).encode())

    def crash(self, number: int) -> None:
        """A process dies."""
        alive = [process for process in self.simulation.world.processes if process.running]
        if alive:
            self.simulation.world.kill(alive[number % len(alive)])
            self.tick(0.0)

    def sweep(self) -> None:
        """The timer rings."""
        process = self.simulation.world.a_process()
        if process:
            self.simulation.host.sweep(process)
            self.tick(0.0)

    def tick(self, seconds: float) -> None:
        """Time passes."""
        world = self.simulation.world
        world.run(world.now + seconds)

    def rest(self) -> Findings:
        """The world is well again: everything comes to its end and is checked."""
        world, host = self.simulation.world, self.simulation.host
        world.by_hand = False
        for call in self._waiting():
            world.let_go(call, None)
        world.waiting.clear()
        for message in host.messages:
            world.later(max(0.0, message.visible_at - world.now), host.deliver, message,
                        message.receipt)  # fmt: skip
        world.later(1.0, host.sweeps.ring)
        return self.simulation.finish()

    def _waiting(self) -> list[Call]:
        """Calls of those who live."""
        world = self.simulation.world
        world.waiting = [call for call in world.waiting if not call.invocation.over]
        return world.waiting
