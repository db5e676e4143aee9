"""The HTTP API of operators: what needs a person, and what a person can do about it.

| route                       | answer                                                        |
|-----------------------------|---------------------------------------------------------------|
| GET /api/parked             | 200 ``{cases, next, digests}``: what could not be finished     |
| POST /api/cases/{id}/cancel | 202; body ``{by, reason}``                                     |
| POST /api/cases/{id}/resolve | 202; body ``{by, reason}``: a person has dealt with it        |
| POST /api/cases/{id}/replay | 202 ``{replayed}``; body ``{by, reason, stages, effects}``     |
| GET /api/budget             | 200 ``{day, desks}``: limits, and what was used of them; query day |
| GET /api/tickets            | 200 ``{tickets}``: what the built-in ledger holds             |
| GET /api/quarantine         | 200 ``{messages}``: queue messages that nobody could make sense of |
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field

from entrypoints.http_protocol import (
    Clean,
    Route,
    case_id_of,
    choice_of,
    json_answer,
    limit_of,
    read_body,
)
from entrypoints.running import frontdesk
from shared.errors import RequestError
from shared.ports.tickets import Ticket, number_of

Name = Annotated[Clean, Field(min_length=1, max_length=80)]


class NewAct(BaseModel):
    """Body of an act: who does it, and why; both stay in the case's trace."""

    model_config = ConfigDict(extra="forbid")

    by: Name
    reason: Annotated[Clean, Field(max_length=400)] = ""


class NewReplay(NewAct):
    """Body of a replay. With no names given: everything that is parked or failed."""

    stages: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    effects: Annotated[tuple[Name, ...], Field(max_length=20)] = ()


async def parked(req: func.HttpRequest) -> func.HttpResponse:
    """Cases with a parked stage or a failed effect, newest first.

    The first page has channels of digests that failed beside them, of up to ``limit`` digests of
    each desk: ``{desk, end, window, channel, state, reason, at}``.
    """
    desk = await frontdesk()
    entries, cursor = await desk.ports.index.page(
        desks=desk.desks.names,
        statuses=["escalated"],
        sentiment=None,
        before=req.params.get("cursor"),
        limit=limit_of(req),
        unfinished=True,
    )
    first = "cursor" not in req.params
    failed = await desk.digest_channels.failed(desk.desks.names if first else (), limit_of(req))
    return json_answer(
        {
            "cases": [e.model_dump(mode="json") for e in entries],
            "next": cursor,
            "digests": [f.model_dump(mode="json") | {"window": f.window} for f in failed],
        }
    )


async def cancel(req: func.HttpRequest) -> func.HttpResponse:
    """Stops a case: nothing more of it begins."""
    case_id, body = case_id_of(req), read_body(req, NewAct)
    await (await frontdesk()).acts.cancel(case_id, body.by, body.reason)
    return json_answer({"case_id": case_id, "status": "cancelled"}, 202)


async def resolve(req: func.HttpRequest) -> func.HttpResponse:
    """Says that a person has dealt with the case; the customer's next message reopens it."""
    case_id, body = case_id_of(req), read_body(req, NewAct)
    await (await frontdesk()).acts.resolve(case_id, body.by, body.reason)
    return json_answer({"case_id": case_id, "status": "resolved"}, 202)


async def replay(req: func.HttpRequest) -> func.HttpResponse:
    """Runs parked stages and failed effects again."""
    case_id, body = case_id_of(req), read_body(req, NewReplay)
    acts = (await frontdesk()).acts
    names = await acts.replay(case_id, body.by, body.reason, body.stages, body.effects)
    return json_answer({"case_id": case_id, "replayed": names}, 202)


async def tickets(req: func.HttpRequest) -> func.HttpResponse:
    """Tickets in the built-in ledger, newest first. Query: desk, limit."""
    desk = await frontdesk()
    wanted = choice_of(req, "desk", desk.desks.names)
    kept = [
        ticket
        for name in ([wanted] if wanted else desk.desks.names)
        for ticket in await desk.ports.tickets.entries(name, limit_of(req))
    ]
    newest = sorted(kept, key=lambda ticket: ticket.at, reverse=True)[: limit_of(req)]
    return json_answer({"tickets": [_kept(ticket) for ticket in newest]})


def _kept(ticket: Ticket) -> dict[str, object]:
    names = ("reference", "desk", "title", "text", "case_id", "priority", "labels")
    said = {name: getattr(ticket, name) for name in names}
    return said | {"at": ticket.at.isoformat(), "number": number_of(ticket.reference)}


async def quarantine(req: func.HttpRequest) -> func.HttpResponse:
    """Messages in quarantine, newest first."""
    desk = await frontdesk()
    kept = await desk.ports.quarantine.entries(limit_of(req))
    return json_answer({"messages": [asdict(item) | {"at": item.at.isoformat()} for item in kept]})


def _day(text: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:  # it reads 20260131 too
            return text
    except ValueError:
        pass
    raise RequestError(400, "Bad day", "day is a date by UTC, such as 2026-01-31.")


async def budget(req: func.HttpRequest) -> func.HttpResponse:
    """Every desk's limits, and what it used on a day; today by UTC when none is named."""
    running = await frontdesk()
    now = running.ports.clock.now()
    day = _day(req.params.get("day") or now.date().isoformat())
    desks = []
    for desk in running.desks.every:
        limits = running.budgets.of(desk)
        case = {"tokens": limits.case_tokens, "cost": limits.case_cost}
        spent: dict[str, object] | None = None
        if limits.by_day:
            spend = (await running.budgets.day(desk, day)).aged(now)
            used, reserved = spend.counted, spend.reserved
            spent = {
                "limit": {"tokens": limits.day_tokens, "cost": limits.day_cost},
                "used": {"tokens": used.tokens, "cost": used.cost},
                "reserved": {"tokens": reserved.tokens, "cost": reserved.cost},
            }
        desks.append({"desk": desk.name, "case": case, "day": spent})
    return json_answer({"day": day, "desks": desks})


ROUTES = (
    Route("parked", "GET", "parked", parked),
    Route("cancel_case", "POST", "cases/{case_id}/cancel", cancel),
    Route("resolve_case", "POST", "cases/{case_id}/resolve", resolve),
    Route("replay_case", "POST", "cases/{case_id}/replay", replay),
    Route("budget", "GET", "budget", budget),
    Route("tickets", "GET", "tickets", tickets),
    Route("quarantine", "GET", "quarantine", quarantine),
)
