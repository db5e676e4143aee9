"""The HTTP API of digests.

| route                    | answer                                                           |
|--------------------------|------------------------------------------------------------------|
| GET /api/digests/{desk}  | 200 ``{digest, effects, letter}``; ``window`` names a sealed one |
| POST /api/digests/{desk} | 202 ``{desk, digest}``: seals what there is by now and sends it  |
"""

from __future__ import annotations

import azure.functions as func

from entrypoints.http_protocol import Route, json_answer
from entrypoints.running import frontdesk
from shared.bootstrap import Frontdesk
from shared.domain.desk import Desk
from shared.domain.digest_letter import digest_letter
from shared.domain.digest_windows import window_of
from shared.domain.letter_text import where_to_look
from shared.errors import RequestError


async def show_digest(req: func.HttpRequest) -> func.HttpResponse:
    """A sealed digest with its receipts, or what the next one would say. Nothing is sent."""
    app = await frontdesk()
    desk = _desk(app, req)
    effects: list[dict[str, str]] = []
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
            }
            for effect in view.effects
        ]
    else:
        digest = await app.digests.preview(desk)
    url = app.settings.public_url
    letter = digest_letter(digest, lambda case_id: where_to_look(url, case_id))
    return json_answer(
        {
            "digest": digest.model_dump(mode="json"),
            "effects": effects,
            "letter": {"subject": letter.subject, "text": letter.text, "html": letter.html},
        }
    )


async def send_digest(req: func.HttpRequest) -> func.HttpResponse:
    """Sends a digest of everything since the last one, before its time."""
    app = await frontdesk()
    desk = _desk(app, req)
    return json_answer({"desk": desk.name, "digest": await app.digests.send_now(desk)}, 202)


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
)
