"""What follows a change: nudge the stages that it made due, and keep the index true."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import get_args

from shared.domain import journal
from shared.domain.alarms import next_wake
from shared.domain.case import IndexEntry, Status
from shared.domain.fold import index_entry
from shared.domain.nudge import Nudge
from shared.domain.partition import Partition
from shared.domain.progress import EffectProgress, Progress
from shared.domain.rows import ActRow, MessageRow, mark_of, opened_at
from shared.errors import RetryableError
from shared.ports import CaseIndex, CaseStore, Journal, Nudges
from shared.telemetry import logger

_log = logger("pipeline")
_FACETS: tuple[Status, ...] = tuple(s for s in get_args(Status) if s not in ("open", "working"))
#: Bounds the loop below; each round more means that somebody changed the case meanwhile.
_ROUNDS = 5

#: How many of the latest marks a settling worker removes. Earlier ones are gone, or a sweep finds
#: them: only messages and acts that came in quick succession leave more than one.
_MARKS = 3
#: That clocks of two workers may differ, and more.
_SKEW = timedelta(minutes=1)


class Advancer:
    """Hands a case on after one of its rows changed. Doing it twice does no harm."""

    def __init__(
        self, store: CaseStore, index: CaseIndex, journal: Journal, nudges: Nudges
    ) -> None:
        self._store = store
        self._index = index
        self._journal = journal
        self._nudges = nudges

    async def mark_open(self, view: Partition, row: MessageRow | ActRow) -> IndexEntry:
        """Puts a case into the open facet, before ``row``, which (re)opens it, is written.

        A sweep looks at what is marked, so whatever a crash leaves behind is found. The mark is
        named after its row: whoever settles a view without that row leaves it alone.
        """
        mark = _mark(index_entry(view), row)
        await self._index.put(mark)
        return mark

    async def unmark(self, mark: IndexEntry) -> None:
        """Takes a mark back whose row another one wrote."""
        await self._index.remove(mark, ["open"])

    async def nudge(self, nudge: Nudge, delay: float = 0.0) -> None:
        """Sends a nudge, or leaves it to the sweep.

        What it announces is stored. Failing here would have the host deliver this message again,
        and each delivery would try the slow queue once more: a queue in trouble gets a storm.
        """
        try:
            await self._nudges.send(nudge, delay)
        except RetryableError as error:
            _log.warning("nudge not sent", extra={"case": nudge.case_id, "code": error.code})

    async def nudge_all(
        self, view: Partition, due: Iterable[Progress], due_effects: Iterable[EffectProgress]
    ) -> None:
        """Sends a nudge for each of these."""
        for progress in due:
            await self.nudge(Nudge(view.case_id, progress.turn, progress.plan.stage))
        for effect in due_effects:
            request = effect.request
            await self.nudge(Nudge(view.case_id, request.turn, effect.asked_by, request.key))

    async def after_stage(self, expected: Partition, turn: int, stage: str) -> None:
        """Goes on after a stage came to rest.

        Args:
            expected: The partition as this worker believes it to be, its own write included. When
                it is settled, its index entry is written before the partition is read again, so
                that the reading confirms the entry and costs no extra round trip.
        """
        listed = await self._list(expected) if expected.settled else None
        view = await self._store.read(expected.case_id)
        followers = (
            p
            for p in view.progress
            if p.turn == turn and stage in p.plan.after and p.phase == "waiting" and p.due_at
        )
        asked_for = (
            e
            for e in view.effects
            if e.asked_by == stage and e.request.turn == turn and e.phase == "waiting"
            if e.due_at and not e.dormant
        )
        await self.nudge_all(view, followers, asked_for)
        await self.settle(view, listed)

    async def after_effect(self, expected: Partition) -> None:
        """Goes on after an effect came to rest."""
        if expected.apart:
            return  # the sweep that its wake brings sees that it is settled
        listed = await self._list(expected) if expected.settled else None
        view = await self._store.read(expected.case_id)
        # What stands in for another, or begins only when the case is answered, may be due by now.
        later = (
            e
            for e in view.effects
            if e.request.instead_of or (e.request.while_answered and not e.dormant)
        )
        await self.nudge_all(view, (), (e for e in later if e.phase == "waiting" and e.due_at))
        await self.settle(view, listed)

    async def settle_marked(self, view: Partition, mark: IndexEntry) -> None:
        """``settle`` for those who are not called again after a crash: the mark brings a sweep.

        It is set anew, because another worker may have removed it since it was read.
        """
        if view.settled:
            await self._index.put(mark)
            await self.settle(view)

    async def settle(self, view: Partition, listed: IndexEntry | None = None) -> Partition | None:
        """Moves a settled case from the open facet to that of its status.

        The entry is confirmed by a reading made after it was written: a worker that was paused
        with an old view would otherwise overwrite a newer entry. Then the next wake is set, and
        what happened is recorded. The open marks go last, and only those of rows in the view.

        Returns:
            The case as it was settled; None when it is not.
        """
        if view.apart:
            return view if view.settled else None
        for _ in range(_ROUNDS):
            if not view.settled:
                return None
            if listed == index_entry(view):
                if wake := next_wake(view):
                    await self._index.wake(wake)
                latest = view.openers[-_MARKS:]
                await self.record(view, latest[0])
                for row in latest:
                    await self._index.remove(_mark(listed, row), ["open"])
                return view
            listed = await self._list(view)
            view = await self._store.read(view.case_id)
        return None

    async def record(self, view: Partition, since: MessageRow | ActRow) -> None:
        """Writes into the desk's journal what happened since a message or act."""
        begun = opened_at(since) - _SKEW
        for entry in journal.entries(view):
            if entry.at >= begun:
                await self._journal.record(entry)

    async def _list(self, view: Partition) -> IndexEntry:
        entry = index_entry(view)
        await self._index.put(entry)
        if entry.version > 1:
            # It may have rested under other statuses before.
            await self._index.remove(entry, [f for f in _FACETS if f != entry.facet])
        return entry


def _mark(entry: IndexEntry, row: MessageRow | ActRow) -> IndexEntry:
    return entry.model_copy(update={"status": "open", "mark": mark_of(row.key)})
