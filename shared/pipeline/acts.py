"""What people do to a case: cancel it, or have stages and effects run again."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.partition import Partition
from shared.domain.rows import ActRow
from shared.errors import RequestError
from shared.pipeline.advance import Advancer
from shared.pipeline.writing import write
from shared.ports import CaseStore, Clock

_TRIES = 5


class Acts:
    """Acts are rows of their own: insert-only, numbered, with who, when and why."""

    def __init__(self, store: CaseStore, advancer: Advancer, clock: Clock) -> None:
        self._store = store
        self._advancer = advancer
        self._clock = clock

    async def cancel(self, case_id: str, by: str, reason: str) -> None:
        """Stops a case: nothing more of it begins. Cancelling twice is fine.

        Raises:
            RequestError: 404 no such case, 409 it has ended already.
        """
        for _ in range(_TRIES):
            view = await self._read(case_id)
            if view.cancelled:
                return
            if view.ended:
                raise RequestError(409, "The case has ended", "There is nothing left to cancel.")
            row = ActRow(
                n=len(view.acts) + 1, act="cancel", by=by, at=self._clock.now(), reason=reason
            )
            if await self._write(view, row):
                return
        raise _busy()

    async def replay(
        self,
        case_id: str,
        by: str,
        reason: str,
        stages: Sequence[str] = (),
        effects: Sequence[str] = (),
    ) -> tuple[str, ...]:
        """Runs parked stages and failed effects of the latest turn again, as a new generation.

        Args:
            stages: These stages, and those after them that have run; with ``effects`` empty too,
                every parked stage and every refused or uncertain effect.
            effects: Keys of effects. They keep their idempotency keys.

        Returns:
            The names of what runs again.

        Raises:
            RequestError: 404 no such case, 409 nothing that could run again, 422 unknown names.
        """
        for _ in range(_TRIES):
            view = await self._read(case_id)
            row = self._replay_row(view, by, reason, stages, effects)
            if await self._write(view, row):
                return row.stages + row.effects
        raise _busy()

    def _replay_row(
        self,
        view: Partition,
        by: str,
        reason: str,
        stages: Sequence[str],
        effects: Sequence[str],
    ) -> ActRow:
        turn = view.messages[-1].turn
        current = [p for p in view.progress if p.turn == turn]
        rerun = {p.plan.stage for p in current if p.phase == "parked"}
        resend = {e.request.key for e in view.effects if e.phase in ("refused", "uncertain")}
        if stages or effects:
            known = {p.plan.stage: p for p in current}
            unknown = [n for n in stages if n not in known]
            unknown += [key for key in effects if view.effect(key) is None]
            if unknown:
                there = ", ".join([*known, *(e.request.key for e in view.effects)])
                raise RequestError(422, "Nothing of that name", f"This case has: {there}.")
            rerun, resend = set(stages), resend.intersection(effects)
            for progress in current:
                if progress.row and rerun.intersection(progress.plan.after):
                    rerun.add(progress.plan.stage)
            rerun -= {name for name in rerun if not known[name].row}
        moving = [p.plan.stage for p in current if p.plan.stage in rerun and not p.at_rest]
        if view.cancelled or moving or not (rerun or resend):
            why = (
                "the case was cancelled" if view.cancelled
                else f"still at work: {', '.join(moving)}" if moving
                else "no stage is parked, no effect failed; name stages to run them again"
            )  # fmt: skip
            raise RequestError(409, "Nothing to replay", f"{why[0].upper()}{why[1:]}.")
        return ActRow(
            n=len(view.acts) + 1,
            act="replay",
            by=by,
            at=self._clock.now(),
            reason=reason,
            turn=turn,
            stages=tuple(p.plan.stage for p in current if p.plan.stage in rerun),
            effects=tuple(sorted(resend)),
        )

    async def _read(self, case_id: str) -> Partition:
        view = await self._store.read(case_id)
        if view.received is None or not view.messages:
            raise RequestError(
                404, "No such case", "Look at GET /api/cases for the cases there are."
            )
        return view

    async def _write(self, view: Partition, row: ActRow) -> bool:
        """Writes the act behind its open mark, then hands the case on. False: act again."""
        after = view.with_row(row, "")
        await self._advancer.mark_open(after)
        if not await write(self._store, view.case_id, row, None):
            return False
        await self._advancer.nudge_due(after, self._clock.now())
        await self._advancer.settle(after)
        return True


def _busy() -> RequestError:
    return RequestError(409, "The case is changing", "Others act on it right now; try again.")
