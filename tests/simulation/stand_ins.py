"""Agents that ask little, in the places of the real ones: PIPELINE's plan, the product's effects.

The protocol knows of an agent only what ``shared.ports.StageAgent`` says, so that a change of a
prompt or of an answer's schema changes nothing here.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from agents import PIPELINE
from shared.domain import policy
from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.stage import ChatMessage, PlannedStage, StageResult, Writes
from shared.domain.verdicts import Proposal
from tests.simulation.permissions import MOST

PLAN: tuple[PlannedStage, ...] = tuple(agent.plan for agent in PIPELINE)


class Said(BaseModel):
    """What the model of the simulation says of the customer's message."""

    bad: bool
    costly: bool = False


class StandIn:
    """An agent in one place of the plan."""

    prompt_hash = "simulated"

    def __init__(self, plan: PlannedStage) -> None:
        self.plan = plan
        self.output_name = plan.stage

    def output_schema(self, desk: Desk) -> dict[str, Any]:
        return {}

    def conversation(self, case: SupportCase, desk: Desk) -> tuple[ChatMessage, ...]:
        view = json.dumps({"customer_message": case.customer_query[:200]})
        return (ChatMessage(role="user", content=view),)

    def parse(self, text: str) -> Said:
        return Said.model_validate_json(text)

    def objections(self, case: SupportCase, desk: Desk, output: Said) -> tuple[str, ...]:
        return ()

    def instead(
        self, case: SupportCase, desk: Desk, output: Said, objections: tuple[str, ...]
    ) -> StageResult:
        raise AssertionError

    def apply(self, case: SupportCase, desk: Desk, output: Said) -> StageResult:
        match self.plan.stage:
            case "customer_query":
                return StageResult(
                    writes=Writes(support_response="We look into it."), effects=policy.replies(case)
                )
            case "sentiment":
                mood = Writes(
                    sentiment="Negative" if output.bad else "Positive",
                    urgency="high" if output.bad else "low",
                    should_escalate=output.bad,
                )
                return policy.assess(case, desk, mood)
            case _:
                return policy.escalate(
                    case,
                    desk,
                    _proposals(case) if output.costly else (),
                    needs_upper_management=False,
                    summary="It is dirty.",
                )


def _proposals(case: SupportCase) -> tuple[Proposal, ...]:
    """The same at first; a stage that runs again words some of it otherwise."""
    before = sum(action.turn == len(case.turns) for action in case.actions)
    return (
        Proposal("send_help", {"place": f"room {1 + before // 4}"}),
        Proposal("pay", {"amount": 10 + before}),
        Proposal("gift", {"amount": 10}),
        Proposal("pay", {"amount": MOST + 1}),
        Proposal("sell_the_house", {}),
    )


AGENTS: dict[str, StandIn] = {plan.stage: StandIn(plan) for plan in PLAN}
