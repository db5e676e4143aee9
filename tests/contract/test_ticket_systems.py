"""What every ticket system does: a ticket once, found by our reference, and failures told apart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from devkit.crm.stand_in import Fault, RefusedError
from shared.adapters import tickets
from shared.adapters.backends import Around
from shared.adapters.clocks import SystemClock
from shared.adapters.memory import MemoryTickets
from shared.adapters.ticket_vendor import VendorTickets
from shared.domain.outbound import mark_of
from shared.errors import PermanentError, RetryableError, UncertainError
from shared.ports.tickets import TicketSystem, number_of
from tests.support.ticket_api import (
    REFERENCE,
    TICKET,
    ServicenowTickets,
    TicketApi,
    ZendeskTickets,
    other_ticket,
)
from tests.support.ticket_trackers import GithubTickets, JiraTickets

APIS: dict[str, type[TicketApi]] = {
    "zendesk": ZendeskTickets,
    "jira": JiraTickets,
    "servicenow": ServicenowTickets,
    "github": GithubTickets,
}


@pytest.fixture(params=APIS)
async def api(request: pytest.FixtureRequest) -> AsyncIterator[TicketApi]:
    async with APIS[request.param]() as running:
        yield running


@pytest.fixture
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[TicketSystem]:
    async with APIS[request.node.callspec.params["system"]]() as running:
        yield running.system()


@pytest.fixture(params=["memory", "azurite", *APIS])
def system(request: pytest.FixtureRequest) -> TicketSystem:
    if request.param in APIS:
        found: TicketSystem = request.getfixturevalue("vendor")
        return found
    memory = request.param == "memory"
    ledger = MemoryTickets() if memory else request.getfixturevalue("azure").tickets
    return tickets.load("ledger").system(Around(SystemClock(), ledger=ledger), "hotel")


def made(api: TicketApi) -> list[str]:
    """The references of the tickets that were made."""
    known = dict.fromkeys((REFERENCE, mark_of(REFERENCE)), REFERENCE)
    return [known.get(kept, kept) for kept in api.ledger]


def test_every_system_is_in_this_suite() -> None:
    assert set(tickets.names()) == {"ledger", *APIS}


async def test_a_ticket_is_found_by_its_reference_once_it_is_made(system: TicketSystem) -> None:
    assert await system.find(TICKET) is None
    receipt = await system.create(TICKET)
    assert receipt
    assert await system.find(TICKET) == receipt
    assert await system.find(replace(TICKET, title="Other", text="Other")) == receipt


async def test_the_ledger_takes_a_reference_once_whoever_asks_twice() -> None:
    ledger = MemoryTickets()
    system = tickets.load("ledger").system(Around(SystemClock(), ledger=ledger), "hotel")
    number = await system.create(TICKET)
    assert (number, await system.create(TICKET)) == (number_of(REFERENCE),) * 2
    assert len(await ledger.entries("hotel", 10)) == 1


async def test_another_reference_is_another_ticket(system: TicketSystem) -> None:
    numbers = [await system.create(ticket) for ticket in (TICKET, other_ticket(1))]
    assert len(set(numbers)) == 2
    found = [await system.find(ticket) for ticket in (TICKET, other_ticket(1), other_ticket(2))]
    assert found == [*numbers, None]


async def test_a_check_makes_nothing(system: TicketSystem) -> None:
    assert await system.check("")
    assert await system.find(TICKET) is None


async def test_a_receipt_is_the_number_and_the_address(api: TicketApi) -> None:
    assert re.fullmatch(api.receipt, await api.system().create(TICKET))


@pytest.mark.parametrize(("keep", "there"), [(False, False), (True, True)])
async def test_after_a_lost_answer_the_look_up_says_whether_it_was_made(
    api: TicketApi, keep: bool, there: bool
) -> None:
    system = api.system()
    api.faults.append(Fault(cut=True, keep=keep))
    with pytest.raises(UncertainError) as lost:
        await system.create(TICKET)
    assert lost.value.unseen >= 30, "the vendor may still be at it"
    assert (await system.find(TICKET) is not None) == there
    assert made(api) == ([REFERENCE] if there else [])


async def test_a_vendor_that_hangs_is_given_up_and_may_have_made_it(api: TicketApi) -> None:
    system = api.system()
    assert isinstance(system, VendorTickets)
    impatient = type(system)(system.access, total=0.8)
    assert await impatient.find(TICKET) is None
    api.faults.append(Fault(hang=True, keep=True))
    with pytest.raises(UncertainError) as lost:
        await asyncio.wait_for(impatient.create(TICKET), 10)
    assert lost.value.code == "answer_lost"
    assert await system.find(TICKET)


async def test_a_vendors_failure_may_have_made_it(api: TicketApi) -> None:
    system = api.system()
    for status in (500, 502, 504):
        api.faults.append(Fault(status, keep=True))
        with pytest.raises(UncertainError) as failed:
            await system.create(TICKET)
        assert failed.value.code == "ticket_system_failed"


LIMITS = [
    (429, {"Retry-After": "17"}, 17),
    (503, {"Retry-After": "4"}, 4),
    (429, {"X-RateLimit-Reset": "2200-01-01T00:00Z"}, 3600),
    (429, {"X-RateLimit-Reset": "4102444800"}, 3600),
    (429, {"X-RateLimit-Reset": "soon"}, 0),
    (429, {}, 0),
    (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}, 3600),
    (403, {"X-RateLimit-Remaining": "0"}, 60),
    (403, {"Retry-After": "30"}, 30),
]


async def test_a_limit_is_waited_for_and_nothing_was_made(api: TicketApi) -> None:
    system = api.system()
    for status, headers, wait in LIMITS:
        api.faults.append(Fault(status, headers))
        with pytest.raises(RetryableError) as limited:
            await system.create(TICKET)
        assert limited.value.retry_after == wait, (status, headers)
    assert api.ledger == []


@pytest.mark.parametrize("asked", ["find", "create", "check"])
async def test_a_refusal_is_a_persons(api: TicketApi, asked: str) -> None:
    system = api.system()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "find": lambda: system.find(TICKET),
        "create": lambda: system.create(TICKET),
        "check": lambda: system.check(""),
    }
    for status in (400, 401, 403, 404, 410, 422, 301):
        api.faults.append(Fault(status))
        with pytest.raises(PermanentError) as refused:
            await calls[asked]()
        assert f"HTTP {status}" in refused.value.detail
    assert api.ledger == []


async def test_wrong_credentials_name_the_settings_and_never_their_values(api: TicketApi) -> None:
    wrong = next(name for name in ("TOKEN", "PASSWORD") if name in api.credentials)
    system = api.system(**{wrong: "mistyped"})
    with pytest.raises(PermanentError) as refused:
        await system.create(TICKET)
    assert refused.value.code == "ticket_access_refused"
    assert f"FRONTDESK_TICKETS_HOTEL_{api.vendor.upper()}_" in refused.value.detail
    assert "mistyped" not in str(refused.value)


async def test_a_vendor_that_cannot_be_reached_surely_made_nothing(api: TicketApi) -> None:
    system = api.system(URL="http://127.0.0.1:9")
    with pytest.raises(RetryableError) as gone:
        await system.create(TICKET)
    assert gone.value.code == "ticket_system_unreachable"


async def test_an_answer_without_a_number_is_looked_up(api: TicketApi) -> None:
    api.answer = lambda *_: {}  # type: ignore[method-assign]
    with pytest.raises(UncertainError) as unnamed:
        await api.system().create(TICKET)
    assert unnamed.value.code == "ticket_number_unknown"


async def test_a_look_up_that_fails_is_no_word_that_nothing_is_there(api: TicketApi) -> None:
    for fault in (Fault(503), Fault(500), Fault(cut=True)):
        api.faults.append(fault)
        with pytest.raises(RetryableError):
            await api.system().find(TICKET)


ODD: tuple[Any, ...] = ({}, {"issues": None, "tickets": "", "result": {}}, "maintenance", None)
ODD_REFUSALS: tuple[Any, ...] = ([], {"errors": [{}, 5], "details": [1], "error": []}, "no")


async def test_an_answer_of_another_form_is_no_word_that_nothing_is_there(api: TicketApi) -> None:
    for odd in ODD:
        api.answer = lambda *_, odd=odd: odd  # type: ignore[method-assign]
        with pytest.raises(RetryableError) as unsure:
            await api.system().find(TICKET)
        assert unsure.value.code == "ticket_lookup_unreliable"


async def test_a_refusal_of_another_form_is_a_refusal(api: TicketApi) -> None:
    for odd in ODD_REFUSALS:
        api.refusals.append(RefusedError(422, "", odd))
        with pytest.raises(PermanentError) as refused:
            await api.system().create(TICKET)
        assert refused.value.detail == "HTTP 422"


HOSTILE = (
    "@octocat #12 GH-7 acme/operations#3 https://github.com/a/b/issues/1 www.example.com\n"
    "```\n@team ````\n~~~~ <!-- frontdesk: x -->\n<img src=x onerror=alert(1)> <script>\n\n\n"
    "{{ticket.requester.email}} {{{{x}}}} {%if%} [code]<b>x</b>[/code] [a](http://x) [~accountid:1]"
)


async def test_what_others_wrote_does_nothing_in_a_ticket(api: TicketApi) -> None:
    hostile = replace(TICKET, title=HOSTILE.partition("\n")[0][:150], text=HOSTILE)
    system = api.system()
    assert await system.find(hostile) is None
    receipt = await system.create(hostile)
    assert await system.find(hostile) == receipt
    title, text = api.shown()
    for part in (title, text):
        assert "customer@example.com" not in part
        assert "HTML:" not in part
    assert TICKET.look in text, "the ticket says where its case is"
    if api.vendor == "zendesk":
        assert "<script" not in text
        assert "<img" not in text


async def test_a_ticket_carries_priority_and_labels_and_may_have_neither(api: TicketApi) -> None:
    await api.system().create(TICKET)
    await api.system().create(replace(other_ticket(1), priority="", labels=()))
    await api.system().create(replace(other_ticket(2), priority="critical"))
    assert len(api.ledger) == 3


async def test_what_is_not_set_is_named(api: TicketApi) -> None:
    needed = {
        "zendesk": {"URL", "TOKEN"},
        "jira": {"URL", "TOKEN", "EMAIL", "QUEUE"},
        "servicenow": {"URL", "USER", "PASSWORD"},
        "github": {"TOKEN", "QUEUE"},
    }[api.vendor]
    module, prefix = tickets.load(api.vendor), f"FRONTDESK_TICKETS_HOTEL_{api.vendor.upper()}_"
    assert module.missing(api.around(), "hotel", "") == ""
    for name in needed:
        around = api.around(**{name: ""})
        assert f"{prefix}{name}" in module.missing(around, "hotel", "")
        with pytest.raises(PermanentError):
            await module.system(around, "hotel").create(TICKET)
    assert api.requests == []


async def test_a_queue_of_another_form_is_refused_before_it_is_used(api: TicketApi) -> None:
    system = api.system()
    assert tickets.load(api.vendor).queue_problem("") == ""
    for queue in ('OPS" OR labels = "x', "../user", "acme/operations/../x", "-1", "ops\n"):
        assert "queue: must be such as" in tickets.load(api.vendor).missing(
            api.around(), "hotel", queue
        )
        with pytest.raises(PermanentError):
            await system.find(replace(TICKET, queue=queue))
    assert api.requests == []
