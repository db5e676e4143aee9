"""The HTTP API of decisions on actions: by name and key, and by the links in mails.

| route                                         | answer                                   |
|-----------------------------------------------|------------------------------------------|
| GET /api/approvals                            | 200 ``{cases, next}``: what waits for people |
| POST /api/cases/{id}/actions/{action}/approve | 202 ``{case_id, action}``; body ``{by, reason}`` |
| POST /api/cases/{id}/actions/{action}/reject  | the same                                 |
| POST /api/cases/{id}/actions/{action}/done    | the same: done by hand                   |
| GET /api/decide/{token}                       | 200 a page with a form; changes nothing  |
| POST /api/decide/{token}                      | 200 a page: decided; the form's fields   |

The last two need no key but the link. Whatever is wrong with it is told on a page, too. Mail
programs and scanners open links: only the form decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Literal
from urllib.parse import parse_qs

import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from entrypoints.http_protocol import (
    Clean,
    Handler,
    Route,
    case_id_of,
    json_answer,
    limit_of,
    read_body,
)
from entrypoints.operator_api import NewAct
from entrypoints.running import frontdesk
from shared.domain.approval_links import Claim
from shared.domain.deciding import Decision, check_decidable
from shared.domain.desk import Desk
from shared.domain.fold import action_view, fold
from shared.domain.pages import HEADERS, decided_page, decision_page, trouble_page
from shared.domain.partition import Partition
from shared.domain.proposed import Proposed
from shared.errors import RequestError, RetryableError
from shared.pipeline.acts import Acts
from shared.telemetry import logger

_MAX_FORM = 16 * 1024
_MAX_FIELDS = 10
_OUTCOMES: dict[str, str] = {"approve": "approved", "reject": "rejected", "done": "done"}
_log = logger("decisions")


class Form(BaseModel):
    """What the page's form sends."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    decision: Literal["approve", "reject", "done"]
    by: Annotated[Clean, Field(min_length=1, max_length=80)]
    reason: Annotated[Clean, Field(max_length=400)] = ""


async def approvals(req: func.HttpRequest) -> func.HttpResponse:
    """Cases with actions that wait for a yes or are to be done by hand, newest first."""
    desk = await frontdesk()
    entries, cursor = await desk.ports.index.page(
        desks=desk.desks.names,
        statuses=["escalated"],
        sentiment=None,
        before=req.params.get("cursor"),
        limit=limit_of(req),
        waiting=True,
    )
    return json_answer({"cases": [e.model_dump(mode="json") for e in entries], "next": cursor})


def deciding(act: Decision) -> Handler:
    """The handler of one decision by name and key."""

    async def decide(req: func.HttpRequest) -> func.HttpResponse:
        case_id, body = case_id_of(req), read_body(req, NewAct)
        acts = (await frontdesk()).acts
        action = await acts.decide(case_id, req.route_params["action"], act, body.by, body.reason)
        return json_answer({"case_id": case_id, "action": action.model_dump(mode="json")}, 202)

    return decide


def paged(handler: Handler) -> Handler:
    """The handler with our errors turned into pages; a bug is still raised."""

    @wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return await handler(req)
        except RequestError as error:
            return _page(trouble_page(error.title, error.detail), error.status)
        except RetryableError as error:
            _log.warning("storage did not answer", extra={"code": error.code})
            detail = "Nothing was changed. Please try again in a minute."
            return _page(trouble_page("Not right now", detail), 503)

    return wrapped


@paged
async def look(req: func.HttpRequest) -> func.HttpResponse:
    """Shows what is to be decided. Changes nothing."""
    return _shown(await _asked(req))


@paged
async def decide_by_link(req: func.HttpRequest) -> func.HttpResponse:
    """Decides, once."""
    asked = await _asked(req)
    try:
        form = _form(req.get_body())
    except ValidationError:
        return _shown(asked, "Write your name, then choose.")
    claim = asked.claim
    via = "management's link in a mail" if claim.level == "management" else "link in a mail"
    action = await asked.acts.decide(
        claim.case_id, claim.action, form.decision, form.by, form.reason, via
    )
    return _page(decided_page(asked.desk, action, _OUTCOMES[form.decision]))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a link is about."""

    claim: Claim
    view: Partition
    found: Proposed
    desk: Desk
    acts: Acts


async def _asked(req: func.HttpRequest) -> _Asked:
    """What the link is about.

    Raises:
        RequestError: The link is wrong, or stands for less than the action needs.
    """
    running = await frontdesk()
    claim = running.links.read(req.route_params["token"], running.ports.clock.now())
    view = await running.ports.store.read(claim.case_id)
    found = view.action(claim.action) if view.received else None
    desk = running.desks.get(view.received.desk) if view.received else None
    if found is None or desk is None:
        raise RequestError(404, "No such action", "The case is not there any more.")
    if not claim.covers(found.action.approval):
        raise RequestError(403, "Not yours to decide", "This needs somebody from management.")
    return _Asked(claim, view, found, desk, running.acts)


def _shown(asked: _Asked, wrong: str = "") -> func.HttpResponse:
    check_decidable(asked.view, asked.found)
    case, action = fold(asked.view), action_view(asked.view, asked.found)
    return _page(decision_page(case, asked.desk, action, wrong), 422 if wrong else 200)


def _form(raw: bytes) -> Form:
    if len(raw) > _MAX_FORM:
        raise RequestError(413, "Too long", "The form holds a name and a reason, no more.")
    try:
        fields = parse_qs(raw.decode(errors="replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise RequestError(400, "Not our form", "Open the link from the mail once more.") from None
    return Form.model_validate({name: values[-1] for name, values in fields.items()})


def _page(html: str, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(
        html, status_code=status, mimetype="text/html", charset="utf-8", headers=dict(HEADERS)
    )


_ACTION = "cases/{case_id}/actions/{action}"
ROUTES = (
    Route("approvals", "GET", "approvals", approvals),
    Route("approve_action", "POST", f"{_ACTION}/approve", deciding("approve")),
    Route("reject_action", "POST", f"{_ACTION}/reject", deciding("reject")),
    Route("action_done", "POST", f"{_ACTION}/done", deciding("done")),
    Route("decision", "GET", "decide/{token}", look, func.AuthLevel.ANONYMOUS),
    Route("decide", "POST", "decide/{token}", decide_by_link, func.AuthLevel.ANONYMOUS),
)
