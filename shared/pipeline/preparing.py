"""What has to be known before a stage is claimed: what it will ask, and whether it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.desk import Desk, Desks
from shared.domain.fold import fold
from shared.domain.partition import Partition
from shared.domain.progress import Progress
from shared.domain.stage import EffectRequest, Usage
from shared.errors import PermanentError
from shared.pipeline import claims
from shared.pipeline.asking import Conversation
from shared.pipeline.budgets import Budgets
from shared.pipeline.limits import Limits
from shared.ports import ModelClient, PlainStage, StageAgent

Step = StageAgent | PlainStage


@dataclass(frozen=True, slots=True)
class Work:
    """What a claim is about to do.

    Attributes:
        way: Its conversation with the model, nothing of it said yet, or a stage without one.
        most: The most of the model that it can use.
    """

    desk: Desk
    way: Conversation | PlainStage
    most: Usage

    @property
    def used(self) -> Usage:
        """What it used so far, or may have used."""
        return self.way.used if isinstance(self.way, Conversation) else Usage()


class Preparing:
    """Prepares claims, and refuses those that must not be made.

    Args:
        agents: By stage.
    """

    def __init__(
        self,
        model: ModelClient,
        desks: Desks,
        agents: Mapping[str, StageAgent],
        budgets: Budgets,
        limits: Limits,
    ) -> None:
        self._model = model
        self._desks = desks
        self._agents = agents
        self._budgets = budgets
        self._limits = limits

    def work(self, step: Step, view: Partition, progress: Progress, now: datetime) -> Work:
        """What a claim of this stage would do.

        Raises:
            PermanentError: It must not be claimed any more: a person is needed.
        """
        self._check_limits(view, progress, now)
        desk = self._desks.get(view.received.desk) if view.received else None
        if desk is None:
            raise PermanentError("desk_missing", "the case's desk has no desk file any more")
        if isinstance(step, PlainStage):
            return Work(desk, step, Usage())
        talk = _talk(step, view, desk, progress.turn, now)
        most = talk.worst_case(self._model, self._limits.model_timeout)
        if self._budgets.of(desk).by_case:
            unseen = self._budgets.unseen(view, progress, now)
            others = [self._most_of(other, view, desk) for other in unseen]
            self._budgets.check_case(desk, view, progress, most, others)
        return Work(desk, talk, most)

    def deadline(self, view: Partition, turn: int) -> datetime:
        """UTC from which the unfinished stages of a turn are a person's."""
        return view.started(turn) + timedelta(seconds=self._limits.turn_deadline)

    def tells(self, view: Partition, turn: int, now: datetime) -> tuple[EffectRequest, ...]:
        """The effects that tell people that a stage of this turn is parked."""
        return claims.tells_of_parking(view, self._desks, turn, now)

    def _check_limits(self, view: Partition, progress: Progress, now: datetime) -> None:
        before = progress.row
        last = f"last error {before.error.code}" if before and before.error else "no error was seen"
        if before and before.attempts >= self._limits.max_attempts:
            raise PermanentError("attempts_used_up", last)
        if now > self.deadline(view, progress.turn):
            raise PermanentError("deadline_passed", last)

    def _most_of(self, other: Progress, view: Partition, desk: Desk) -> Usage:
        """The most of the model that a claim of another stage can use."""
        agent = self._agents.get(other.plan.stage)
        if agent is None:
            return Usage()
        try:
            talk = _talk(agent, view, desk, other.turn)
        except Exception:  # noqa: BLE001
            # Its own claim stops at the same bug, and says so.
            return Usage()
        return talk.worst_case(self._model, self._limits.model_timeout)


def _talk(
    agent: StageAgent, view: Partition, desk: Desk, turn: int, now: datetime | None = None
) -> Conversation:
    case = fold(view, tuple(action.name for action in desk.actions), turn, now)
    return Conversation(agent, case, desk)
