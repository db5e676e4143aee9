"""The whole app over memory ports: what the pipeline's tests stand on."""

from __future__ import annotations

from typing import Any

from agents import PIPELINE
from agents.base import Agent
from shared.adapters.clocks import ManualClock
from shared.adapters.crm_connectors import VENDORS
from shared.adapters.crm_sink import CrmSink
from shared.adapters.memory import (
    MemoryCaseIndex,
    MemoryCaseStore,
    MemoryConnectors,
    MemoryCustomers,
    MemoryInbox,
    MemoryJournal,
    MemoryNudges,
    MemoryQuarantine,
    MemorySpending,
    MemoryTexts,
    MemoryTickets,
    Sent,
)
from shared.adapters.memory_sinks import Fault, MemorySink
from shared.adapters.scripted_model import Script, ScriptedModel
from shared.bootstrap import Frontdesk, Ports, assemble
from shared.domain.case import SupportCase
from shared.domain.contacts import Contact
from shared.domain.desk import Desk, Desks
from shared.domain.desk_action import Argument, CatalogueAction
from shared.domain.fold import fold
from shared.domain.nudge import Nudge
from shared.pipeline.intake import Arrival
from shared.pipeline.reception import UNPACK
from shared.ports import ModelClient, Sink
from shared.ports.crm import Connectors
from shared.settings import Settings

NEGATIVE: Script = {
    "customer_query": {"reply": "We are sorry and look into it.", "language": "en"},
    "sentiment": {"mood": "unhappy", "urgency": "high", "wants": "answer", "risks": []},
    "escalation": {
        "actions": [
            {
                "name": "send_help",
                "arguments": [{"name": "place", "value": "room 4"}],
                "reason": "dirty",
            }
        ],
        "needs_upper_management_attention": False,
        "summary": "Room 4 is dirty.",
    },
}
POSITIVE: Script = {
    "customer_query": {"reply": "Thank you!", "language": "en"},
    "sentiment": {"mood": "happy", "urgency": "low", "wants": "answer", "risks": []},
}


def a_desk(name: str, *people: str, **more: Any) -> Desk:
    help_action = CatalogueAction(
        name="send_help",
        description="Sends somebody.",
        when="Something is wrong.",
        arguments=(Argument(name="place", description="Where"),),
        approval="auto",
    )
    tell = tuple(Contact(name="Duty", email=address) for address in people)
    said = {"name": name, "title": name, "scene": f"The {name}.", "actions": (help_action,)}
    return Desk.model_validate({**said, "tell": tell, **more})


#: A desk that answers within half an hour and ends within eight.
PROMPT = a_desk(
    "prompt",
    sla=(
        {"urgency": "normal", "first_reply": "30m", "resolution": "8h"},
        {"urgency": "high", "first_reply": "30m", "resolution": "8h"},
        {"urgency": "low", "first_reply": "30m", "resolution": "8h"},
    ),
)
_AMOUNT = {"name": "amount", "type": "number", "description": "How much", "minimum": 1}
#: A desk whose actions are carried out by a service, by people, or after somebody's yes.
ACTING = a_desk(
    "acting",
    actions=(
        {
            "name": "send_help",
            "description": "Sends somebody.",
            "when": "Something is wrong.",
            "arguments": ({"name": "place", "description": "Where"},),
            "approval": "auto",
            "ask_if": {"risks": ("fraud",)},
            "backend": "http",
        },
        {
            "name": "pay",
            "description": "Pays back.",
            "when": "Something was charged wrongly.",
            "arguments": (_AMOUNT,),
            "money": {"argument": "amount", "most": 100},
            "backend": "http",
        },
        {
            "name": "gift",
            "description": "A voucher.",
            "when": "Something went wrong.",
            "arguments": (_AMOUNT | {"required": False},),
            "approval": "auto",
            "money": {"argument": "amount", "automatic": 15, "most": 50},
            "backend": "http",
        },
        {
            "name": "close",
            "description": "Closes a room.",
            "when": "Danger.",
            "only_if": {"urgency": ("high", "critical")},
            "approval": "management",
            "backend": "http",
        },
        {"name": "call", "description": "Calls.", "when": "Wanted.", "approval": "auto"},
        {"name": "move", "description": "Moves.", "when": "Wanted."},
    ),
    tell=(
        {"name": "Duty", "email": "duty@example.com"},
        {"name": "Boss", "email": "boss@example.com", "about": "management"},
    ),
)


DESKS = (
    a_desk("default"),
    a_desk("hotel"),
    a_desk("told", "duty@example.com"),
    PROMPT,
    ACTING,
)


class World:
    """A laptop's worth of Frontdesk in memory. ``deliver`` plays the Functions host."""

    def __init__(
        self,
        script: Script = NEGATIVE,
        agents: tuple[Agent[Any], ...] = PIPELINE,
        connectors: Connectors | None = None,
        store: MemoryCaseStore | None = None,
        desks: tuple[Desk, ...] = (),
        model: ModelClient | None = None,
    ) -> None:
        self.agents = {agent.stage: agent for agent in agents}
        self.store, self.index = store or MemoryCaseStore(), MemoryCaseIndex()
        self.nudges, self.texts = MemoryNudges(), MemoryTexts()
        self.journal = MemoryJournal()
        self.quarantine, self.inbox = MemoryQuarantine(), MemoryInbox()
        self.quarantine, self.spending = MemoryQuarantine(), MemorySpending()
        self.tickets, self.customers = MemoryTickets(), MemoryCustomers()
        self.model, self.clock = ScriptedModel(script), ManualClock()
        self.callback = MemorySink("keyed", self.clock, lambda _: self.fault)
        self.email = MemorySink("unkeyed", self.clock, lambda _: self.fault)
        self.backend = MemorySink("keyed", self.clock, lambda _: self.fault)
        self.connectors = connectors or MemoryConnectors({})
        self.sinks: dict[str, Sink] = {
            "callback": self.callback,
            "email": self.email,
            "action-http": self.backend,
            **{name: CrmSink(name, self.connectors, "") for name in VENDORS},
        }
        #: What goes wrong with every attempt at an effect.
        self.fault: Fault = "none"
        self.app: Frontdesk = assemble(
            Settings.model_validate({"FRONTDESK_SECRET": "x" * 32}),
            Desks(desks or DESKS),
            Ports(
                store=self.store,
                index=self.index,
                journal=self.journal,
                nudges=self.nudges,
                texts=self.texts,
                quarantine=self.quarantine,
                spending=self.spending,
                model=model or self.model,
                sinks=self.sinks,
                connectors=self.connectors,
                inbox=self.inbox,
                tickets=self.tickets,
                customers=self.customers,
                clock=self.clock,
            ),
            agents,
        )

    async def open(self, text: str = "My room is dirty.", **more: Any) -> str:
        more.setdefault("desk", None if "scene" in more else "hotel")
        return (await self.app.intake.accept(Arrival(text=text, **more))).case_id

    async def run(self, nudge: Nudge) -> str:
        if nudge.effect:
            return await self.app.effects.run(nudge)
        if nudge.stage == UNPACK:
            return await self.app.reception.unpack(nudge.case_id)
        if nudge.stage == self.app.fetching.plan.stage:
            return await self.app.runner.run(self.app.fetching, nudge)
        return await self.app.runner.run(self.agents[nudge.stage], nudge)

    async def deliver(self, most: int = 50) -> list[str]:
        """Delivers what is visible until the queues are quiet; says what became of each."""
        outcomes: list[str] = []
        while (ready := [s for s in self.nudges.sent if s.delay == 0]) and len(outcomes) < most:
            sent: Sent = ready[0]
            self.nudges.sent.remove(sent)
            what = sent.nudge.effect or sent.nudge.stage
            outcomes.append(f"{what}: {await self.run(sent.nudge)}")
        return outcomes

    def make_visible(self) -> None:
        """Lets the delays of all waiting messages pass."""
        longest = max((sent.delay for sent in self.nudges.sent), default=0)
        self.clock.advance(longest)
        self.nudges.sent = [Sent(sent.nudge, 0) for sent in self.nudges.sent]

    async def case(self, case_id: str) -> SupportCase:
        return fold(await self.store.read(case_id))

    async def open_marks(self) -> int:
        return len(await self.index.open_entries(100))
