"""The simulated world: virtual time, processes that die, and a fault at any call of a port.

Nothing here knows the protocol. The product's own code runs in tasks on a hand-turned loop; each
call of a port stops its task and becomes two events, its effect and its answer, between which
anything else may happen.
"""

from __future__ import annotations

import asyncio
import asyncio.events
import heapq
import math
import zlib
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from shared.errors import ConflictError, RetryableError, UncertainError
from tests.simulation.hand_loop import HandLoop

if TYPE_CHECKING:
    from shared.bootstrap import Frontdesk
    from tests.simulation.faults import Fault, Plan
    from tests.simulation.host import Message
    from tests.simulation.scenario import Outage

#: Ten minutes before a day ends by UTC, so that schedules go over midnight.
START = datetime(2025, 12, 31, 23, 50, tzinfo=UTC)
T = TypeVar("T")
#: What a port of the model or of a sink does of its own when a fault of that kind is ordered.
Troubles = Mapping[str, Callable[["Fault"], Any]]

_invocation: ContextVar[Invocation] = ContextVar("invocation")


class Process:
    """One worker process with a clock of its own. When it dies, all its invocations do.

    Attributes:
        forgets: Called when it dies, to lose what was only in its memory.
    """

    def __init__(self, world: World, number: int, skew: float) -> None:
        self.number = number
        self.skew = skew
        self.down_until = 0.0
        self.running: list[Invocation] = []
        self.app: Frontdesk
        self.forgets: list[Callable[[], None]] = []
        self._world = world

    def now(self) -> datetime:
        """The time as this process's clock shows it: the port ``Clock``."""
        return START + timedelta(seconds=self._world.now + self.skew)


class Invocation:
    """One run of a function.

    Attributes:
        key: What it does and the how manieth time; stable when other things change.
        message: The queue message that it handles; None for HTTP calls and timers.
        slowed: Seconds that faults made it stand still since it began.
        reads: When it last read each case.
        in_flight: Calls without effect yet.
        standing: Calls without answer yet.
    """

    def __init__(self, key: str, process: Process, random: Random, message: Message | None) -> None:
        self.key = key
        self.process = process
        self.random = random
        self.message = message
        self.tasks: list[asyncio.Task[Any]] = []
        self.calls = 0
        self.slowed = 0.0
        self.over = False
        self.reads: dict[str, float] = {}
        self.in_flight: dict[Call, None] = {}
        self.standing: dict[Call, None] = {}
        self.when_dead: Callable[[], None] | None = None


class Call:
    """One call of a port, from request to answer."""

    __slots__ = (
        "about", "act", "at", "fault", "future", "invocation", "key", "lands", "name", "patience",
        "troubles",
    )  # fmt: skip

    def __init__(
        self,
        invocation: Invocation,
        name: str,
        about: str,
        act: Callable[[], Any],
        troubles: Troubles,
        patience: float,
    ) -> None:
        invocation.calls += 1
        self.invocation = invocation
        self.name = name
        self.about = about
        self.act = act
        self.troubles = troubles
        self.patience = patience
        self.key = f"{invocation.key}.{invocation.calls}"
        self.fault: Fault | None = None
        self.future: asyncio.Future[Any]
        self.at = 0.0
        self.lands = True


class World:
    """Time, processes and calls.

    Args:
        seed: Of all that is random but the faults.
        plan: Decides what goes wrong.
        record: Keep a readable history.
        by_hand: Calls wait in ``waiting`` until somebody lets them go on.
    """

    def __init__(
        self, seed: int, plan: Plan, *, record: bool = False, by_hand: bool = False
    ) -> None:
        self.now = 0.0
        self.seed = seed
        self.plan = plan
        self.random = Random(seed)
        self.processes: list[Process] = []
        self.history: list[str] | None = [] if record else None
        self.by_hand = by_hand
        self.waiting: list[Call] = []
        self.outages: tuple[Outage, ...] = ()
        self.port_calls = self.crashes = self.faults = 0
        self.busy = 0
        self.loop = HandLoop(lambda: self.now, self.later, _adopt)  # type: ignore[abstract]
        self.calls_seen: list[tuple[str, str]] | None = None
        self._events: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._serial = 0
        self._numbers: dict[str, int] = {}

    def later(self, delay: float, act: Callable[..., object], *args: Any) -> None:
        """Calls back after ``delay`` virtual seconds."""
        self._serial += 1
        heapq.heappush(self._events, (self.now + delay, self._serial, act, args))

    def run(self, until: float) -> bool:
        """Lets time pass until nothing is left to happen, which is True, or it is ``until``."""
        before = asyncio.events._get_running_loop()
        asyncio.events._set_running_loop(self.loop)
        try:
            self.loop.turn()
            while self._events and self._events[0][0] <= until:
                self.now, _, act, args = heapq.heappop(self._events)
                act(*args)
                self.loop.turn()
        finally:
            asyncio.events._set_running_loop(before)
        if self._events:
            self.now = max(self.now, until)
        return not self._events

    def begin(
        self,
        what: str,
        process: Process,
        work: Callable[[Invocation], Coroutine[Any, Any, Any]],
        message: Message | None = None,
    ) -> Invocation:
        """Starts one run of a function in a process."""
        number = self._numbers[what] = self._numbers.get(what, 0) + 1
        key = f"{what}#{number}"
        random = Random(self.seed << 32 | zlib.crc32(key.encode()))
        invocation = Invocation(key, process, random, message)
        process.running.append(invocation)
        context = copy_context()
        context.run(_invocation.set, invocation)
        task = self.loop.create_task(work(invocation), context=context)
        self.busy += 1
        task.add_done_callback(lambda _: self._end(invocation))
        return invocation

    def wait(self, seconds: float) -> asyncio.Future[None]:
        """For people, who wait without any port."""
        future: asyncio.Future[None] = self.loop.create_future()
        self.later(seconds, future.set_result, None)
        return future

    def a_process(self) -> Process | None:
        """Some process that is up."""
        up = [process for process in self.processes if process.down_until <= self.now]
        return self.random.choice(up) if up else None

    async def call(
        self,
        name: str,
        about: str,
        act: Callable[[], T],
        troubles: Troubles | None = None,
        patience: float = math.inf,
    ) -> T:
        """One call of a port: the product waits here.

        Args:
            act: Has the effect, at one instant, and returns the answer.
            troubles: What it does instead under faults of its own.
            patience: Longest pause, in seconds, that may come before the effect.
        """
        call = Call(_invocation.get(), name, about, act, troubles or {}, patience)
        call.at = self.now
        call.future = self.loop.create_future()
        call.invocation.in_flight[call] = call.invocation.standing[call] = None
        self.port_calls += 1
        if self.calls_seen is not None:
            self.calls_seen.append((call.key, name))
        if self.by_hand:
            self.waiting.append(call)
        else:
            self.let_go(call, self.plan.pick(call) or self._outage(call))
        answer: T = await call.future
        return answer

    def current(self) -> Invocation:
        """The invocation that runs now."""
        return _invocation.get()

    def let_go(self, call: Call, fault: Fault | None) -> None:
        """Lets a call have its effect and its answer, with this fault."""
        before, after = _latency(call)
        call.fault = fault
        if fault is not None:
            self.faults += 1
            if fault.kind == "pause_before":
                before += min(fault.seconds, call.patience)
                call.lands = False
            elif fault.kind in ("pause_after", "slow"):
                after += fault.seconds
            if fault.kind.startswith("pause"):
                call.invocation.slowed += fault.seconds
            elif fault.kind == "timeout":
                after = 60.0
        self.later(before, self._effect, call, after)

    def kill(self, process: Process) -> None:
        """The process dies with all that it was doing; requests on the wire may still arrive."""
        self.crashes += 1
        self.note(f"process {process.number} dies")
        process.down_until = self.now + process.running[0].random.choice((0.0, 2.0, 15.0))
        dead, process.running = process.running, []
        for invocation in dead:
            invocation.over = True
            self.busy -= 1
            for call in invocation.in_flight:
                call.lands = call.lands and invocation.random.random() < 0.5
            self.loop.drop(invocation.tasks)
            if invocation.when_dead:
                invocation.when_dead()
        for forget in process.forgets:
            forget()

    def note(self, line: str) -> None:
        """Writes a line of history, when one is kept."""
        if self.history is not None:
            self.history.append(f"{self.now:10.3f}  {line}")

    def _outage(self, call: Call) -> Fault | None:
        for outage in self.outages:
            if outage.start <= self.now < outage.end and call.name.startswith(outage.ports):
                return outage.fault
        return None

    def _effect(self, call: Call, after: float) -> None:
        invocation, fault = call.invocation, call.fault
        kind = fault.kind if fault else ""
        dead = invocation.over
        if dead and not call.lands:
            return
        invocation.in_flight.pop(call, None)
        if not dead and self.history is not None:
            self._note_call(call, kind)
        if kind == "crash_before" and not dead:
            call.lands = False
            self.kill(invocation.process)
            return
        answer: Any = None
        error: Exception | None = None
        if kind == "error":
            error = RetryableError("simulated", detail=call.name)
        else:
            try:
                trouble = call.troubles.get(kind)
                answer = trouble(fault) if trouble and fault else call.act()
            except Exception as raised:  # noqa: BLE001
                error = raised
            if kind in ("lost", "conflict"):
                error = _lost(call.name, kind)
        if dead:
            return
        if kind == "crash_after":
            self.kill(invocation.process)
            return
        self.later(after, self._answer, call, answer, error)

    def _answer(self, call: Call, answer: Any, error: Exception | None) -> None:
        if call.invocation.over or call.future.done():
            return
        call.invocation.standing.pop(call, None)
        if error is not None:
            call.future.set_exception(error)
        else:
            call.future.set_result(answer)

    def _end(self, invocation: Invocation) -> None:
        if not invocation.over:
            invocation.over = True
            self.busy -= 1
            invocation.process.running.remove(invocation)

    def _note_call(self, call: Call, kind: str) -> None:
        invocation = call.invocation
        fault = f"  <== {call.fault}" if kind else ""
        who = f"p{invocation.process.number} {call.key}"
        self.note(f"{who:34} {call.name:15} {call.about}{fault}")


def instantly(work: Coroutine[Any, Any, T]) -> T:
    """What a memory twin's method returns; none of them ever waits."""
    try:
        work.send(None)
    except StopIteration as end:
        answer: T = end.value
        return answer
    raise AssertionError("a memory twin gave up control")


def _adopt(task: asyncio.Task[Any]) -> None:
    """Tasks that the product starts itself die with the process too."""
    invocation = _invocation.get(None)
    if invocation is not None:
        invocation.tasks.append(task)


def _lost(name: str, kind: str) -> Exception:
    if kind == "conflict":
        return ConflictError("simulated: our own write was there first")
    if name == "sink.send":
        return UncertainError("answer_lost", "simulated")
    if name == "tickets.create":
        return UncertainError("answer_lost", "simulated", 60.0)
    return RetryableError("simulated", detail=f"{name}, answer lost")


def _latency(call: Call) -> tuple[float, float]:
    """Seconds until the effect and from there to the answer."""
    random = call.invocation.random
    if call.name == "model.complete":
        return 0.02, random.uniform(0.3, 6.0)
    if call.name in ("sink.send", "tickets.create"):
        return random.uniform(0.01, 1.0), random.uniform(0.01, 3.0)
    slow = 1.0 if random.random() < 0.02 else 0.015
    return random.uniform(0.001, slow), random.uniform(0.001, slow)
