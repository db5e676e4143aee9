"""The Functions host as far as the protocol can feel it: queues, poison queues, the timer.

Rules: a received message is hidden for ten minutes, and longer while its worker lives; success
deletes it, failure shows it again after ``visibilityTimeout``; the fifth failure copies it to the
poison queue and then deletes it; a poison queue has no poison queue of its own. The timer does not
overlap with itself. Limits are those of host.json.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.domain.nudge import EFFECTS_QUEUE, Nudge, parse_nudge, queue_name
from shared.errors import RetryableError
from shared.pipeline.fetching import STAGE as FETCH
from tests.simulation.model import ModelBug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.bootstrap import Frontdesk
    from shared.ports import StageAgent
    from tests.simulation.watch import Watch
    from tests.simulation.world import Invocation, World

HIDDEN = 600.0
SHOWN_AGAIN = 45.0
MOST_DELIVERIES = 5
SWEEP_EVERY = 60.0
DIGESTS_EVERY = 900.0


class Message:
    """A queue message.

    Attributes:
        receipt: Changes at each delivery, as a pop receipt does.
    """

    __slots__ = ("body", "deliveries", "queue", "receipt", "visible_at", "worker")

    def __init__(self, queue: str, body: bytes, visible_at: float) -> None:
        self.queue = queue
        self.body = body
        self.visible_at = visible_at
        self.deliveries = 0
        self.receipt = 0
        self.worker: Invocation | None = None


class Timer:
    """Rings in some process, unless what it began before is still under way there.

    Attributes:
        ring_if_needed: Replaced by whoever knows when the schedule is over.
    """

    def __init__(self, world: World, every: float, begin: Callable[[Any], Invocation]) -> None:
        self.ring_if_needed: Callable[[], None] = self.ring
        self._world = world
        self._every = every
        self._begin = begin
        self._begun: Invocation | None = None

    def ring(self) -> None:
        """Rings, and sets itself again."""
        self._world.later(self._every, self.ring_if_needed)
        busy = self._begun is not None and not self._begun.over
        if busy and self._begun is not None and not _stands_still(self._begun):
            return
        process = self._world.a_process()
        if process is not None:
            self._begun = self._begin(process)


class Host:
    """Delivers messages and rings the timers.

    Attributes:
        messages: All that are in queues, hidden ones too.
        early_acknowledge: A mutant: messages are deleted before they are worked on.
        undigested: Whether the latest ring for digests left windows for the next one.
    """

    def __init__(self, world: World, watch: Watch, agents: Mapping[str, StageAgent]) -> None:
        self.messages: dict[Message, None] = {}
        self.early_acknowledge = False
        self.swept = 0
        self.undigested = False
        self.sweeps = Timer(world, SWEEP_EVERY, self.sweep)
        self.digests = Timer(world, DIGESTS_EVERY, self.digest)
        self._world = world
        self._watch = watch
        self._stages = {f"stage-{name.replace('_', '-')}": agent for name, agent in agents.items()}

    def put(self, queue: str, body: bytes, delay: float = 0.0) -> None:
        """Adds a message."""
        message = Message(queue, body, self._world.now + delay)
        self.messages[message] = None
        self._show(message, delay + self._world.random.uniform(0.01, 1.0))

    def deliver(self, message: Message, receipt: int) -> None:
        """Delivers a message, if it is still there and was not delivered meanwhile."""
        if message not in self.messages or message.receipt != receipt or self._world.by_hand:
            return
        worker = message.worker
        if worker is not None and not worker.over and not _stands_still(worker):
            self._show(message, HIDDEN)
            return
        process = self._world.a_process()
        if process is None:
            self._show(message, 5.0)
            return
        self.start(message, process)

    def start(self, message: Message, process: Any) -> Invocation:
        """Hands a message to a process."""
        message.deliveries += 1
        message.receipt += 1
        receipt = message.receipt
        self._show(message, HIDDEN)
        what = f"{message.queue}/{_about(message.body)}"

        async def work(invocation: Invocation) -> None:
            await self._receive(message, receipt, process.app, invocation)

        message.worker = self._world.begin(what, process, work, message)
        return message.worker

    def sweep(self, process: Any) -> Invocation:
        """Runs one sweep in a process."""

        async def work(_: Invocation) -> None:
            try:
                counts = await process.app.sweeper.sweep()
            except RetryableError:
                return
            except Exception as error:  # noqa: BLE001
                self._watch.findings.add(f"the sweep raised {error!r}")
                return
            self.swept += counts["nudged"] + counts["parked"]

        return self._world.begin("sweep", process, work)

    def digest(self, process: Any) -> Invocation:
        """Sends what digests are due, in a process."""
        self.undigested = True

        async def work(_: Invocation) -> None:
            try:
                counts = await process.app.digests.send_due()
            except RetryableError:
                return
            except Exception as error:  # noqa: BLE001
                self._watch.findings.add(f"the digests' timer raised {error!r}")
                return
            self.undigested = bool(counts["postponed"])

        return self._world.begin("digests", process, work)

    def _show(self, message: Message, delay: float) -> None:
        message.visible_at = self._world.now + delay
        self._world.later(delay, self.deliver, message, message.receipt)

    async def _receive(
        self, message: Message, receipt: int, app: Frontdesk, invocation: Invocation
    ) -> None:
        try:
            await self._world.call("host.receive", "", lambda: None)
        except RetryableError:
            return  # delivered to nobody, and hidden all the same
        if self.early_acknowledge:
            self._delete(message, receipt)
        if message.deliveries > MOST_DELIVERIES and not message.queue.endswith("-poison"):
            await self._poison(message, receipt)
            return
        try:
            await self._handle(app, message)
        except (RetryableError, ModelBug):
            await self._failed(message, receipt)
        except Exception as error:  # noqa: BLE001
            self._watch.findings.add(f"{invocation.key} raised {error!r}")
            await self._failed(message, receipt)
        else:
            await self._done(message, receipt)

    async def _handle(self, app: Frontdesk, message: Message) -> None:
        """What entrypoints/stages.py does."""
        try:
            nudge = parse_nudge(message.body)
        except ValueError as error:
            await app.ward.keep(message.queue, message.body, str(error))
            return
        if await self._route(app, message.queue, nudge) == "unknown":
            await app.ward.keep(message.queue, message.body, "names nothing")

    def _route(self, app: Frontdesk, queue: str, nudge: Nudge) -> Coroutine[Any, Any, str]:
        name = queue.removesuffix("-poison")
        poisoned = name != queue
        if name == EFFECTS_QUEUE:
            return app.effects.poisoned(nudge) if poisoned else app.effects.run(nudge)
        if poisoned:
            return app.parking.poisoned(nudge)
        if queue == queue_name(FETCH):
            return app.runner.run(app.fetching, nudge)
        return app.runner.run(self._stages[queue], nudge)

    async def _failed(self, message: Message, receipt: int) -> None:
        if message.queue.endswith("-poison"):
            return  # it stays hidden for its ten minutes
        if message.deliveries >= MOST_DELIVERIES:
            await self._poison(message, receipt)
        elif message.receipt == receipt:
            self._show(message, SHOWN_AGAIN)

    async def _poison(self, message: Message, receipt: int) -> None:
        poison = f"{message.queue}-poison"
        with suppress(RetryableError):  # it shows again when its ten minutes are over
            await self._world.call(
                "host.poison", message.queue, lambda: self.put(poison, message.body)
            )
            await self._done(message, receipt)

    async def _done(self, message: Message, receipt: int) -> None:
        with suppress(RetryableError):  # as above
            await self._world.call("host.delete", "", lambda: self._delete(message, receipt))

    def _delete(self, message: Message, receipt: int) -> None:
        if message.receipt == receipt:
            self.messages.pop(message, None)


def _stands_still(invocation: Invocation) -> bool:
    """A frozen worker renews nothing."""
    return any(
        call.fault is not None and call.fault.kind.startswith("pause")
        for call in invocation.standing
    )


def _about(body: bytes) -> str:
    try:
        nudge = parse_nudge(body)
    except ValueError:
        return "garbage"
    return f"{nudge.case_id[:8]}/{nudge.turn}{nudge.effect and '/' + nudge.effect}"
