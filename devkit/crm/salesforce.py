"""Salesforce: outbound messages, and the part of the REST API that we use.

Written from https://developer.salesforce.com/docs/platform/api/guide/sforce-api-om-outboundmessaging-wsdl.html
and the REST API's pages on queries and sObject rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from secrets import randbelow
from typing import Any, ClassVar

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import RefusedError, VendorApi, insist, only

ORGANIZATION = "00D5e000000KQ2eEAG"
_BASE = "/services/data/v61.0"
_CONTACT = "003KB000004r1a2YAA"


class SalesforceApi(VendorApi):
    """Cases by id, with ``emails`` and ``comments``."""

    vendor = "salesforce"
    credentials: ClassVar[Mapping[str, str]] = {
        "ORGANIZATION": ORGANIZATION,
        "CLIENT_ID": "key",
        "CLIENT_SECRET": "hidden",
    }
    token_path = "/services/oauth2/token"  # noqa: S105 - an address
    token_form: ClassVar[Mapping[str, str]] = {
        "grant_type": "client_credentials",
        "client_id": "key",
        "client_secret": "hidden",
    }
    token_lives = None

    def __init__(self) -> None:
        super().__init__()
        self.cases: dict[str, dict[str, Any]] = {}

    def say(self, case: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Adds an e-mail (``emails``) or a comment (``comments``)."""
        kinds = ("emails", "comments")
        number = self.numbers_from + sum(len(c[k]) for c in self.cases.values() for k in kinds)
        prefix = "02s" if kind == "emails" else "00a"
        made = {
            "Id": f"{prefix}5e00000{number:08}",
            "CreatedDate": f"2026-01-01T00:00:{number % 60:02}Z",
        }
        said = {**made, **fields}
        self.cases[case][kind].append(said)
        return said

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        return self.takes_token(request)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        if (method, path) == ("GET", f"{_BASE}/query"):
            return self._query(query["q"])
        if (method, path) == ("POST", f"{_BASE}/sobjects/CaseComment"):
            fields = only(body, "ParentId", "CommentBody", "IsPublished")
            if fields["ParentId"] not in self.cases or len(fields["CommentBody"]) > 4000:
                raise RefusedError(400, "INVALID_CROSS_REFERENCE_KEY or STRING_TOO_LONG")
            user = {"UserType": "Standard"}
            said = self.say(body["ParentId"], "comments", **fields, CreatedBy=user)
            self.note_mark(fields["CommentBody"])
            return {"id": said["Id"], "success": True, "errors": []}
        found = re.fullmatch(rf"{_BASE}/sobjects/Case/(\w+)", path)
        if found is None or found[1] not in self.cases:
            raise RefusedError(404, "NOT_FOUND")
        if method == "PATCH":
            self.cases[found[1]]["Priority"] = only(body, "Priority")["Priority"]
            return None
        insist((method, query) == ("GET", {"fields": "Priority"}), "only the priority is read")
        return {"Priority": self.cases[found[1]]["Priority"]}

    def _query(self, soql: str) -> Any:
        found = re.search(r"(?:Id|ParentId) = '(\w+)'", soql)
        case = self.cases.get(found[1]) if found else None
        if "FROM CaseComment WHERE" in soql:
            return {"done": True, "records": list(reversed(case["comments"])) if case else []}
        insist("FROM EmailMessages WHERE Incoming = true" in soql, "MALFORMED_QUERY")
        if case is None:
            return {"done": True, "records": []}
        mails = [mail for mail in case["emails"] if mail["Incoming"]]
        # A subquery without rows is null.
        lists = {"EmailMessages": _listed(mails), "CaseComments": _listed(case["comments"])}
        own = {name: case[name] for name in ("Subject", "Description", "ContactId")}
        return {"done": True, "records": [{**own, **lists}]}


def _listed(records: Sequence[Any]) -> Any:
    return {"totalSize": len(records), "done": True, "records": list(records)} if records else None


def envelope(*notifications: str, organization: str = ORGANIZATION) -> bytes:
    """A SOAP message of Salesforce's."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>{organization}</OrganizationId>
   <ActionId>04k5e000000CaRkAAK</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/61.0/00D</EnterpriseUrl>
   <PartnerUrl>https://acme.my.salesforce.com/services/Soap/u/61.0/00D</PartnerUrl>
   {"".join(notifications)}
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>""".encode()


def notification(kind: str, **fields: str | None) -> str:
    """A notification about an object; a field that is None is nil."""
    inner = "".join(
        f'<sf:{name} xsi:nil="true"/>'
        if value is None
        else f"<sf:{name}>{escape(value)}</sf:{name}>"
        for name, value in fields.items()
    )
    return (
        f"<Notification><Id>04l{abs(hash((kind, str(fields)))) % 10**15:015}</Id>"
        f'<sObject xsi:type="sf:{kind}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{inner}'
        "</sObject></Notification>"
    )


class Counterpart(counterpart.Counterpart[SalesforceApi]):
    """A case of the web form, whose customer goes on by mail."""

    vendor = "salesforce"
    api_type = SalesforceApi
    shows_html = False

    @staticmethod
    def new_ticket() -> str:
        return f"5005e{randbelow(10**10):010}AAA"

    def signed(self, body: bytes) -> Sent:
        return Sent(body, {"content-type": "text/xml; charset=utf-8"}, {"code": self.secret})

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        fields = {"Subject": subject or None, "Description": text or None}
        fields["ContactId"] = _CONTACT
        self.api.cases[self.ticket] = {**fields, "Priority": "Low", "emails": [], "comments": []}
        return self._told(notification("Case", Id=self.ticket, **fields))

    def replied(self, text: str) -> Sent:
        html = f"<p>{escape(text)}</p>"
        said = self.api.say(self.ticket, "emails", TextBody=None, HtmlBody=html, Incoming=True)
        about = {"Id": said["Id"], "ParentId": self.ticket, "Incoming": "true"}
        return self._told(notification("EmailMessage", **about))

    def answered(self, text: str) -> Sent:
        user = {"UserType": "Standard"}
        said = self.api.say(
            self.ticket, "comments", CommentBody=text, IsPublished=True, CreatedBy=user
        )
        return self._comment(said)

    def returned(self) -> list[Sent]:
        return [self._comment(said) for said in self._ours()]

    def written(self) -> list[tuple[str, str]]:
        return [("public" if s["IsPublished"] else "note", s["CommentBody"]) for s in self._ours()]

    def labels(self) -> tuple[set[str], object]:
        return set(), self.api.cases[self.ticket]["Priority"]

    def _ours(self) -> list[dict[str, Any]]:
        return [s for s in self.api.cases[self.ticket]["comments"] if "[fd-" in s["CommentBody"]]

    def _comment(self, said: Mapping[str, Any]) -> Sent:
        about = {
            "Id": said["Id"],
            "ParentId": self.ticket,
            "CommentBody": said["CommentBody"],
            "IsPublished": str(said["IsPublished"]).lower(),
        }
        return self._told(notification("CaseComment", **about))

    def _told(self, what: str) -> Sent:
        own = self.settings.get("ORGANIZATION", ORGANIZATION)
        return self.signed(envelope(what, organization=own))
