"""Customers and operators: they call over HTTP, wait, lose patience and call again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shared.domain.inbound import InboundMessage, readable
from shared.domain.nudge import Nudge, nudge_body
from shared.domain.rows import Channel
from shared.errors import RequestError, RetryableError
from shared.pipeline.intake import Accepted, Arrival
from tests.simulation.crm import VENDOR, event

if TYPE_CHECKING:
    import asyncio

    from shared.bootstrap import Frontdesk
    from tests.simulation.crm import SimulatedCrm
    from tests.simulation.host import Host
    from tests.simulation.scenario import Caller, Crm, Step
    from tests.simulation.watch import Watch
    from tests.simulation.world import Invocation, World

PATIENCE = 100.0
#: Everybody who calls is the same customer; only the desk ``busy`` asks.
CUSTOMER = "ada@example.com"
#: Seconds between tries; the last one is given up for good.
_TRIES = (1.0, 5.0, 20.0, 60.0, 300.0, 900.0, 0.0)
_LOOKS = (2.0, 5.0, 20.0, 60.0, 300.0, 900.0, 0.0)
_VISITS = (900.0, 1800.0, 3600.0, 0.0)
_LONG = 20_000


@dataclass(frozen=True, slots=True)
class Promise:
    """A message that was answered with 202: the product owes it an end."""

    case_id: str
    text: str
    delivery_id: str | None


class People:
    """Everybody outside.

    Attributes:
        promises: What was accepted.
        cancels: The cases whose cancel was accepted.
        decisions: What was decided on which action of which case, as far as it was accepted.
        unheard: Tickets of which a CRM gave up to tell what came.
        digests: Names of those that somebody sent by hand, as far as he learned.
        digests_asked: How often somebody tried to.
        active: How many still have something to do.
    """

    def __init__(self, world: World, watch: Watch, host: Host, crm: SimulatedCrm) -> None:
        self.promises: list[Promise] = []
        self.cancels: set[str] = set()
        self.decisions: list[tuple[str, str, str]] = []
        self.unheard: set[str] = set()
        self.digests: list[str] = []
        self.digests_asked = 0
        self.active = 0
        self._world = world
        self._watch = watch
        self._host = host
        self._crm = crm
        self._kinds: dict[str, Crm] = {}
        self._events = 0

    def arrive(self, number: int, caller: Caller) -> None:
        """A customer comes with all that will be done to his case."""
        opened: asyncio.Future[str] = self._world.loop.create_future()
        text = f"Case {number} [{caller.mood}] my room." + " dirty" * (_LONG * caller.long)
        if caller.crm:
            self._arrive_in_crm(number, caller, text, opened)
            return
        key = f"d{number}" if caller.keyed else None
        self.start(self._open(caller.at, caller, text, key, opened))
        if caller.keyed and caller.twin is not None:
            self.start(self._open(caller.at + caller.twin, caller, text, key, opened))
        if caller.keyed and caller.clash is not None:
            other = f"Clash {number} [{caller.mood}]."
            self.start(self._open(caller.at + caller.clash, caller, other, key, opened))
        for n, step in enumerate(caller.steps):
            name = f"{number}-{n}"
            self.start(self._step(caller.at + step.at, step, name, opened))
            if step.twin is not None:
                self.start(self._step(caller.at + step.at + step.twin, step, name, opened))

    def _arrive_in_crm(
        self, number: int, caller: Caller, text: str, opened: asyncio.Future[str]
    ) -> None:
        """The same, for a customer who writes in a CRM."""
        ticket = f"T{number}"
        self._kinds[ticket] = caller.crm
        self.start(self._write(caller.at, ticket, text, f"m{number}", opened))
        if caller.twin is not None:
            self.start(self._write(caller.at + caller.twin, ticket, text, f"m{number}", opened))
        for n, step in enumerate(caller.steps):
            at, name = caller.at + step.at, f"{number}-{n}"
            if step.act == "follow_up":
                more = f"More {name} [{step.mood}]."
                self.start(self._write(at, ticket, more, f"m{name}", opened))
            else:
                self.start(self._step(at, step, name, opened))

    async def _write(
        self, at: float, ticket: str, text: str, name: str, opened: asyncio.Future[str]
    ) -> None:
        """A customer's message in a ticket, and the webhooks about it."""
        await self._world.wait(at)
        if (name, text) not in self._crm.tickets.get(ticket, []):
            self._crm.write(ticket, name, text)
        opens = self._crm.tickets[ticket][0][0] == name
        if self._kinds[ticket] == "text" or (self._kinds[ticket] == "mixed" and not opens):
            await self._deliver(event(ticket, name, text), opened)
        else:
            self.announce(ticket)
            await self._deliver(event(ticket, f"event-{name}", None), opened)

    def announce(self, ticket: str) -> None:
        """A webhook that says no more than that something is in a ticket."""
        if self._kinds[ticket] != "text":
            self._events += 1
            opened: asyncio.Future[str] = self._world.loop.create_future()
            self.start(self._deliver(event(ticket, f"event-{self._events}", None), opened))

    async def _deliver(self, message: InboundMessage, opened: asyncio.Future[str]) -> None:
        for pause in _TRIES:
            verdict, said = await self.http("webhook", lambda app: _receive(app, message))
            if verdict == "ok":
                # Of a mixed ticket a fetch may have taken it in: the whole ticket is checked.
                if self._kinds[message.ticket_id] == "text":
                    self._promised(said, readable(message.text), message.delivery_id)
                if not opened.done():
                    opened.set_result(said.case_id)
                return
            await self._world.wait(pause)
        self.unheard.add(message.ticket_id)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Lets somebody act."""
        self.active += 1

        async def whole() -> None:
            await work
            self.active -= 1
            self._watch.last_change = self._world.now

        self._world.loop.create_task(whole())

    async def _open(
        self,
        at: float,
        caller: Caller,
        text: str,
        key: str | None,
        opened: asyncio.Future[str],
    ) -> None:
        await self._world.wait(at)
        channel = Channel(reply_address="https://crm.example.com/reply" if caller.reply else None)
        arrival = Arrival(
            text=text, desk=caller.desk, channel=channel, delivery_id=key, customer=CUSTOMER
        )
        for pause in _TRIES if key else (0.0,):
            verdict, said = await self.http("post", lambda app: app.intake.accept(arrival))
            if verdict == "ok":
                self._promised(said, text, key)
                if not opened.done():
                    opened.set_result(said.case_id)
                return
            if verdict == "refused":
                return
            await self._world.wait(pause)

    async def _step(self, at: float, step: Step, name: str, opened: asyncio.Future[str]) -> None:
        await self._world.wait(at)
        if opened.done():
            await self._do(opened.result(), step, name)

    def do(self, case_id: str, step: Step, name: str) -> None:
        """Somebody does something to a case, now, and perhaps again a little later."""
        self.start(self._do(case_id, step, name))
        if step.twin is not None:
            self.start(self._do(case_id, step, name))

    async def _do(self, case_id: str, step: Step, name: str) -> None:
        match step.act:
            case "follow_up":
                await self._follow_up(case_id, step, f"f{name}")
            case "cancel":
                await self._cancel(case_id)
            case "resolve":
                await self._visit(
                    "resolve", lambda app: app.acts.resolve(case_id, "an operator", "called back")
                )
            case "resend":
                await self._visit(
                    "replay",
                    lambda app: app.acts.replay(case_id, "an operator", "again", (), step.names),
                )
            case "poison":
                nudge = Nudge(case_id, 1, step.names[0])
                self._host.put(f"{nudge.queue}-poison", nudge_body(nudge).encode())
            case "digest":
                await self._visit("digest", self._digest)
            case "approve" | "reject":
                await self._decide(case_id, step.names[0], step.act)
            case "replay" | "rerun":
                await self._visit(
                    "replay",
                    lambda app: app.acts.replay(case_id, "an operator", "again", step.names),
                )

    async def _follow_up(self, case_id: str, step: Step, key: str) -> None:
        text = f"More {key} [{step.mood}]."
        for pause in _TRIES:
            verdict, said = await self.http(
                "follow-up", lambda app: app.intake.follow_up(case_id, text, key)
            )
            if verdict == "ok":
                self._promised(said, text, key)
            if verdict in ("ok", "refused"):
                return
            await self._world.wait(pause)

    async def _cancel(self, case_id: str) -> None:
        for pause in _TRIES:
            verdict, _ = await self.http(
                "cancel", lambda app: app.acts.cancel(case_id, "an operator", "a duplicate")
            )
            if verdict == "ok":
                self.cancels.add(case_id)
            if verdict in ("ok", "refused"):
                return
            await self._world.wait(pause)

    async def _decide(self, case_id: str, action: str, act: Literal["approve", "reject"]) -> None:
        for pause in _LOOKS:
            verdict, said = await self.http(
                act, lambda app: app.acts.decide(case_id, action, act, "a boss", "because")
            )
            if verdict == "ok":
                self.decisions.append((case_id, said.id, act))
                return
            await self._world.wait(pause)

    async def _digest(self, app: Frontdesk) -> None:
        desk = app.desks.get("hotel")
        assert desk is not None
        self.digests_asked += 1
        self.digests.append(await app.digests.send_now(desk))

    async def _visit(self, what: str, act: Callable[[Frontdesk], Coroutine[Any, Any, Any]]) -> None:
        for pause in _VISITS:
            verdict, _ = await self.http(what, act)
            if verdict == "ok":
                return
            await self._world.wait(pause)

    def _promised(self, said: Accepted, text: str, key: str | None) -> None:
        self.promises.append(Promise(said.case_id, text, key))

    async def http(
        self, what: str, work: Callable[[Frontdesk], Coroutine[Any, Any, Any]]
    ) -> tuple[str, Any]:
        """One request: ``ok``, ``refused`` with 4xx, or ``failed`` for all else."""
        world = self._world
        process = world.a_process()
        while process is None:
            await world.wait(5.0)
            process = world.a_process()
        answer: asyncio.Future[tuple[str, Any]] = world.loop.create_future()
        app = process.app

        def say(verdict: str, said: Any = None) -> None:
            if not answer.done():
                answer.set_result((verdict, said))

        async def serve(_: Invocation) -> None:
            try:
                said = await work(app)
            except RequestError as error:
                say("refused", error)
            except RetryableError:
                say("failed")
            except Exception as error:  # noqa: BLE001
                self._watch.findings.add(f"{what} raised {error!r}")
                say("failed")
            else:
                say("ok", said)

        world.begin(what, process, serve).when_dead = lambda: say("failed")
        world.later(PATIENCE, say, "failed")
        return await answer


async def _receive(app: Frontdesk, message: InboundMessage) -> Accepted:
    desk = app.desks.get("hotel")
    assert desk is not None
    return await app.intake.receive(desk, VENDOR, message)
