"""A function that carries an action out in the host itself, for chaos runs.

CHAOS_CALLS names the file of JSON lines that it adds to: its ledger. A host that is killed while it
works leaves behind an action of which nobody knows whether it happened.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from random import Random

from shared.adapters.backends.python import Call, action
from shared.errors import RetryableError, UncertainError

_SLOW = 0.15


@action("call_driver")
async def call_driver(call: Call) -> str:
    """One line in the ledger; one in twenty fails before it, one in a hundred after it."""
    dice = Random(f"{call.idempotency_key} {time.time()}").random()
    if os.environ.get("CHAOS_CALLS_FAIL") and dice < 0.05:
        raise RetryableError("driver_busy", 1.0)
    await asyncio.sleep(_SLOW)
    line = {"at": time.time(), "key": call.idempotency_key, "arguments": dict(call.arguments)}
    with open(os.environ["CHAOS_CALLS"], "a", encoding="utf-8") as ledger:  # noqa: PTH123, ASYNC230
        ledger.write(json.dumps(line) + "\n")
    await asyncio.sleep(_SLOW)
    if os.environ.get("CHAOS_CALLS_FAIL") and dice > 0.99:
        raise UncertainError("line_went_dead")
    return "on his way"
