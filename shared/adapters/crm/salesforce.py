"""Salesforce cases.

In: outbound messages (SOAP) for new cases, incoming e-mails and case comments. Out: case comments
and priority over the REST API, which is also where e-mails and comments are fetched.
https://developer.salesforce.com/docs/platform/api/guide/sforce-api-om-outboundmessaging.html
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from xml.etree.ElementTree import Element

from shared.adapters.crm_api import Api
from shared.adapters.crm_oauth import OAuth, grant
from shared.adapters.crm_signatures import check_token
from shared.adapters.crm_vendor import Access, VendorConnector, higher, not_theirs, part, text_of
from shared.adapters.crm_xml import xml_of
from shared.domain.inbound import (
    OPENING,
    Acknowledgement,
    CustomerWords,
    Delivery,
    InboundMessage,
    Kind,
    conversation,
    with_subject,
)
from shared.domain.markup import plain
from shared.domain.outbound import Labels, Post, carries, is_echo, mark_of, marked
from shared.errors import (
    FrontdeskError,
    PermanentError,
    RequestError,
    RetryableError,
    UnverifiedError,
)

_DATA = "/services/data/v61.0"
_ACK = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>
<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>
</notificationsResponse></soapenv:Body></soapenv:Envelope>"""
_MOST = 100
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
#: The last three letters of an id are a checksum that some places leave out.
_ID_CHARS = 15
_COMMENT_CHARS = 4000
_CUSTOMERS = frozenset(
    {"powerpartner", "powercustomersuccess", "customersuccess", "cspliteportal", "guest"}
)
_PRIORITIES = ("Low", "Medium", "High")
_PRIORITY_OF = {"normal": "Medium", "high": "High", "critical": "High"}
#: Seconds to leave a used-up allowance alone: it is counted over the last 24 hours.
_PAUSE = 900.0
_SAID = (
    "SELECT Subject, Description, ContactId, "
    "(SELECT Id, TextBody, HtmlBody, CreatedDate FROM EmailMessages WHERE Incoming = true), "
    "(SELECT Id, CommentBody, IsPublished, CreatedBy.UserType, CreatedDate FROM CaseComments) "
    "FROM Case WHERE Id = '{}'"
)
_COMMENTS = (
    "SELECT Id, CommentBody FROM CaseComment WHERE ParentId = '{}' "
    "ORDER BY CreatedDate DESC LIMIT 200"
)


class Connector(VendorConnector):
    """One Salesforce organisation."""

    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "what stands behind ?code= in the endpoint's URL; two with a space while changed",
        "ORGANIZATION": "the organisation's id (Setup, Company Information), 00D…",
        "URL": "your My Domain, such as https://acme.my.salesforce.com",
        "CLIENT_ID": "the consumer key of an app with the client credentials flow",
        "CLIENT_SECRET": "its consumer secret",
        "REFRESH_TOKEN": "only for an app without that flow",
    }
    writes = (("URL", "CLIENT_ID", "CLIENT_SECRET"),)
    paste = "Setup → Outbound Messages → New → Endpoint URL"
    query = "?code=SECRET"
    needs = ("SECRET", "ORGANIZATION")

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        oauth = OAuth(access, lambda: "/services/oauth2/token", lambda: grant(access))
        self._api = Api(access, oauth, refusal=_refusal)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        check_token(delivery, self.access.secrets)
        try:
            sent = _field(_notifications(delivery.body), "OrganizationId")
        except RequestError:
            # ``read`` says what is wrong with it, to a sender who knows the secret.
            return
        ours = self.access.values["ORGANIZATION"].strip()
        # A sandbox is a copy with the production's messages in it, and another id.
        if not hmac.compare_digest(sent[:_ID_CHARS].encode(), ours[:_ID_CHARS].encode()):
            raise UnverifiedError("of another organisation: a sandbox, or ORGANIZATION is wrong")

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        sent = _notifications(delivery.body).findall("Notification")
        if not 1 <= len(sent) <= _MOST:
            raise not_theirs(f"{len(sent)} notifications; 1 to {_MOST} are sent")
        return [_message(notification.find("sObject")) for notification in sent]

    def acknowledgement(self, delivery: Delivery) -> Acknowledgement:
        """Without it Salesforce sends the same again for a day."""
        return Acknowledgement(status=200, body=_ACK, content_type="text/xml")

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        [*found] = await self._query(_SAID, ticket_id)
        if not found:
            raise PermanentError("crm_ticket_missing")
        later = [
            (text_of(part(one, "CreatedDate")), CustomerWords(id=part(one, "Id"), text=_words(one)))
            for name in ("EmailMessages", "CaseComments")
            for one in part(found[0], name, "records") or ()
            if name == "EmailMessages" or _by_customer(one)
        ]
        words = [said for _, said in sorted(later, key=lambda dated: dated[0])]
        subject, described = (text_of(part(found[0], n)) for n in ("Subject", "Description"))
        words = [one for one in words if not is_echo(one.text)]
        return conversation(subject, described, words, text_of(part(found[0], "ContactId")))

    async def post(self, post: Post) -> str:
        public, mark = post.how == "public", mark_of(post.key)
        body = marked(post.text, mark)
        if not public and len(body) > _COMMENT_CHARS:
            body = marked(post.text[: _COMMENT_CHARS - 100] + " […]", mark)
        fields = {"ParentId": _usable(post.ticket_id), "CommentBody": body, "IsPublished": public}
        answer = await self._api.write("POST", f"{_DATA}/sobjects/CaseComment", fields)
        return f"comment {part(answer, 'id') or 'unknown'}"

    async def find(self, ticket_id: str, key: str) -> str | None:
        mark = mark_of(key)
        for comment in await self._query(_COMMENTS, ticket_id):
            if carries(text_of(part(comment, "CommentBody")), mark):
                return f"comment {part(comment, 'Id')}"
        return None

    async def label(self, labels: Labels) -> str:
        """The priority. Topics, Salesforce's tags, are not switched on for cases."""
        path = f"{_DATA}/sobjects/Case/{_usable(labels.ticket_id)}"
        wanted = _PRIORITY_OF.get(labels.urgency or "")
        present = part(await self._api.read(path, fields="Priority"), "Priority")
        if wanted is None or not higher(_PRIORITIES, wanted, present):
            return f"nothing: the priority is {present}"
        await self._api.write("PATCH", path, {"Priority": wanted})
        return f"priority {wanted}"

    async def _query(self, soql: str, ticket: str) -> Sequence[Any]:
        answer = await self._api.read(f"{_DATA}/query", q=soql.format(_usable(ticket)))
        records = part(answer, "records")
        return records if isinstance(records, list) else ()


def _field(element: Element | None, name: str) -> str:
    """A field of an object; empty when it is nil or was not sent."""
    return (element.findtext(name) if element is not None else "") or ""


def _notifications(body: bytes) -> Element:
    found = xml_of(body).find("Body/notifications")
    if found is None:
        raise not_theirs("no notifications in a SOAP body")
    return found


def _message(thing: Element | None) -> InboundMessage:
    kind = thing.get("type", "").rpartition(":")[2] if thing is not None else ""
    if thing is None or not kind:
        raise not_theirs("a notification without sObject")
    if kind not in ("Case", "EmailMessage", "CaseComment"):
        return InboundMessage(event=kind, kind="ignored")
    own, case = _field(thing, "Id"), _field(thing, "Id" if kind == "Case" else "ParentId")
    if not _ID.fullmatch(own) or not _ID.fullmatch(case):
        raise not_theirs(f"{kind}: tick Id{'' if kind == 'Case' else ' and ParentId'}")
    if kind == "Case":
        described = _field(thing, "Description")
        said = with_subject(_field(thing, "Subject"), described) if described.strip() else ""
        return _event(kind, "new", case, OPENING, said, _field(thing, "ContactId"))
    body = _field(thing, "CommentBody")
    hidden = {"EmailMessage": "Incoming", "CaseComment": "IsPublished"}[kind]
    ours = _field(thing, hidden) == "false"
    return _event(kind, "echo" if is_echo(body) else "ignored" if ours else "follow_up", case, own)


def _event(
    event: str, kind: Kind, ticket: str, name: str, said: str = "", customer: str = ""
) -> InboundMessage:
    return InboundMessage(
        event=event,
        kind=kind,
        ticket_id=ticket,
        delivery_id=name,
        text=said,
        fetch=None if said else "all",
        customer=customer,
    )


def _words(said: Any) -> str:
    comment, body = text_of(part(said, "CommentBody")), text_of(part(said, "TextBody"))
    return comment or body or plain(text_of(part(said, "HtmlBody")))


def _by_customer(comment: Any) -> bool:
    """Whether somebody of the customer's wrote it: colleagues write comments too."""
    kind = text_of(part(comment, "CreatedBy", "UserType")).casefold()
    return bool(part(comment, "IsPublished")) and kind in _CUSTOMERS


def _usable(ticket: str) -> str:
    if not _ID.fullmatch(ticket):
        raise PermanentError("crm_ticket_missing", "not an id of Salesforce")
    return ticket


def _refusal(status: int, said: Any) -> FrontdeskError | None:
    """Salesforce refuses with 403 what is over the limit, and with 400 what is locked.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
    """
    first = said[0] if isinstance(said, list) and said else None
    code = part(first, "errorCode")
    if code == "REQUEST_LIMIT_EXCEEDED":
        return RetryableError("crm_rate_limited", _PAUSE, f"HTTP {status}")
    if code == "UNABLE_TO_LOCK_ROW":
        return RetryableError("crm_busy", 0.0, f"HTTP {status}")
    return None
