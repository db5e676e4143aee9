"""The running app of this process, with the agents of PIPELINE."""

from __future__ import annotations

from agents import PIPELINE
from shared import bootstrap


async def frontdesk() -> bootstrap.Frontdesk:
    """The app, built at the first call; ConfigError says what to set."""
    return await bootstrap.frontdesk([agent.plan for agent in PIPELINE])
