"""The HTTP API of cases: open one, add a message, look at one, list them.

| route                         | answer                                                     |
|-------------------------------|------------------------------------------------------------|
| POST /api/cases               | 202 ``{case_id, status, links}`` and Location               |
| POST /api/cases/{id}/messages | 202 as above: the customer's next message, a new turn       |
| GET /api/cases/{id}           | 200 SupportCase                                            |
| GET /api/cases                | 200 ``{cases, next}``, newest first                         |
| GET /api/desks                | 200 ``{desks: [{name, title}]}``                            |
| GET /api/health               | 200 or 503 ``{status, demo}``; the only one without a key   |
"""

from __future__ import annotations

import re
from typing import Annotated, get_args

import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from entrypoints.http_protocol import (
    Clean,
    Route,
    case_id_of,
    choice_of,
    idempotency_key,
    json_answer,
    limit_of,
    read_body,
)
from entrypoints.running import frontdesk
from shared.domain.case import Status
from shared.domain.desk import DEFAULT_DESK
from shared.domain.fold import fold
from shared.domain.reply_address import check_address
from shared.domain.rows import Channel
from shared.domain.stage import Sentiment
from shared.errors import RequestError
from shared.pipeline.intake import Arrival


class NewChannel(BaseModel):
    """Where the case comes from, as the caller says it."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[Clean, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "api"
    external_id: Annotated[Clean, Field(max_length=200)] | None = None
    reply_address: Annotated[Clean, Field(max_length=2000)] | None = None
    customer: Annotated[Clean, Field(max_length=200)] = ""


class NewCase(BaseModel):
    """Body of POST /api/cases: a message, and the desk or the scene that it is for."""

    model_config = ConfigDict(extra="forbid")

    customer_query: StrictStr
    desk: Annotated[Clean, Field(min_length=1, max_length=40)] | None = None
    support_context: Annotated[Clean, Field(min_length=1, max_length=4000)] | None = None
    channel: NewChannel = NewChannel()


class NewMessage(BaseModel):
    """Body of POST /api/cases/{id}/messages."""

    model_config = ConfigDict(extra="forbid")

    customer_query: StrictStr


async def create_case(req: func.HttpRequest) -> func.HttpResponse:
    """Takes a customer's message in. An Idempotency-Key makes repeating the call safe."""
    body = read_body(req, NewCase)
    if (body.desk is None) == (body.support_context is None):
        raise RequestError(422, "Desk or scene", "Give desk or support_context, one of the two.")
    if body.support_context is not None and not body.support_context.strip():
        raise RequestError(422, "Empty scene", "support_context needs some text.")
    running = await frontdesk()
    desk, address = running.desks.get(body.desk or DEFAULT_DESK), body.channel.reply_address
    if desk and address:
        check_address(address, desk, development=running.settings.development)
    accepted = await running.intake.accept(
        Arrival(
            text=body.customer_query,
            desk=body.desk,
            scene=body.support_context,
            channel=Channel(**body.channel.model_dump(exclude={"customer"})),
            delivery_id=idempotency_key(req),
            customer=body.channel.customer,
        )
    )
    return _accepted(accepted.case_id)


async def add_message(req: func.HttpRequest) -> func.HttpResponse:
    """Takes the customer's next message to a case in."""
    case_id, body = case_id_of(req), read_body(req, NewMessage)
    intake = (await frontdesk()).intake
    await intake.follow_up(case_id, body.customer_query, idempotency_key(req))
    return _accepted(case_id)


async def get_case(req: func.HttpRequest) -> func.HttpResponse:
    """A whole case: its turns, stages with their memory, actions, effects and trace."""
    case_id, desk = case_id_of(req), await frontdesk()
    view = await desk.ports.store.read(case_id)
    if view.received is None or not view.messages:
        raise RequestError(404, "No such case", "GET /api/cases lists the cases there are.")
    of = desk.desks.get(view.received.desk)
    case = fold(view, tuple(action.name for action in of.actions) if of else ())
    said = map(view.said, view.messages)
    whole = {m.turn: await desk.ports.texts.get(m.blob) for m in said if m.blob}
    if whole:
        turns = tuple(
            turn.model_copy(update={"text": whole[turn.turn], "truncated": False})
            if turn.turn in whole
            else turn
            for turn in case.turns
        )
        case = case.model_copy(update={"turns": turns, "customer_query": turns[-1].text})
    return json_answer(case.model_dump(mode="json"))


async def list_cases(req: func.HttpRequest) -> func.HttpResponse:
    """Cases, newest first. Query: desk, status, sentiment, limit (1 to 100), cursor."""
    desk = await frontdesk()
    status = choice_of(req, "status", get_args(Status))
    wanted = req.params.get("desk")
    if wanted and not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", wanted):
        raise RequestError(400, "Bad desk", "desk is a desk's name, as GET /api/desks lists them.")
    entries, cursor = await desk.ports.index.page(
        desks=[wanted] if wanted else desk.desks.names,
        statuses=[status] if status else get_args(Status),
        sentiment=choice_of(req, "sentiment", get_args(Sentiment)),
        before=req.params.get("cursor"),
        limit=limit_of(req),
    )
    return json_answer({"cases": [e.model_dump(mode="json") for e in entries], "next": cursor})


async def list_desks(req: func.HttpRequest) -> func.HttpResponse:
    """The desks that a case can be for."""
    desks = (await frontdesk()).desks
    return json_answer(
        {"desks": [{"name": desk.name, "title": desk.title} for desk in desks.every]}
    )


async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Whether cases can be taken in: settings are complete and the table answers."""
    desk = await frontdesk()
    await desk.ports.store.read("health")
    return json_answer({"status": "ok", "demo": desk.settings.model_quality == "demo"})


def _accepted(case_id: str) -> func.HttpResponse:
    link = f"/api/cases/{case_id}"
    said = {"case_id": case_id, "status": "open", "links": {"self": link}}
    return json_answer(said, 202, Location=link)


ROUTES = (
    Route("create_case", "POST", "cases", create_case),
    Route("add_message", "POST", "cases/{case_id}/messages", add_message),
    Route("list_cases", "GET", "cases", list_cases),
    Route("get_case", "GET", "cases/{case_id}", get_case),
    Route("list_desks", "GET", "desks", list_desks),
    Route("health", "GET", "health", health, func.AuthLevel.ANONYMOUS),
)
