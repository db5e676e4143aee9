"""The HTTP API of digests.

| route                            | answer                                                   |
|----------------------------------|----------------------------------------------------------|
| GET /api/digests/{desk}          | 200 ``{digest, effects, acts, letter}``                  |
| POST /api/digests/{desk}         | 202 ``{desk, digest}``: seals what there is and sends it |
| POST /api/digests/{desk}/replay  | 202 ``{desk, window, replayed}``                         |
| POST /api/digests/{desk}/resolve | 202 ``{desk, window}``                                   |

The query's ``window`` names a sealed one. Bodies are ``{by, reason, window}``, of a replay also
``channels``.
"""

from __future__ import annotations

from typing import Annotated, Any

import azure.functions as func
from pydantic import Field

from entrypoints.http_protocol import Route, json_answer, read_body
from entrypoints.operator_api import Name, NewAct
from entrypoints.running import frontdesk
from shared.bootstrap import Frontdesk
from shared.domain.desk import Desk
from shared.domain.digest_letter import digest_letter
from shared.domain.digest_windows import window_of
from shared.domain.letter_text import where_to_look
from shared.domain.stage import StageError
from shared.errors import RequestError


class NewDigestAct(NewAct):
    """Body of an act on the digest of a window."""

    window: Name


class NewResend(NewDigestAct):
    """Body of a replay. With no channels given: all that were refused."""

    channels: Annotated[tuple[Name, ...], Field(max_length=20)] = ()


async def show_digest(req: func.HttpRequest) -> func.HttpResponse:
    """A sealed digest with its receipts, or what the next one would say. Nothing is sent."""
    app = await frontdesk()
    desk = _desk(app, req)
    effects: list[dict[str, str]] = []
    acts: list[dict[str, Any]] = []
    if window := req.params.get("window"):
        view = await app.digests.sealed(desk, _window_id(window))
        if view is None or view.digest is None:
            raise RequestError(404, "No such digest", f"{desk.name} has none of that window.")
        digest = view.digest.digest
        effects = [
            {
                "key": effect.request.key,
                "state": effect.phase,
                "receipt": effect.row.receipt if effect.row else "",
                "reason": _reason(effect.row.error) if effect.row else "",
            }
            for effect in view.effects
        ]
        names = {"act", "by", "at", "reason", "effects"}
        acts = [act.model_dump(mode="json", include=names) for act in view.acts]
    else:
        digest = await app.digests.preview(desk)
    url = app.settings.public_url
    letter = digest_letter(digest, lambda case_id: where_to_look(url, case_id))
    return json_answer(
        {
            "digest": digest.model_dump(mode="json"),
            "effects": effects,
            "acts": acts,
            "letter": {"subject": letter.subject, "text": letter.text, "html": letter.html},
        }
    )


async def send_digest(req: func.HttpRequest) -> func.HttpResponse:
    """Sends a digest of everything since the last one, before its time."""
    app = await frontdesk()
    desk = _desk(app, req)
    return json_answer({"desk": desk.name, "digest": await app.digests.send_now(desk)}, 202)


async def replay_digest(req: func.HttpRequest) -> func.HttpResponse:
    """Sends a sealed digest again to channels that failed."""
    app = await frontdesk()
    desk, body = _desk(app, req), read_body(req, NewResend)
    window = _window_id(body.window)
    names = await app.digest_channels.replay(desk.name, window, body.by, body.reason, body.channels)
    return json_answer({"desk": desk.name, "window": window, "replayed": names}, 202)


async def resolve_digest(req: func.HttpRequest) -> func.HttpResponse:
    """Says that a person has dealt with the channels of a digest that failed."""
    app = await frontdesk()
    desk, body = _desk(app, req), read_body(req, NewDigestAct)
    window = _window_id(body.window)
    await app.digest_channels.resolve(desk.name, window, body.by, body.reason)
    return json_answer({"desk": desk.name, "window": window}, 202)


def _reason(error: StageError | None) -> str:
    return ": ".join(filter(None, (error.code, error.detail))) if error else ""


def _desk(app: Frontdesk, req: func.HttpRequest) -> Desk:
    desk = app.desks.get(req.route_params["desk"])
    if desk is None:
        raise RequestError(404, "No such desk", f"There are: {', '.join(app.desks.names)}.")
    return desk


def _window_id(text: str) -> str:
    try:
        window_of(text)
    except ValueError:
        raise RequestError(
            400, "Bad window", "A window is named after its end, such as 2026-03-29T0600Z."
        ) from None
    return text


ROUTES = (
    Route("show_digest", "GET", "digests/{desk}", show_digest),
    Route("send_digest", "POST", "digests/{desk}", send_digest),
    Route("replay_digest", "POST", "digests/{desk}/replay", replay_digest),
    Route("resolve_digest", "POST", "digests/{desk}/resolve", resolve_digest),
)
