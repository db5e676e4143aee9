"""Timers: the sweep."""

from __future__ import annotations

import azure.functions as func

from entrypoints.running import frontdesk, wordless
from shared.telemetry import logger

_log = logger("timers")


async def sweep(timer: func.TimerRequest) -> None:
    """Sends again what the table says is due; also creates queues and tables after a deployment."""
    with wordless():
        counts = await (await frontdesk()).sweeper.sweep()
    _log.info("sweep", extra={"counts": dict(counts), "late": timer.past_due})
