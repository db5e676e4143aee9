"""Takes in what CRMs send and what polls find: verified first, then read, stored and queued.

A delivery of many events is kept whole and answered; a queue message then takes its events in. The
row of such a batch is the truth, and its queue message a hint that a sweep sends again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter

from shared.domain.desk import Desk, Desks
from shared.domain.inbound import Acknowledgement, Delivery, InboundMessage
from shared.domain.masking import mask
from shared.domain.nudge import Nudge
from shared.errors import FrontdeskError, PermanentError, RequestError, UnverifiedError
from shared.pipeline.advance import Advancer
from shared.pipeline.intake import Intake
from shared.pipeline.sweeper import turn_comes
from shared.ports import Clock, Texts
from shared.ports.crm import Batch, Connectors, Inbox
from shared.telemetry import logger

#: The stage's name in the nudge of a batch, which is no case.
UNPACK = "unpack"
#: Messages that are taken in before the answer; one takes about six calls of the storage.
_BEFORE_THE_ANSWER = 5
#: Tickets whose messages are taken in side by side.
_AT_ONCE = 8
_GRACE = timedelta(seconds=20)
_WAITING = 200
_MESSAGES = TypeAdapter(list[InboundMessage])
_log = logger("webhooks")


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery.

    Attributes:
        acknowledgement: What the vendor wants to hear.
        cases: The cases that its messages went to, in their order; none for a batch.
        counts: Messages by ``accepted``, ``redelivered``, ``later``, ``echo``, ``ignored``.
    """

    acknowledgement: Acknowledgement
    cases: tuple[str, ...]
    counts: Counter[str]


class Reception:
    """The one way in for everything that a CRM sends, or that a poll finds in it."""

    def __init__(
        self,
        intake: Intake,
        connectors: Connectors,
        inbox: Inbox,
        texts: Texts,
        advancer: Advancer,
        desks: Desks,
        clock: Clock,
    ) -> None:
        self._intake = intake
        self._connectors = connectors
        self._inbox = inbox
        self._texts = texts
        self._advancer = advancer
        self._desks = desks
        self._clock = clock

    async def take(self, desk_name: str, vendor: str, delivery: Delivery) -> Received:
        """Takes one delivery in.

        Raises:
            RequestError: 404 nothing is configured here, 401 not verified, 400 not readable.
            RetryableError: Storage is down; whatever is missing comes with the next delivery.
        """
        desk = self._desks.get(desk_name)
        connector = self._connectors.get(desk_name, vendor) if desk else None
        if desk is None or connector is None:
            raise RequestError(404, "No such webhook", "This desk has no secret for this vendor.")
        where = {"desk": desk_name, "vendor": vendor}
        try:
            connector.verify(delivery, self._clock.now())
        except UnverifiedError as error:
            _log.warning("webhook refused", extra={**where, "reason": error.reason})
            raise RequestError(401, "Not verified", "The signature is missing or wrong.") from None
        try:
            messages = connector.read(delivery)
        except RequestError as error:
            _log.warning("webhook not readable", extra={**where, "reason": error.detail})
            raise
        theirs = [message for message in messages if message.from_customer]
        counts = Counter(message.kind for message in messages if not message.from_customer)
        received = Received(connector.acknowledgement(delivery), (), Counter(counts))
        if len(theirs) > _BEFORE_THE_ANSWER:
            await self._put_off(desk_name, vendor, delivery, theirs)
            received.counts["later"] += len(theirs)
        else:
            cases, taken = await self.feed(desk, vendor, theirs)
            received = Received(received.acknowledgement, cases, received.counts + taken)
        ignored = Counter(m.event[:80] for m in messages if not m.from_customer)
        _log.info(
            "webhook taken in",
            extra={**where, "counts": dict(received.counts), "ignored": dict(ignored)},
        )
        return received

    async def feed(
        self, desk: Desk, vendor: str, messages: Sequence[InboundMessage]
    ) -> tuple[tuple[str, ...], Counter[str]]:
        """Takes customers' messages in: each ticket's in their order, tickets side by side.

        Returns:
            The cases that they went to, in the order of the messages, and what became of them.

        Raises:
            RetryableError: Storage is down. All others were taken in; again, they change nothing.
        """
        tickets: dict[str, list[int]] = {}
        for number, message in enumerate(messages):
            tickets.setdefault(message.ticket_id, []).append(number)
        cases: dict[int, str] = {}
        counts: Counter[str] = Counter()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def take(numbers: list[int]) -> None:
            async with gate:
                for number in numbers:
                    accepted = await self._intake.receive(desk, vendor, messages[number])
                    cases[number] = accepted.case_id
                    counts["redelivered" if accepted.redelivered else "accepted"] += 1

        # Not a TaskGroup: one ticket that cannot be taken in must not stop the others.
        for result in await asyncio.gather(*map(take, tickets.values()), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        return tuple(cases[number] for number in sorted(cases)), counts

    async def unpack(self, batch_id: str) -> str:
        """Takes the events of a batch in; done before, it rests.

        Raises:
            FrontdeskError: Some are missing. The host delivers the message again, and after it a
                sweep.
        """
        batch = await self._inbox.get(batch_id)
        if batch is None:
            return "rested"
        desk = self._desks.get(batch.desk)
        if desk is None:
            # Its events are in the CRM, and nobody here is for them any more.
            await self._texts.delete(_blob(batch_id))
            await self._inbox.done(batch_id)
            return "unknown"
        where = {"desk": batch.desk, "vendor": batch.vendor}
        try:
            messages = _MESSAGES.validate_json(await self._texts.get(_blob(batch_id)))
        except PermanentError:
            # Deleted below: the same events were taken in, before a crash or for an equal delivery.
            _log.warning("batch without its text", extra={**where, "batch": batch_id})
            await self._inbox.done(batch_id)
            return "rested"
        _, counts = await self.feed(desk, batch.vendor, messages)
        # First the customers' words: what is left behind by a crash is a row without them.
        await self._texts.delete(_blob(batch_id))
        await self._inbox.done(batch_id)
        _log.info("batch taken in", extra={**where, "counts": dict(counts)})
        return "finished"

    async def sweep(self) -> int:
        """Sends the nudges of batches again that have waited too long; says how many."""
        overdue = self._clock.now() - _GRACE
        waiting = await self._inbox.waiting(_WAITING)
        late = [b for b in waiting if b.at <= overdue and turn_comes(b.at, overdue)]
        for batch in late:
            await self._advancer.nudge(Nudge(batch.id, 1, UNPACK))
        return len(late)

    async def poll(self) -> Counter[str]:
        """Looks once into every CRM whose webhooks get lost, and takes in what is missing.

        Returns:
            Counts of ``accepted``, ``redelivered`` and ``failed`` polls.
        """
        counts: Counter[str] = Counter()
        for desk, vendor in self._connectors.polled():
            try:
                counts += await self._poll(desk, vendor)
            except FrontdeskError as error:
                # The mark stays where it is: the next poll looks at the same time again.
                counts["failed"] += 1
                where = {"desk": desk, "vendor": vendor}
                _log.warning("poll failed", extra={**where, "problem": str(error)})
        return counts

    async def _poll(self, desk_name: str, vendor: str) -> Counter[str]:
        desk, connector = self._desks.get(desk_name), self._connectors.get(desk_name, vendor)
        if desk is None or connector is None:
            return Counter()
        name = f"{desk_name} {vendor}"
        changes = await connector.changed_since(await self._inbox.mark(name), self._clock.now())
        _, counts = await self.feed(desk, vendor, changes.messages)
        await self._inbox.set_mark(name, changes.mark)
        return counts

    async def _put_off(
        self, desk: str, vendor: str, delivery: Delivery, messages: Sequence[InboundMessage]
    ) -> None:
        digest = hashlib.sha256(json.dumps([desk, vendor]).encode() + delivery.body).hexdigest()
        masked = [m.model_copy(update={"text": mask(m.text).text}) for m in messages]
        await self._texts.put(_blob(digest), _MESSAGES.dump_json(masked).decode(errors="replace"))
        await self._inbox.put(Batch(digest, desk, vendor, self._clock.now()))
        await self._advancer.nudge(Nudge(digest, 1, UNPACK))


def _blob(batch_id: str) -> str:
    return f"webhooks/{batch_id}"
