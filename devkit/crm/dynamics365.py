"""Dynamics 365: execution contexts, and the part of Dataverse's Web API that we use.

Written from https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks and
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from html import escape
from typing import Any

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import RefusedError, VendorApi, insist, only

_BASE = "/api/data/v9.2"
_TENANT, _QUEUE = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
_CONTACT = "6d81597f-0f9f-e711-8122-000d3aa2331c"


class Dynamics365Api(VendorApi):
    """Records by the end of their addresses: ``incidents``, ``emails``, ``annotations``."""

    vendor = "dynamics365"
    token_path = f"/{_TENANT}/oauth2/v2.0/token"

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, dict[str, Any]]] = {
            "incidents": {}, "emails": {}, "annotations": {}
        }  # fmt: skip

    @property
    def credentials(self) -> Mapping[str, str]:  # type: ignore[override]
        """The login server is the stand-in too."""
        client = {"TENANT": _TENANT, "CLIENT_ID": "client", "CLIENT_SECRET": "hidden"}
        return {**client, "QUEUE": _QUEUE, "LOGIN": self.url}

    @property
    def token_form(self) -> Mapping[str, str]:  # type: ignore[override]
        """The scope is the environment's."""
        client = {"client_id": "client", "client_secret": "hidden"}
        return {"grant_type": "client_credentials", **client, "scope": f"{self.url}/.default"}

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        return self.takes_token(request)

    def receive(self, ticket: str, html: str, at: str) -> str:
        """A customer's e-mail about a case."""
        name = str(uuid.uuid4())
        self.records["emails"][name] = {
            "activityid": name,
            "description": html,
            "directioncode": False,
            "_regardingobjectid_value": ticket,
            "createdon": at,
            "modifiedon": at,
            "statecode": 1,
        }
        return name

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        found = re.fullmatch(rf"{_BASE}/(\w+)(?:\(([0-9a-f-]{{36}})\)(/.*)?)?", path)
        if found is None or found[1] not in self.records:
            raise RefusedError(404, "Resource not found for the segment")
        entities, name, rest = found[1], found[2], found[3]
        if name is None:
            return self._list(entities, query) if method == "GET" else self._make(entities, body)
        if name not in self.records[entities]:
            raise RefusedError(404, "Entity does not exist")
        record = self.records[entities][name]
        if rest:
            return self._send(name, record, rest, body)
        if method == "PATCH":
            fields = only(body, "prioritycode", "statuscode")
            insist(fields.get("prioritycode", 1) in (1, 2, 3), "prioritycode is none of 1, 2, 3")
            insist(fields.get("statuscode", 1) in (1, 2, 3, 4), "statuscode is of another state")
            record |= body
            return None
        return record

    def _make(self, entities: str, body: Any) -> Any:
        if entities == "annotations":
            only(body, "annotationid", "subject", "notetext", "objectid_incident@odata.bind")
            name, about = body["annotationid"], body["objectid_incident@odata.bind"]
        else:
            only(body, "activityid", "subject", "description", "email_activity_parties",
                "regardingobjectid_incident_email@odata.bind")  # fmt: skip
            parties = [
                {"partyid_queue@odata.bind": f"/queues({_QUEUE})", "participationtypemask": 1},
                {
                    "partyid_contact@odata.bind": f"/contacts({_CONTACT})",
                    "participationtypemask": 2,
                },
            ]
            insist(body["email_activity_parties"] == parties, "parties are not queue and contact")
            name, about = body["activityid"], body["regardingobjectid_incident_email@odata.bind"]
        if about.removeprefix("/incidents(").removesuffix(")") not in self.records["incidents"]:
            raise RefusedError(400, "incident does not exist")
        if name in self.records[entities]:
            said = {"error": {"code": "0x80040237", "message": "Cannot insert duplicate key."}}
            raise RefusedError(412, "there already", said)
        state = {"statecode": 0, "directioncode": True, "_regardingobjectid_value": about}
        self.records[entities][name] = {**body, **state, "createdon": "", "modifiedon": ""}
        if entities == "annotations":
            self.ledger.append(name)
        return None

    def _send(self, name: str, mail: dict[str, Any], action: str, body: Any) -> Any:
        if action != "/Microsoft.Dynamics.CRM.SendEmail" or only(body, "IssueSend") != {
            "IssueSend": True
        }:
            raise RefusedError(404, "Resource not found for the segment")
        mail["statecode"] = 1
        self.ledger.append(name)
        return None

    def _list(self, entities: str, query: Mapping[str, str]) -> Any:
        """Filters as our connector writes them."""
        found = list(self.records[entities].values())
        conditions = query["$filter"].split(" and ")
        if "directioncode eq false" in conditions:
            found = [one for one in found if not one["directioncode"]]
        if about := re.search(r"_regardingobjectid_value eq ([0-9a-f-]{36})", query["$filter"]):
            found = [one for one in found if one["_regardingobjectid_value"] == about[1]]
        if since := re.search(r"(createdon|modifiedon) ge (\S+Z)", query["$filter"]):
            found = [one for one in found if one[since[1]] >= since[2]]
        by = query["$orderby"].removesuffix(" asc")
        fields = query["$select"].split(",")
        found = sorted(found, key=lambda one: str(one[by]))[: int(query["$top"])]
        return {"value": [{name: one.get(name) for name in fields} for one in found]}


def context(
    message: str, entity: str, own: str, fields: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A RemoteExecutionContext; without fields it was larger than 256 KB."""
    attributes = [{"key": key, "value": value} for key, value in (fields or {}).items()]
    target = {"__type": "Entity:http://schemas.microsoft.com/xrm/2011/Contracts", "Id": own,
        "Attributes": attributes, "LogicalName": entity}  # fmt: skip
    return {
        "MessageName": message,
        "PrimaryEntityName": entity,
        "PrimaryEntityId": own,
        "OperationId": str(uuid.uuid4()),
        "InputParameters": [] if fields is None else [{"key": "Target", "value": target}],
        "PostEntityImages": [],
        "Stage": 40,
    }


def regarding(ticket: str, entity: str = "incident") -> dict[str, Any]:
    """An EntityReference."""
    kind = "EntityReference:http://schemas.microsoft.com/xrm/2011/Contracts"
    return {"__type": kind, "Id": ticket, "LogicalName": entity, "Name": None}


class Counterpart(counterpart.Counterpart[Dynamics365Api]):
    """A case of the portal, whose customer goes on by mail."""

    vendor = "dynamics365"
    api_type = Dynamics365Api

    @staticmethod
    def new_ticket() -> str:
        return str(uuid.uuid4())

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        fields = {"title": subject or None, "description": text or None}
        self.api.records["incidents"][self.ticket] = {
            "incidentid": self.ticket,
            **fields,
            "prioritycode": 2,
            "statuscode": 1,
            "createdon": "2026-01-01T00:00:00Z",
            "customerid_contact": {"contactid": _CONTACT},
            "customerid_account": None,
            "_customerid_value": _CONTACT,
        }
        told = {**fields, "customerid": regarding(_CONTACT, "contact")}
        return self.json(context("Create", "incident", self.ticket, told))

    def replied(self, text: str) -> Sent:
        html = f"<html><body><div>{escape(text)}</div></body></html>"
        name = self.api.receive(self.ticket, html, "2026-01-01T01:00:00Z")
        fields = {"directioncode": False, "description": html}
        about = {"regardingobjectid": regarding(self.ticket)}
        return self.json(context("Create", "email", name, fields | about))

    def answered(self, text: str) -> Sent:
        return self._outgoing(str(uuid.uuid4()))

    def returned(self) -> list[Sent]:
        return [self._outgoing(name) for name in self.api.records["emails"]]

    def written(self) -> list[tuple[str, str]]:
        mails = self.api.records["emails"].items()
        ours = [
            ("public" if name in self.api.ledger else "draft", mail["description"])
            for name, mail in mails
            if mail["directioncode"]
        ]
        notes = [("note", n["notetext"]) for n in self.api.records["annotations"].values()]
        count = max(len(ours), len(notes))
        return [one for n in range(count) for one in (*ours[n : n + 1], *notes[n : n + 1])]

    def labels(self) -> tuple[set[str], object]:
        return set(), self.api.records["incidents"][self.ticket]["prioritycode"]

    def stand(self) -> str | None:
        status = self.api.records["incidents"][self.ticket]["statuscode"]
        return {1: "open", 3: "waiting"}.get(status)

    def _outgoing(self, name: str) -> Sent:
        fields = {"directioncode": True, "regardingobjectid": regarding(self.ticket)}
        return self.json(context("Create", "email", name, fields))
