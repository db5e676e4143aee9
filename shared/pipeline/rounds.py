"""Messages that become one: lists, closed at their time, in which each message is once or never.

A list is a partition of numbered rows. A number belongs to who inserts it first, and closing takes
a number too: so whoever comes after the closing learns of it, and sends his message by himself. The
first ``free`` numbers go out by themselves, the others in one message that the closing asks for.
Clocks only choose when a list is closed; which messages are in it is what the rows say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.domain.case import SupportCase, Wake
from shared.domain.desk import Desks
from shared.domain.gathering import member_of
from shared.domain.partition import Partition
from shared.domain.progress import EffectProgress
from shared.domain.rows import GatheredRow, Member
from shared.domain.stage import EffectRequest, Round
from shared.domain.telling import ROUNDS, listed
from shared.errors import RetryableError
from shared.pipeline.writing import write
from shared.ports import CaseIndex, CaseStore, Clock

#: Each try more means that another message took the number.
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is in a round.

    Attributes:
        where: ``open``: in no list yet, and it may join. ``free``: in it, and goes out by itself.
            ``listed``: the round's message tells of it. ``out``: the round is over without it.
        sent: The round's message, once the list is closed, for what is ``listed``.
        instead: Who was told when that message failed; unset for nobody.
    """

    where: Literal["open", "free", "listed", "out"]
    sent: EffectProgress | None = None
    instead: EffectProgress | None = None


class Rounds:
    """The rounds of all desks."""

    def __init__(self, store: CaseStore, index: CaseIndex, desks: Desks, clock: Clock) -> None:
        self._store = store
        self._index = index
        self._desks = desks
        self._clock = clock

    async def place(self, case_id: str, progress: EffectProgress, round_: Round) -> Place:
        """Where a message is, as far as it is stored."""
        view = await self._store.read(round_.id)
        return self._place(view, (case_id, progress.request.key, progress.generation), round_)

    async def join(
        self, case: SupportCase, request: EffectRequest, generation: int, round_: Round
    ) -> Place:
        """Takes the next number of a round that is open, unless the message has one.

        Raises:
            RetryableError: Too many want a number at once; nothing has happened.
        """
        member = member_of(case, request, generation)
        for _ in range(_TRIES):
            view = await self._store.read(round_.id)
            place = self._place(view, (case.case_id, request.key, generation), round_)
            if place.where != "open":
                return place
            n = len(view.gathered) + 1
            if n > round_.free:
                # First, so that whatever is in the list is found when its time comes.
                await self._index.wake(Wake(case_id=round_.id, at=round_.end))
            row = GatheredRow(
                n=n, desk=round_.desk, round=round_, member=member, at=self._clock.now(),
                asked=request,
            )  # fmt: skip
            if await write(self._store, round_.id, row, None):
                return Place("free" if n <= round_.free else "listed")
        raise RetryableError("round_crowded", detail="others take its numbers")

    async def closed(self, view: Partition) -> Partition:
        """The round after its list was closed, which asks for its message.

        Raises:
            RetryableError: Messages keep coming in; the next sweep closes it.
        """
        for _ in range(_TRIES):
            if view.closing:
                return view
            row = self._closing(view)
            if etag := await write(self._store, view.case_id, row, None):
                return view.with_row(row, etag)
            view = await self._store.read(view.case_id)
        raise RetryableError("round_crowded", detail="it could not be closed")

    def _closing(self, view: Partition) -> GatheredRow:
        now, n = self._clock.now(), len(view.gathered) + 1
        last = view.gathered[-1] if view.gathered else None
        if last is None or last.round is None or last.asked is None:
            # Who announced it has not come: he will find it closed.
            desk = view.case_id.removeprefix(ROUNDS).partition(".")[0]
            return GatheredRow(n=n, desk=desk, at=now)
        desk_file = self._desks.get(last.desk)
        told = n - 1 > last.round.free
        effects = listed(desk_file, last.round, last.asked) if desk_file and told else ()
        return GatheredRow(n=n, desk=last.desk, round=last.round, at=now, effects=effects)

    def _place(self, view: Partition, wanted: tuple[str, str, int], round_: Round) -> Place:
        for row in view.gathered:
            if row.member and _name(row.member) == wanted:
                if row.n <= round_.free:
                    return Place("free")
                return Place("listed", view.effect("gathered"), view.effect("gathered-instead"))
        over = view.closing is not None or self._clock.now() >= round_.end
        return Place("out" if over else "open")


def _name(member: Member) -> tuple[str, str, int]:
    return member.case_id, member.effect, member.generation
