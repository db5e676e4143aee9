"""What sinks of one kind have in common: the memory twin and the real ones on real receivers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from devkit.mailbox import Fault as MailFault
from devkit.mailbox import Mailbox, ledger
from shared.adapters.acs import AcsMailer, Resource
from shared.adapters.backends import Around
from shared.adapters.backends.email import EmailActions
from shared.adapters.backends.http import HttpActions
from shared.adapters.backends.python import Call, PythonActions
from shared.adapters.backends.ticket import TicketActions
from shared.adapters.callback import CallbackSecrets, CallbackSink
from shared.adapters.clocks import ManualClock, SystemClock
from shared.adapters.crm_connectors import CrmConnectors
from shared.adapters.crm_sink import CrmSink
from shared.adapters.email import EmailSink
from shared.adapters.mail import Mailer, parse_sender
from shared.adapters.memory_sinks import Fault, MemorySink
from shared.adapters.smtp import MailServer, SmtpMailer
from shared.domain.approval_links import ApprovalLinks
from shared.domain.outbound import mark_of
from shared.errors import PermanentError, RetryableError, UncertainError
from shared.ports import EffectCall, Sink
from tests.contract.test_ticket_systems import APIS
from tests.support.acs import SENDER, CommunicationServices
from tests.support.bench import Bench as VendorBench
from tests.support.benches import BENCHES
from tests.support.effect_calls import KEY, a_call
from tests.support.receiver import SECRET, Receiver
from tests.support.receiver import Fault as HttpFault
from tests.support.service import Fault as ServiceFault
from tests.support.service import Service
from tests.support.ticket_api import ZendeskTickets

OTHER_KEY = KEY.replace("reply-1", "reply-2")
_WAYS: dict[Fault, HttpFault] = {
    "before": HttpFault(cut=True),
    "after": HttpFault(cut=True, keep=True),
    "busy": HttpFault(429),
    "never": HttpFault(422),
}


@dataclass(frozen=True)
class Bench:
    """A sink with its receiver.

    Attributes:
        to: An address that the sink takes.
        fail: Orders a fault for the next attempt.
        ledger: The keys that the receiver applied, in order.
        action: The backend whose action the effect is; empty for none.
    """

    sink: Sink
    to: str
    fail: Callable[[Fault], None]
    ledger: Callable[[], list[str]]
    action: str = ""

    def call(self, key: str = KEY) -> EffectCall:
        return a_call(self.to, key=key, action=self.action)


#: A mailer, what orders a fault for its next attempt, and the Message-IDs that were taken.
Mail = tuple[Mailer, Callable[[Fault], None], Callable[[], list[str]]]


def memory(kind: Literal["keyed", "queryable", "unkeyed"]) -> Bench:
    faults: list[Fault] = []
    sink = MemorySink(kind, ManualClock(), lambda _call: faults.pop(0) if faults else "none")
    return Bench(sink, "x", faults.append, lambda: [applied.key for applied in sink.ledger])


@pytest.fixture
async def callback() -> AsyncIterator[Bench]:
    ways: dict[Fault, HttpFault] = {
        "before": HttpFault(cut=True),
        "after": HttpFault(cut=True, keep=True),
        "busy": HttpFault(503),
        "never": HttpFault(410),
    }
    async with Receiver() as receiver:
        sink = CallbackSink(CallbackSecrets(SECRET, {}), SystemClock(), development=True)
        yield Bench(
            sink,
            receiver.url,
            lambda fault: receiver.faults.append(ways[fault]),
            lambda: receiver.ledger,
        )


@asynccontextmanager
async def by_smtp(folder: Path) -> AsyncIterator[Mail]:
    ways: dict[Fault, MailFault] = {
        "before": MailFault(),
        "after": MailFault(keep=True),
        "busy": MailFault(answer="451 busy"),
        "never": MailFault(answer="550 no"),
    }
    async with Mailbox(folder) as mailbox:
        mailer = SmtpMailer(MailServer.parse(mailbox.url), parse_sender(SENDER), ManualClock())
        yield mailer, lambda fault: mailbox.faults.append(ways[fault]), lambda: ledger(folder)


@asynccontextmanager
async def by_acs(_folder: Path) -> AsyncIterator[Mail]:
    async with CommunicationServices() as service:
        service.forgets_ids = True
        resource = Resource.parse(service.connection_string, "")
        mailer = AcsMailer(resource, parse_sender(SENDER), SystemClock(), b"s" * 32)
        yield mailer, lambda fault: service.faults.append(_WAYS[fault]), lambda: service.ledger


_MAILS = {
    f"{sink} by {way.__name__}": (sink, way)
    for sink in ("email", "action_email")
    for way in (by_smtp, by_acs)
}


@pytest.fixture
async def mail(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A sink that mails, by one of the mailers."""
    name, way = _MAILS[request.node.callspec.params["bench"]]
    async with way(tmp_path) as (mailer, fail, message_ids):

        def keys() -> list[str]:
            return [sent[1:].partition("@")[0] for sent in message_ids()]

        if name == "email":
            sink = EmailSink(mailer, "", ManualClock(), ApprovalLinks(b"s" * 32, ""))
            yield Bench(sink, "duty@hotel.example.com", fail, keys)
        else:
            yield Bench(EmailActions(mailer), "", fail, keys, action="email")


@pytest.fixture
def python() -> Bench:
    """A function of somebody's own that tells truthfully what happened."""
    faults: list[Fault] = []
    done: list[str] = []

    async def carry_out(call: Call) -> str:
        fault = faults.pop(0) if faults else "none"
        if fault == "busy":
            raise RetryableError("busy")
        if fault == "never":
            raise PermanentError("never")
        if fault != "before":
            done.append(call.idempotency_key)
        if fault in ("before", "after"):
            raise UncertainError("lost")
        return "done"

    sink = PythonActions({"carry_out": carry_out})
    return Bench(sink, "", faults.append, lambda: done, action="python")


@pytest.fixture
async def http() -> AsyncIterator[Bench]:
    ways: dict[Fault, ServiceFault] = {
        "before": ServiceFault(cut=True),
        "after": ServiceFault(cut=True, keep=True),
        "busy": ServiceFault(503),
        "never": ServiceFault(422),
    }
    async with Service() as service:
        around = Around(SystemClock(), {"": service.url}, development=True)
        yield Bench(
            HttpActions(around),
            "",
            lambda fault: service.faults.append(ways[fault]),
            lambda: service.ledger,
            action="http",
        )


def crm(vendor: str, settings: dict[str, str]) -> CrmSink:
    return CrmSink(vendor, CrmConnectors(settings, ["hotel"], development=True), "")


def on(there: VendorBench[Any]) -> Bench:
    """A vendor's sink on its stand-in, whose ledger holds marks."""
    api = there.api
    api.spares_reads = True
    keys = {there.receipt(key): key for key in (KEY, OTHER_KEY)}
    return Bench(
        crm(api.vendor, api.settings("hotel", there.secret)),
        there.ticket,
        lambda fault: api.faults.append(_WAYS[fault]),
        lambda: [keys[mark] for mark in api.ledger],
    )


@pytest.fixture
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    made_by = BENCHES[request.node.callspec.params["bench"]]
    async with made_by.api_type() as api:
        there = made_by(api)
        there.opened("My room is dirty.")
        yield on(there)


@pytest.fixture
async def ticket(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A ticket of an action in a vendor's system."""
    system = request.node.callspec.params["bench"].removeprefix("ticket in ")
    async with APIS[system]() as api:
        if isinstance(api, ZendeskTickets):
            api.forgets_keys = True
        known = {mark_of(key): key for key in (KEY, OTHER_KEY)}
        yield Bench(
            TicketActions(api.around()),
            "",
            lambda fault: api.faults.append(_WAYS[fault]),
            lambda: [known.get(kept, kept) for kept in api.ledger],
            action=f"ticket {system}",
        )


_REAL = ("callback", "http", "python")
_TICKETS = tuple(f"ticket in {system}" for system in APIS)


@pytest.fixture(params=["keyed", "queryable", "unkeyed", *_REAL, *_MAILS, *_TICKETS, *BENCHES])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param in _REAL:
        real: Bench = request.getfixturevalue(request.param)
        return real
    if request.param in _MAILS:
        mails: Bench = request.getfixturevalue("mail")
        return mails
    if request.param in _TICKETS:
        opened: Bench = request.getfixturevalue("ticket")
        return opened
    if request.param in BENCHES:
        there: Bench = request.getfixturevalue("vendor")
        return there
    return memory(request.param)


async def test_an_effect_happens_and_has_a_receipt(bench: Bench) -> None:
    assert await bench.sink.send(bench.call())

    assert bench.ledger() == [KEY]


async def test_two_keys_are_two_effects(bench: Bench) -> None:
    await bench.sink.send(bench.call())
    await bench.sink.send(bench.call(OTHER_KEY))

    assert bench.ledger() == [KEY, OTHER_KEY]


async def test_a_key_that_is_sent_twice_is_applied_once_only_by_a_keyed_receiver(
    bench: Bench,
) -> None:
    for _ in range(2):
        await bench.sink.send(bench.call())

    assert bench.ledger() == ([KEY] if bench.sink.kind == "keyed" else [KEY, KEY])


async def test_a_busy_receiver_surely_did_nothing(bench: Bench) -> None:
    bench.fail("busy")

    with pytest.raises(RetryableError):
        await bench.sink.send(bench.call())

    assert bench.ledger() == []
    assert await bench.sink.send(bench.call())


async def test_a_refusal_surely_did_nothing(bench: Bench) -> None:
    bench.fail("never")

    with pytest.raises(PermanentError):
        await bench.sink.send(bench.call())

    assert bench.ledger() == []


@pytest.mark.parametrize(("when", "applied"), [("before", 0), ("after", 1)])
async def test_an_answer_lost_is_uncertain_whether_it_happened_or_not(
    bench: Bench, when: Fault, applied: int
) -> None:
    bench.fail(when)

    with pytest.raises(UncertainError):
        await bench.sink.send(bench.call())

    assert len(bench.ledger()) == applied


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_keyed_receiver_makes_a_second_attempt_safe(bench: Bench, when: Fault) -> None:
    bench.fail(when)
    with pytest.raises(UncertainError):
        await bench.sink.send(bench.call())

    if bench.sink.kind == "keyed":
        await bench.sink.send(bench.call())
        assert bench.ledger() == [KEY]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_queryable_receiver_tells_whether_it_happened(bench: Bench, when: Fault) -> None:
    bench.fail(when)
    with pytest.raises(UncertainError):
        await bench.sink.send(bench.call())

    found = await bench.sink.find(bench.call())

    assert (found is not None) == (bench.sink.kind == "queryable" and when == "after")


async def test_a_keyed_receiver_forgets_after_its_window() -> None:
    clock = ManualClock()
    sink = MemorySink("keyed", clock, window=60)
    await sink.send(a_call("x"))
    clock.advance(60)
    assert await sink.send(a_call("x")) == "number 1"
    clock.advance(1)
    assert await sink.send(a_call("x")) == "number 2"


async def test_a_queryable_receiver_forgets_after_its_window() -> None:
    clock = ManualClock()
    sink = MemorySink("queryable", clock, window=60)
    await sink.send(a_call("x"))
    clock.advance(60)
    assert await sink.find(a_call("x")) == "number 1"
    clock.advance(1)
    assert await sink.find(a_call("x")) is None
