"""Queue triggers of effects: one function for all of them, and one for their poison queue."""

from __future__ import annotations

from entrypoints.stages import queue_function
from shared.bootstrap import Frontdesk
from shared.domain.nudge import EFFECTS_QUEUE, Nudge


async def _run(desk: Frontdesk, nudge: Nudge) -> str:
    return await desk.effects.run(nudge)


async def _poisoned(desk: Frontdesk, nudge: Nudge) -> str:
    return await desk.effects.poisoned(nudge)


run_effect = queue_function(EFFECTS_QUEUE, _run)
poisoned_effect = queue_function(f"{EFFECTS_QUEUE}-poison", _poisoned)
