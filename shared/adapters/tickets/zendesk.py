"""Ticket system ``zendesk``: a ticket with an internal first comment, for an agent group.

Our reference is the ticket's ``external_id``, for which the API lists tickets from the database;
its search would be minutes late. The ``Idempotency-Key`` besides keeps one that is still being made
from being made twice, for two hours; it is made of the body, because the same key with another body
is refused.
https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from shared.adapters.crm_api import Headers, basic
from shared.adapters.crm_vendor import part
from shared.adapters.ticket_vendor import (
    VendorTickets,
    names_in,
    number_and_address,
    only_match,
)
from shared.domain.letter_text import link

if TYPE_CHECKING:
    from shared.ports.tickets import Ticket

_PRIORITY_OF = {"low": "low", "normal": "normal", "high": "high", "critical": "urgent"}
#: Zendesk fills placeholders in agents' comments: {{ticket.requester.email}}.
_PLACEHOLDER = re.compile(r"\{(?=[{%])")


class Zendesk(VendorTickets):
    """One Zendesk account."""

    name = "zendesk"
    settings: ClassVar[Mapping[str, str]] = {
        "URL": "the account, such as https://acme.zendesk.com",
        "EMAIL": "the agent whom the API token is used with; leave empty for an OAuth token",
        "TOKEN": "an API token, or an OAuth access token with tickets:read and tickets:write",
        "QUEUE": "id of a group; without it Zendesk's own routing",
    }
    needs = ("URL", "TOKEN")
    form = (re.compile(r"[1-9][0-9]{0,18}"), "360001234567, the id of a group")

    def authorization(self) -> Headers:
        return self._headers

    async def look_up(self, ticket: Ticket, queue: str) -> str | None:
        found = await self._listed(ticket.reference)
        return self._receipt(found) if found else None

    async def make(self, ticket: Ticket, queue: str) -> str:
        wanted: dict[str, Any] = {
            "subject": _inert(ticket.title),
            "comment": {"html_body": _html(ticket), "public": False},
            "external_id": ticket.reference,
            "tags": list(ticket.labels),
        }
        if ticket.priority:
            wanted["priority"] = _PRIORITY_OF[ticket.priority]
        if queue:
            wanted["group_id"] = int(queue)
        body = json.dumps({"ticket": wanted}).encode()
        key = {"Idempotency-Key": hashlib.sha256(body).hexdigest()}
        answer = await self.api.write("POST", "/api/v2/tickets.json", body, **key)
        return self._receipt(part(answer, "ticket"))

    async def look(self, queue: str) -> str:
        await self._listed("frontdesk-check")
        return "lists tickets"

    def named_in(self, said: Any) -> set[str]:
        return names_in(part(said, "details"))

    async def _listed(self, reference: str) -> Any:
        answer = await self.api.read("/api/v2/tickets.json", external_id=reference)
        return only_match(part(answer, "tickets"), "external_id", reference)

    def _receipt(self, found: Any) -> str:
        number = part(found, "id")
        url = self.access.need("URL").rstrip("/")
        return number_and_address(number and f"#{number}", f"{url}/agent/tickets/{number}")

    async def _headers(self) -> Mapping[str, str]:
        token, email = self.access.need("TOKEN"), self.access.values.get("EMAIL", "")
        if email:
            return basic(f"{email}/token", token)
        return {"Authorization": f"Bearer {token}"}


def _inert(text: str) -> str:
    return _PLACEHOLDER.sub("{ ", text)


def _html(ticket: Ticket) -> str:
    text = escape(_inert(ticket.text)).replace("\n", "<br>\n")
    return f"<p>{text}</p>\n<p>{link(ticket.look, ticket.look)}</p>"


TICKETS = Zendesk
