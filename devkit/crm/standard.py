"""Standard Webhooks: signed deliveries, and a system that takes what Frontdesk sends back.

Written from https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
and docs/crm/standard.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import RefusedError, VendorApi, only

_FIELDS = {
    "reply.written": ("ticket_id", "how", "text", "html"),
    "note.written": ("ticket_id", "how", "text", "html"),
    "labels.set": ("ticket_id", "tags", "urgency"),
    "status.set": ("ticket_id", "status"),
}
_WRITES = ("reply.written", "note.written")


class StandardApi(VendorApi):
    """Any system: it checks the signature and applies each ``webhook-id`` once.

    Attributes:
        applied: Events by ``webhook-id``, in their order.
    """

    vendor = "standard"
    credentials: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.secret = ""
        self.applied: dict[str, dict[str, Any]] = {}
        self._name = ""

    def settings(self, desk: str, secret: str) -> dict[str, str]:
        self.secret = secret
        return super().settings(desk, secret)

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        self._name = request.headers.get("webhook-id", "")
        given = request.headers.get("webhook-signature", "").split()
        at = request.headers.get("webhook-timestamp", "")
        return any(
            hmac.compare_digest(signature(raw, self._name, at, secret), one)
            for secret in self.secret.split()
            for one in given
        )

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        event = only(body, "type", "timestamp", "data")
        if method != "POST" or event["type"] not in _FIELDS:
            raise RefusedError(404, "nothing of that kind")
        only(event["data"], *_FIELDS[event["type"]])
        if self._name not in self.applied:
            self.applied[self._name] = event
            if event["type"] in _WRITES:
                self.ledger.append(self._name)
        return None


def signature(body: bytes, name: str, at: str, secret: str) -> str:
    """One signature, of a body with this ``webhook-id`` at this time (seconds)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def signed(body: bytes, at: datetime, name: str, secret: str) -> tuple[bytes, dict[str, str]]:
    """A delivery with its headers."""
    seconds = str(int(at.timestamp()))
    return body, {
        "webhook-id": name,
        "webhook-timestamp": seconds,
        "webhook-signature": signature(body, name, seconds, secret),
        "content-type": "application/json",
    }


def event(data: Mapping[str, object], at: datetime, kind: str) -> bytes:
    """The body of an event."""
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}).encode()


class Counterpart(counterpart.Counterpart[StandardApi]):
    """A ticket of a system of one's own."""

    vendor = "standard"
    api_type = StandardApi

    @staticmethod
    def new_secret() -> str:
        return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"

    @staticmethod
    def new_ticket() -> str:
        return f"T-{counterpart.Counterpart.new_ticket()}"

    def signed(self, body: bytes) -> Sent:
        name = f"msg_{hashlib.sha256(body).hexdigest()[:27]}"
        return Sent(*signed(body, self.now(), name, self.secret))

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        return self._said("ticket.created", "1", {"subject": subject, "text": text})

    def replied(self, text: str) -> Sent:
        return self._said("message.created", secrets.token_hex(4), {"text": text})

    def answered(self, text: str) -> Sent:
        return self._said("answer.created", secrets.token_hex(4), {"text": text})

    def returned(self) -> list[Sent]:
        # It tells nobody of what it was told.
        return []

    def written(self) -> list[tuple[str, str]]:
        said = [one["data"] for one in self.api.applied.values() if one["type"] in _WRITES]
        return [(one["how"], one["html"]) for one in said]

    def labels(self) -> tuple[set[str], object]:
        said = [one["data"] for one in self.api.applied.values() if one["type"] == "labels.set"]
        return (set(said[-1]["tags"]), said[-1]["urgency"]) if said else (set(), None)

    def stand(self) -> str | None:
        said = [one["data"] for one in self.api.applied.values() if one["type"] == "status.set"]
        return str(said[-1]["status"]) if said else "open"

    def _said(self, kind: str, name: str, data: Mapping[str, object]) -> Sent:
        told = {"ticket_id": self.ticket, "message_id": f"{self.ticket}-{name}", **data}
        told["customer"] = "ada@example.com"
        return self.signed(event(told, self.now(), kind))
