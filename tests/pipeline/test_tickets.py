"""Tickets of actions and of escalations in vendors' systems: once each, through every failure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from devkit.crm.stand_in import Fault
from shared.adapters.backends import Around
from shared.adapters.backends.ticket import TicketActions
from shared.adapters.escalation_tickets import EscalationTickets
from shared.adapters.memory import MemoryTickets
from shared.domain.case import EffectView, SupportCase
from shared.domain.desk import Desks
from shared.errors import ConflictError, PermanentError, RetryableError
from shared.ports.tickets import Ticket
from tests.contract.test_ticket_systems import APIS
from tests.support.proposals import proposing
from tests.support.ticket_api import TicketApi
from tests.support.world import NEGATIVE, POSITIVE, World, a_desk

LEDGER = {"ticket": "ledger"}
LOST = Fault(cut=True, keep=True)


@pytest.fixture(params=APIS)
async def api(request: pytest.FixtureRequest) -> AsyncIterator[TicketApi]:
    async with APIS[request.param]() as running:
        yield running


def a_world(api: TicketApi, **more: object) -> World:
    place = {"system": api.vendor, "labels": ("front-office",)}
    action = {
        "name": "send_help",
        "description": "Sends somebody.",
        "when": "Something is wrong.",
        "arguments": ({"name": "place", "description": "Where"},),
        "approval": "auto",
        "backend": {"type": "ticket", "title": "Help in {place}", **place},
    }
    said = {"actions": (action,), "escalation": {"ticket": place}, **more}
    desks = (a_desk("default"), a_desk("hotel", **said))
    world = World(proposing(("send_help", {"place": "room 4"})), desks=desks)
    around = api.around()
    world.sinks |= {"action-ticket": TicketActions(around), "ticket": EscalationTickets(around)}
    return world


def tickets_of(case: SupportCase) -> list[EffectView]:
    return [effect for effect in case.effects if "ticket" in effect.sink]


async def test_an_action_and_an_escalation_open_a_ticket_each_linked_both_ways(
    api: TicketApi,
) -> None:
    world = a_world(api)
    case_id = await world.open("My card 4242 4242 4242 4242 was charged twice in room 4.")
    await world.deliver()
    case = await world.case(case_id)
    made = tickets_of(case)
    assert [(effect.state, effect.sink) for effect in made] == [
        ("done", "action-ticket"), ("done", "ticket"),
    ]  # fmt: skip
    assert all("://" in effect.receipt for effect in made)
    assert case.actions[0].receipt == made[0].receipt
    assert made[1].to == (api.vendor,)
    title, text = api.shown()
    assert f"https://desk.example.com/api/cases/{case_id}" in text
    assert title.startswith("[hotel] ")
    assert "4242 4242" not in text
    assert "ending 4242" in text
    assert len(api.ledger) == 2


async def test_a_ticket_whose_answer_was_lost_is_found_and_not_made_again(api: TicketApi) -> None:
    world = a_world(api)
    api.faults.extend([LOST, LOST])
    case_id = await world.open()
    await world.deliver()
    lost = tickets_of(await world.case(case_id))
    assert [effect.state for effect in lost] == ["deferred", "deferred"]
    for effect in lost:
        assert effect.due_at is not None
        apart = timedelta(seconds=60 + 40)
        assert effect.due_at >= world.clock.now() + apart, "made late, looked up by another clock"

    world.make_visible()
    await world.deliver()
    found = tickets_of(await world.case(case_id))
    assert [effect.state for effect in found] == ["done", "done"]
    assert len(api.ledger) == len(set(api.ledger)) == 2
    assert all("://" in effect.receipt for effect in found)
    assert await world.open_marks() == 0


async def test_a_ticket_that_was_not_made_is_made_after_a_look_up_that_fails_too(
    api: TicketApi,
) -> None:
    world = a_world(api, escalation={})
    api.faults.extend([Fault(cut=True), Fault(503), Fault(429, {"Retry-After": "9"})])
    case_id = await world.open()
    await world.deliver()
    for _ in range(4):
        world.make_visible()
        await world.deliver()
    assert [effect.state for effect in tickets_of(await world.case(case_id))] == ["done"]
    assert len(api.ledger) == 1


async def test_a_refusal_is_shown_to_a_person_and_a_replay_makes_it_once(api: TicketApi) -> None:
    world = a_world(api, escalation={})
    api.faults.append(Fault(403))
    case_id = await world.open()
    await world.deliver()
    case = await world.case(case_id)
    (effect,) = tickets_of(case)
    assert (effect.state, case.actions[0].state) == ("refused", "refused")
    assert effect.error is not None
    assert effect.error.detail == "HTTP 403"
    assert effect.key in case.status_reason

    await world.app.acts.replay(case_id, by="ana", reason="right given")
    await world.deliver()
    assert [effect.state for effect in tickets_of(await world.case(case_id))] == ["done"]
    assert len(api.ledger) == 1


async def test_a_look_up_that_is_refused_leaves_it_to_a_person_whose_replay_finds_it(
    api: TicketApi,
) -> None:
    world = a_world(api, escalation={})
    api.faults.extend([LOST, Fault(401)])
    case_id = await world.open()
    await world.deliver()
    world.make_visible()
    await world.deliver()
    case = await world.case(case_id)
    assert [effect.state for effect in tickets_of(case)] == ["uncertain"]
    assert (case.status, case.actions[0].state) == ("escalated", "uncertain")

    key = tickets_of(case)[0].key
    await world.app.acts.replay(case_id, by="ana", reason="token renewed", effects=[key])
    await world.deliver()
    assert [effect.state for effect in tickets_of(await world.case(case_id))] == ["done"]
    assert len(api.ledger) == 1


class LosesAnswers(MemoryTickets):
    """Keeps every ticket and never says so."""

    async def insert(self, ticket: Ticket) -> None:
        with suppress(ConflictError):
            await super().insert(ticket)
        raise RetryableError("storage_down")

    async def get(self, desk: str, reference: str) -> Ticket | None:
        raise RetryableError("storage_down")


async def test_a_ticket_of_the_ledger_whose_answers_were_all_lost_is_not_called_refused() -> None:
    world = World(NEGATIVE, desks=(a_desk("default"), a_desk("hotel", escalation=LEDGER)))
    ledger = LosesAnswers()
    world.sinks["ticket"] = EscalationTickets(Around(clock=world.clock, ledger=ledger))
    case_id = await world.open()
    for _ in range(14):
        await world.deliver()
        world.make_visible()
    assert [effect.state for effect in tickets_of(await world.case(case_id))] == ["uncertain"]
    assert len(await ledger.entries("hotel", 9)) == 1


async def test_what_needs_a_person_opens_one_ticket_a_turn_and_nothing_else_does() -> None:
    async with APIS["jira"]() as api:
        for script, stage, count in (
            (POSITIVE, "", 0),
            (None, "customer_query", 1),
            (None, "sentiment", 1),
        ):
            world = a_world(api)
            api.ledger.clear()
            if script:
                world.model.script |= script
            if stage:
                world.model.script |= {stage: PermanentError("refusal")}
            case_id = await world.open()
            await world.deliver()
            opened = [e for e in tickets_of(await world.case(case_id)) if e.sink == "ticket"]
            assert [effect.key for effect in opened] == ["ticket-1"] * count, stage


async def test_a_desk_that_no_longer_wants_tickets_gets_none() -> None:
    async with APIS["jira"]() as api:
        world = a_world(api)
        api.faults.append(Fault(503))
        case_id = await world.open()
        world.sinks.pop("action-ticket")
        await world.deliver()
        world.app.effects._desks = Desks((a_desk("default"), a_desk("hotel")))
        world.make_visible()
        await world.deliver()
        (effect,) = [e for e in tickets_of(await world.case(case_id)) if e.sink == "ticket"]
        assert effect.error is not None
        assert (effect.state, effect.error.code) == ("refused", "ticket_not_wanted")
        assert api.ledger == []
