"""Queue triggers of stages: one function a stage, and one for each stage's poison queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from agents.base import Agent
from entrypoints.running import frontdesk, wordless
from shared.bootstrap import Frontdesk
from shared.domain.nudge import Nudge, nudge_body, parse_nudge, queue_name
from shared.pipeline.fetching import STAGE as FETCH
from shared.pipeline.reception import UNPACK
from shared.telemetry import logger

Handler = Callable[[func.QueueMessage], Awaitable[None]]
Work = Callable[[Frontdesk, Nudge], Awaitable[str]]

_log = logger("queues")


def stage_function(agent: Agent[Any]) -> Handler:
    """The function that runs one agent's stage."""

    async def work(desk: Frontdesk, nudge: Nudge) -> str:
        return await desk.runner.run(agent, nudge)

    return queue_function(queue_name(agent.stage), work)


def poison_function(agent: Agent[Any]) -> Handler:
    """The function that takes what the host gave up on."""
    return queue_function(f"{queue_name(agent.stage)}-poison", _poisoned)


async def _poisoned(desk: Frontdesk, nudge: Nudge) -> str:
    return await desk.parking.poisoned(nudge)


async def _fetched(desk: Frontdesk, nudge: Nudge) -> str:
    return await desk.runner.run(desk.fetching, nudge)


async def _unpacked(desk: Frontdesk, nudge: Nudge) -> str:
    return await desk.reception.unpack(nudge.case_id)


async def _not_unpacked(desk: Frontdesk, nudge: Nudge) -> str:
    # It stays in the inbox, and the sweep goes on trying.
    reason = "the events of a webhook could not be taken in yet"
    await desk.ward.keep(queue_name(UNPACK), nudge_body(nudge).encode(), reason)
    return "quarantined"


def queue_function(queue: str, work: Work) -> Handler:
    """A function on a queue of nudges. What is no nudge, or names nothing, goes to quarantine."""

    async def run(message: func.QueueMessage) -> None:
        desk = await frontdesk()
        body = message.get_body()
        try:
            nudge = parse_nudge(body)
        except ValueError as error:
            outcome, reason, fields = "no nudge", str(error), {}
        else:
            with wordless():
                outcome = await work(desk, nudge)
            reason = "no such case, turn, stage or effect"
            fields = {"case": nudge.case_id, "what": nudge.effect or nudge.stage}
        if outcome in ("unknown", "no nudge"):
            await desk.ward.keep(queue, body, reason)
        _log.info("message handled", extra={"queue": queue, "outcome": outcome, **fields})

    return run


def _row(name: str, work: Work, poisoned: Work) -> tuple[str, Handler, Handler]:
    queue = queue_name(name)
    return name, queue_function(queue, work), queue_function(f"{queue}-poison", poisoned)


#: Stages that ask no model: name, function, function of the poison queue.
WITHOUT_AGENT = (
    _row(FETCH, _fetched, _poisoned),
    _row(UNPACK, _unpacked, _not_unpacked),
)
