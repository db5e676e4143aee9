"""Mistakes in what is carried out, who said yes to it, and who is asked again."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from shared.domain import alarms, policy, proposed, verdicts
from shared.domain.partition import Partition
from shared.domain.progress import EffectProgress
from shared.pipeline import acts, advance, sweeper

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


def carries_out_what_waits(simulation: Simulation, stack: ExitStack) -> None:
    def every(actions: Any, turn: int) -> Any:
        freed = (action.model_copy(update={"verdict": "execute"}) for action in actions)
        return proposed.carry_out(freed, turn)

    stack.enter_context(patch.object(policy, "carry_out", every))


def old_yes_for_new_arguments(simulation: Simulation, stack: ExitStack) -> None:
    """Who said yes to an action is taken to mean whatever a later run makes of it."""
    true = Partition.__dict__["effects"].func

    def effects(self: Partition) -> tuple[EffectProgress, ...]:
        found: tuple[EffectProgress, ...] = true(self)
        known = {progress.request.key for progress in found}
        yes = {a.action.rpartition("-")[0]: a.at for a in self.acts if a.act == "approve"}
        for action in self.actions:
            at = yes.get(action.action.id.rpartition("-")[0])
            if not action.current or at is None:
                continue
            freed = action.action.model_copy(update={"verdict": "execute"})
            for request in proposed.carry_out([freed], action.turn):
                if request.key not in known:
                    found += (self._effect_progress(request, "approve", at, moot=False),)
        return found

    mistaken = cached_property(effects)
    mistaken.__set_name__(Partition, "effects")
    stack.enter_context(patch.object(Partition, "effects", mistaken))


def decides_again(simulation: Simulation, stack: ExitStack) -> None:
    stack.enter_context(patch.object(acts, "decided_already", lambda found, act: False))
    stack.enter_context(patch.object(acts, "check_open", lambda view, found, act: None))


def forgets_a_yes(simulation: Simulation, stack: ExitStack) -> None:
    stack.enter_context(patch.object(acts.Acts, "_asks", lambda self, view, found: ()))


def forgets_the_hour(simulation: Simulation, stack: ExitStack) -> None:
    """Nobody is woken for what waits for its hour."""

    def only_targets(view: Partition) -> Any:
        with patch.object(EffectProgress, "dormant", property(lambda self: False)):
            return alarms.next_wake(view)

    stack.enter_context(patch.object(advance, "next_wake", only_targets))
    stack.enter_context(patch.object(sweeper, "next_wake", only_targets))


def reminds_of_what_is_decided(simulation: Simulation, stack: ExitStack) -> None:
    true = Partition._effect_progress

    def never_moot(self: Partition, request: Any, by: str, at: Any, *, moot: bool) -> Any:
        return true(self, request, by, at, moot=False)

    stack.enter_context(patch.object(Partition, "_effect_progress", never_moot))


def counts_no_money(simulation: Simulation, stack: ExitStack) -> None:
    stack.enter_context(patch.object(verdicts, "_money_doubt", lambda *_: ""))
