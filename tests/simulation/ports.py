"""The ports as the simulated workers see them: memory twins behind the fault layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from shared.adapters.memory import (
    MemoryCaseIndex,
    MemoryCaseStore,
    MemoryCustomers,
    MemoryJournal,
    MemoryQuarantine,
    MemorySpending,
    MemoryTexts,
)
from shared.adapters.memory_sinks import MemorySink
from shared.domain.nudge import nudge_body, whole_seconds
from shared.domain.rows import ActRow, DigestRow, GatheredRow, MessageRow, ReceivedRow, TargetRow
from shared.errors import PermanentError, UncertainError
from tests.simulation.world import START, instantly

if TYPE_CHECKING:
    from datetime import datetime

    from shared.adapters.memory_sinks import Applied
    from shared.domain.budget import DaySpend
    from shared.domain.case import IndexEntry, Status, Wake
    from shared.domain.digest import FiledDigest
    from shared.domain.journal import JournalEntry
    from shared.domain.nudge import Nudge
    from shared.domain.partition import Partition
    from shared.domain.rows import Row
    from shared.domain.stage import Sentiment
    from shared.ports import EffectCall, Quarantined
    from tests.simulation.faults import Fault
    from tests.simulation.host import Host
    from tests.simulation.watch import Watch
    from tests.simulation.world import World


#: Seconds after which a queue message is delivered again, almost.
LONG_FROZEN = 540.0
#: Seconds between two sweeps.
SWEPT = 60.0

_MAKES_WORK = (ReceivedRow, MessageRow, ActRow, TargetRow, GatheredRow, DigestRow)


def _nobody(_: str) -> None:
    """Nobody wants to know."""


class SimulatedStore:
    """CaseStore.

    Attributes:
        changed: Told of the case whenever a row was written that may make work.
    """

    def __init__(self, world: World, watch: Watch) -> None:
        self.inner = MemoryCaseStore()
        self.changed: Callable[[str], None] = _nobody
        self._world = world
        self._watch = watch

    async def read(self, case_id: str) -> Partition:
        who = self._world.current()

        def act() -> Partition:
            who.reads[case_id] = self._world.now
            return instantly(self.inner.read(case_id))

        return await self._world.call("store.read", case_id[:8], act)

    async def insert(self, case_id: str, row: Row) -> str:
        who = self._world.current()

        def act() -> str:
            etag = instantly(self.inner.insert(case_id, row))
            self._watch.wrote(who, case_id, row)
            if isinstance(row, _MAKES_WORK):
                self.changed(case_id)
            return etag

        return await self._world.call("store.insert", _said(row), act)

    async def replace(self, case_id: str, row: Row, etag: str) -> str:
        who = self._world.current()

        def act() -> str:
            new = instantly(self.inner.replace(case_id, row, etag))
            self._watch.wrote(who, case_id, row)
            return new

        return await self._world.call("store.replace", _said(row), act)


class SimulatedIndex:
    """CaseIndex.

    Args:
        unmarked: Told of the case whenever an open mark of it was removed.

    Attributes:
        frozen_puts: Case and facet of what was listed by workers that had stood still so long that
            nobody would do their work again after a crash.
    """

    def __init__(self, world: World, unmarked: Callable[[str], None]) -> None:
        self.inner = MemoryCaseIndex()
        self.frozen_puts: set[tuple[str, str]] = set()
        self._world = world
        self._unmarked = unmarked

    @property
    def entries(self) -> dict[tuple[str, str], IndexEntry]:
        """What is stored, by partition and row key."""
        return self.inner._entries

    def wakes_until(self, seconds: float) -> list[Wake]:
        """The wakes that are kept for that time and before."""
        until = START + timedelta(seconds=seconds)
        return instantly(self.inner.wakes(until, 1000))

    async def put(self, entry: IndexEntry) -> None:
        who = self._world.current()

        def act() -> None:
            if who.slowed >= (LONG_FROZEN if who.message else SWEPT):
                self.frozen_puts.add((entry.case_id, entry.facet))
            instantly(self.inner.put(entry))

        await self._world.call("index.put", f"{entry.facet} v{entry.version}", act)

    async def remove(self, entry: IndexEntry, facets: Sequence[Status]) -> None:
        where = "open" if list(facets) == ["open"] else "other facets"

        def act() -> None:
            instantly(self.inner.remove(entry, facets))
            if "open" in facets:
                self._unmarked(entry.case_id)

        await self._world.call("index.remove", f"{where} v{entry.version}", act)

    async def page(
        self,
        desks: Sequence[str],
        statuses: Sequence[Status],
        sentiment: Sentiment | None,
        before: str | None,
        limit: int,
        *,
        unfinished: bool = False,
        waiting: bool = False,
    ) -> tuple[list[IndexEntry], str | None]:
        def act() -> tuple[list[IndexEntry], str | None]:
            return instantly(
                self.inner.page(
                    desks,
                    statuses,
                    sentiment,
                    before,
                    limit,
                    unfinished=unfinished,
                    waiting=waiting,
                )
            )

        return await self._world.call("index.page", "", act)

    async def open_entries(self, limit: int, after: IndexEntry | None = None) -> list[IndexEntry]:
        return await self._world.call(
            "index.open_entries", "", lambda: instantly(self.inner.open_entries(limit, after))
        )

    async def wake(self, wake: Wake) -> None:
        await self._world.call(
            "index.wake", wake.case_id[:8], lambda: instantly(self.inner.wake(wake))
        )

    async def wakes(self, until: datetime, limit: int, after: Wake | None = None) -> list[Wake]:
        return await self._world.call(
            "index.wakes", "", lambda: instantly(self.inner.wakes(until, limit, after))
        )

    async def forget(self, wake: Wake) -> None:
        def act() -> None:
            instantly(self.inner.forget(wake))
            self._unmarked(wake.case_id)

        await self._world.call("index.forget", wake.case_id[:8], act)


class SimulatedJournal:
    """Journal."""

    def __init__(self, world: World) -> None:
        self.inner = MemoryJournal()
        self._world = world

    @property
    def entries(self) -> list[JournalEntry]:
        """What is recorded, in the order of desks and time."""
        return [entry for _, entry in sorted(self.inner._journal.items())]

    async def record(self, entry: JournalEntry) -> None:
        await self._world.call(
            "journal.record", entry.mark, lambda: instantly(self.inner.record(entry))
        )

    async def recorded(
        self,
        desk: str,
        start: datetime,
        end: datetime,
        limit: int,
        after: JournalEntry | None = None,
    ) -> list[JournalEntry]:
        return await self._world.call(
            "journal.recorded",
            "",
            lambda: instantly(self.inner.recorded(desk, start, end, limit, after)),
        )

    async def file(self, digest: FiledDigest) -> None:
        await self._world.call("journal.file", "", lambda: instantly(self.inner.file(digest)))

    async def filed(self, desk: str, limit: int, *, unfinished: bool = False) -> list[FiledDigest]:
        return await self._world.call(
            "journal.filed",
            "",
            lambda: instantly(self.inner.filed(desk, limit, unfinished=unfinished)),
        )


class SimulatedNudges:
    """Nudges, into the queues of the simulated host."""

    def __init__(self, world: World, host: Host) -> None:
        self._world = world
        self._host = host

    async def send(self, nudge: Nudge, delay: float = 0.0) -> None:
        body, wait = nudge_body(nudge).encode(), whole_seconds(delay)

        def act() -> None:
            self._host.put(nudge.queue, body, wait)

        def twice(_: Fault) -> None:
            act()
            act()

        def late(fault: Fault) -> None:
            self._host.put(nudge.queue, body, wait + fault.seconds)

        about = f"{nudge.effect or nudge.stage} in {wait} s"
        await self._world.call("nudges.send", about, act, {"twice": twice, "late": late})


class SimulatedTexts:
    """Texts."""

    def __init__(self, world: World) -> None:
        self.inner = MemoryTexts()
        self._world = world

    async def put(self, name: str, text: str) -> None:
        await self._world.call("texts.put", "", lambda: instantly(self.inner.put(name, text)))

    async def get(self, name: str) -> str:
        return await self._world.call("texts.get", "", lambda: instantly(self.inner.get(name)))

    async def delete(self, name: str) -> None:
        await self._world.call("texts.delete", "", lambda: instantly(self.inner.delete(name)))


class SimulatedSpending:
    """Spending."""

    def __init__(self, world: World) -> None:
        self.inner = MemorySpending()
        self._world = world

    async def read(self, desk: str, day: str) -> tuple[DaySpend, str | None]:
        return await self._world.call(
            "spending.read", desk, lambda: instantly(self.inner.read(desk, day))
        )

    async def write(self, spend: DaySpend, etag: str | None) -> None:
        about = f"{spend.desk} {spend.counted.tokens} and {spend.reserved.tokens} held"
        await self._world.call(
            "spending.write", about, lambda: instantly(self.inner.write(spend, etag))
        )


class SimulatedCustomers:
    """Customers."""

    def __init__(self, world: World) -> None:
        self.inner = MemoryCustomers()
        self._world = world

    async def first(self, desk: str, customer: str, case_id: str) -> str:
        def act() -> str:
            return instantly(self.inner.first(desk, customer, case_id))

        return await self._world.call("customers.first", case_id[:8], act)


class SimulatedQuarantine:
    """Quarantine."""

    def __init__(self, world: World) -> None:
        self.inner = MemoryQuarantine()
        self._world = world

    async def put(self, item: Quarantined) -> None:
        await self._world.call(
            "quarantine.put", item.reason, lambda: instantly(self.inner.put(item))
        )

    async def entries(self, limit: int) -> list[Quarantined]:
        return await self.inner.entries(limit)


class SimulatedSink:
    """Sink: the memory twin is the receiver.

    Args:
        slowest: Longest pause, in seconds, that may lie between a worker's last look at the clock
            and its request; nothing that a sender does helps against longer ones.
    """

    def __init__(
        self,
        world: World,
        kind: Literal["keyed", "queryable", "unkeyed"],
        window: float,
        slowest: float,
    ) -> None:
        self.kind: Literal["keyed", "queryable", "unkeyed"] = kind
        self.window = window
        self.slowest = slowest
        self.inner = MemorySink(kind, TrueClock(world), window=window)
        self._world = world

    async def send(self, call: EffectCall) -> str:
        def refused(_: Fault) -> str:
            raise PermanentError("receiver_refused")

        def unsure(_: Fault) -> str:
            raise UncertainError("answer_lost", "simulated, not applied")

        def act() -> str:
            return self._apply(call)

        about = f"{self.kind} {call.request.key}"
        return await self._world.call(
            "sink.send", about, act, {"refused": refused, "unsure": unsure}, self.slowest
        )

    def _apply(self, call: EffectCall) -> str:
        return instantly(self.inner.send(call))

    @property
    def ledger(self) -> list[Applied]:
        """What really happened."""
        return self.inner.ledger

    async def find(self, call: EffectCall) -> str | None:
        return await self._world.call(
            "sink.find", call.request.key, lambda: instantly(self.inner.find(call))
        )


class TrueClock:
    """The receiver's clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return START + timedelta(seconds=self._world.now)


def _said(row: Row) -> str:
    state, epoch = getattr(row, "state", ""), getattr(row, "epoch", "")
    return f"{row.key} {state} {epoch}".strip()
