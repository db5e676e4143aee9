"""A chaos run: real hosts over a real Azurite, killed while they work; then the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp

from shared.adapters.azure_clients import AzureStorage, StorageAddress
from shared.adapters.table_layout import WAKES, parse_entry, parse_row
from shared.domain.partition import Partition
from shared.domain.progress import Stored
from shared.errors import RetryableError
from tests.chaos.clocks import SHIPPED, Clocks
from tests.chaos.copies import Copies, messages_left, send_garbage
from tests.chaos.customers import Customers
from tests.chaos.evidence import Evidence
from tests.chaos.hosts import Hosts
from tests.chaos.operators import Operators
from tests.chaos.outside import PUBLIC_URL, Outside, vendor_fault
from tests.chaos.service import read_tickets
from tests.chaos.storage import RestartedStorage
from tests.chaos.tickets import Tickets
from tests.chaos.verdict import Verdict, judge, may_stay_open
from tests.chaos.wire import Wire

_PREFIX = "chaos"
#: Customers that may be ahead of the kills, so that every kill meets work.
_AHEAD = 4
_LOOK_EVERY = 0.5
_DIGESTS_EVERY = 7.0
#: Seconds after which a host is killed although customers are behind.
_KILL_LIMIT = 30.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What to do.

    Attributes:
        folder: For logs, mails and, where something is wrong, rows. Emptied first.
        faults: Whether model, mail server and receiver fail and Azurite is restarted.
        rest_limit: Seconds for coming to rest, once nothing fails any more.
    """

    cases: int
    kills: int
    seed: int
    folder: Path
    hosts: int = 3
    faults: bool = True
    clocks: Clocks = SHIPPED
    rest_limit: float = 600.0

    @property
    def restarts(self) -> int:
        """How often Azurite is restarted."""
        return max(1, min(5, self.kills // 20)) if self.faults else 0


async def run(order: Order, say: Say) -> tuple[Verdict, str]:
    """Does one run.

    Args:
        order: What to do.
        say: Called with a line on how it goes, every few seconds.

    Returns:
        The verdict, and the line that tells the whole run.
    """
    shutil.rmtree(order.folder, ignore_errors=True)
    order.folder.mkdir(parents=True)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-chaos-") as data,
        (order.folder / "run.log").open("w") as log,
    ):

        def note(what: str) -> None:
            log.write(f"{time.monotonic() - began:8.2f}  {what}\n")
            log.flush()

        timeout = order.clocks.limits.model_timeout
        wire = Wire(lambda: chaos.hosts.ready)
        dice = Random(f"{order.seed} vendors")
        fault = (lambda: vendor_fault(dice)) if order.faults else None
        async with (
            Outside(order.folder, order.seed, timeout, faults=order.faults) as outside,
            Tickets(order.seed, wire, PUBLIC_URL, fault) as tickets,
            RestartedStorage(Path(data), order.folder) as azurite,
            _connected(azurite) as storage,
        ):
            chaos = _Chaos(order, _Around(outside, tickets, wire, azurite, storage), note, say)
            evidence = await chaos.unfold()
            verdict = judge(evidence)
            line = (
                f"{verdict.cases} cases, {chaos.hosts.kills} kills of {order.hosts} hosts, "
                f"{azurite.restarts} storage restarts, {chaos.duplicates} duplicates, "
                f"{verdict.cut_off} claims cut off: {verdict}, {time.monotonic() - began:.0f} s"
            )
            note(line)
            _keep(order.folder, evidence, verdict)
    return verdict, line


@dataclass(frozen=True)
class _Around:
    """What the hosts work with, and what leads to them."""

    outside: Outside
    tickets: Tickets
    wire: Wire
    azurite: RestartedStorage
    storage: AzureStorage


class _Chaos:
    def __init__(self, order: Order, around: _Around, note: Say, say: Say) -> None:
        self._order = order
        self._outside = outside = around.outside
        self._tickets = tickets = around.tickets
        self._wire = wire = around.wire
        self._azurite = azurite = around.azurite
        self._storage = storage = around.storage
        self._note = note
        self._say = say
        self._began = time.monotonic()
        self._troubles: list[str] = []
        self._served = False
        self.hosts = Hosts(
            order.hosts,
            outside.environment
            | tickets.environment
            | order.clocks.environment
            | {
                "AzureWebJobsStorage": azurite.connection_string,
                "FRONTDESK_TABLE_PREFIX": _PREFIX,
            },
            order.folder,
            note,
        )
        self._customers = Customers(order.seed, wire, tickets, outside.reply_address)
        self._operators = Operators(order.seed, wire, outside.mailed, PUBLIC_URL)
        self._copies = Copies(storage, order.seed)

    @property
    def duplicates(self) -> int:
        """Queue messages and deliveries that came twice."""
        return self._copies.sent + self._customers.redelivered + self._tickets.redelivered

    async def unfold(self) -> Evidence:
        """Kills and faults, then calm until all is at rest."""
        await self._storage.ensure([])
        async with self.hosts:
            works = (self._watch, self._sweep, self._digest, self._operators.work)
            watchers = [asyncio.create_task(work()) for work in works]
            try:
                garbage = await send_garbage(self._storage)
                await self._storm()
                await self.hosts.all_ready()
                self._outside.calm_down()
                self._tickets.calm_down()
                self._note("calm")
                await self._polled(time.time())
                await self._rest()
            finally:
                for task in watchers:
                    task.cancel()
                ends = await asyncio.gather(*watchers, return_exceptions=True)
                self._troubles += [repr(end) for end in ends if isinstance(end, Exception)]
                await self._wire.aclose()
        return await self._evidence(garbage)

    async def _storm(self) -> None:
        """Everything at once, until the last kill is done and the last customer has been served."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._kill())
                group.create_task(self._restart_storage())
                group.create_task(self._copy())
                await self._customers.come(self._order.cases, self._admit)
                self._served = True
                self._note("the last customer has been served")
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _admit(self, number: int) -> None:
        """Spreads the customers over the kills, so that kills meet work."""
        order = self._order
        await _until(
            lambda: (
                self.hosts.kills >= order.kills
                or number <= _AHEAD + order.cases * (self.hosts.kills + 1) / (order.kills + 1)
            )
        )
        await asyncio.sleep(0.05)

    async def _kill(self) -> None:
        """Kills in step with what was accepted: a slow machine must not kill hosts that idle."""
        order, dice = self._order, Random(f"{self._order.seed} kills")
        longest = 2 * order.clocks.limits.model_timeout
        while self.hosts.kills < order.kills:
            await asyncio.sleep(dice.uniform(0.2, longest))
            enough = max(1, order.cases * self.hosts.kills / (order.kills + 1))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_KILL_LIMIT):
                    await _until(lambda: self._served or self._customers.served >= enough)  # noqa: B023
            self.hosts.kill(dice)

    async def _restart_storage(self) -> None:
        """Restarts Azurite at even steps on the way through the customers."""
        order = self._order
        for number in range(1, order.restarts + 1):
            enough = order.cases * number / (order.restarts + 1)
            await _until(lambda: self._served or self._customers.served >= enough)  # noqa: B023
            self._note("Azurite goes down")
            await self._azurite.restart()
            self._note("Azurite is back")

    async def _copy(self) -> None:
        async with asyncio.TaskGroup() as group:
            seen: set[str] = set()
            while True:
                last = self._served
                fresh = self._customers.case_ids - seen
                seen |= fresh
                for case_id in sorted(fresh):
                    group.create_task(self._copies.of(case_id))
                if last:
                    return
                await asyncio.sleep(0.1)

    async def _sweep(self) -> None:
        """Has the sweep fire more often than its timer does, where the clocks are hurried."""
        while every := self._order.clocks.sweep_every:
            await asyncio.sleep(every)
            await self._ring("sweep", self.hosts.with_timers)

    async def _digest(self) -> None:
        """Has the timer of digests fire in all hosts at once, as it never should."""
        while True:
            await asyncio.sleep(_DIGESTS_EVERY)
            await asyncio.gather(*(self._ring("digests", host) for host in self.hosts.ready))

    async def _ring(self, timer: str, host: str) -> None:
        """Has a timer fire in a host, if that runs."""
        timeout = aiohttp.ClientTimeout(total=5)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with aiohttp.ClientSession(timeout=timeout) as session:
                await session.post(f"{host}/admin/functions/{timer}", json={})

    async def _polled(self, since: float) -> None:
        """Waits until every poll has looked at all that came before, as it says when it is done."""
        deadline = time.monotonic() + self._order.rest_limit
        marks: dict[str, str | None] = dict.fromkeys(self._tickets.polled)
        while late := [name for name, mark in marks.items() if int(mark or 0) < since]:
            if time.monotonic() > deadline:
                self._troubles.append(f"not polled in time: {', '.join(sorted(late))}")
                return
            await self._ring("poll", self.hosts.with_timers)
            await asyncio.sleep(4 * _LOOK_EVERY)
            with contextlib.suppress(RetryableError):
                for name in late:
                    marks[name] = await self._storage.inbox.mark(name)
        self._note("polled")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(5)
            self.hosts.look()
            served, kills = self._customers.served, self.hosts.kills
            self._say(
                f"{time.monotonic() - self._began:4.0f} s  {served} customers served, "
                f"{kills} of {self._order.kills} kills"
            )

    async def _rest(self) -> None:
        """Waits until nothing is open and nobody's yes is missing, for as long as is allowed."""
        deadline = time.monotonic() + self._order.rest_limit
        while (marks := await self._open_marks()) or await self._operators.look():
            if time.monotonic() > deadline:
                self._troubles.append(f"not at rest in time: {', '.join(sorted(marks))}")
                return
            self._note(f"{len(marks)} cases are at work")
            await asyncio.sleep(_LOOK_EVERY if len(marks) < 20 else 4 * _LOOK_EVERY)
        self._note("at rest")

    async def _open_marks(self) -> set[str]:
        try:
            entries = await self._storage.index.open_entries(1000)
            marks = {entry.case_id for entry in entries}
            known = self._evidence_so_far()
            for entry in entries:
                if entry.case_id in known.unanswered:
                    known.cases[entry.case_id] = await self._storage.cases.read(entry.case_id)
                    if may_stay_open(known, entry.mark, entry.case_id):
                        marks.discard(entry.case_id)
        except RetryableError:
            return {"storage does not answer"}
        return marks

    def _evidence_so_far(self) -> Evidence:
        return Evidence(
            limits=self._order.clocks.limits,
            calm=not (self._order.faults or self._order.kills),
            promises=self._customers.promises,
            cancelled=self._customers.cancelled,
            unanswered=self._customers.unanswered | self._operators.unanswered,
            decisions=self._operators.decisions,
            words=self._tickets.words,
            forged=self._tickets.forged,
            refused=self._tickets.refused,
            troubles=[
                *self._troubles,
                *self._customers.troubles,
                *self._operators.troubles,
                *self._wire.troubles,
                *self.hosts.fell,
            ],
        )

    async def _evidence(self, garbage: dict[str, tuple[str, ...]]) -> Evidence:
        evidence = self._evidence_so_far()
        evidence.garbage = garbage
        evidence.calls = self._outside.calls()
        evidence.applied, evidence.replies = self._outside.applied(), self._outside.replies()
        evidence.mails, evidence.books = self._outside.mails(), self._tickets.books()
        evidence.carried = self._outside.carried() + await read_tickets(self._storage.tickets)
        stored: dict[str, list[Stored]] = {}
        async for entity in self._storage.cases._client.list_entities():
            stored.setdefault(entity["PartitionKey"], []).append(Stored(parse_row(entity), ""))
        evidence.cases = {case_id: Partition(case_id, rows) for case_id, rows in stored.items()}
        async for entity in self._storage.index._client.list_entities():
            if entity["PartitionKey"] != WAKES:
                facet = str(entity["PartitionKey"]).split("|")[0]
                evidence.listed.append((facet, parse_entry(entity)))
        evidence.texts = {
            row.blob: await self._storage.texts.get(row.blob)
            for view in evidence.cases.values()
            for message in view.messages
            if (row := view.said(message)).blob
        }
        kept = await self._storage.quarantine.entries(1000)
        evidence.quarantined = [item.body for item in kept]
        evidence.left = await messages_left(self._azurite.connection_string)
        return evidence


async def _until(ready: Callable[[], bool]) -> None:
    while not ready():  # noqa: ASYNC110 - a run changes in too many places for events
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _connected(azurite: RestartedStorage) -> AsyncIterator[AzureStorage]:
    storage = AzureStorage(StorageAddress(azurite.connection_string), _PREFIX)
    try:
        yield storage
    finally:
        await storage.aclose()


def _keep(folder: Path, evidence: Evidence, verdict: Verdict) -> None:
    """Keeps the model's log, and the rows of every case that something is wrong with."""
    lines = [repr(call) for call in evidence.calls]
    (folder / "calls.log").write_text("\n".join(lines) + "\n")
    for case_id, why in verdict.violations.items():
        if case_id in evidence.cases and why:
            rows = evidence.cases[case_id].stored.values()
            dump = [item.row.model_dump(mode="json") for item in rows]
            text = json.dumps({"violations": why, "rows": dump}, indent=1, ensure_ascii=False)
            (folder / f"case-{case_id}.json").write_text(text)
