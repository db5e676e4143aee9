"""HubSpot: signed arrays of events, and the part of its API that we use.

Written from https://developers.hubspot.com/docs/api/webhooks/validating-requests and the API
reference (tickets, notes, conversations).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, ClassVar

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent, seen
from devkit.crm.stand_in import RefusedError, VendorApi, insist, only

_PRIORITIES = ("LOW", "MEDIUM", "HIGH", "URGENT")
_VISITOR = {
    "actorId": "V-1",
    "deliveryIdentifier": {"type": "HS_EMAIL_ADDRESS", "value": "a@e.com"},
}


class HubspotApi(VendorApi):
    """Tickets, their threads and the notes on them."""

    vendor = "hubspot"
    credentials: ClassVar[Mapping[str, str]] = {"TOKEN": "pat-na1-token", "ACTOR": "A-12345"}

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        #: What a message that is cut shows, by its id.
        self.whole: dict[str, str] = {}

    def say(self, text: str, *, incoming: bool, **more: Any) -> dict[str, Any]:
        """Adds a message to thread 77, newest first, as HubSpot lists them."""
        number = len(self.messages)
        message = {
            "id": f"m{self.numbers_from + number}",
            "type": "MESSAGE",
            "direction": "INCOMING" if incoming else "OUTGOING",
            "text": text,
            "createdAt": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z",
            "truncationStatus": "NOT_TRUNCATED",
            "channelId": "1002",
            "channelAccountId": "9",
            "senders": [_VISITOR] if incoming else [{"actorId": "A-12345"}],
            **more,
        }
        self.messages.insert(0, message)
        return message

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        return request.headers.get("Authorization") == "Bearer pat-na1-token"

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        said: Any = None
        if path.startswith("/conversations/v3/conversations/threads/77/messages"):
            said = self._thread(method, path.rpartition("messages")[2], query, body)
        elif (method, path) == ("POST", "/crm/v3/objects/notes"):
            said = self._note(only(body, "properties", "associations"))
        elif (method, path) == ("POST", "/crm/v3/objects/notes/batch/read"):
            wanted = {one["id"] for one in only(body, "inputs", "properties")["inputs"]}
            insist(len(wanted) <= 100, "a batch is at most 100")
            said = {"results": [note for note in self.notes if note["id"] in wanted]}
        elif (method, path) == ("POST", "/crm/v3/objects/tickets/search"):
            said = self._search(only(body, "filterGroups", "properties", "limit", "after"))
        elif found := re.fullmatch(r"/crm/v3/objects/tickets/(\d+)", path):
            said = self._ticket(method, found[1], query, body)
        elif re.fullmatch(r"/crm/v4/objects/tickets/\d+/associations/notes", path):
            said = {"results": [{"toObjectId": int(note["id"])} for note in self.notes]}
        else:
            raise RefusedError(404, "resource not found")
        return said

    def _ticket(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Any:
        if name not in self.tickets:
            raise RefusedError(404, "resource not found")
        ticket = self.tickets[name]
        if method == "PATCH":
            fields = only(only(body, "properties")["properties"], "hs_ticket_priority")
            insist(fields["hs_ticket_priority"] in _PRIORITIES, "no such option")
            ticket |= fields
        wanted = query.get("properties", "").split(",")
        return {"id": name, "properties": {n: ticket.get(n) for n in wanted}}

    def _search(self, wanted: dict[str, Any]) -> Any:
        """Tickets for which all filters of a group hold; times are said in milliseconds."""
        insist(wanted["limit"] <= 100, "limit is over 100")
        found = [
            {"id": name, "properties": {field: ticket.get(field) for field in wanted["properties"]}}
            for name, ticket in self.tickets.items()
            if any(
                all(_holds(ticket, one) for one in group["filters"])
                for group in wanted["filterGroups"]
            )
        ]
        start = int(wanted.get("after", "0"))
        end = start + wanted["limit"]
        paging = {"paging": {"next": {"after": str(end)}}} if end < len(found) else {}
        return {"total": len(found), "results": found[start:end], **paging}

    def _thread(self, method: str, rest: str, query: Mapping[str, str], body: Any) -> Any:
        if method == "POST":
            reply = only(body, "type", "text", "richText", "senderActorId", "channelId", "subject",
                "channelAccountId", "recipients")  # fmt: skip
            if reply["type"] != "MESSAGE" or reply["senderActorId"] != "A-12345":
                raise RefusedError(400, "senderActorId is no agent")
            channel = (reply["channelId"], reply["channelAccountId"])
            to = [one["deliveryIdentifiers"] for one in reply["recipients"]]
            insist(channel == ("1002", "9"), "another channel than the thread's")
            insist(to == [[_VISITOR["deliveryIdentifier"]]], "another recipient than the visitor")
            self.note_mark(reply["text"])
            return self.say(reply["text"], incoming=False)
        if rest:
            return {"text": self.whole[rest.split("/")[1]]}
        start = int(query.get("after", "0"))
        end = start + int(query["limit"])
        paging = {"paging": {"next": {"after": str(end)}}} if end < len(self.messages) else {}
        return {"results": self.messages[start:end], **paging}

    def _note(self, note: dict[str, Any]) -> Any:
        fields = only(note["properties"], "hs_timestamp", "hs_note_body")
        [to] = note["associations"]
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 228}]
        insist(to["types"] == types, "no association of a note with a ticket")
        if to["to"]["id"] not in self.tickets:
            raise RefusedError(400, "no such ticket")
        self.notes.append({"id": str(500 + len(self.notes)), "properties": fields})
        self.note_mark(fields["hs_note_body"])
        return self.notes[-1]


def _holds(ticket: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Whether a filter of the search holds for a ticket."""
    has = ticket.get(wanted["propertyName"])
    if wanted["operator"] == "EQ":
        return bool(has == wanted["value"])
    insist(wanted["operator"] == "GTE", "only EQ and GTE are known here")
    return has is not None and datetime.fromisoformat(has).timestamp() * 1000 >= int(
        wanted["value"]
    )


class Counterpart(counterpart.Counterpart[HubspotApi]):
    """A ticket of the help desk, made of a conversation."""

    vendor = "hubspot"
    api_type = HubspotApi
    thin = True

    def signed(self, body: bytes) -> Sent:
        at = str(int(self.now().timestamp() * 1000))
        return Sent(body, self.headers(body, self.address, at))

    def headers(self, body: bytes, address: str, at: str) -> dict[str, str]:
        """The headers of a delivery at a time in milliseconds."""
        signed = f"POST{address}".encode() + body + at.encode()
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()
        return {
            "x-hubspot-signature-v3": base64.b64encode(digest).decode(),
            "x-hubspot-request-timestamp": at,
            "x-hubspot-signature": hashlib.sha256(self.secret.encode() + body).hexdigest(),
            "x-hubspot-signature-version": "v1",
            "content-type": "application/json",
        }

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        thread = "hs_conversations_originating_thread_id"
        self.api.tickets[self.ticket] = {
            "subject": subject,
            "content": text,
            thread: "77",
            "hs_pipeline": "0",
            "createdate": self.now().isoformat(),
        }
        if text:
            self.api.say(f"{text}\n", incoming=True)
        else:
            self.api.tickets[self.ticket][thread] = None
        return self.events(self.event("ticket.creation"))

    def replied(self, text: str) -> Sent:
        self.api.say("", incoming=True, richText=f"<div>{escape(text)}</div>")
        return self._came()

    def answered(self, text: str) -> Sent:
        self.api.say(text, incoming=False)
        return self._came()

    def returned(self) -> list[Sent]:
        sent = self.event("ticket.propertyChange", propertyName="hs_last_message_sent_at")
        return [self._came(), self.events(sent)]

    def written(self) -> list[tuple[str, str]]:
        public = [one["text"] for one in reversed(self.api.messages) if "[fd-" in one["text"]]
        notes = [note["properties"]["hs_note_body"] for note in self.api.notes]
        both = [("public", said) for said in public], [("note", said) for said in notes]
        return sorted((one for said in both for one in said), key=lambda one: self._order(one[1]))

    def labels(self) -> tuple[set[str], object]:
        return set(), self.api.tickets[self.ticket].get("hs_ticket_priority")

    def event(self, kind: str, ticket: str = "", **more: Any) -> dict[str, Any]:
        """One event of a delivery."""
        about = {"eventId": 100, "subscriptionId": 1160452, "portalId": 33, "appId": 54321}
        when = {"occurredAt": 1780448123263, "attemptNumber": 0}
        about_what = {"subscriptionType": kind, "objectId": int(ticket or self.ticket)}
        return {**about, **when, **about_what, **more}

    def events(self, *events: Mapping[str, Any]) -> Sent:
        """A delivery of many."""
        return self.json(list(events))

    def _came(self) -> Sent:
        """That a message came: each a millisecond after the one before, as the clock stands."""
        name = "hs_last_message_received_at"
        at = int(self.now().timestamp() * 1000) + len(self.api.messages)
        self.api.tickets[self.ticket][name] = datetime.fromtimestamp(at / 1000, UTC).isoformat()
        return self.events(
            self.event("ticket.propertyChange", propertyName=name, propertyValue=str(at))
        )

    def _order(self, text: str) -> int:
        found = re.search(r"\[(fd-[0-9a-f]{12})-", seen(text))
        return self.api.ledger.index(found[1]) if found else -1
