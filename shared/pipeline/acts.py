"""What people do to a case: cancel it, resolve it, have stages and effects run again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from shared.domain.case import ActionView
from shared.domain.deciding import check_open, decided_already, named_action
from shared.domain.desk import Desks
from shared.domain.fold import action_view, fold
from shared.domain.partition import Partition
from shared.domain.progress import Progress
from shared.domain.proposed import Proposed, carry_out
from shared.domain.rows import ActKind, ActRow
from shared.domain.stage import EffectRequest
from shared.domain.telling import asks_whether_done
from shared.domain.verdicts import not_allowed
from shared.errors import RequestError
from shared.pipeline.advance import Advancer
from shared.pipeline.writing import write
from shared.ports import CaseStore, Clock

#: How often an act is tried while others are first.
TRIES = 5


class Acts:
    """Acts are rows of their own: insert-only, numbered, with who, when and why."""

    def __init__(self, store: CaseStore, desks: Desks, advancer: Advancer, clock: Clock) -> None:
        self._store = store
        self._desks = desks
        self._advancer = advancer
        self._clock = clock

    async def cancel(self, case_id: str, by: str, reason: str) -> None:
        """Stops a case: nothing more of it begins.

        Cancelling twice is fine, and puts a listing right that the first call left behind.

        Raises:
            RequestError: 404 no such case, 409 it has ended already.
        """
        for _ in range(TRIES):
            view = await self._read(case_id)
            if view.cancelled:
                await self._advancer.settle(view)
                return
            if view.ended or view.resolved_up_to == view.messages[-1].turn:
                raise RequestError(409, "The case has ended", "There is nothing left to cancel.")
            row = self._act(view, "cancel", by, reason, fetched=view.fetched_turns)
            if await self._write(view, row):
                return
        raise busy()

    async def resolve(self, case_id: str, by: str, reason: str) -> None:
        """Says that a person has dealt with all turns so far. A later message reopens the case.

        Resolving twice is as fine as cancelling twice.

        Raises:
            RequestError: 404 no such case, 409 it is still being worked on, or was cancelled.
        """
        for _ in range(TRIES):
            view = await self._read(case_id)
            if view.resolved_up_to == view.messages[-1].turn:
                await self._advancer.settle(view)
                return
            if view.cancelled or not view.settled:
                why = "was cancelled" if view.cancelled else "is still being worked on"
                raise RequestError(409, "Not to be resolved", f"The case {why}.")
            if await self._write(view, self._act(view, "resolve", by, reason)):
                return
        raise busy()

    async def decide(
        self,
        case_id: str,
        action: str,
        act: Literal["approve", "reject", "done"],
        by: str,
        reason: str,
        via: str = "",
    ) -> ActionView:
        """Says yes or no to an action that waits, or that one was carried out by hand.

        Whoever is first decides. The same decision again changes nothing and is fine.

        Args:
            action: Its id, or its name when only one action of that name can be meant.
            via: How the decision came, such as by a link in a mail.

        Returns:
            The action as it is now.

        Raises:
            RequestError: 404 no such case or action, 409 it is not to be decided on any more.
        """
        for _ in range(TRIES):
            view = await self._read(case_id)
            found = named_action(view, action, act)
            if decided_already(found, act):
                return action_view(view, found)
            check_open(view, found, act)
            asks = self._asks(view, found) if act == "approve" else ()
            row = self._act(view, act, by, reason, via=via, action=found.action.id, asks=asks)
            if await self._write(view, row):
                after = view.with_row(row, "")
                return action_view(after, named_action(after, found.action.id, act))
        raise busy()

    def _asks(self, view: Partition, found: Proposed) -> tuple[EffectRequest, ...]:
        """What a yes asks for: the action as it was shown, if the desk still has it.

        What a person carries out is reminded of instead.
        """
        desk = self._desks.get(view.received.desk) if view.received else None
        known = desk.action(found.action.name) if desk else None
        why = not_allowed(desk, found.action) if desk else "its desk has no file any more"
        if why or desk is None or known is None:
            raise RequestError(409, "No longer allowed", f"{found.action.name}: {why}.")
        settled = {"verdict": "execute", "backend": known.backend.type}
        action = found.action.model_copy(update=settled)
        if sent := carry_out([action], found.turn):
            return sent
        case = fold(view, turn=found.turn, as_of=self._clock.now())
        return asks_whether_done(case, desk, action)

    async def replay(
        self,
        case_id: str,
        by: str,
        reason: str,
        stages: Sequence[str] = (),
        effects: Sequence[str] = (),
    ) -> tuple[str, ...]:
        """Runs stages and effects again, as a new generation; what was before stays as it is.

        Args:
            stages: These stages and those after them, if they have run: ``sentiment`` of the latest
                turn, ``1:sentiment`` of the first. With ``effects`` empty too: every parked stage
                and every refused effect. An uncertain one may have happened: only by its name.
            effects: Keys of effects. They keep their idempotency keys.

        Returns:
            The names of what runs again.

        Raises:
            RequestError: 404 no such case, 409 nothing that could run again, 422 unknown names.
        """
        for _ in range(TRIES):
            view = await self._read(case_id)
            row = self._replay_row(view, by, reason, stages, effects)
            if await self._write(view, row):
                return row.stages + row.effects
        raise busy()

    def _replay_row(
        self,
        view: Partition,
        by: str,
        reason: str,
        stages: Sequence[str],
        effects: Sequence[str],
    ) -> ActRow:
        stages_there = {_name(p): p for p in view.progress}
        if stages or effects:
            rerun = self._named(view, stages_there, stages, effects)
        else:
            rerun = {name for name, p in stages_there.items() if p.phase == "parked"}
        resend = to_resend(view, effects) if effects or not stages else set()
        moving = [name for name in rerun if not stages_there[name].at_rest]
        if view.cancelled or moving or not (rerun or resend):
            why = (
                "The case was cancelled" if view.cancelled
                else f"Still at work: {', '.join(moving)}" if moving
                else "No stage is parked, no effect failed; name stages to run them again"
            )  # fmt: skip
            raise RequestError(409, "Nothing to replay", f"{why}.")
        row = self._act(view, "replay", by, reason)
        ordered = tuple(name for name in stages_there if name in rerun)
        return row.model_copy(update={"stages": ordered, "effects": tuple(sorted(resend))})

    @staticmethod
    def _named(
        view: Partition, there: dict[str, Progress], stages: Sequence[str], effects: Sequence[str]
    ) -> set[str]:
        """The named stages that have run, with those after them in their turns."""
        turn = view.messages[-1].turn
        asked = {name if ":" in name else f"{turn}:{name}" for name in stages}
        unknown = asked - there.keys() | {key for key in effects if view.effect(key) is None}
        if unknown:
            known = ", ".join([*there, *(e.request.key for e in view.effects)])
            raise RequestError(422, "Nothing of that name", f"This case has: {known}.")
        for name, progress in there.items():
            if any(f"{progress.turn}:{before}" in asked for before in progress.plan.after):
                asked.add(name)
        return {name for name in asked if there[name].row}

    def _act(self, view: Partition, act: ActKind, by: str, reason: str, **more: Any) -> ActRow:
        return ActRow(
            n=len(view.acts) + 1,
            act=act,
            by=by,
            at=self._clock.now(),
            reason=reason,
            turn=view.messages[-1].turn,
            **more,
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
        mark = await self._advancer.mark_open(after, row)
        if not await write(self._store, view.case_id, row, None):
            return False
        now = self._clock.now()
        await self._advancer.nudge_all(after, after.due(now), after.due_effects(now))
        await self._advancer.settle_marked(after, mark)
        return True


def _name(progress: Progress) -> str:
    return f"{progress.turn}:{progress.plan.stage}"


def to_resend(view: Partition, named: Sequence[str]) -> set[str]:
    """Keys of failed effects to send again: those that are named, else every refused one.

    One that is uncertain may have happened: only by its name.
    """
    phases = ("refused", "uncertain") if named else ("refused",)
    failed = {e.request.key for e in view.effects if e.phase in phases}
    return failed.intersection(named) if named else failed


def busy() -> RequestError:
    """Others were first, several times in a row."""
    return RequestError(409, "Changing right now", "Others act on it at the same time; try again.")
