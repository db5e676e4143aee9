"""One schedule: the whole product in a simulated world, run until it rests, then checked."""

from __future__ import annotations

import math
import uuid
from functools import lru_cache, partial
from random import Random
from typing import TYPE_CHECKING

from shared.adapters.digest_copy import CopySink
from shared.adapters.memory import MemoryInbox
from shared.bootstrap import Ports, assemble
from shared.pipeline.intake import Arrival
from shared.pipeline.limits import Limits
from shared.settings import Settings
from tests.simulation.checker import check
from tests.simulation.crm import VENDOR, CrmSimulatedSink, SimulatedCrm
from tests.simulation.desks import DIGESTED, days_later, filed_before, simulated_desks
from tests.simulation.host import Host
from tests.simulation.model import SimulatedModel
from tests.simulation.people import People
from tests.simulation.ports import (
    SimulatedCustomers,
    SimulatedIndex,
    SimulatedJournal,
    SimulatedNudges,
    SimulatedQuarantine,
    SimulatedSink,
    SimulatedSpending,
    SimulatedStore,
    SimulatedTexts,
)
from tests.simulation.stand_ins import AGENTS
from tests.simulation.tickets import SimulatedTickets, TicketSink, ticket_sinks
from tests.simulation.watch import Findings, Watch
from tests.simulation.world import Process, World, instantly

if TYPE_CHECKING:
    from shared.domain.desk import Desk
    from shared.domain.partition import Partition
    from tests.simulation.faults import Plan
    from tests.simulation.host import Timer
    from tests.simulation.scenario import Scenario, SinkKind

_HOUR = 3600.0
#: Seconds that clocks may differ from the truth.
_SKEW = 20.0
#: A healthy world gets this long to come to rest after the last fault.
_LONGEST = 48 * _HOUR
#: Longer than every wait in the product: after this long without a change nothing will come.
_STUCK = 6 * _HOUR


class Simulation:
    """Frontdesk in a simulated world."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        plan: Plan,
        *,
        record: bool = False,
        by_hand: bool = False,
    ) -> None:
        limits = Limits()
        self.scenario = scenario
        self.limits = limits
        self.world = World(seed, plan, record=record, by_hand=by_hand)
        self.world.outages = scenario.outages
        self.watch = Watch(
            self.world,
            limits.turn_deadline,
            limits.max_attempts,
            limits.last_call.total_seconds(),
        )
        self.host = Host(self.world, self.watch, AGENTS)
        self.crm = SimulatedCrm(self.world, self.watch)
        self.people = People(self.world, self.watch, self.host, self.crm)
        self.store = SimulatedStore(self.world, self.watch)
        self.index = SimulatedIndex(self.world, self._marked)
        self.store.changed = self._marked
        self.journal = SimulatedJournal(self.world)
        self.texts = SimulatedTexts(self.world)
        self.quarantine = SimulatedQuarantine(self.world)
        self.spending = SimulatedSpending(self.world)
        self.model = SimulatedModel(self.world, self.watch)
        self.sinks = {
            "callback": self._sink(scenario.callback, scenario.callback_window),
            "email": self._sink(scenario.email, 86400.0),
            "slack": self._sink("unkeyed", 86400.0),
            "action-http": self._sink(scenario.backend, 86400.0),
            VENDOR: self._sink(scenario.crm, 86400.0, CrmSimulatedSink),
        }
        self.sinks[VENDOR].told = self.people.announce  # type: ignore[attr-defined]
        self.customers = SimulatedCustomers(self.world)
        self.tickets = SimulatedTickets(self.world)
        self.ticketing = ticket_sinks(self.tickets, simulated_desks(None, "").names)
        self.receivers: dict[str, SimulatedSink | TicketSink] = {**self.sinks, **self.ticketing}
        self.world.processes += [self._process(n, skew) for n, skew in enumerate(scenario.skews)]
        for timer in (self.host.sweeps, self.host.digests):
            timer.ring_if_needed = partial(self._ring_if_needed, timer)
        self.garbage: list[bytes] = []
        self._days_passed = False

    def start(self) -> None:
        """Lets people come and the timer ring."""
        for number, caller in enumerate(self.scenario.callers, 1):
            self.people.arrive(number, caller)
        for number in range(self.scenario.garbage):
            body = (b"not json", b'{"case":"nobody","turn":1,"stage":"sentiment"}', b"{}")[number]
            self.garbage.append(body)
            queue = ("stage-sentiment", "effects", "stage-escalation-poison")[number]
            self.host.put(queue, body, 10.0 * number)
        if self.scenario.timer:
            self.world.later(self.world.random.uniform(0.0, 60.0), self.host.sweeps.ring)
        if digests := self.scenario.digests:
            for desk in DIGESTED:
                instantly(self.journal.inner.file(filed_before(desk, digests)))
            self.world.later(0.0, self.host.digests.ring)

    def finish(self) -> Findings:
        """Runs until nothing more will happen, and checks what is left."""
        self._run_to_rest(0.0)
        if digests := self.scenario.digests:
            self._run_to_rest(days_later(digests))
        check(self)
        self.watch.findings.violations += self.world.loop.troubles
        return self.watch.findings

    def _run_to_rest(self, begun: float) -> None:
        """Lets time pass from ``begun`` on, at which timers ring unless that is the beginning."""
        world = self.world
        if begun:
            self._days_passed = self.host.undigested = True
            self.watch.last_change = begun
            for timer in (self.host.digests, self.host.sweeps):
                world.later(begun - world.now, timer.ring)
        hour = begun
        while not world.run(hour):
            hour = world.now + _HOUR
            late = world.now > begun + _LONGEST
            if late or world.now - self.watch.last_change > _STUCK:
                self.watch.findings.add("I6: still not at rest")
                return

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way, in a queue, or open."""
        marks = self.scenario.timer and (
            any(k[0].startswith("open|") for k in self.index.entries)
            or self.index.wakes_until(self.world.now + _LONGEST)
        )
        marks = marks or (self._days_passed and self.host.undigested)
        return not (self.world.busy or self.people.active or self.host.messages or marks)

    def _marked(self, case_id: str) -> None:
        """A sweep would find the case if everybody died now: else I6 hangs on luck."""
        view = instantly(self.store.inner.read(case_id))
        if self.scenario.timer and view.gathered and not view.closing:
            self._announced(view)
        if self.scenario.timer and view.digest and not view.settled:
            self._kept(view)
        if self.scenario.timer and view.received is not None and not view.settled:
            marks = [e for k, e in self.index.entries.items() if k[0].startswith("open|")]
            soon = self.world.now + _SKEW
            woken = any(wake.case_id == case_id for wake in self.index.wakes_until(soon))
            if not woken and not any(entry.case_id == case_id for entry in marks):
                self.world.note("!! no open mark")
                self.watch.findings.add(f"I6: work is left and no open mark ({case_id[:8]})")

    def _announced(self, view: Partition) -> None:
        """Somebody will close the list: else whoever is in it hangs on luck."""
        round_ = view.gathered[0].round
        woken = any(w.case_id == view.case_id for w in self.index.wakes_until(_LONGEST))
        if round_ and len(view.gathered) > round_.free and not woken:
            self.watch.findings.add(f"I6: nobody will close a list ({view.case_id})")

    def _kept(self, view: Partition) -> None:
        """A sweep looks after a sealed digest: else its channels hang on luck."""
        wakes = self.index.wakes_until(self.world.now + _SKEW)
        if not any(wake.case_id == view.case_id for wake in wakes):
            self.watch.findings.add(f"I6: nobody looks after a digest ({view.case_id})")

    def _ring_if_needed(self, timer: Timer) -> None:
        if not self.at_rest:
            timer.ring()

    def _sink(
        self, kind: SinkKind, window: float, made_by: type[SimulatedSink] = SimulatedSink
    ) -> SimulatedSink:
        # A request that leaves later than this after the last look at the clock may meet a
        # receiver that has forgotten its key, or that was asked about it meanwhile.
        slowest = {"keyed": window - 100.0, "queryable": 5.0, "unkeyed": math.inf}[kind]
        return made_by(self.world, kind, window, slowest)

    def _process(self, number: int, skew: float) -> Process:
        process = Process(self.world, number, skew)
        process.app = assemble(
            _settings(self.scenario.case_tokens, self.scenario.day_tokens),
            simulated_desks(self.scenario.digests, self.scenario.tickets),
            Ports(
                store=self.store,
                index=self.index,
                journal=self.journal,
                nudges=SimulatedNudges(self.world, self.host),
                texts=self.texts,
                quarantine=self.quarantine,
                spending=self.spending,
                model=self.model,
                sinks={**self.sinks, **self.ticketing, "copy": CopySink(self.texts, "")},
                connectors=self.crm.connectors,
                inbox=MemoryInbox(),
                tickets=self.tickets,
                customers=self.customers,
                clock=process,
            ),
            list(AGENTS.values()),
        )
        # Owners' tokens and jitter must come again with the seed.
        random = Random(self.world.seed << 8 | number)
        process.app.runner._random = random
        process.app.effects._random = random
        by_delivery = process.app.intake._case_id

        def case_id(desk: Desk, arrival: Arrival) -> str:
            if arrival.delivery_id is None:
                return str(uuid.UUID(int=random.getrandbits(128), version=4))
            return by_delivery(desk, arrival)

        process.app.intake._case_id = case_id  # type: ignore[method-assign]
        return process


@lru_cache
def _settings(case_tokens: int | None, day_tokens: int | None) -> Settings:
    limits = {"FRONTDESK_CASE_TOKENS": case_tokens, "FRONTDESK_DAY_TOKENS": day_tokens}
    given = {name: tokens for name, tokens in limits.items() if tokens is not None}
    return Settings.model_validate({"FRONTDESK_SECRET": "x" * 32, **given})
