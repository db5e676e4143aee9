"""Takes one message through the product's own protocol, over memory ports and a real model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agents.base import Agent
from evals.errors import EvalError
from evals.items import Item
from shared.adapters.clocks import SystemClock
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
)
from shared.adapters.memory_sinks import MemorySink
from shared.bootstrap import Ports, assemble
from shared.domain.case import SupportCase
from shared.domain.desk import Desk, Desks
from shared.domain.fold import fold
from shared.errors import RequestError
from shared.pipeline.intake import Arrival
from shared.ports import ModelClient
from shared.settings import Settings

#: Seconds that one message may wait for a model that refuses for now (429, 5xx, no connection).
PATIENCE = 90.0
#: Messages in the queues for one case after which something is wrong: a case needs about six.
_MOST_NUDGES = 100


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of a message.

    Attributes:
        case: The case once nothing more is due; None when intake refused the message.
        desk: The desk that it was for; None when there is no such desk.
        refused: Why intake refused it.
    """

    case: SupportCase | None
    desk: Desk | None
    refused: str = ""

    @property
    def errors(self) -> tuple[str, ...]:
        """The codes with which stages were parked; ``bug`` is an exception of ours."""
        if self.case is None:
            return (self.refused,)
        stages = self.case.stages
        return tuple(s.error.code for s in stages if s.error and s.state == "error")


class Flow:
    """Intake, runner, policy and the agents as the product has them; only storage is in memory.

    Args:
        agents: Those that work on a case, in the order of PIPELINE.
        settings: As the product reads them.
    """

    def __init__(
        self, agents: Sequence[Agent[Any]], model: ModelClient, desks: Desks, settings: Settings
    ) -> None:
        self._agents = {agent.stage: agent for agent in agents}
        self._model = model
        self._desks = desks
        self._settings = settings.model_copy(update={"secret": "an eval keeps nothing to protect"})

    async def work(self, item: Item) -> Worked:
        """One message, from intake until nothing more is due.

        Raises:
            EvalError: The model could not be reached for ``PATIENCE`` seconds.
        """
        desk = self._desks.get(item.desk)
        nudges, store, clock = MemoryNudges(), MemoryCaseStore(), SystemClock()
        app = assemble(
            self._settings,
            self._desks,
            Ports(
                store=store,
                index=MemoryCaseIndex(),
                journal=MemoryJournal(),
                nudges=nudges,
                texts=MemoryTexts(),
                quarantine=MemoryQuarantine(),
                spending=MemorySpending(),
                model=self._model,
                sinks={
                    "callback": MemorySink("keyed", clock),
                    "email": MemorySink("unkeyed", clock),
                },
                connectors=MemoryConnectors({}),
                inbox=MemoryInbox(),
                tickets=MemoryTickets(),
                customers=MemoryCustomers(),
                clock=clock,
            ),
            list(self._agents.values()),
        )
        try:
            accepted = await app.intake.accept(
                Arrival(text=item.text, desk=None if item.scene else item.desk, scene=item.scene)
            )
        except RequestError as error:
            return Worked(None, desk, error.title)
        waited = 0.0
        for _ in range(_MOST_NUDGES):
            if not nudges.sent:
                return Worked(fold(await store.read(accepted.case_id)), desk)
            sent = min(nudges.sent, key=lambda sent: sent.delay)
            nudges.sent.remove(sent)
            if sent.delay:
                waited += sent.delay
                if waited > PATIENCE:
                    case = fold(await store.read(accepted.case_id))
                    raise EvalError(
                        f"the model does not answer: {_last_error(case)}; what was measured is "
                        "kept, the same command goes on from there"
                    )
                await asyncio.sleep(sent.delay)
            if sent.nudge.effect:
                await app.effects.run(sent.nudge)
                continue
            # A bug parks its stage and is raised besides: the case says so, the eval goes on.
            with contextlib.suppress(Exception):
                await app.runner.run(self._agents[sent.nudge.stage], sent.nudge)
        raise EvalError(f"the case of {item.id} does not come to an end; this is a bug")


def _last_error(case: SupportCase) -> str:
    errors = [stage.error for stage in case.stages if stage.error]
    return f"{errors[-1].code} {errors[-1].detail}".strip() if errors else "it is never due"
