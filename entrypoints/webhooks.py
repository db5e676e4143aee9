"""Webhooks of CRMs: POST /api/webhooks/{desk}/{vendor}. The signature is the key.

| answer | when                                                                     |
|--------|--------------------------------------------------------------------------|
| 202    | taken in: ``{"cases", "counts"}``; in headers beside a vendor's own form |
| 400    | verified, and not what this vendor sends                                 |
| 401    | signature missing, wrong or stale; the reason is in the operator's log   |
| 404    | no such desk or vendor, or the desk has no secret for it                 |
| 413    | over 1 MiB                                                               |
| 503    | storage is down: nothing was accepted, Retry-After says when to come back |
"""

from __future__ import annotations

from urllib.parse import urlsplit

import azure.functions as func

from entrypoints.http_protocol import Route, json_answer
from entrypoints.running import frontdesk
from shared.domain.inbound import Delivery
from shared.errors import RequestError

MAX_BODY = 1024 * 1024


async def receive_webhook(req: func.HttpRequest) -> func.HttpResponse:
    """Takes a CRM's delivery in."""
    body = req.get_body()
    if len(body) > MAX_BODY:
        raise RequestError(413, "Body too large", f"{MAX_BODY} bytes is the most.")
    running = await frontdesk()
    received = await running.reception.take(
        req.route_params["desk"],
        req.route_params["vendor"],
        Delivery(
            url=_public(req.url, running.settings.public_url),
            headers={name.lower(): value for name, value in req.headers.items()},
            body=body,
            query=dict(req.params),
            method=req.method,
        ),
    )
    said = received.acknowledgement
    if said.body is None:
        return json_answer({"cases": received.cases, "counts": received.counts}, status=said.status)
    counts = ", ".join(f"{name}={count}" for name, count in received.counts.items())
    headers = {"Frontdesk-Cases": ", ".join(received.cases), "Frontdesk-Counts": counts}
    return func.HttpResponse(
        said.body, status_code=said.status, mimetype=said.content_type, headers=headers
    )


def _public(url: str, base: str) -> str:
    """The address as the vendor knows it: a proxy in front may have changed scheme and host."""
    if not base:
        return url
    found = urlsplit(url)
    query = f"?{found.query}" if found.query else ""
    return f"{base.rstrip('/')}{found.path}{query}"


ROUTES = (
    Route(
        "receive_webhook",
        "POST",
        "webhooks/{desk}/{vendor}",
        receive_webhook,
        func.AuthLevel.ANONYMOUS,
    ),
)
