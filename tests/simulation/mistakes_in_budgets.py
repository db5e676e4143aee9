"""Mistakes in what is reserved, settled and counted, and in when a model rests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from shared.adapters.breaker import Breaker
from shared.domain.budget import DaySpend
from shared.domain.rows import StageRow
from shared.domain.stage import Usage
from shared.errors import PermanentError, RetryableError
from shared.pipeline import claims
from shared.pipeline.budgets import Budgets
from tests.simulation.world import instantly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.simulation import Simulation


def no_reservation(simulation: Simulation, stack: ExitStack) -> None:
    """Whatever is not used up yet may be begun."""
    check, reserve = Budgets.check_case, Budgets.reserve

    def checked(self: Budgets, desk: Any, view: Any, progress: Any, *_: Any) -> None:
        check(self, desk, view, progress, Usage(), ())

    async def reserved(self: Budgets, desk: Any, owner: str, _: Any, now: Any) -> Any:
        return await reserve(self, desk, owner, Usage(), now)

    stack.enter_context(patch.object(Budgets, "check_case", checked))
    stack.enter_context(patch.object(Budgets, "reserve", reserved))


def blind_to_others(simulation: Simulation, stack: ExitStack) -> None:
    """A stage thinks that it is the only one that is being claimed."""
    stack.enter_context(patch.object(Budgets, "unseen", lambda *_: ()))


def settles_twice(simulation: Simulation, stack: ExitStack) -> None:
    """What was reserved too much is given back twice."""
    settle = Budgets.settle

    async def twice(self: Budgets, hold: Any, used: Usage) -> None:
        await settle(self, hold, used)
        if hold is None:
            return

        def again(spend: DaySpend) -> DaySpend:
            rest = spend.counted.prompt_tokens - (hold.most.tokens - used.tokens)
            counted = spend.counted.model_copy(update={"prompt_tokens": rest})
            return spend.model_copy(update={"counted": counted})

        await self._change(hold.desk, hold.day, again)

    stack.enter_context(patch.object(Budgets, "settle", twice))


def forgets_lost_calls(simulation: Simulation, stack: ExitStack) -> None:
    """A call whose answer was lost counts for nothing."""
    true = claims.with_conversation

    def known(row: StageRow, talk: Any) -> StageRow:
        talk.presumed = Usage()
        return true(row, talk)

    stack.enter_context(patch.object(claims, "with_conversation", known))


def forgets_dead_claims(simulation: Simulation, stack: ExitStack) -> None:
    """What a worker that died had reserved counts for nothing."""
    true = claims.claimed

    def anew(progress: Any, *args: Any) -> StageRow:
        presumed = progress.row.presumed if progress.row else Usage()
        return true(progress, *args).model_copy(update={"presumed": presumed})

    stack.enter_context(patch.object(claims, "claimed", anew))


def forgets_old_holds(simulation: Simulation, stack: ExitStack) -> None:
    """A reservation that nobody settled is given back."""

    def dropped(self: DaySpend, now: Any) -> DaySpend:
        left = {owner: hold for owner, hold in self.held.items() if hold.until >= now}
        return self.model_copy(update={"held": left})

    stack.enter_context(patch.object(DaySpend, "aged", dropped))


def no_etag_on_days(simulation: Simulation, stack: ExitStack) -> None:
    """A desk's day is written over whatever is there."""
    inner = simulation.spending.inner
    true = inner.write

    async def over(spend: DaySpend, _: str | None) -> None:
        await true(spend, instantly(inner.read(spend.desk, spend.day))[1])

    stack.enter_context(patch.object(inner, "write", over))


def breaker_without_half_open(simulation: Simulation, stack: ExitStack) -> None:
    """Once a rest is over everybody calls at once."""

    def pause(self: Breaker) -> float:
        return max(0.0, self._until - self._now()) if self._rests else 0.0

    stack.enter_context(patch.object(Breaker, "pause", pause))


def no_breaker(simulation: Simulation, stack: ExitStack) -> None:
    """A model that does not answer is called all the same."""
    stack.enter_context(patch.object(Breaker, "_count", lambda self, error, probe: None))


def rests_after_refusals(simulation: Simulation, stack: ExitStack) -> None:
    """An answer that is of no use counts as none."""
    true: Callable[[Breaker], Any] = Breaker.call

    @contextmanager
    def call(self: Breaker) -> Iterator[None]:
        refused: PermanentError | None = None
        with true(self):
            try:
                yield
            except PermanentError as error:
                refused = error
        if refused is not None:
            self._failed = self._most
            self._count(RetryableError("refused"), probe=False)
            raise refused

    stack.enter_context(patch.object(Breaker, "call", call))


def breaker_counts_attempts(simulation: Simulation, stack: ExitStack) -> None:
    """Waiting for a model that rests uses attempts up."""
    stack.enter_context(patch.object(claims, "put_off", claims.deferred))
