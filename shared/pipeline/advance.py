"""What follows a change: nudge the stages that it made due, and keep the index true."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from shared.domain.case import IndexEntry, Status
from shared.domain.fold import index_entry
from shared.domain.nudge import Nudge
from shared.domain.partition import Partition
from shared.domain.rows import ActRow, MessageRow, mark_of
from shared.ports import CaseIndex, CaseStore, Nudges

_FACETS: tuple[Status, ...] = tuple(s for s in get_args(Status) if s not in ("open", "working"))
#: Bounds the loop below; each round more means that somebody changed the case meanwhile.
_ROUNDS = 5

#: How many of the latest marks a settling worker removes. Earlier ones are gone, or a sweep finds
#: them: only messages and acts that came in quick succession leave more than one.
_MARKS = 3


class Advancer:
    """Hands a case on after one of its rows changed. Doing it twice does no harm."""

    def __init__(self, store: CaseStore, index: CaseIndex, nudges: Nudges) -> None:
        self._store = store
        self._index = index
        self._nudges = nudges

    async def mark_open(self, view: Partition, row: MessageRow | ActRow) -> IndexEntry:
        """Puts a case into the open facet, before ``row``, which (re)opens it, is written.

        A sweep looks at what is marked, so whatever a crash leaves behind is found. The mark is
        named after its row: whoever settles a view without that row leaves it alone.
        """
        mark = _mark(index_entry(view), row)
        await self._index.put(mark)
        return mark

    async def nudge_due(self, view: Partition, now: datetime) -> int:
        """Sends a nudge for everything that is due and says how many."""
        nudges = [Nudge(view.case_id, p.turn, p.plan.stage) for p in view.due(now)]
        nudges += [
            Nudge(view.case_id, e.request.turn, e.asked_by, e.request.key)
            for e in view.due_effects(now)
        ]
        for nudge in nudges:
            await self._nudges.send(nudge)
        return len(nudges)

    async def after_stage(self, expected: Partition, turn: int, stage: str) -> None:
        """Goes on after a stage came to rest.

        Args:
            expected: The partition as this worker believes it to be, its own write included. When
                it is settled, its index entry is written before the partition is read again, so
                that the reading confirms the entry and costs no extra round trip.
        """
        listed = await self._list(expected) if expected.settled else None
        view = await self._store.read(expected.case_id)
        for progress in view.progress:
            if progress.turn == turn and stage in progress.plan.after and progress.due_at:
                await self._nudges.send(Nudge(view.case_id, turn, progress.plan.stage))
        for effect in view.effects:
            if effect.asked_by == stage and effect.request.turn == turn and effect.due_at:
                await self._nudges.send(Nudge(view.case_id, turn, stage, effect.request.key))
        await self.settle(view, listed)

    async def after_effect(self, expected: Partition) -> None:
        """Goes on after an effect came to rest."""
        listed = await self._list(expected) if expected.settled else None
        await self.settle(await self._store.read(expected.case_id), listed)

    async def settle_marked(self, view: Partition, mark: IndexEntry) -> None:
        """``settle`` for those who are not called again after a crash: the mark brings a sweep.

        It is set anew, because another worker may have removed it since it was read.
        """
        if view.settled:
            await self._index.put(mark)
            await self.settle(view)

    async def settle(self, view: Partition, listed: IndexEntry | None = None) -> None:
        """Moves a settled case from the open facet to that of its status.

        The entry is confirmed by a reading made after it was written: a worker that was paused
        with an old view would otherwise overwrite a newer entry. The open marks go last, and only
        those of rows in the view.
        """
        for _ in range(_ROUNDS):
            if not view.settled:
                return
            if listed == index_entry(view):
                for row in view.openers[-_MARKS:]:
                    await self._index.remove(_mark(listed, row), ["open"])
                return
            listed = await self._list(view)
            view = await self._store.read(view.case_id)

    async def _list(self, view: Partition) -> IndexEntry:
        entry = index_entry(view)
        await self._index.put(entry)
        if entry.version > 1:
            # It may have rested under other statuses before.
            await self._index.remove(entry, [f for f in _FACETS if f != entry.facet])
        return entry


def _mark(entry: IndexEntry, row: MessageRow | ActRow) -> IndexEntry:
    return entry.model_copy(update={"status": "open", "mark": mark_of(row.key)})
