"""ServiceNow: what the business rule of our page sends, and the Table API's incidents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import uuid4

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import RefusedError, VendorApi, basic, insist, only

_CALLER = "62826bf03710200044e0bfc8bcbe5df1"


class ServicenowApi(VendorApi):
    """Incidents by sys_id; journals are lists of entries."""

    vendor = "servicenow"
    credentials: ClassVar[Mapping[str, str]] = {"USER": "frontdesk", "PASSWORD": "secret"}
    token_path = "/oauth_token.do"  # noqa: S105 - an address
    token_form: ClassVar[Mapping[str, str]] = {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_secret": "hidden",
    }

    def __init__(self) -> None:
        super().__init__()
        self.incidents: dict[str, dict[str, Any]] = {}

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        right = basic("frontdesk", "secret")
        return request.headers.get("Authorization") == right or self.takes_token(request)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        found = re.fullmatch(r"/api/now/table/incident/([0-9a-f]{32})", path)
        incident = self.incidents.get(found[1]) if found else None
        if incident is None:
            raise RefusedError(404, "No Record found")
        fields = query["sysparm_fields"].split(",")
        match method:
            case "GET":
                shown = query["sysparm_display_value"] == "true"
                return {"result": {name: _shown(incident[name], shown=shown) for name in fields}}
            case "PATCH":
                for name, value in only(
                    body, "comments", "work_notes", "urgency", "state", "hold_reason"
                ).items():
                    if name == "urgency":
                        insist(value in ("1", "2", "3"), "urgency is none of 1, 2, 3")
                        incident[name] = value
                    elif name in ("state", "hold_reason"):
                        incident[name] = value
                    else:
                        incident[name].insert(0, value)
                        self.note_mark(value)
                return {"result": {name: incident[name] for name in fields}}
        raise RefusedError(405, "method not allowed")


def _shown(value: Any, *, shown: bool) -> str:
    """A journal shows its entries with their authors, newest first; its plain value is empty."""
    if isinstance(value, str):
        return value
    entries = [f"2026-01-08 09:12:44 - Bot (Additional comments)\n{said}\n\n" for said in value]
    return "".join(entries) if shown else ""


class Counterpart(counterpart.Counterpart[ServicenowApi]):
    """An incident of the self-service portal."""

    vendor = "servicenow"
    api_type = ServicenowApi
    shows_html = False

    @staticmethod
    def new_ticket() -> str:
        return uuid4().hex

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        fields = {"short_description": subject, "description": text}
        journals: dict[str, list[str]] = {"comments": [], "work_notes": []}
        told = {"sys_id": self.ticket, "number": "INC0010005", "caller": _CALLER, **fields}
        self.api.incidents[self.ticket] = {
            **told,
            **journals,
            "urgency": "3",
            "state": "1",
            "hold_reason": "",
        }
        return self.json(told)

    def replied(self, text: str) -> Sent:
        return self._comment(text, staff=False)

    def answered(self, text: str) -> Sent:
        return self._comment(text, staff=True)

    def returned(self) -> list[Sent]:
        # A rule whose user has no role itil still tells of marked text.
        said = self.api.incidents[self.ticket]["comments"]
        return [
            *(self._comment(text, staff=False) for text in said),
            self._comment("x", staff=True),
        ]

    def written(self) -> list[tuple[str, str]]:
        incident = self.api.incidents[self.ticket]
        public, notes = reversed(incident["comments"]), reversed(incident["work_notes"])
        pairs = [[("public", said)] for said in public], [[("note", said)] for said in notes]
        count = max(map(len, pairs))
        return [
            one
            for n in range(count)
            for pair in pairs
            for one in (pair[n] if n < len(pair) else [])
        ]

    def labels(self) -> tuple[set[str], object]:
        return set(), self.api.incidents[self.ticket]["urgency"]

    def stand(self) -> str | None:
        incident = self.api.incidents[self.ticket]
        held = (incident["state"], incident["hold_reason"]) == ("3", "1")
        return "waiting" if held else "open"

    def _comment(self, text: str, *, staff: bool) -> Sent:
        name = f"{abs(hash((text, staff))):032x}"
        comment = {"id": name, "text": text, "staff": staff}
        return self.json({"sys_id": self.ticket, "number": "INC0010005", "comment": comment})
