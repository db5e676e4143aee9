"""The customers of a chaos run: they write through whichever host answers until one accepts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from tests.chaos.evidence import Promise, token
from tests.chaos.tickets import Tickets
from tests.chaos.wire import Wire

_DESKS = ("hotel", "restaurant", "bank", "garage", "garage")
_TEXTS = (
    "My room is dirty and nobody came.",
    "Thank you for the lovely stay!",
    "There is a smell of gas in the hallway.",
    "I was charged twice and want my money back.",
    "At what time do you open tomorrow?",
    "The food was cold and the waiter was rude.",
)
#: Over 16 KiB: such a text is kept in a blob.
_LONG = " It goes on and on." * 1000
_REDELIVERED = 0.05
_FOLLOWED_UP = 0.12
_CANCELLED = 0.05
#: Share of those who write in a CRM.
_IN_CRM = 0.4


class Customers:
    """Opens cases, writes again, cancels, and remembers what was promised.

    Args:
        seed: Of who does what.
        wire: To the hosts.
        tickets: The CRMs that some of them write in.
        reply_address: Where replies go.

    Attributes:
        promises: Messages that were answered with 202.
        cancelled: Cases whose cancel was answered with 202.
        unanswered: Cases with an act that was refused after an attempt whose answer was lost.
        redelivered: Messages that were delivered a second time after their 202.
        troubles: Answers that should not have been given.
    """

    def __init__(self, seed: int, wire: Wire, tickets: Tickets, reply_address: str) -> None:
        self.promises: list[Promise] = []
        self.cancelled: set[str] = set()
        self.unanswered: set[str] = set()
        self.redelivered = 0
        self.troubles: list[str] = []
        self._seed = seed
        self._wire = wire
        self._tickets = tickets
        self._reply_address = reply_address
        self._later: set[asyncio.Task[None]] = set()

    @property
    def case_ids(self) -> set[str]:
        """The cases that were opened so far; of CRMs those that their answers name."""
        return {promise.case_id for promise in self.promises} | self._tickets.case_ids

    @property
    def served(self) -> int:
        """How many customers have had an answer."""
        return len({promise.case_id for promise in self.promises}) + self._tickets.opened

    async def come(self, count: int, admit: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        """Lets this many customers come and waits until the last has said everything.

        Args:
            count: How many.
            admit: Waits until the customer of this number may come.
        """
        for number in range(1, count + 1):
            await admit(number)
            self._spawn(self._visit(number))
        while self._later:
            await asyncio.wait(self._later)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._later.discard(task)
        if not task.cancelled() and task.exception():
            self.troubles.append(f"a customer failed: {task.exception()!r}")

    async def _visit(self, number: int) -> None:
        dice = Random(f"{self._seed} customer {number}")
        if dice.random() < _IN_CRM:
            await self._tickets.visit(number)
            return
        text = f"{token(number, 1)} {dice.choice(_TEXTS)}"
        if dice.random() < 0.03:
            text += _LONG
        body: dict[str, Any] = {"customer_query": text, "desk": dice.choice(_DESKS)}
        if dice.random() < 0.8:
            body["channel"] = {"source": "crm", "reply_address": self._reply_address}
        case_id = await self._deliver(number, "/api/cases", body, dice)
        what = dice.random()
        if what < _FOLLOWED_UP:
            for turn in range(2, dice.choice((3, 3, 4))):
                await asyncio.sleep(dice.uniform(0.0, 6.0))
                again = {"customer_query": f"{token(number, turn)} {dice.choice(_TEXTS)}"}
                await self._deliver(number, f"/api/cases/{case_id}/messages", again, dice)
        elif what < _FOLLOWED_UP + _CANCELLED:
            await asyncio.sleep(dice.uniform(0.0, 2.0))
            act = {"by": "customer", "reason": "changed my mind"}
            answer = await self._wire.post(f"/api/cases/{case_id}/cancel", act, dice)
            if answer.status == 202:
                self.cancelled.add(case_id)
            elif answer.status == 409 and answer.lost:
                self.unanswered.add(case_id)
            elif answer.status != 409:
                self.troubles.append(f"cancel of {case_id} was answered with {answer.status}")

    async def _deliver(self, number: int, path: str, body: dict[str, Any], dice: Random) -> str:
        """Sends a message until it is accepted, and sometimes once more. Returns the case's id."""
        text = str(body["customer_query"])
        delivery_id = text.partition("]")[0]
        answer = await self._wire.post(path, body, dice, delivery_id)
        if answer.status != 202:
            raise RuntimeError(f"{path} was answered with {answer.status}: {answer.body!r}")
        case_id = str(answer.json["case_id"])
        self.promises.append(Promise(number, case_id, delivery_id, text))
        if dice.random() < _REDELIVERED:
            self._spawn(self._redeliver(path, body, delivery_id, case_id, dice.random()))
        return case_id

    async def _redeliver(
        self, path: str, body: dict[str, Any], delivery_id: str, case_id: str, luck: float
    ) -> None:
        await asyncio.sleep(4 * luck)
        self.redelivered += 1
        answer = await self._wire.post(path, body, Random(luck), delivery_id)
        if answer.status != 202 or answer.json["case_id"] != case_id:
            said = f"{answer.status}: {answer.body!r}"
            self.troubles.append(f"{case_id} delivered again was answered with {said}")
