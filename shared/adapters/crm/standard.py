"""Standard Webhooks, for every system that is not here by name.

In: ``{"type", "timestamp", "data": {"ticket_id", "message_id", "text", "subject"}}`` with type
``ticket.created`` or ``message.created``. Out: ``reply.written``, ``note.written``,
``labels.set`` and ``status.set`` to the setting ``URL``. Both signed as
https://www.standardwebhooks.com says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal

from shared.adapters.crm_api import Api, no_headers
from shared.adapters.crm_signatures import at_epoch, check_signature, check_window, header
from shared.adapters.crm_vendor import Access, VendorConnector, json_of, not_theirs, part, text_of
from shared.domain.inbound import Delivery, InboundMessage, Kind, usable_id, with_subject
from shared.domain.outbound import Labels, Post, Stand

_PREFIX = "whsec_"
_KINDS: Mapping[str, Kind] = {"ticket.created": "new", "message.created": "follow_up"}


class Connector(VendorConnector):
    """Any system that speaks Standard Webhooks, both ways."""

    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "whsec_…, signs both ways; two with a space between while one is changed",
        "URL": "where replies, notes and labels are posted",
    }
    writes = (("URL",),)
    paste = "your own system, wherever it keeps the addresses of its webhooks"
    kind: Literal["keyed", "queryable", "unkeyed"] = "keyed"
    window = 24 * 3600.0
    drafts = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._keys = tuple(_key(access, secret) for secret in access.secrets)
        self._api = Api(access, no_headers)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        name = header(delivery.headers, "webhook-id")
        at = header(delivery.headers, "webhook-timestamp")
        given = header(delivery.headers, "webhook-signature").split()
        check_window(at_epoch(at), now)
        check_signature(_signed(name, at, delivery.body), given, self._keys, _written)

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        event = text_of(part(body, "type"))
        if not event:
            raise not_theirs("a Standard Webhooks body is an object with a type")
        if event not in _KINDS:
            return [InboundMessage(event=event, kind="ignored")]
        data = part(body, "data")
        ticket = usable_id(part(data, "ticket_id"))
        if not ticket:
            raise not_theirs("data.ticket_id is missing, or longer than 200 characters")
        return [
            InboundMessage(
                event=event,
                kind=_KINDS[event],
                ticket_id=ticket,
                delivery_id=usable_id(part(data, "message_id")) or delivery.headers["webhook-id"],
                text=with_subject(text_of(part(data, "subject")), text_of(part(data, "text"))),
                customer=usable_id(part(data, "customer")),
            )
        ]

    async def post(self, post: Post) -> str:
        event = "note.written" if post.how == "note" else "reply.written"
        data = {"ticket_id": post.ticket_id, "how": post.how, "text": post.text, "html": post.html}
        return await self._send(post.key, event, data)

    async def label(self, labels: Labels) -> str:
        data = {"ticket_id": labels.ticket_id, "tags": labels.tags, "urgency": labels.urgency}
        return await self._send(labels.key, "labels.set", data)

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        return await self._send(key, "status.set", {"ticket_id": ticket_id, "status": status})

    async def _send(self, name: str, event: str, data: Mapping[str, object]) -> str:
        now = datetime.now(UTC)
        body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": data}).encode()
        at = str(int(now.timestamp()))
        signed = _signed(name, at, body)
        signatures = [
            _written(hmac.digest(secret, signed, hashlib.sha256)) for secret in self._keys
        ]
        headers = {
            "webhook-id": name,
            "webhook-timestamp": at,
            "webhook-signature": " ".join(signatures),
        }
        await self._api.write("POST", "", body, **headers)
        return f"{event} {name}"


def _signed(name: str, at: str, body: bytes) -> bytes:
    return f"{name}.{at}.".encode() + body


def _written(digest: bytes) -> str:
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(access: Access, secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not 24 <= len(key) <= 64:
        raise access.misset(
            "SECRET",
            'not whsec_ and 24 to 64 bytes in base64; make one with: python3 -c "import base64, '
            "secrets; print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\"",
        )
    return key
