"""Ticket system ``servicenow``: an incident, over the Table API.

Our reference is the incident's ``correlation_id``, which the API asks the table itself for. A
question that an instance does not understand is left out and every incident is the answer, so what
comes back is looked at. The description ends in our mark: the rule of docs/crm/servicenow.md tells
us of every incident, ours too.
https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from shared.adapters.crm.servicenow import authorization, without_html
from shared.adapters.crm_api import Headers, Pass
from shared.adapters.crm_vendor import part, text_of
from shared.adapters.ticket_vendor import (
    VendorTickets,
    number_and_address,
    only_match,
)
from shared.domain.letter_text import visible
from shared.domain.outbound import mark_of, marked

if TYPE_CHECKING:
    from shared.ports.tickets import Ticket

_TABLE = "/api/now/table/incident"
_FIELDS = "number,sys_id,correlation_id"
#: High, medium, low; the instance makes the priority of it and of the impact.
_URGENCY_OF = {"low": "3", "normal": "2", "high": "1", "critical": "1"}
#: A correlation_id has room for 100 characters, a description for 4,000: the rest is cut silently.
_REFERENCE_CHARS, _TEXT_CHARS = 100, 3500


class Servicenow(VendorTickets):
    """One ServiceNow instance."""

    name = "servicenow"
    settings: ClassVar[Mapping[str, str]] = {
        "URL": "the instance, such as https://acme.service-now.com",
        "USER": "the user who opens our incidents, with role itil",
        "PASSWORD": "their password; or instead of both, OAuth's client credentials:",
        "CLIENT_ID": "of the inbound integration in the Application Registry",
        "CLIENT_SECRET": "the same",
        "QUEUE": "sys_id of an assignment group; without it the instance's own rules",
    }
    needs = ("URL",)
    form = (re.compile(r"[0-9a-f]{32}"), "d625dccec0a8016700a222a0f7900d06, a group's sys_id")

    @classmethod
    def lacks(cls, access: Any, queue: str) -> str:
        """As for every vendor; one of two ways to log in."""
        way = ("CLIENT_ID", "CLIENT_SECRET")
        if not access.values.get("CLIENT_ID"):
            way = ("USER", "PASSWORD")
        lacking = (name for name in way if not access.values.get(name, "").strip())
        name = next(lacking, "")
        return super().lacks(access, queue) or (name and f"set {access.prefix}{name}")

    def authorization(self) -> Headers | Pass:
        return authorization(self.access)

    async def look_up(self, ticket: Ticket, queue: str) -> str | None:
        found = await self._asked(_reference(ticket.reference))
        return self._receipt(found) if found else None

    async def make(self, ticket: Ticket, queue: str) -> str:
        parts = [visible(ticket.text, _TEXT_CHARS), f"The whole case: {ticket.look}"]
        if ticket.labels:
            parts.append(f"Labels: {', '.join(ticket.labels)}")
        text = without_html("\n\n".join(parts))
        wanted = {
            "short_description": ticket.title,
            "description": marked(text, mark_of(ticket.reference)),
            "correlation_id": _reference(ticket.reference),
            "correlation_display": "Frontdesk",
        }
        if ticket.priority:
            wanted["urgency"] = _URGENCY_OF[ticket.priority]
        if queue:
            wanted["assignment_group"] = queue
        answer = await self.api.write("POST", f"{_TABLE}?sysparm_fields={_FIELDS}", wanted)
        return self._receipt(part(answer, "result"))

    async def look(self, queue: str) -> str:
        await self._asked("frontdesk-check")
        return "reads incidents"

    async def _asked(self, reference: str) -> Any:
        query = {"sysparm_query": f"correlation_id={reference}", "sysparm_fields": _FIELDS}
        answer = await self.api.read(_TABLE, **query, sysparm_limit="2")
        return only_match(part(answer, "result"), "correlation_id", reference)

    def _receipt(self, found: Any) -> str:
        url, record = self.access.need("URL").rstrip("/"), text_of(part(found, "sys_id"))
        return number_and_address(part(found, "number"), f"{url}/incident.do?sys_id={record}")


def _reference(whole: str) -> str:
    return whole if len(whole) <= _REFERENCE_CHARS else mark_of(whole)


TICKETS = Servicenow
