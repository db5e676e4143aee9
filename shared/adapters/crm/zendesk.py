"""Zendesk Support.

In: the events ``ticket.created`` and ``ticket.comment_added``, or a trigger whose body is
``{"ticket_id": "{{ticket.id}}"}``. Out: comments, tags and priority over the Ticketing API.
https://developer.zendesk.com/documentation/webhooks/verifying/
https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from shared.adapters.crm_api import Api, basic, segment
from shared.adapters.crm_signatures import at_iso, check_signature, check_window, header
from shared.adapters.crm_vendor import (
    Access,
    VendorConnector,
    higher,
    json_of,
    not_theirs,
    part,
    text_of,
)
from shared.domain.inbound import (
    CustomerWords,
    Delivery,
    InboundMessage,
    usable_id,
    with_subject,
)
from shared.domain.outbound import Labels, Post, Stand, is_echo, mark_of
from shared.errors import UnverifiedError

_TYPE = "zen:event-type:"
_SIGNATURE = "x-zendesk-webhook-signature"
#: What a ticket's first comment is called: ``ticket.created`` does not say its id.
_FIRST = "first"
_TOGETHER = timedelta(minutes=2)
_PAGE = "100"
_PAGES = 10
_PRIORITIES = ("low", "normal", "high", "urgent")
_PRIORITY_OF = {"normal": "normal", "high": "high", "critical": "urgent"}


class Connector(VendorConnector):
    """One Zendesk account."""

    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "the webhook's signing secret; two with a space between while one is changed",
        "URL": "the account, such as https://acme.zendesk.com",
        "EMAIL": "the agent whom the API token is used with; leave empty for an OAuth token",
        "TOKEN": "an API token, or an OAuth access token with read and write",
    }
    writes = (("URL", "TOKEN"),)
    paste = "Admin Center → Apps and integrations → Actions and webhooks → Webhooks → Endpoint URL"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._keys = tuple(secret.encode() for secret in access.secrets)
        self._api = Api(access, self._authorization)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        at = header(delivery.headers, f"{_SIGNATURE}-timestamp")
        given = header(delivery.headers, _SIGNATURE)
        check_window(at_iso(at), now)
        check_signature(at.encode() + delivery.body, [given], self._keys, _base64)

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        event = text_of(part(body, "type"))
        if not event.startswith(_TYPE):
            return [_triggered(body, delivery)]
        name = event.removeprefix(_TYPE)
        if name not in ("ticket.created", "ticket.comment_added"):
            return [InboundMessage(event=name, kind="ignored")]
        ticket = usable_id(part(body, "detail", "id"))
        if not ticket:
            raise not_theirs("detail.id is missing")
        return [_created(body, ticket) if name == "ticket.created" else _commented(body, ticket)]

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        found: list[CustomerWords] = []
        number = 0
        async for page in self._pages(f"/api/v2/tickets/{segment(ticket_id)}/comments.json"):
            customers = {
                part(user, "id")
                for user in page.get("users") or ()
                if part(user, "role") == "end-user"
            }
            for comment in page.get("comments") or ():
                name = usable_id(part(comment, "id")) if number else _FIRST
                number += 1
                theirs = part(comment, "public") and part(comment, "author_id") in customers
                text = text_of(part(comment, "plain_body")) or text_of(part(comment, "body"))
                if theirs and not is_echo(text):
                    author = usable_id(part(comment, "author_id"))
                    found.append(CustomerWords(id=name, text=text, customer=author))
            if what == _FIRST:
                return found[:1]
        return found

    async def post(self, post: Post) -> str:
        ticket = {
            "comment": {"html_body": post.html, "public": post.how == "public"},
            "metadata": {"frontdesk": mark_of(post.key)},
        }
        path = f"/api/v2/tickets/{segment(post.ticket_id)}.json"
        answer = await self._api.write("PUT", path, {"ticket": ticket})
        return f"audit {part(answer, 'audit', 'id') or 'unknown'}"

    async def find(self, ticket_id: str, key: str) -> str | None:
        mark = mark_of(key)
        async for page in self._pages(f"/api/v2/tickets/{segment(ticket_id)}/audits.json"):
            for audit in page.get("audits") or ():
                if part(audit, "metadata", "custom", "frontdesk") == mark:
                    return f"audit {part(audit, 'id')}"
        return None

    async def label(self, labels: Labels) -> str:
        ticket = f"/api/v2/tickets/{segment(labels.ticket_id)}"
        # PUT adds tags and keeps the others.
        await self._api.write("PUT", f"{ticket}/tags.json", {"tags": labels.tags})
        wanted = _PRIORITY_OF.get(labels.urgency or "")
        if wanted is None:
            return "tags"
        present = part(await self._api.read(f"{ticket}.json"), "ticket", "priority")
        if not higher(_PRIORITIES, wanted, present):
            return f"tags; the priority was {present} already"
        await self._api.write("PUT", f"{ticket}.json", {"ticket": {"priority": wanted}})
        return f"tags, priority {wanted}"

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        path = f"/api/v2/tickets/{segment(ticket_id)}.json"
        present = part(await self._api.read(path), "ticket", "status")
        wanted = (
            {"new": "pending", "open": "pending"} if status == "waiting" else {"pending": "open"}
        )
        if present not in wanted:
            return f"nothing: the status is {present}"
        await self._api.write("PUT", path, {"ticket": {"status": wanted[present]}})
        return f"status {wanted[present]}"

    async def _pages(self, path: str) -> Any:
        """The pages of a list, in the vendor's order: oldest first."""
        query = {"page[size]": _PAGE}
        if path.endswith("/comments.json"):
            query["include"] = "users"
        for _ in range(_PAGES):
            page = await self._api.read(path, **query)
            yield page if isinstance(page, dict) else {}
            after = part(page, "meta", "after_cursor")
            if not part(page, "meta", "has_more") or not isinstance(after, str):
                return
            query["page[after]"] = after

    async def _authorization(self) -> Mapping[str, str]:
        token, email = self.access.need("TOKEN"), self.access.values.get("EMAIL", "")
        if not email:
            return {"Authorization": f"Bearer {token}"}
        return basic(f"{email}/token", token)


def _created(body: Any, ticket: str) -> InboundMessage:
    detail = part(body, "detail")
    # A ticket that begins with an internal note is a colleague's.
    ours = part(detail, "is_public") is False
    description = text_of(part(detail, "description"))
    return InboundMessage(
        event="ticket.created",
        kind="ignored" if ours else "new",
        ticket_id=ticket,
        delivery_id=_FIRST,
        text=with_subject(text_of(part(detail, "subject")), description) if description else "",
        fetch=None if description else _FIRST,
        customer=usable_id(part(detail, "requester_id")),
    )


def _commented(body: Any, ticket: str) -> InboundMessage:
    comment = part(body, "event", "comment")
    text, name = text_of(part(comment, "body")), usable_id(part(comment, "id"))
    staff = part(comment, "author", "is_staff") is not False or not part(comment, "is_public")
    return InboundMessage(
        event="ticket.comment_added",
        kind="echo" if is_echo(text) else "ignored" if staff else "follow_up",
        ticket_id=ticket,
        delivery_id=_FIRST if _is_first(body, text) else name or str(part(body, "id")),
        text=text,
        fetch=None if text else "all",
        customer=usable_id(part(comment, "author", "id")),
    )


def _is_first(body: Any, text: str) -> bool:
    """Whether this is the comment that the ticket began with, for which two events may come."""
    detail = part(body, "detail")
    if text.strip() != text_of(part(detail, "description")).strip():
        return False
    try:
        began, came = (at_iso(text_of(t)) for t in (part(detail, "created_at"), part(body, "time")))
    except UnverifiedError:
        return False
    return abs(came - began) < _TOGETHER


def _triggered(body: Any, delivery: Delivery) -> InboundMessage:
    """A trigger's own body says only that something came; it is fetched."""
    ticket = usable_id(part(body, "ticket_id")) or usable_id(part(body, "ticket", "id"))
    if not ticket:
        raise not_theirs('a trigger has to send {"ticket_id": "{{ticket.id}}"}')
    digest = hashlib.sha256(delivery.body).hexdigest()[:16]
    came = delivery.headers.get("x-zendesk-webhook-invocation-id", "")
    return InboundMessage(
        event="trigger",
        kind="follow_up",
        ticket_id=ticket,
        delivery_id=f"invocation {came or digest}",
        fetch="all",
    )


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
