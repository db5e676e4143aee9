"""Chatwoot, cloud or one's own.

In: the event ``message_created``; nothing is delivered twice, so what is lost is found by a poll.
Out: messages, private notes, labels and priority.
https://developers.chatwoot.com/api-reference, and Chatwoot's own source for what that leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from shared.adapters.crm_api import Api, segment
from shared.adapters.crm_signatures import at_epoch, check_signature, check_window, header
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
    Changes,
    CustomerWords,
    Delivery,
    InboundMessage,
    usable_id,
)
from shared.domain.outbound import Labels, Post, carries, is_echo, mark_of, marked

_ATTRIBUTE = "frontdesk"
#: Messages come in pages of 20.
_PAGES = 10
_INCOMING = 0
#: Seconds that a first poll looks back, and that each poll overlaps with the one before.
_FIRST_LOOK = 900
_OVERLAP = 120
_PRIORITIES = ("low", "medium", "high", "urgent")
_PRIORITY_OF = {"normal": "medium", "high": "high", "critical": "urgent"}
#: What makes links, pictures, headings and the like of words that others wrote.
_MARKDOWN = re.compile(r"([\\`*_\[\]#|<>~])")


class Connector(VendorConnector):
    """One Chatwoot account."""

    polls = True
    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "the webhook's secret; two with a space between while one is changed",
        "URL": "where Chatwoot is, such as https://app.chatwoot.com",
        "ACCOUNT": "the account's number, as in the address /app/accounts/1",
        "TOKEN": "the access token of an agent (Profile settings), who writes our messages",
    }
    writes = (("URL", "ACCOUNT", "TOKEN"),)
    paste = "Settings → Integrations → Webhooks → Add new webhook"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._keys = tuple(secret.encode() for secret in access.secrets)
        self._api = Api(access, self._authorization)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        at = header(delivery.headers, "x-chatwoot-timestamp")
        given = header(delivery.headers, "x-chatwoot-signature")
        check_window(at_epoch(at), now)
        check_signature(
            f"{at}.".encode() + delivery.body, [given], self._keys, lambda d: f"sha256={d.hex()}"
        )

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        event = text_of(part(body, "event"))
        if not event:
            raise not_theirs("event is missing")
        account = self.access.values.get("ACCOUNT", "")
        if account and usable_id(part(body, "account", "id")) not in ("", account):
            return [InboundMessage(event=f"{event} of another account", kind="ignored")]
        if event != "message_created":
            return [InboundMessage(event=event, kind="ignored")]
        return [_message(event, body, usable_id(part(body, "conversation", "id")))]

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        found = [_message("fetched", m, ticket_id) for m in await self._messages(ticket_id)]
        return [
            CustomerWords(id=m.delivery_id, text=m.text, customer=m.customer)
            for m in found
            if m.from_customer
        ]

    async def post(self, post: Post) -> str:
        mark = mark_of(post.key)
        # Notes show Markdown; many channels of customers show a backslash as it is. A note carries
        # its mark where people see it too: older versions drop the attribute.
        note = marked(_MARKDOWN.sub(r"\\\1", post.text), mark)
        body = {
            "content": post.text if post.how == "public" else note,
            "message_type": "outgoing",
            "private": post.how != "public",
            "content_attributes": {_ATTRIBUTE: mark},
        }
        answer = await self._api.write("POST", self._path(post.ticket_id, "messages"), body)
        return f"message {part(answer, 'id') or 'unknown'}"

    async def find(self, ticket_id: str, key: str) -> str | None:
        mark = mark_of(key)
        for message in await self._messages(ticket_id):
            marked_so = part(message, "content_attributes", _ATTRIBUTE) == mark
            if marked_so or carries(text_of(part(message, "content")), mark):
                return f"message {part(message, 'id')}"
        return None

    async def label(self, labels: Labels) -> str:
        path = self._path(labels.ticket_id, "labels")
        present = part(await self._api.read(path), "payload")
        kept = [label for label in present or () if isinstance(label, str)]
        # POST replaces the list.
        await self._api.write("POST", path, {"labels": list(dict.fromkeys([*kept, *labels.tags]))})
        wanted = _PRIORITY_OF.get(labels.urgency or "")
        if wanted is None:
            return "labels"
        conversation = await self._api.read(self._path(labels.ticket_id))
        now = part(conversation, "priority")
        if not higher(_PRIORITIES, wanted, now):
            return f"labels; the priority was {now} already"
        path = self._path(labels.ticket_id, "toggle_priority")
        await self._api.write("POST", path, {"priority": wanted})
        return f"labels, priority {wanted}"

    async def changed_since(self, mark: str | None, now: datetime) -> Changes:
        since = int(mark) if mark else int(now.timestamp()) - _FIRST_LOOK
        window = int(now.timestamp()) - since + _OVERLAP
        listed = await self._api.read(
            self._path().removesuffix("/"), status="all", updated_within=str(window)
        )
        found: list[InboundMessage] = []
        for conversation in part(listed, "data", "payload") or ():
            ticket = usable_id(part(conversation, "id"))
            said = await self._messages(ticket, since - _OVERLAP)
            found += (_message("poll", message, ticket) for message in said)
        return Changes(tuple(m for m in found if m.from_customer), str(int(now.timestamp())))

    async def _messages(self, ticket: str, since: int = 0) -> list[Any]:
        """The conversation's messages from ``since`` on (seconds), oldest first."""
        found: list[Any] = []
        query: dict[str, str] = {}
        for _ in range(_PAGES):
            page = part(await self._api.read(self._path(ticket, "messages"), **query), "payload")
            page = [message for message in page or () if isinstance(message, dict)]
            found = page + found
            first = page[0] if page else {}
            if not page or _at(first) < since or not usable_id(first.get("id")):
                break
            query = {"before": usable_id(first["id"])}
        return [message for message in found if _at(message) >= since]

    def _path(self, ticket: str = "", what: str = "") -> str:
        account = segment(self.access.need("ACCOUNT"))
        parts = [f"/api/v1/accounts/{account}/conversations", segment(ticket), what]
        return "/".join(parts).rstrip("/")

    async def _authorization(self) -> Mapping[str, str]:
        return {"api_access_token": self.access.need("TOKEN")}


def _message(event: str, message: Any, ticket: str) -> InboundMessage:
    """A message of a webhook, whose type is a word, or of the API, whose type is a number."""
    if not ticket:
        raise not_theirs("conversation.id is missing")
    text, name = text_of(part(message, "content")), usable_id(part(message, "id"))
    incoming = part(message, "message_type") in ("incoming", _INCOMING)
    ours = part(message, "content_attributes", _ATTRIBUTE) is not None or is_echo(text)
    theirs = incoming and not part(message, "private")
    if theirs and not name:
        raise not_theirs("id is missing")
    return InboundMessage(
        event=event,
        kind="echo" if ours else "follow_up" if theirs else "ignored",
        ticket_id=ticket,
        delivery_id=name,
        text=text,
        customer=usable_id(part(message, "sender", "id")) if theirs else "",
    )


def _at(message: Mapping[str, Any]) -> int:
    at = message.get("created_at")
    if isinstance(at, int):
        return at
    try:
        return int(datetime.fromisoformat(str(at)).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
