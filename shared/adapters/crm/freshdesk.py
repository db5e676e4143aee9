"""Freshdesk.

In: an automation rule's webhook, which says that something came to a ticket; the words are fetched.
Out: replies, private notes, tags and priority.
https://developers.freshdesk.com/api/ (tickets, conversations, rate limit)
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from shared.adapters.crm_api import Api, basic, segment
from shared.adapters.crm_signatures import check_token
from shared.adapters.crm_vendor import (
    Access,
    VendorConnector,
    higher,
    json_of,
    not_theirs,
    part,
    text_of,
)
from shared.domain.inbound import CustomerWords, Delivery, InboundMessage, conversation, usable_id
from shared.domain.outbound import Labels, Post, Stand, carries, is_echo, mark_of, marked_html

_PAGE = 100
_PAGES = 10
#: A ticket that an agent began by writing to a customer.
_OUTBOUND_EMAIL = 10
#: Low, medium, high, urgent.
_PRIORITIES = (1, 2, 3, 4)
_PRIORITY_OF = {"normal": 2, "high": 3, "critical": 4}
_SAME_EVENT = 600
_OPEN, _PENDING = 2, 3


class Connector(VendorConnector):
    """One Freshdesk account."""

    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "what the rule sends as X-Frontdesk-Token; two with a space while changed",
        "URL": "the account, such as https://acme.freshdesk.com",
        "TOKEN": "the API key of the agent who writes our messages (Profile settings)",
    }
    writes = (("URL", "TOKEN"),)
    paste = "Admin → Automations → a rule → Trigger webhook"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._api = Api(access, self._authorization)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        check_token(delivery, self.access.secrets)

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        fields = part(body, "freshdesk_webhook") or body
        ticket = usable_id(part(fields, "ticket_id"))
        if not ticket:
            raise not_theirs("ticket_id is missing: tick Ticket ID in the webhook's content")
        return [
            InboundMessage(
                event="rule",
                kind="follow_up",
                ticket_id=ticket,
                delivery_id=_name(delivery.body, fields),
                fetch="all",
            )
        ]

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        ticket = await self._api.read(_path(ticket_id))
        later = [
            CustomerWords(id=usable_id(part(said, "id")), text=text_of(part(said, "body_text")))
            for said in await self._conversations(ticket_id)
            if part(said, "incoming") and not part(said, "private")
        ]
        later = [words for words in later if not is_echo(words.text)]
        if part(ticket, "source") == _OUTBOUND_EMAIL:
            return later
        described = text_of(part(ticket, "description_text"))
        requester = usable_id(part(ticket, "requester_id"))
        return conversation(text_of(part(ticket, "subject")), described, later, requester)

    async def post(self, post: Post) -> str:
        # Freshdesk keeps nothing of ours with a message but its text.
        body = marked_html(post)
        if post.how == "public":
            answer = await self._api.write("POST", _path(post.ticket_id, "/reply"), {"body": body})
        else:
            note = {"body": body, "private": True}
            answer = await self._api.write("POST", _path(post.ticket_id, "/notes"), note)
        return f"conversation {part(answer, 'id') or 'unknown'}"

    async def find(self, ticket_id: str, key: str) -> str | None:
        mark = mark_of(key)
        for said in await self._conversations(ticket_id):
            if carries(text_of(part(said, "body_text")), mark):
                return f"conversation {part(said, 'id')}"
        return None

    async def label(self, labels: Labels) -> str:
        path = _path(labels.ticket_id)
        ticket = await self._api.read(path)
        kept = [tag for tag in part(ticket, "tags") or () if isinstance(tag, str)]
        # PUT replaces the list.
        fields: dict[str, Any] = {"tags": list(dict.fromkeys([*kept, *labels.tags]))}
        wanted = _PRIORITY_OF.get(labels.urgency or "")
        if wanted and higher(_PRIORITIES, wanted, part(ticket, "priority")):
            fields["priority"] = wanted
        await self._api.write("PUT", path, fields)
        return ", ".join(fields)

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        path = _path(ticket_id)
        present = part(await self._api.read(path), "status")
        wanted = {_OPEN: _PENDING} if status == "waiting" else {_PENDING: _OPEN}
        if present not in wanted:
            return f"nothing: the status is {present}"
        await self._api.write("PUT", path, {"status": wanted[present]})
        return f"status {wanted[present]}"

    async def _conversations(self, ticket_id: str) -> list[Any]:
        """Everything that was said in a ticket, oldest first."""
        found: list[Any] = []
        for number in range(1, _PAGES + 1):
            path, page = _path(ticket_id, "/conversations"), str(number)
            said = await self._api.read(path, per_page=str(_PAGE), page=page)
            found += said if isinstance(said, list) else ()
            if not isinstance(said, list) or len(said) < _PAGE:
                break
        return sorted(found, key=lambda said: text_of(part(said, "created_at")))

    async def _authorization(self) -> Mapping[str, str]:
        return basic(self.access.need("TOKEN"), "X")


def _name(body: bytes, fields: Any) -> str:
    """What to call an event, of which Freshdesk says no id.

    The customer's words in the body tell it from the next one. The same words within ten minutes
    are the same event; later they may be new ones, and fetching finds out.
    """
    if part(fields, "ticket_latest_public_comment") is None:
        return f"rule {uuid.uuid4()}"
    digest = hashlib.sha256(body).hexdigest()[:16]
    return f"rule {digest} {int(datetime.now(UTC).timestamp()) // _SAME_EVENT}"


def _path(ticket: str, what: str = "") -> str:
    return f"/api/v2/tickets/{segment(ticket)}{what}"
