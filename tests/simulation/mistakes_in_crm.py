"""Mistakes in what takes CRMs' messages in and fetches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from shared.domain.partition import Partition
from shared.pipeline.fetching import FetchStage
from shared.pipeline.intake import Intake

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.simulation.simulation import Simulation


def fetches_side_by_side(simulation: Simulation, stack: ExitStack) -> None:
    """Two turns of one ticket fetch at once, and both take in what they find."""
    stack.enter_context(patch.object(FetchStage, "_check_turn", lambda *_: None))


def forgets_what_was_fetched(simulation: Simulation, stack: ExitStack) -> None:
    """Only deliveries are known, not the messages that were fetched for them."""

    def taken_in(view: Partition) -> frozenset[str]:
        return frozenset(m.delivery_id for m in view.messages if m.delivery_id)

    stack.enter_context(patch.object(Partition, "taken_in", property(taken_in)))


def waits_for_no_fetch(simulation: Simulation, stack: ExitStack) -> None:
    """A text that comes while an earlier turn fetches is worked on at once, fetched or not."""
    stack.enter_context(patch("shared.pipeline.intake._fetching", lambda _: False))


def leaves_it_half_made(simulation: Simulation, stack: ExitStack) -> None:
    """A delivery that finds its message without a case takes it for done."""

    async def completed(_: Intake, view: Partition, *rest: Any) -> Partition:
        return view

    stack.enter_context(patch.object(Intake, "_completed", completed))
