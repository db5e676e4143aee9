"""Stand-ins of ticket systems' APIs: what they have in common, and the two that keep records.

Each takes what its vendor documents and nothing else: method, path, credentials, fields and their
limits. Its ledger holds the reference of every ticket that was made.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web

from devkit.crm.stand_in import Answer, RefusedError, VendorApi, basic, only
from shared.adapters import tickets
from shared.adapters.backends import Around
from shared.adapters.clocks import SystemClock
from shared.ports.tickets import Ticket, TicketSystem

#: As long as keys get: the longest name of an action.
REFERENCE = f"0b0b7c62-3a51-5d4e-9d0c-6f6f1f0a2b3c-action-{'r' * 40}-12-0123456789"
LOOK = "https://desk.example.com/api/cases/0b0b7c62"
TICKET = Ticket(
    reference=REFERENCE,
    desk="hotel",
    title="Repair the lamp in 12 🥩",
    text="room: 12\nfault: lamp\n\nWhy: it is dark\n\nCase 0b0b7c62, desk hotel.",
    case_id="0b0b7c62",
    at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    priority="high",
    labels=("frontdesk", "repairs"),
    look=LOOK,
    since=datetime(2026, 3, 4, 5, 0, 0, tzinfo=UTC),
)


def other_ticket(number: int) -> Ticket:
    """A ticket of another action."""
    return replace(TICKET, reference=f"{REFERENCE[:60]}-{number}")


class TicketApi(VendorApi):
    """One vendor's ticket system.

    Attributes:
        queue: Where tickets go when a ticket does not say.
        receipt: What the first ticket's receipt looks like.
        more: Settings besides the credentials.
    """

    queue: ClassVar[str]
    receipt: ClassVar[str]
    more: ClassVar[Mapping[str, str]] = {}

    def around(self, **settings: str) -> Around:
        """An installation whose desk ``hotel`` has this system; settings replace, or go."""
        fields = {"URL": self.url, "QUEUE": self.queue, **self.credentials, **self.more, **settings}
        named = {f"HOTEL_{self.vendor.upper()}_{k}": v for k, v in fields.items() if v}
        url = LOOK.partition("/api")[0]
        return Around(SystemClock(), tickets=named, development=True, public_url=url)

    def system(self, **settings: str) -> TicketSystem:
        """The connector."""
        return tickets.load(self.vendor).system(self.around(**settings), "hotel")

    @abstractmethod
    def shown(self) -> tuple[str, str]:
        """What people see of the latest ticket: title and text, after all that the vendor does."""


class ZendeskTickets(TicketApi):
    """Tickets by id; what agents write has its placeholders filled.

    Attributes:
        heeds_filter: Whether the list is of the external id that was asked for.
        forgets_keys: Whether two hours have passed since each idempotency key.
    """

    vendor = "zendesk"
    credentials: ClassVar[Mapping[str, str]] = {"EMAIL": "bot@example.com", "TOKEN": "secret"}
    queue = ""
    receipt = r"#1 http://127\.0\.0\.1:\d+/agent/tickets/1"

    def __init__(self) -> None:
        super().__init__()
        self.tickets: list[dict[str, Any]] = []
        self.keys: dict[str, tuple[Any, Any]] = {}
        self.heeds_filter = True
        self.forgets_keys = False

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        right = (basic("bot@example.com/token", "secret"), "Bearer oauth")
        return request.headers.get("Authorization") in right

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        if path != "/api/v2/tickets.json":
            raise RefusedError(404, "InvalidEndpoint")
        if method == "GET":
            assert set(query) == {"external_id"}
            wanted = query["external_id"]
            return {
                "tickets": [
                    ticket
                    for ticket in self.tickets
                    if ticket["external_id"] == wanted or not self.heeds_filter
                ]
            }
        assert method == "POST"
        key = self.headers["Idempotency-Key"]
        assert 0 < len(key) <= 255
        if key in self.keys and not self.forgets_keys:
            before, said = self.keys[key]
            if before != body:
                raise RefusedError(400, "IdempotentRequestError")
            return said
        said = Answer(201, {"ticket": self._made(only(body, "ticket")["ticket"])})
        self.keys[key] = (body, said)
        return said

    def _made(self, wanted: Any) -> dict[str, Any]:
        only(wanted, "subject", "comment", "external_id", "tags", "priority", "group_id")
        comment = only(wanted["comment"], "html_body", "public")
        if wanted.get("group_id", 5) != 5:
            details = {"group_id": [{"description": f"{wanted['subject']} has no such group"}]}
            raise RefusedError(422, "", {"error": "RecordInvalid", "details": details})
        assert comment["public"] is False
        assert comment["html_body"]
        assert 0 < len(wanted["external_id"]) <= 255
        assert wanted.get("priority", "low") in ("low", "normal", "high", "urgent")
        assert all(re.fullmatch(r"[\w-]+", tag) for tag in wanted["tags"])
        ticket = {**wanted, "id": len(self.tickets) + 1}
        self.tickets.append(ticket)
        self.ledger.append(wanted["external_id"])
        return ticket

    def shown(self) -> tuple[str, str]:
        ticket = self.tickets[-1]
        return _filled(ticket["subject"]), _filled(ticket["comment"]["html_body"])


def _filled(text: str) -> str:
    return re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "customer@example.com", text)


class ServicenowTickets(TicketApi):
    """Incidents; what does not fit a field is cut.

    Attributes:
        heeds_query: Whether the instance knows the fields that it is asked for.
    """

    vendor = "servicenow"
    credentials: ClassVar[Mapping[str, str]] = {"USER": "frontdesk", "PASSWORD": "secret"}
    queue = ""
    receipt = r"INC0000001 http://127\.0\.0\.1:\d+/incident\.do\?sys_id=0{31}1"
    token_path = "/oauth_token.do"
    token_form: ClassVar[Mapping[str, str]] = {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_secret": "hidden",
    }
    _LIMITS: ClassVar[Mapping[str, int]] = {
        "short_description": 160,
        "description": 4000,
        "correlation_id": 100,
        "correlation_display": 100,
        "urgency": 1,
        "assignment_group": 32,
    }

    def __init__(self) -> None:
        super().__init__()
        self.incidents: list[dict[str, str]] = []
        self.heeds_query = True

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        right = basic("frontdesk", "secret")
        return request.headers.get("Authorization") == right or self.takes_token(request)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        if path != "/api/now/table/incident":
            raise RefusedError(400, "Invalid table")
        fields = query["sysparm_fields"].split(",")
        if method == "GET":
            field, _, wanted = query["sysparm_query"].partition("=")
            found = [one for one in self.incidents if one[field] == wanted or not self.heeds_query]
            rows = found[: int(query["sysparm_limit"])]
            return {"result": [{name: row[name] for name in fields} for row in rows]}
        assert method == "POST"
        if set(body) - set(self._LIMITS):
            raise RefusedError(403, "Operation failed: an ACL of a field")
        kept = {name: value[: self._LIMITS[name]] for name, value in body.items()}
        assert kept.get("urgency", "1") in ("1", "2", "3")
        number = len(self.incidents) + 1
        incident = {**kept, "number": f"INC{number:07d}", "sys_id": f"{number:032x}"}
        self.incidents.append(incident)
        self.ledger.append(body["correlation_id"])
        return Answer(201, {"result": {name: incident[name] for name in fields}})

    def shown(self) -> tuple[str, str]:
        incident = self.incidents[-1]
        text = re.sub(
            r"\[code\](.*?)\[/code\]", r"HTML: \1", incident["description"], flags=re.DOTALL
        )
        return incident["short_description"], text
