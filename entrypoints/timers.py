"""Timers: the sweep, the poll of CRMs whose webhooks get lost, and the digests."""

from __future__ import annotations

import azure.functions as func

from entrypoints.running import frontdesk, wordless
from shared.telemetry import logger

_log = logger("timers")


async def sweep(timer: func.TimerRequest) -> None:
    """Sends again what the table says is due; also creates queues and tables after a deployment."""
    with wordless():
        desk = await frontdesk()
        counts = await desk.sweeper.sweep()
        counts["batches"] = await desk.reception.sweep()
    _log.info("sweep", extra={"counts": dict(counts), "late": timer.past_due})


async def poll(timer: func.TimerRequest) -> None:
    """Takes in what the webhooks of CRMs lost."""
    with wordless():
        counts = await (await frontdesk()).reception.poll()
    _log.info("poll", extra={"counts": dict(counts), "late": timer.past_due})


async def digests(timer: func.TimerRequest) -> None:
    """Sends the digests whose windows are closed, those that an outage has left behind too."""
    with wordless():
        counts = await (await frontdesk()).digests.send_due()
    _log.info("digests", extra={"counts": dict(counts), "late": timer.past_due})
