"""One schedule: the whole product in a simulated world, run until it rests, then checked."""

from __future__ import annotations

import math
import uuid
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, get_args

from shared.adapters.memory import MemoryInbox, MemoryTickets
from shared.bootstrap import Ports, assemble
from shared.domain.approvals import Approvals
from shared.domain.contacts import Contact
from shared.domain.desk import CrmRules, Desk, Desks
from shared.domain.desk_action import CatalogueAction
from shared.domain.promises import Promise
from shared.domain.stage import Urgency
from shared.pipeline.intake import Arrival
from shared.pipeline.limits import Limits
from shared.settings import Settings
from tests.simulation.checker import check
from tests.simulation.crm import VENDOR, CrmSimulatedSink, SimulatedCrm
from tests.simulation.host import Host
from tests.simulation.model import SimulatedModel
from tests.simulation.people import People
from tests.simulation.permissions import AUTOMATIC, MOST
from tests.simulation.ports import (
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
from tests.simulation.watch import Findings, Watch
from tests.simulation.world import Process, World, instantly

if TYPE_CHECKING:
    from shared.domain.partition import Partition
    from tests.simulation.faults import Plan
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
        self.world.processes += [self._process(n, skew) for n, skew in enumerate(scenario.skews)]
        self.host.ring_if_needed = self._ring_if_needed  # type: ignore[method-assign]
        self.garbage: list[bytes] = []

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
            self.world.later(self.world.random.uniform(0.0, 60.0), self.host.ring)

    def finish(self) -> Findings:
        """Runs until nothing more will happen, and checks what is left."""
        world = self.world
        hour = 0.0
        while not world.run(hour):
            hour = world.now + _HOUR
            if world.now > _LONGEST or world.now - self.watch.last_change > _STUCK:
                self.watch.findings.add("I6: still not at rest")
                break
        check(self)
        self.watch.findings.violations += world.loop.troubles
        return self.watch.findings

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way, in a queue, or open."""
        marks = self.scenario.timer and (
            any(k[0].startswith("open|") for k in self.index.entries)
            or self.index.wakes_until(_LONGEST)
        )
        return not (self.world.busy or self.people.active or self.host.messages or marks)

    def _marked(self, case_id: str) -> None:
        """A sweep would find the case if everybody died now: else I6 hangs on luck."""
        view = instantly(self.store.inner.read(case_id))
        if self.scenario.timer and view.gathered and not view.closing:
            self._announced(view)
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

    def _ring_if_needed(self) -> None:
        if not self.at_rest:
            self.host.ring()

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
            _desks(),
            Ports(
                store=self.store,
                index=self.index,
                journal=self.journal,
                nudges=SimulatedNudges(self.world, self.host),
                texts=self.texts,
                quarantine=self.quarantine,
                spending=self.spending,
                model=self.model,
                sinks=dict(self.sinks),
                connectors=self.crm.connectors,
                inbox=MemoryInbox(),
                tickets=MemoryTickets(),
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


@lru_cache
def _desks() -> Desks:
    amount = {"name": "amount", "type": "number", "description": "How much", "minimum": 0}
    said: dict[str, Any] = {"description": "Does it.", "when": "Wanted.", "backend": "http"}
    actions = (
        said
        | {
            "name": "send_help",
            "approval": "auto",
            "arguments": ({"name": "place", "description": "Where"},),
        },
        said
        | {"name": "pay", "arguments": (amount,), "money": {"argument": "amount", "most": MOST}},
        said
        | {
            "name": "gift",
            "approval": "auto",
            "arguments": (amount,),
            "money": {"argument": "amount", "automatic": AUTOMATIC, "most": MOST},
        },
    )
    tell = (
        Contact(name="Desk", email="desk@hotel.example"),
        Contact(name="Boss", email="boss@hotel.example", about="management"),
    )
    plain = Desks(
        tuple(
            Desk(
                name=name,
                title=name,
                scene=f"The {name}.",
                actions=tuple(map(CatalogueAction.model_validate, actions)),
                tell=tell,
                approvals=Approvals(remind_after="10m", escalate_after="20m"),
                callback_hosts=("crm.example.com",),
                crm=CrmRules(turns_alone=2),
                sla=tuple(
                    Promise(urgency=urgency, first_reply="5m", resolution="10m")
                    for urgency in get_args(Urgency)
                ),
            )
            for name in ("default", "hotel")
        )
    )
    return Desks((*plain.every, _busy(plain.every[0])))


def _busy(desk: Desk) -> Desk:
    """A desk with rules of its own, where much comes at once and nights are quiet."""
    wish = {"action": "gift", "arguments": {"amount": 5}}
    help_ = {"action": "send_help", "arguments": {"place": "lobby"}}
    rules = (
        {"name": "good", "when": {"sentiment": "Positive"}, "then": {"ask_for_review": True}},
        {"name": "cost", "when": {"words": ("costly",)}, "then": {"propose": (wish,)}},
        {"name": "bad", "when": {"words": ("bad",)}, "then": {"propose": (help_,)}},
        {"name": "more", "when": {"writes_again": True}, "then": {"tell": ("Boss",)}},
    )
    more = {
        "name": "busy",
        "tell": (
            {"name": "Desk", "email": "desk@busy.example"},
            {"name": "Room", "channel": "slack", "quiet": "night"},
            {"name": "Last", "email": "last@busy.example", "fallback": True},
            {"name": "Boss", "email": "boss@busy.example", "about": "management"},
        ),
        "windows": ({"name": "night", "every_day": "23:30-0:30"},),
        "flood": {"more_than": 1, "within": "10m"},
        "reactions": rules,
        "review": {"after": "30m", "texts": ({"language": "en", "text": "Please do."},)},
    }
    return Desk.model_validate({**dict(desk), **more})
