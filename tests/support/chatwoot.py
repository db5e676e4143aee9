"""Chatwoot for tests: signed deliveries, and the part of its Application API that we use.

Written from https://developers.chatwoot.com/api-reference and Chatwoot's source (message_finder.rb,
conversation_finder.rb).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from tests.support.vendor_api import RefusedError, VendorApi, only

SECRET = "a-secret-of-a-chatwoot-webhook"
_PAGE = 20


@dataclass
class Conversation:
    """A conversation with its messages, oldest first."""

    labels: list[str] = field(default_factory=list)
    priority: str | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    updated_at: int = 0


class ChatwootApi(VendorApi):
    """Conversations of account 1 by id."""

    vendor = "chatwoot"
    credentials: ClassVar[Mapping[str, str]] = {"ACCOUNT": "1", "TOKEN": "agents-token"}

    def __init__(self) -> None:
        super().__init__()
        self.conversations: dict[str, Conversation] = {}
        self.now = 0

    def say(self, name: str, content: str, at: int, *, incoming: bool = True) -> dict[str, Any]:
        """A message that did not come through this API."""
        message = self._message(content, at, message_type=0 if incoming else 1, private=False)
        conversation = self.conversations.setdefault(name, Conversation())
        conversation.messages.append(message)
        conversation.updated_at = at
        return message

    def authorised(self, request: web.Request) -> bool:
        return request.headers.get("api_access_token") == "agents-token"

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        base = "/api/v1/accounts/1/conversations"
        if (method, path) == ("GET", base):
            return self._listed(query)
        found = re.fullmatch(base + r"/(\d+)(?:/(messages|labels|toggle_priority))?", path)
        conversation = self.conversations.get(found[1]) if found else None
        if found is None or conversation is None:
            raise RefusedError(404, "Resource could not be found")
        said: Any = None
        match method, found[2]:
            case "GET", None:
                said = {"id": int(found[1]), "priority": conversation.priority}
            case "GET", "messages":
                said = {"meta": {}, "payload": _page(conversation.messages, query)}
            case "POST", "messages":
                said = self._write(conversation, body)
            case (("GET" | "POST"), "labels"):
                if method == "POST":
                    conversation.labels = only(body, "labels")["labels"]
                said = {"payload": conversation.labels}
            case "POST", "toggle_priority":
                if only(body, "priority")["priority"] not in ("urgent", "high", "medium", "low"):
                    raise RefusedError(422, "priority is not included in the list")
                conversation.priority = body["priority"]
            case _:
                raise RefusedError(405, "method not allowed")
        return said

    def _listed(self, query: Mapping[str, str]) -> Any:
        assert query.get("status") == "all"
        since = self.now - int(query["updated_within"])
        found = [{"id": int(n)} for n, c in self.conversations.items() if c.updated_at > since]
        return {"data": {"meta": {}, "payload": found}}

    def _write(self, conversation: Conversation, body: Any) -> Any:
        fields = only(body, "content", "message_type", "private", "content_attributes")
        if not fields.get("content") or fields.get("message_type") != "outgoing":
            raise RefusedError(422, "content is missing, or the message is not outgoing")
        message = self._message(fields["content"], self.now, message_type=1,
            private=fields["private"], content_attributes=fields["content_attributes"])  # fmt: skip
        conversation.messages.append(message)
        self.ledger.append(fields["content_attributes"].get("frontdesk", "no mark"))
        return message

    def _message(self, content: str, at: int, **more: Any) -> dict[str, Any]:
        number = 500 + sum(len(c.messages) for c in self.conversations.values())
        return {"id": number, "content": content, "created_at": at, "content_attributes": {},
                **more}  # fmt: skip


def _page(messages: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    before = int(query.get("before", "999999999"))
    return [message for message in messages if message["id"] < before][-_PAGE:]


def signed(body: bytes, at: datetime, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """A delivery with its headers."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {
        "x-chatwoot-signature": f"sha256={digest}",
        "x-chatwoot-timestamp": stamp,
        "x-chatwoot-delivery": hashlib.sha256(body).hexdigest()[:32],
        "content-type": "application/json",
    }


def message_created(ticket: int, name: int, content: str, **more: Any) -> bytes:
    """The body of that event."""
    return json.dumps(
        {
            "event": "message_created",
            "id": name,
            "content": content,
            "message_type": "incoming",
            "created_at": "2026-01-01 00:00:00 UTC",
            "private": False,
            "content_attributes": {},
            "account": {"id": 1, "name": "Acme"},
            "conversation": {"id": ticket, "status": "open"},
            **more,
        }
    ).encode()
