"""The ledger of tickets: one for each reference, newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.backends import Around
from shared.adapters.clocks import SystemClock
from shared.adapters.tickets.ledger import system
from shared.errors import ConflictError
from shared.ports.tickets import Ticket, number_of
from tests.contract import samples
from tests.contract.conftest import Storage

TICKET = Ticket(
    reference="c1-action-repair-1-0",
    desk="hotel",
    title="Repair the lamp 🥩",
    text="Room 12\n\nCase c1",
    case_id="c1",
    at=samples.NOON,
)


async def test_a_ticket_comes_back_as_it_was_kept(storage: Storage) -> None:
    await storage.tickets.insert(TICKET)
    assert await storage.tickets.get("hotel", TICKET.reference) == TICKET
    assert await storage.tickets.get("bank", TICKET.reference) is None
    assert await storage.tickets.get("hotel", "other") is None


async def test_a_reference_is_one_ticket(storage: Storage) -> None:
    await storage.tickets.insert(TICKET)
    with pytest.raises(ConflictError):
        await storage.tickets.insert(replace(TICKET, title="Other"))
    assert await storage.tickets.entries("hotel", 10) == [TICKET]


async def test_the_newest_come_first(storage: Storage) -> None:
    every = [
        replace(TICKET, reference=f"r{n}", at=samples.NOON + timedelta(minutes=n))
        for n in (1, 3, 2)
    ]
    for ticket in every:
        await storage.tickets.insert(ticket)
    await storage.tickets.insert(replace(TICKET, desk="bank"))
    found = await storage.tickets.entries("hotel", 2)
    assert [ticket.reference for ticket in found] == ["r3", "r2"]


async def test_the_ledger_is_a_ticket_system_that_makes_a_ticket_once(storage: Storage) -> None:
    tickets = system(Around(SystemClock(), ledger=storage.tickets))
    assert await tickets.find(TICKET.reference, "hotel") is None
    number = await tickets.create(TICKET)
    assert number == number_of(TICKET.reference)
    assert await tickets.create(TICKET) == number, "our own answer may have been lost"
    assert await tickets.find(TICKET.reference, "hotel") == number
    assert len(await storage.tickets.entries("hotel", 10)) == 1
