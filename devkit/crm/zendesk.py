"""Zendesk: signed deliveries, and the part of its Ticketing API that we use.

Written from https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/ (update, tags,
comments, audits) and https://developer.zendesk.com/documentation/webhooks/verifying/.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import RefusedError, VendorApi, basic, insist, only

AGENT, CUSTOMER = 1, 2
_PRIORITIES = ("low", "normal", "high", "urgent")


@dataclass
class Ticket:
    """A ticket with its comments and audits."""

    priority: str | None = None
    status: str = "new"
    tags: set[str] = field(default_factory=set)
    closed: bool = False
    begins: int = 9_000_000_000
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    subject: str = ""
    description: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)

    def say(self, author: int, body: str, *, public: bool = True) -> dict[str, Any]:
        """Adds a comment."""
        comment = {
            "id": self.begins + len(self.comments),
            "author_id": author,
            "body": body,
            "html_body": f"<p>{body}</p>",
            "plain_body": body,
            "public": public,
        }
        self.comments.append(comment)
        return comment


class ZendeskApi(VendorApi):
    """Tickets by id."""

    vendor = "zendesk"
    credentials: ClassVar[Mapping[str, str]] = {"EMAIL": "bot@acme.example", "TOKEN": "api-token"}

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[str, Ticket] = {}
        self.token = self.credentials["TOKEN"]

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        return request.headers.get("Authorization") == basic("bot@acme.example/token", self.token)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        found = re.fullmatch(r"/api/v2/tickets/(\d+)(/tags|/comments|/audits)?\.json", path)
        ticket = self.tickets.get(found[1]) if found else None
        if found is None or ticket is None:
            raise RefusedError(404, "RecordNotFound")
        match method, found[2]:
            case "GET", None:
                shown = {"priority": ticket.priority, "status": ticket.status}
                return {"ticket": {"id": int(found[1]), **shown}}
            case "PUT", None:
                return self._update(ticket, only(only(body, "ticket")["ticket"], "comment",
                    "metadata", "priority", "status"))  # fmt: skip
            case "PUT", "/tags":
                ticket.tags |= set(only(body, "tags")["tags"])
                return {"tags": sorted(ticket.tags)}
            case "GET", "/comments":
                insist(query.get("include") == "users", "authors are not asked for")
                users = [{"id": AGENT, "role": "agent"}, {"id": CUSTOMER, "role": "end-user"}]
                return {**_page("comments", ticket.comments, query), "users": users}
            case "GET", "/audits":
                return _page("audits", ticket.audits, query)
        raise RefusedError(405, "method not allowed")

    def _update(self, ticket: Ticket, fields: dict[str, Any]) -> Any:
        if ticket.closed:
            raise RefusedError(422, "Status: closed prevents ticket update")
        if "status" in fields:
            if fields["status"] not in ("open", "pending", "hold", "solved"):
                raise RefusedError(422, "status is not valid")
            ticket.status = fields["status"]
        if "priority" in fields:
            if fields["priority"] not in _PRIORITIES:
                raise RefusedError(422, "priority is not valid")
            ticket.priority = fields["priority"]
        audit: dict[str, Any] = {"id": 100 + len(ticket.audits), "metadata": {"system": {}}}
        if "comment" in fields:
            comment = only(fields["comment"], "html_body", "public")
            if not isinstance(comment.get("public"), bool) or not comment.get("html_body"):
                raise RefusedError(422, "comment needs html_body and public")
            said = ticket.say(AGENT, re.sub(r"<[^>]+>", "", comment["html_body"]),
                public=comment["public"])  # fmt: skip
            said["html_body"] = comment["html_body"]
            custom = fields.get("metadata", {})
            if len(json.dumps(custom)) > 1024:
                raise RefusedError(422, "metadata is longer than 1 KB")
            audit["metadata"]["custom"] = custom
            said["mark"] = custom.get("frontdesk", "no mark")
            self.ledger.append(said["mark"])
        ticket.audits.append(audit)
        return {"ticket": {}, "audit": audit}


def _page(what: str, items: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    size, start = int(query["page[size]"]), int(query.get("page[after]", "0"))
    insist(size <= 100, "page[size] is over 100")
    end = start + size
    meta = {"has_more": end < len(items), "after_cursor": str(end)}
    return {what: items[start:end], "meta": meta}


def signature(body: bytes, stamp: str, secret: str) -> str:
    """The signature of a body with this timestamp."""
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signed(body: bytes, at: datetime, secret: str) -> tuple[bytes, dict[str, str]]:
    """A delivery with its headers."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return body, {
        "x-zendesk-webhook-signature": signature(body, stamp, secret),
        "x-zendesk-webhook-signature-timestamp": stamp,
        "x-zendesk-webhook-invocation-id": hashlib.sha256(body).hexdigest()[:26].upper(),
        "x-zendesk-webhook-id": "01HXYZ",
        "content-type": "application/json",
    }


def event(kind: str, ticket: str, at: datetime, detail: Mapping[str, Any], **more: Any) -> bytes:
    """An event of a subscription, version 2022-11-06."""
    return json.dumps(
        {
            "account_id": 123456,
            "detail": {"id": ticket, "created_at": at.isoformat(), **detail},
            "event": more,
            "id": hashlib.sha256(repr((kind, ticket, detail, more)).encode()).hexdigest()[:26],
            "subject": f"zen:ticket:{ticket}",
            "time": at.isoformat(),
            "type": f"zen:event-type:ticket.{kind}",
            "zendesk_event_version": "2022-11-06",
        }
    ).encode()


def comment(name: int, body: str, *, staff: bool = False, public: bool = True) -> dict[str, Any]:
    """The ``event`` part of ``ticket.comment_added``."""
    author = {"id": AGENT if staff else CUSTOMER, "is_staff": staff, "name": "Somebody"}
    return {"id": name, "body": body, "is_public": public, "author": author}


class Counterpart(counterpart.Counterpart[ZendeskApi]):
    """A ticket of the web form; the webhook is subscribed to ticket events."""

    vendor = "zendesk"
    api_type = ZendeskApi

    def signed(self, body: bytes) -> Sent:
        return Sent(*signed(body, self.now(), self.secret))

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        ticket = Ticket(tags={"vip"}, began=self.now(), subject=subject, description=text,
            begins=9_000_000_000 + self.api.numbers_from)  # fmt: skip
        ticket.say(CUSTOMER, text)
        self.api.tickets[self.ticket] = ticket
        return self._event("created")

    def replied(self, text: str) -> Sent:
        ticket = self.api.tickets[self.ticket]
        ticket.status = "open" if ticket.status == "pending" else ticket.status
        said = self.api.tickets[self.ticket].say(CUSTOMER, text)
        return self._event("comment_added", comment=comment(said["id"], text))

    def answered(self, text: str) -> Sent:
        said = self.api.tickets[self.ticket].say(AGENT, text)
        return self._event("comment_added", comment=comment(said["id"], text, staff=True))

    def returned(self) -> list[Sent]:
        return [
            self._event(
                "comment_added",
                comment=comment(said["id"], said["body"], staff=True, public=said["public"]),
            )
            for said in self._ours()
        ]

    def written(self) -> list[tuple[str, str]]:
        return [("public" if s["public"] else "note", s["html_body"]) for s in self._ours()]

    def labels(self) -> tuple[set[str], object]:
        ticket = self.api.tickets[self.ticket]
        return ticket.tags, ticket.priority

    def stand(self) -> str | None:
        return "waiting" if self.api.tickets[self.ticket].status == "pending" else "open"

    def _ours(self) -> list[dict[str, Any]]:
        return [said for said in self.api.tickets[self.ticket].comments if "mark" in said]

    def _event(self, kind: str, **more: Any) -> Sent:
        ticket = self.api.tickets[self.ticket]
        detail = {
            "subject": ticket.subject,
            "description": ticket.description,
            "requester_id": str(CUSTOMER),
            "is_public": True,
            "created_at": ticket.began.isoformat(),
        }
        return self.signed(event(kind, self.ticket, self.now(), detail, **more))
