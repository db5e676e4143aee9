"""Takes a customer's message in: masked, stored, then queued, and only then accepted."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.domain.case import IndexEntry
from shared.domain.desk import Desk, Desks
from shared.domain.inbound import MAX_BYTES, InboundMessage, readable
from shared.domain.masking import mask
from shared.domain.partition import Partition
from shared.domain.progress import Stored
from shared.domain.rows import Channel, MessageRow, ReceivedRow
from shared.domain.stage import PlannedStage
from shared.errors import RequestError, RetryableError
from shared.pipeline.advance import Advancer
from shared.pipeline.fetching import STAGE as FETCH
from shared.pipeline.fetching import behind_fetch
from shared.pipeline.repeats import Repeats
from shared.pipeline.words import keep
from shared.pipeline.writing import write
from shared.ports import CaseStore, Clock, Texts

#: Keeps a case's partition within one page of a table query (1,000 rows).
MAX_TURNS = 100
_TRIES = 5
#: Cases of one ticket: when one is cancelled or full, the ticket's next message opens another.
_CASES_OF_A_TICKET = 20
#: Index keys count milliseconds: a mark of nearly the same time may be the other delivery's too.
_OWN_MARK = timedelta(milliseconds=2)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A customer's message as an entry point received it.

    Attributes:
        desk: A desk's name, or None with a free-text scene.
        scene: Free text that sets the scene, or None with a desk.
        delivery_id: What the sender calls this delivery; the same id is the same case. None for
            senders that never deliver twice.
        customer: Who writes: a mail address, or what the channel's source calls him. It is kept as
            a keyed hash, and only where the desk asks for repeat customers.
    """

    text: str
    desk: str | None = None
    scene: str | None = None
    channel: Channel = field(default_factory=Channel)
    delivery_id: str | None = None
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an arrival.

    Attributes:
        redelivered: True when the same delivery had been accepted before.
    """

    case_id: str
    redelivered: bool


class Intake:
    """Accepts messages. After ``accept`` returns, the case reaches an end or a person."""

    def __init__(
        self,
        store: CaseStore,
        advancer: Advancer,
        texts: Texts,
        desks: Desks,
        clock: Clock,
        secret: bytes,
        plan: Sequence[PlannedStage],
        repeats: Repeats,
    ) -> None:
        self._store = store
        self._advancer = advancer
        self._texts = texts
        self._desks = desks
        self._clock = clock
        self._secret = secret
        self._plan = tuple(plan)
        self._repeats = repeats

    async def accept(self, arrival: Arrival) -> Accepted:
        """Stores a new case and queues its first stages.

        Raises:
            RequestError: 413 too long, 422 for everything else that cannot be taken.
            RetryableError: Storage is down. Nothing was accepted; the same delivery may come again.
        """
        check_text(arrival.text)
        desk = self._desk(arrival)
        case_id = self._case_id(desk, arrival)
        first = _fingerprint(
            self._secret, arrival.text, arrival.desk, arrival.scene, arrival.channel
        )
        if arrival.delivery_id is not None:
            view = await self._store.read(case_id)
            if view.received is not None:
                return await self._known(view, view.messages[0], first)
        message = await self._message(case_id, 1, arrival.text, arrival.delivery_id, first, desk)
        channel = _masked_channel(arrival.channel)
        received = await self._received(case_id, desk, channel, message, arrival.customer)
        fresh = Partition(case_id, [Stored(received, ""), Stored(message, "")])
        mark = await self._advancer.mark_open(fresh, message)
        # The message first, the case row last: without a case row nothing was accepted.
        if not await write(self._store, case_id, message, None):
            view = await self._store.read(case_id)
            if view.messages and view.messages[0].fingerprint != first:
                raise _key_reused()
        if await write(self._store, case_id, received, None):
            await self._nudge(fresh)
            return Accepted(case_id, redelivered=False)
        # The same delivery came twice at once and the other one was first.
        view = await self._store.read(case_id)
        if view.received and abs(view.received.created_at - received.created_at) > _OWN_MARK:
            await self._advancer.unmark(mark)
        return await self._known(view, view.messages[0], first)

    async def follow_up(self, case_id: str, text: str, delivery_id: str | None = None) -> Accepted:
        """Adds a customer's next message to a case: a new turn with a plan of its own.

        Raises:
            RequestError: 404 no such case, 409 it takes no more messages, 413 or 422 as ``accept``.
            RetryableError: Storage is down. Nothing was accepted; the same delivery may come again.
        """
        check_text(text)
        fingerprint = _fingerprint(self._secret, text)
        for _ in range(_TRIES):
            view = await self._store.read(case_id)
            if view.received is None or not view.messages:
                raise RequestError(404, "No such case", "GET /api/cases lists the cases there are.")
            for known in view.messages:
                if delivery_id is not None and known.delivery_id == delivery_id:
                    return await self._known(view, known, fingerprint)
            if view.cancelled or len(view.messages) >= MAX_TURNS:
                why = "was cancelled" if view.cancelled else f"has {MAX_TURNS} messages"
                raise RequestError(409, "No more messages", f"The case {why}; open a new one.")
            turn = len(view.messages) + 1
            desk = self._desks.get(view.received.desk)
            message = await self._message(case_id, turn, text, delivery_id, fingerprint, desk)
            after = view.with_row(message, "")
            await self._advancer.mark_open(after, message)
            if await write(self._store, case_id, message, None):
                await self._nudge(after)
                return Accepted(case_id, redelivered=False)
        raise RequestError(409, "The case is changing", "Many messages came at once; try again.")

    async def receive(self, desk: Desk, vendor: str, message: InboundMessage) -> Accepted:
        """Takes a customer's message in from a CRM: a turn of its ticket's case, new or not.

        Nothing of it is refused: the vendor could only send the same again.

        Args:
            message: One of ``from_customer``.

        Raises:
            RetryableError: Storage is down, or the ticket is changing too fast. Nothing was
                accepted; the same delivery may come again.
        """
        channel = Channel(source=vendor, external_id=message.ticket_id, connected=True)
        elsewhere: frozenset[str] = frozenset()
        for number in range(_CASES_OF_A_TICKET):
            case_id = self._ticket_case(desk, channel, number)
            accepted = await self._add(case_id, desk, channel, message, elsewhere)
            if isinstance(accepted, Accepted):
                return accepted
            elsewhere |= accepted.taken_in
        raise RetryableError("ticket_exhausted", detail="its cases are all cancelled or full")

    async def _add(
        self,
        case_id: str,
        desk: Desk,
        channel: Channel,
        message: InboundMessage,
        elsewhere: frozenset[str],
    ) -> Accepted | Partition:
        """Adds the turn, whichever delivery comes first; or the case that takes no more."""
        lost: tuple[MessageRow, IndexEntry] | None = None
        for _ in range(_TRIES):
            view = await self._store.read(case_id)
            if lost and view.messages:
                await self._withdraw(view, *lost)
                lost = None
            if view.messages and view.received is None:
                view = await self._completed(view, desk, channel, message.customer)
            if message.delivery_id in view.taken_in or _announced(view, message):
                await self._nudge(view)
                return Accepted(case_id, redelivered=True)
            if view.cancelled or len(view.messages) >= MAX_TURNS:
                return view
            row = await self._inbound(view, desk, message)
            if not view.messages:
                row = row.model_copy(update={"elsewhere": tuple(sorted(elsewhere))})
            after = view.with_row(row, "")
            if view.received is None:
                received = await self._received(case_id, desk, channel, row, message.customer)
                after = after.with_row(received, "")
            mark = await self._advancer.mark_open(after, row)
            if await write(self._store, case_id, row, None):
                if view.received is None and after.received:
                    await write(self._store, case_id, after.received, None)
                await self._nudge(after)
                return Accepted(case_id, redelivered=False)
            lost = (row, mark)
        raise RetryableError("case_changing", detail="many messages of one ticket came at once")

    async def _received(
        self, case_id: str, desk: Desk, channel: Channel, first: MessageRow, customer: str
    ) -> ReceivedRow:
        """The same for whoever writes it, so that of many equal deliveries any may be first."""
        repeat = await self._repeats.has_come_before(desk, channel.source, customer, case_id)
        return ReceivedRow(
            desk=desk.name,
            scene=desk.scene,
            channel=channel,
            created_at=first.received_at,
            repeat_customer=repeat,
        )

    async def _completed(
        self, view: Partition, desk: Desk, channel: Channel, customer: str
    ) -> Partition:
        """A case whose first sender wrote its message and, so far, no more."""
        received = await self._received(view.case_id, desk, channel, view.messages[0], customer)
        after = view.with_row(received, "")
        await self._advancer.mark_open(after, view.messages[0])
        await write(self._store, view.case_id, received, None)
        return after

    async def _withdraw(self, view: Partition, row: MessageRow, mark: IndexEntry) -> None:
        """Removes the mark of a message that another delivery was faster than."""
        if abs(view.messages[0].received_at - mark.created_at) > _OWN_MARK and row.turn == 1:
            await self._advancer.unmark(mark)

    async def _inbound(self, view: Partition, desk: Desk, message: InboundMessage) -> MessageRow:
        text, turn = readable(message.text), len(view.messages) + 1
        fingerprint = _fingerprint(self._secret, text)
        row = await self._message(view.case_id, turn, text, message.delivery_id, fingerprint, desk)
        fetch = None if text else message.fetch
        held = _held(view, desk, has_text=bool(text or fetch is not None))
        # What an earlier turn is about to fetch may hold these words too: this one looks then.
        if not held and fetch is None and not _fetching(view):
            return row
        plan = behind_fetch(self._plan)
        return row.model_copy(update={"fetch": fetch, "held": held, "plan": plan})

    async def _known(self, view: Partition, message: MessageRow, fingerprint: str) -> Accepted:
        if message.fingerprint != fingerprint:
            raise _key_reused()
        await self._nudge(view)
        return Accepted(view.case_id, redelivered=True)

    async def _nudge(self, view: Partition) -> None:
        now = self._clock.now()
        await self._advancer.nudge_all(view, view.due(now), view.due_effects(now))

    async def _message(
        self,
        case_id: str,
        turn: int,
        text: str,
        delivery_id: str | None,
        fingerprint: str,
        desk: Desk | None,
    ) -> MessageRow:
        kept = await keep(self._texts, f"{case_id}/{fingerprint[:16]}", text)
        now = self._clock.now()
        return MessageRow(
            turn=turn,
            text=kept.text,
            blob=kept.blob,
            size=kept.size,
            fingerprint=fingerprint,
            delivery_id=delivery_id,
            received_at=now,
            plan=self._plan,
            signals=kept.signals,
            asks_for_human=kept.asks_for_human,
            masked=kept.masked,
            targets=desk.due_times(now) if desk else {},
        )

    def _desk(self, arrival: Arrival) -> Desk:
        if arrival.scene is not None:
            try:
                return self._desks.free(mask(arrival.scene).text)
            except ValueError as error:
                said = f"support_context cannot be used: {error}."
                raise RequestError(422, "Bad scene", said) from None
        desk = self._desks.get(arrival.desk or "")
        if desk is None:
            known = ", ".join(self._desks.names)
            raise RequestError(422, "Unknown desk", f"Use one of: {known}; or set support_context.")
        return desk

    def _case_id(self, desk: Desk, arrival: Arrival) -> str:
        """A delivery's own id, so that a redelivery meets its own rows; else a random one."""
        if arrival.delivery_id is None:
            return str(uuid.uuid4())
        return self._derived(desk.name, arrival.channel.source, arrival.delivery_id)

    def _ticket_case(self, desk: Desk, channel: Channel, number: int) -> str:
        """The ticket's case: any of its messages finds it, in whichever order they come."""
        return self._derived(desk.name, channel.source, "ticket", channel.external_id, number)

    def _derived(self, *parts: str | int | None) -> str:
        digest = hmac.new(self._secret, json.dumps(parts).encode(), hashlib.sha256).digest()
        return str(uuid.UUID(bytes=digest[:16], version=5))


def check_text(text: str) -> None:
    """Refuses what is no message: empty, over 256 KiB, or not text.

    Raises:
        RequestError: 413 or 422, with what to do.
    """
    if not text.strip():
        raise RequestError(422, "Empty message", "customer_query needs some text.")
    if "\x00" in text:
        raise RequestError(422, "Not text", "customer_query contains a NUL character; remove it.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise RequestError(
            422, "Not text", "customer_query contains half a surrogate pair; send valid Unicode."
        ) from None
    if size > MAX_BYTES:
        raise RequestError(
            413,
            "Message too long",
            f"customer_query has {size} bytes in UTF-8; {MAX_BYTES} (256 KiB) is the most.",
        )


def _announced(view: Partition, message: InboundMessage) -> bool:
    """Whether a fetch that nobody has begun will find what this message announces."""
    waiting = (p for p in view.progress if p.plan.stage == FETCH and p.phase == "waiting")
    turns = {p.turn for p in waiting if p.row is None and not view.cancelled}
    return not readable(message.text) and any(
        m.turn in turns and m.fetch == message.fetch and m.fetch is not None for m in view.messages
    )


def _fetching(view: Partition) -> bool:
    """Whether a turn has yet to fetch what the ticket holds."""
    return any(p.plan.stage == FETCH and not p.at_rest for p in view.progress)


def _held(view: Partition, desk: Desk, *, has_text: bool) -> str:
    """Why the next turn is for a person at once; empty when it is not."""
    seen = view.seen_up_to
    alone = sum(m.turn > seen and not view.empty(m.turn) for m in view.messages)
    if alone >= desk.crm.turns_alone:
        return "too_many_turns"
    return "" if has_text else "no_text"


def _fingerprint(
    secret: bytes,
    text: str,
    desk: str | None = None,
    scene: str | None = None,
    channel: Channel | None = None,
) -> str:
    parts = [desk, scene, channel.model_dump() if channel else None, text]
    return hmac.new(secret, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


def _masked_channel(channel: Channel) -> Channel:
    """The channel as stored. An id of one word is kept whatever it looks like: replies need it."""
    given = channel.external_id
    if given is None or not re.search(r"\s", given):
        return channel
    return channel.model_copy(update={"external_id": mask(given).text})


def _key_reused() -> RequestError:
    return RequestError(
        422,
        "Idempotency key used twice",
        "This key came before with another body. Use a new key for a new message.",
    )
