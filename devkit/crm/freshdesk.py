"""Freshdesk: the webhook of an automation rule, and the part of its API that we use.

Written from https://developers.freshdesk.com/api/ (tickets, conversations) and the envelope of
rules with simple content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent, seen
from devkit.crm.stand_in import RefusedError, VendorApi, basic, insist, only


class FreshdeskApi(VendorApi):
    """Tickets by id; a ticket has ``tags``, ``priority`` and ``conversations``."""

    vendor = "freshdesk"
    credentials: ClassVar[Mapping[str, str]] = {"TOKEN": "agents-key"}

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[str, dict[str, Any]] = {}

    def open(self, name: str, subject: str, text: str, source: int = 2) -> dict[str, Any]:
        """Makes a ticket: source 1 is a mail, 2 the portal, 10 a mail that an agent began with."""
        ticket = {"id": int(name), "subject": subject, "description_text": text, "source": source,
            "requester_id": 88}  # fmt: skip
        self.tickets[name] = {
            **ticket,
            "tags": ["vip"],
            "priority": 1,
            "status": 2,
            "conversations": [],
        }
        return self.tickets[name]

    def say(self, name: str, text: str, *, incoming: bool, private: bool = False) -> dict[str, Any]:
        """Adds a message."""
        said = self.tickets[name]["conversations"]
        message = {
            "id": 3000 + self.numbers_from + len(said),
            "body": text,
            "body_text": seen(text),
            "incoming": incoming,
            "private": private,
            "created_at": f"2026-01-01T00:{len(said) // 60:02}:{len(said) % 60:02}Z",
        }
        said.append(message)
        return message

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        return request.headers.get("Authorization") == basic("agents-key", "X")

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        found = re.fullmatch(r"/api/v2/tickets/(\d+)(/conversations|/reply|/notes)?", path)
        if found is None or found[1] not in self.tickets:
            raise RefusedError(404, "not found")
        name, ticket = found[1], self.tickets[found[1]]
        match method, found[2]:
            case "GET", None:
                return {k: v for k, v in ticket.items() if k != "conversations"}
            case "GET", "/conversations":
                size, page = int(query["per_page"]), int(query["page"])
                insist(size <= 100, "per_page is over 100")
                return ticket["conversations"][size * (page - 1) : size * page]
            case "POST", "/reply":
                return self._write(name, only(body, "body")["body"], private=False)
            case "POST", "/notes":
                note = only(body, "body", "private")
                insist(note["private"] is True, "a note here is private")
                return self._write(name, note["body"], private=True)
            case "PUT", None:
                fields = only(body, "tags", "priority", "status")
                insist(fields.get("status", 2) in (2, 3, 4, 5), "Validation failed")
                if fields.get("priority", 1) not in (1, 2, 3, 4):
                    raise RefusedError(400, "Validation failed")
                ticket |= fields
                return None
        raise RefusedError(405, "method not allowed")

    def _write(self, name: str, body: str, *, private: bool) -> Any:
        said = self.say(name, body, incoming=False, private=private)
        self.note_mark(body)
        return {"id": said["id"], "ticket_id": int(name)}


class Counterpart(counterpart.Counterpart[FreshdeskApi]):
    """A ticket from the portal."""

    vendor = "freshdesk"
    api_type = FreshdeskApi
    thin = True

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        self.api.open(self.ticket, subject, text)
        return self._rule("")

    def replied(self, text: str) -> Sent:
        self.api.say(self.ticket, text, incoming=True)
        return self._rule(text)

    def answered(self, text: str) -> Sent:
        self.api.say(self.ticket, text, incoming=False)
        return self._rule(text)

    def returned(self) -> list[Sent]:
        return [self._rule(said["body"]) for said in self._ours()]

    def written(self) -> list[tuple[str, str]]:
        return [("note" if s["private"] else "public", s["body"]) for s in self._ours()]

    def labels(self) -> tuple[set[str], object]:
        ticket = self.api.tickets[self.ticket]
        return set(ticket["tags"]), ticket["priority"]

    def stand(self) -> str | None:
        return {2: "open", 3: "waiting"}.get(self.api.tickets[self.ticket]["status"])

    def _ours(self) -> list[dict[str, Any]]:
        said = self.api.tickets[self.ticket]["conversations"]
        return [one for one in said if "[fd-" in one["body"]]

    def _rule(self, comment: str) -> Sent:
        """A rule with simple content: Ticket ID and Last public comment."""
        fields = {"ticket_id": self.ticket, "ticket_latest_public_comment": comment}
        return self.json({"freshdesk_webhook": fields})
