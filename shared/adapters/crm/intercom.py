"""Intercom: conversations and customers' tickets.

In: ``conversation.user.created`` and ``.replied`` with the text, ``ticket.created`` with it too,
``ticket.contact.replied`` without; and a signed ``ping``. Out: replies, notes and tags.
https://developers.intercom.com/docs/references/webhooks/webhook-models
https://developers.intercom.com/docs/references/rest-api/api.intercom.io
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from shared.adapters.crm_api import Api, segment
from shared.adapters.crm_signatures import check_signature, header
from shared.adapters.crm_vendor import (
    Access,
    VendorConnector,
    first_of,
    json_of,
    not_theirs,
    part,
    text_of,
)
from shared.domain.inbound import (
    OPENING,
    Acknowledgement,
    CustomerWords,
    Delivery,
    InboundMessage,
    Kind,
    conversation,
    usable_id,
    with_subject,
)
from shared.domain.markup import plain
from shared.domain.outbound import Labels, Post, carries, is_echo, mark_of, marked_html

_VERSION = "2.14"
_CUSTOMERS = frozenset({"user", "lead", "contact"})
#: Intercom's documentation does not say whether tickets and conversations share their ids; taking
#: two of different customers for one would be worse than two cases of one customer.
_TICKET = "ticket-"


class Connector(VendorConnector):
    """One Intercom workspace."""

    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "the app's client secret; two with a space between while one is changed",
        "URL": "https://api.intercom.io, https://api.eu.intercom.io or https://api.au.intercom.io",
        "TOKEN": "the app's access token",
        "ADMIN": "the id of the admin who writes our messages",
    }
    writes = (("URL", "TOKEN", "ADMIN"),)
    paste = "Developer Hub → the app → Webhooks → Endpoint URL"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._keys = tuple(secret.encode() for secret in access.secrets)
        self._api = Api(access, self._authorization)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        # Nothing says when it was signed; an old delivery that comes again is one we know.
        given = header(delivery.headers, "x-hub-signature")
        check_signature(delivery.body, [given], self._keys, _signature, hashlib.sha1)

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        topic, item = text_of(part(body, "topic")), part(body, "data", "item")
        if not topic:
            raise not_theirs("topic is missing")
        match topic:
            case "conversation.user.created":
                return [_began(topic, item)]
            case "conversation.user.replied":
                return _replied(topic, item)
            case "ticket.created":
                return [_ticket_began(topic, item)]
            case "ticket.contact.replied":
                name = usable_id(part(body, "id"))
                ticket = _named(part(item, "ticket") or item, _TICKET)
                return [_message(topic, "follow_up", ticket, name, fetch="all")]
        return [InboundMessage(event=topic, kind="ignored")]

    def acknowledgement(self, delivery: Delivery) -> Acknowledgement:
        """200 for the ping that tests the address as for everything else."""
        return Acknowledgement(status=200)

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        thing = await self._api.read(_path(ticket_id))
        later = [
            CustomerWords(
                id=usable_id(part(said, "id")),
                text=plain(text_of(part(said, "body"))),
                customer=_author(said),
            )
            for said in _parts(thing)
            if _customers(said) and part(said, "body")
        ]
        later = [words for words in later if not is_echo(words.text)]
        if ticket_id.startswith(_TICKET):
            return conversation(*_described(thing), later, _contact(thing))
        source = _source(thing)
        if not _customers(source):
            return later
        return conversation(*_said_first(source), later, _author(source))

    async def post(self, post: Post) -> str:
        # Intercom keeps nothing of ours with a message but its text.
        reply = {
            "type": "admin",
            "admin_id": self.access.need("ADMIN"),
            "message_type": "comment" if post.how == "public" else "note",
            "body": marked_html(post),
        }
        answer = await self._api.write("POST", _path(post.ticket_id, "/reply"), reply)
        return f"{reply['message_type']} {part(answer, 'id') or 'unknown'}"

    async def find(self, ticket_id: str, key: str) -> str | None:
        mark = mark_of(key)
        for said in _parts(await self._api.read(_path(ticket_id))):
            if carries(text_of(part(said, "body")), mark):
                return f"{part(said, 'part_type')} {part(said, 'id')}"
        return None

    async def label(self, labels: Labels) -> str:
        """Tags, by their ids. Intercom has no priority that the API can set."""
        listed = part(await self._api.read("/tags"), "data")
        known = {part(tag, "name"): usable_id(part(tag, "id")) for tag in listed or ()}
        for name in labels.tags:
            found = known.get(name)
            if not found:
                made = await self._api.write("POST", "/tags", {"name": name})
                found = usable_id(part(made, "id"))
            tag = {"id": found, "admin_id": self.access.need("ADMIN")}
            await self._api.write("POST", _path(labels.ticket_id, "/tags"), tag)
        return "tags"

    async def _authorization(self) -> Mapping[str, str]:
        token = self.access.need("TOKEN")
        return {"Authorization": f"Bearer {token}", "Intercom-Version": _VERSION}


def _began(topic: str, item: Any) -> InboundMessage:
    source = _source(item)
    kind: Kind = "new" if _customers(source) else "ignored"
    text = with_subject(*_said_first(source))
    return _message(topic, kind, _named(item), OPENING, text, customer=_author(source))


def _replied(topic: str, item: Any) -> list[InboundMessage]:
    ticket = _named(item)
    said = [one for one in _parts(item) if _customers(one)]
    if not said:
        # Newer versions of their API may leave the parts out.
        name = f"as of {part(item, 'updated_at')}"
        return [_message(topic, "follow_up", ticket, name, fetch="all")]
    texts = [plain(text_of(part(one, "body"))) for one in said]
    return [
        _message(
            topic,
            "echo" if is_echo(text) else "follow_up",
            ticket,
            usable_id(part(one, "id")),
            text,
            customer=_author(one),
        )
        for one, text in zip(said, texts, strict=True)
    ]


def _ticket_began(topic: str, item: Any) -> InboundMessage:
    # The others are colleagues' own: Back-office and Tracker.
    theirs = part(item, "category") in (None, "Customer", "request")
    text = with_subject(*_described(item))
    kind: Kind = "new" if theirs else "ignored"
    return _message(topic, kind, _named(item, _TICKET), OPENING, text, customer=_contact(item))


def _message(
    topic: str,
    kind: Kind,
    ticket: str,
    name: str,
    text: str = "",
    fetch: str | None = None,
    customer: str = "",
) -> InboundMessage:
    return InboundMessage(
        event=topic,
        kind=kind,
        ticket_id=ticket,
        delivery_id=name,
        text=text,
        fetch=fetch,
        customer=customer,
    )


def _named(item: Any, prefix: str = "") -> str:
    found = usable_id(part(item, "id"))
    if not found:
        raise not_theirs("data.item.id is missing")
    return f"{prefix}{found}"


def _source(thing: Any) -> Any:
    """The message that a conversation began with; the second name is that of older versions."""
    return part(thing, "source") or part(thing, "conversation_message")


def _said_first(source: Any) -> tuple[str, str]:
    subject, body = (plain(text_of(part(source, name))) for name in ("subject", "body"))
    return subject, body


def _described(ticket: Any) -> tuple[str, str]:
    attributes = part(ticket, "ticket_attributes")
    title, described = (part(attributes, f"_default_{n}_") for n in ("title", "description"))
    return text_of(title), plain(text_of(described))


def _parts(thing: Any) -> Iterable[Any]:
    for name in ("conversation_parts", "ticket_parts"):
        yield from part(thing, name, name) or ()


def _customers(said: Any) -> bool:
    return part(said, "author", "type") in _CUSTOMERS and part(said, "part_type") != "note"


def _author(said: Any) -> str:
    return usable_id(part(said, "author", "id")) if _customers(said) else ""


def _contact(ticket: Any) -> str:
    return usable_id(part(first_of(ticket, "contacts", "contacts"), "id"))


def _path(ticket: str, what: str = "") -> str:
    kind = "tickets" if ticket.startswith(_TICKET) else "conversations"
    return f"/{kind}/{segment(ticket.removeprefix(_TICKET))}{what}"


def _signature(digest: bytes) -> str:
    return f"sha1={digest.hex()}"
