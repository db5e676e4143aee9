"""Chatwoot: signed deliveries, and the part of its Application API that we use.

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

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import RefusedError, VendorApi, insist, only

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

    def authorised(self, request: web.Request, raw: bytes) -> bool:
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
        insist(query.get("status") == "all", "only open ones are asked for")
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
        number = 500 + self.numbers_from + sum(len(c.messages) for c in self.conversations.values())
        sender = {"id": 7, "type": "contact"} if more.get("message_type") == 0 else {}
        return {"id": number, "content": content, "created_at": at, "content_attributes": {},
                "sender": sender, **more}  # fmt: skip


def _page(messages: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    before = int(query.get("before", "999999999"))
    return [message for message in messages if message["id"] < before][-_PAGE:]


def signed(body: bytes, at: datetime, secret: str) -> tuple[bytes, dict[str, str]]:
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


def _shown(markdown: str) -> str:
    """What a note shows: its Markdown without the escapes."""
    return re.sub(r"\\(.)", r"\1", markdown)


class Counterpart(counterpart.Counterpart[ChatwootApi]):
    """A conversation, which has no subject: what it is about stands above the text."""

    vendor = "chatwoot"
    api_type = ChatwootApi
    shows_html = False

    def signed(self, body: bytes) -> Sent:
        return Sent(*signed(body, self.now(), self.secret))

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        self.api.conversations[self.ticket] = Conversation(labels=["vip"])
        return self._say("\n\n".join(filter(None, (subject, text))), incoming=True)

    def replied(self, text: str) -> Sent:
        return self._say(text, incoming=True)

    def answered(self, text: str) -> Sent:
        return self._say(text, incoming=False)

    def returned(self) -> list[Sent]:
        return [self._told(said) for said in self._ours()]

    def written(self) -> list[tuple[str, str]]:
        return [
            ("note", _shown(said["content"])) if said["private"] else ("public", said["content"])
            for said in self._ours()
        ]

    def labels(self) -> tuple[set[str], object]:
        conversation = self.api.conversations[self.ticket]
        return set(conversation.labels), conversation.priority

    def _ours(self) -> list[dict[str, Any]]:
        said = self.api.conversations[self.ticket].messages
        return [one for one in said if "frontdesk" in one["content_attributes"]]

    def _say(self, text: str, *, incoming: bool) -> Sent:
        self.api.now = int(self.now().timestamp())
        return self._told(self.api.say(self.ticket, text, self.api.now, incoming=incoming))

    def _told(self, said: Mapping[str, Any]) -> Sent:
        account = {"id": int(self.settings.get("ACCOUNT", "1")), "name": "Acme"}
        return self.signed(
            message_created(
                int(self.ticket),
                said["id"],
                said["content"],
                message_type="outgoing" if said["message_type"] else "incoming",
                private=said["private"],
                content_attributes=said["content_attributes"],
                account=account,
                sender=said["sender"],
            )
        )
