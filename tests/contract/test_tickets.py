"""The ledger of tickets: one for each reference, newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import ConflictError
from shared.ports.tickets import Ticket
from tests.contract import samples
from tests.contract.conftest import Storage

TICKET = Ticket(
    reference="c1-action-repair-1-0",
    desk="hotel",
    title="Repair the lamp 🥩",
    text="Room 12\n\nCase c1",
    case_id="c1",
    at=samples.NOON,
    priority="high",
    labels=("frontdesk", "repairs"),
)


async def test_a_ticket_comes_back_as_it_was_kept(storage: Storage) -> None:
    await storage.tickets.insert(replace(TICKET, look="https://x", queue="x", since=samples.NOON))
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
