"""Mistakes in who is told: lists that lose or repeat, stand-ins and reviews that come unasked."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from shared.domain.partition import Partition
from shared.domain.telling import ROUNDS
from shared.pipeline import effects, rounds
from shared.pipeline.rounds import Place, Rounds

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


def sends_what_is_listed(simulation: Simulation, stack: ExitStack) -> None:
    """A message takes its number in a list, and goes out all the same."""
    true = effects.EffectRunner._listed

    async def listed(self: Any, view: Any, row: Any) -> None:
        await true(self, view, row)

    stack.enter_context(patch.object(effects.EffectRunner, "_listed", listed))


def nobody_closes_lists(simulation: Simulation, stack: ExitStack) -> None:
    true = simulation.index.wake

    async def only_of_cases(wake: Any) -> None:
        if not wake.case_id.startswith(ROUNDS):
            await true(wake)

    stack.enter_context(patch.object(simulation.index, "wake", only_of_cases))


def joins_closed_lists(simulation: Simulation, stack: ExitStack) -> None:
    """Who comes late takes the number after the one that closed the list."""
    true = Rounds._place

    def place(self: Any, view: Any, wanted: Any, round_: Any) -> Place:
        found: Place = true(self, view, wanted, round_)
        return Place("open") if found.where == "out" else found

    stack.enter_context(patch.object(Rounds, "_place", place))


def takes_numbers_again(simulation: Simulation, stack: ExitStack) -> None:
    """A second attempt does not see that the first has a number."""
    stack.enter_context(patch.object(rounds, "_name", lambda member: None))


def stands_in_at_once(simulation: Simulation, stack: ExitStack) -> None:
    stack.enter_context(
        patch.object(Partition, "_stand_in", lambda self, progress, found: progress)
    )


def never_stands_in(simulation: Simulation, stack: ExitStack) -> None:
    def moot(self: Partition, progress: Any, found: Any) -> Any:
        return replace(progress, phase="moot", due_at=None)

    stack.enter_context(patch.object(Partition, "_stand_in", moot))


def asks_everybody_for_reviews(simulation: Simulation, stack: ExitStack) -> None:
    stack.enter_context(patch.object(Partition, "_rests_with", lambda self, turn: True))


def never_asks_for_reviews(simulation: Simulation, stack: ExitStack) -> None:
    stack.enter_context(patch.object(Partition, "_rests_with", lambda self, turn: False))
