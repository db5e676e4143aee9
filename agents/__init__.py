"""The agents, in PIPELINE: the one list from which queues, functions and every turn's plan follow.

To add an agent, write its file beside these and give it a row here.
"""

from __future__ import annotations

from typing import Any

from agents.base import Agent
from agents.customer_query import CustomerQueryAgent
from agents.escalation import EscalationAgent
from agents.sentiment import SentimentAgent

PIPELINE: tuple[Agent[Any], ...] = (
    CustomerQueryAgent(),
    SentimentAgent(),
    EscalationAgent(),
)
