"""Makes and sends digests: each window of a desk exactly once, whatever timers and clocks do.

What is in a window follows from instants that rows fix for good. A digest is sealed as one row,
insert-only, with all that it says; only then its effects begin, with states and receipts like those
of cases. Where a window ends, whoever is first to say so decides: a person who sends one by hand
and the timer may come at once. A crash before the seal leaves at most that word behind, one after
it a wake that the sweep finds. Reads are bounded: the journal of the window, the list of what
waits, and some cases.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain import journal
from shared.domain.case import IndexEntry, Wake
from shared.domain.desk import Desk, Desks
from shared.domain.digest import DIGESTS, MOST_NAMED, Digest, agreement_id, digest_id
from shared.domain.digest_lists import (
    due,
    escalations,
    missed,
    named_cases,
    oldest,
    proposals,
    stopped,
    to_do_since,
)
from shared.domain.digest_tally import Tally
from shared.domain.digest_windows import DigestPlan, Window, due_windows, running_window
from shared.domain.fold import fold, index_entry
from shared.domain.journal import JournalEntry
from shared.domain.partition import Partition
from shared.domain.rows import DigestRow, WindowRow, mark_of
from shared.domain.stage import EffectRequest, Urgency
from shared.domain.telling import ROUNDS
from shared.errors import RequestError
from shared.pipeline.advance import Advancer
from shared.pipeline.digest_channels import DigestChannels
from shared.pipeline.limits import Limits
from shared.pipeline.writing import write
from shared.ports import CaseIndex, CaseStore, Clock, Journal
from shared.telemetry import logger

_log = logger("digests")
_PAGE = 1000
#: Cases in the list of what waits that are looked at; more are said to be there.
_MOST_WAITING = 20_000
#: Cases in motion that are read one by one; with more the digest waits for calmer times.
_MOST_MOVING = 2_000
_AT_ONCE = 8
_GRAVITY: dict[Urgency | None, int] = {"critical": 0, "high": 1, "normal": 2, None: 2, "low": 3}


class Digests:
    """The digests of all desks."""

    def __init__(
        self,
        store: CaseStore,
        index: CaseIndex,
        journal: Journal,
        advancer: Advancer,
        desks: Desks,
        clock: Clock,
        limits: Limits,
        channels: DigestChannels,
    ) -> None:
        self._store = store
        self._index = index
        self._journal = journal
        self._advancer = advancer
        self._desks = desks
        self._clock = clock
        self._limits = limits
        self._channels = channels

    async def send_due(self) -> Counter[str]:
        """Seals every window that is closed and has no digest yet, the oldest first.

        Returns:
            Counts of ``sealed`` and ``postponed``: a postponed one is tried again next time.

        Raises:
            RetryableError: Storage could not be reached; the next call goes on.
        """
        counts: Counter[str] = Counter()
        for desk in self._desks.every:
            if desk.digest:
                await self._send_due(desk, desk.digest, counts)
        return counts

    async def _send_due(self, desk: Desk, plan: DigestPlan, counts: Counter[str]) -> None:
        last = await self._last_end(desk)
        closed = self._clock.now() - self._limits.closing
        while windows := due_windows(plan, desk.time_zone, last, closed):
            sealed = await self._seal(desk, windows[0])
            if sealed is None:
                extra = {"desk": desk.name, "window": windows[0].id}
                _log.warning("digest postponed", extra=extra)
                counts["postponed"] += 1
                return
            counts["sealed"] += 1
            last = sealed.end

    async def send_now(self, desk: Desk) -> str:
        """Seals a window that ends now; the next one begins there.

        Returns:
            Name of the digest's partition; of another's, whose end was said before.

        Raises:
            RequestError: 409, there is nothing to send or cases are in motion; says which.
        """
        window = await self.running(desk)
        if window.start >= window.end:
            raise RequestError(409, "Nothing to send", "The last digest is only minutes old.")
        sealed = await self._seal(desk, window)
        if sealed is None:
            raise RequestError(
                409, "Cases are in motion", "Agents are at work on what belongs to it; try again."
            )
        return digest_id(desk.name, sealed.id)

    async def running(self, desk: Desk) -> Window:
        """The window that is not over yet, up to the last minute that is closed.

        Raises:
            RequestError: 409, the desk has no digest.
        """
        if desk.digest is None:
            raise RequestError(
                409, "No digest", f"The desk {desk.name} has no digest; add one to its desk file."
            )
        closed = (self._clock.now() - self._limits.closing).replace(second=0, microsecond=0)
        return running_window(desk.digest, desk.time_zone, await self._last_end(desk), closed)

    async def sealed(self, desk: Desk, window_id: str) -> Partition | None:
        """A digest that was sealed, with its effects; None for any other window."""
        view = await self._store.read(digest_id(desk.name, window_id))
        return view if view.digest else None

    async def preview(self, desk: Desk) -> Digest:
        """The running window's digest as it would be sealed now. Nothing is written or sent.

        Raises:
            RequestError: 409, the desk has no digest.
        """
        digest = await self._made(desk, await self.running(desk), waiting=False)
        assert digest is not None  # noqa: S101, only a seal waits
        return digest

    async def _last_end(self, desk: Desk) -> datetime | None:
        filed = await self._journal.filed(desk.name, 1)
        return filed[0].end if filed else None

    async def _seal(self, desk: Desk, window: Window) -> Window | None:
        """Makes a window's digest and hands it to its effects.

        Returns:
            The window as it was sealed, which may end elsewhere; None when it cannot be closed.
        """
        digest = await self._made(desk, window, waiting=True)
        if digest is None:
            return None
        agreed = await self._agreed(desk, window)
        if agreed != window:
            window = agreed
            digest = await self._made(desk, window, waiting=True)
        if digest is None:
            return None
        partition = digest_id(desk.name, window.id)
        row = DigestRow(digest=digest, effects=_effects(desk))
        await self._index.wake(Wake(case_id=partition, at=digest.made_at))
        await write(self._store, partition, row, None)
        # Another one may have sealed it first: what is stored counts.
        view = await self._store.read(partition)
        if view.digest:
            view = await self._channels.file(view)
            await self._advancer.nudge_all(view, (), view.due_effects(self._clock.now()))
        return window

    async def _agreed(self, desk: Desk, window: Window) -> Window:
        """The window of that start that somebody was first to name."""
        name = agreement_id(desk.name, window.start)
        row = WindowRow(start=window.start, end=window.end)
        if await write(self._store, name, row, None):
            return window
        there = (await self._store.read(name)).stored[row.key].row
        assert isinstance(there, WindowRow)  # noqa: S101, nothing else is written there
        return Window(window.start, there.end)

    async def _made(self, desk: Desk, window: Window, *, waiting: bool) -> Digest | None:
        moving = await self._moving(desk, window)
        if waiting and (moving is None or _unfixed(moving, window)):
            return None
        views = moving.views if moving else ()
        tally = Tally()
        for view in views:
            tally.add(e for e in journal.entries(view) if window.holds(e.at))
        last: JournalEntry | None = None
        while page := await self._journal.recorded(
            desk.name, window.start, window.end, _PAGE, last
        ):
            last = page[-1]
            tally.add(page)
        entries, unread = await self._backlog(desk)
        listed = {entry.case_id: entry for entry in entries}
        listed |= {view.case_id: index_entry(view) for view in views if view.messages}
        return await self._said(desk, window, tally, list(listed.values()), unread=unread)

    async def _moving(self, desk: Desk, window: Window) -> _Moving | None:
        """The desk's cases whose journal may lack something; None when they are too many.

        Read before the journal: what leaves here meanwhile is in there.
        """
        skew = timedelta(seconds=2 * self._limits.clock_skew)
        opened: list[IndexEntry] = []
        last: IndexEntry | None = None
        while marks := await self._index.open_entries(_PAGE, last):
            last = marks[-1]
            end = window.end + skew
            opened += [m for m in marks if m.desk == desk.name and m.updated_at < end]
        found = {mark.case_id for mark in opened}
        wake: Wake | None = None
        while wakes := await self._index.wakes(self._clock.now(), _PAGE, wake):
            wake = wakes[-1]
            found |= {w.case_id for w in wakes if not w.case_id.startswith((DIGESTS, ROUNDS))}
        if len(found) > _MOST_MOVING:
            return None
        views = await self._read(sorted(found))
        acts = {case_id: {mark_of(a.key) for a in view.acts} for case_id, view in views.items()}
        return _Moving(
            tuple(view for view in views.values() if view.desk == desk.name and view.received),
            unwritten=any(m.mark.startswith("x") and m.mark not in acts[m.case_id] for m in opened),
        )

    async def _backlog(self, desk: Desk) -> tuple[list[IndexEntry], bool]:
        """Cases that wait for a person, and whether there are more."""
        found: list[IndexEntry] = []
        cursor: str | None = None
        while len(found) < _MOST_WAITING:
            page, cursor = await self._index.page([desk.name], ["escalated"], None, cursor, _PAGE)
            found += page
            if cursor is None:
                return found, False
        return found, True

    async def _said(
        self,
        desk: Desk,
        window: Window,
        tally: Tally,
        entries: list[IndexEntry],
        *,
        unread: bool,
    ) -> Digest:
        waits = [e for e in entries if e.status == "escalated"]
        escalated = sorted(tally.escalations, key=lambda e: (_GRAVITY[e.urgency], e.at))
        waiting = oldest(e for e in waits if e.waiting)
        to_do = sorted((e for e in waits if e.to_do), key=to_do_since)
        late = sorted((e for e in entries if e.sla == "breached"), key=due)
        risky = sorted((e for e in entries if e.sla == "at_risk"), key=due)
        parked = oldest(e for e in waits if e.reason)
        lists = (waiting, to_do, late, risky, parked)
        named_in_lists = {e.case_id for e in escalated[:MOST_NAMED]}
        named_in_lists |= {e.case_id for entries in lists for e in entries[:MOST_NAMED]}
        views = await self._read(sorted(named_in_lists))
        cases = {name: fold(view) for name, view in views.items() if view.received}
        filed = await self._journal.filed(desk.name, 2)
        failed = await self._channels.failed([desk.name], MOST_NAMED)
        before = next((f.counts for f in filed if f.end == window.start), None)
        return Digest(
            desk=desk.name,
            title=desk.title,
            time_zone=desk.time_zone,
            start=window.start,
            end=window.end,
            made_at=self._clock.now(),
            counts=tally.counts(),
            before=before,
            escalated=escalations(escalated, cases),
            waiting=named_cases(waiting, cases, proposals("waiting")),
            to_do=named_cases(to_do, cases, proposals("to_do")),
            breached=named_cases(late, cases, missed),
            at_risk=named_cases(risky, cases, missed),
            parked=named_cases(parked, cases, stopped),
            undelivered=tuple(f for f in failed if window.holds(f.at)),
            backlog=len(waits),
            unread=unread,
            demo=any(case.demo for case in cases.values()),
        )

    async def _read(self, names: Iterable[str]) -> dict[str, Partition]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> Partition:
            async with gate:
                return await self._store.read(name)

        views = await asyncio.gather(*map(one, names))
        return {view.case_id: view for view in views}


@dataclass(frozen=True, slots=True)
class _Moving:
    """Cases in motion.

    Attributes:
        unwritten: Somebody announced an act of a time before the end and has not written it yet.
            If he died, the sweep takes the announcement away after ``orphan_age``.
    """

    views: tuple[Partition, ...]
    unwritten: bool = False


def _unfixed(moving: _Moving, window: Window) -> bool:
    unfixed = (journal.unfixed_before(view, window.end) for view in moving.views)
    return moving.unwritten or any(unfixed)


def _effects(desk: Desk) -> tuple[EffectRequest, ...]:
    plan = desk.digest
    if plan is None:
        return ()
    wanted: list[tuple[str, tuple[str, ...]]] = [("copy", (desk.name,))]
    wanted += [("email", plan.email)] if plan.email else []
    wanted += [("slack", (desk.name,))] if plan.slack else []
    wanted += [("teams", (desk.name,))] if plan.teams else []
    return tuple(EffectRequest(key=sink, sink=sink, to=to, turn=1) for sink, to in wanted)
