"""Dynamics 365 Customer Service: cases (``incident``) and their e-mails, in Dataverse.

In: a webhook on new cases and e-mails; what gets lost is found by a poll. Out: e-mails (sent, or
left as drafts), notes, priority. All that we make has an id of our own choosing, so a second
attempt makes nothing twice.
https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from shared.adapters.crm_api import Api
from shared.adapters.crm_oauth import OAuth, grant
from shared.adapters.crm_signatures import at_iso, check_token
from shared.adapters.crm_vendor import (
    Access,
    VendorConnector,
    higher,
    json_of,
    not_theirs,
    part,
    text_of,
)
from shared.domain.inbound import (
    OPENING,
    Changes,
    CustomerWords,
    Delivery,
    InboundMessage,
    conversation,
    with_subject,
)
from shared.domain.markup import plain
from shared.domain.outbound import Labels, Post, Stand
from shared.errors import FrontdeskError, PermanentError

_DATA = "/api/data/v9.2"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OURS = uuid.UUID("6f0c64ce-6ff1-5f0e-9d0b-0a5ac3a8e9f1")
_FROM, _TO = 1, 2
_OPEN = 0
_CUSTOMERS = ("contact", "account")
#: Low, normal, high.
_PRIORITIES = (3, 2, 1)
_PRIORITY_OF = {"normal": 2, "high": 1, "critical": 1}
#: Of an active case: in progress, and waiting for details.
_IN_PROGRESS, _WAITING = 1, 3
_DUPLICATE = "0x80040237"
_EXISTS = "crm_exists"
_MOST = 200
#: How far a first poll looks back, and each poll behind the one before.
_FIRST_LOOK = timedelta(minutes=15)
_OVERLAP = timedelta(minutes=2)


class Connector(VendorConnector):
    """One Dynamics 365 environment."""

    kind: Literal["keyed", "queryable", "unkeyed"] = "keyed"
    #: Ids are kept for as long as the records are.
    window = 10 * 365 * 86400.0
    drafts = True
    polls = True
    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "the webhook's WebhookKey, or the value of its header X-Frontdesk-Token",
        "URL": "the environment, such as https://acme.crm.dynamics.com",
        "TENANT": "the Entra tenant's id",
        "CLIENT_ID": "the app registration's id; it needs an application user",
        "CLIENT_SECRET": "its client secret",
        "QUEUE": "the id of the queue that e-mails are sent from",
        "LOGIN": "https://login.microsoftonline.com, unless yours is a sovereign cloud",
    }
    writes = (("URL", "TENANT", "CLIENT_ID", "CLIENT_SECRET", "QUEUE"),)
    paste = "Plug-in Registration Tool → Register New Web Hook → Endpoint URL"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        base = access.values.get("LOGIN") or "https://login.microsoftonline.com"
        self._api = Api(access, OAuth(access, self._token, self._form, base), refusal=_refusal)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        check_token(delivery, self.access.secrets)

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        message, entity = (text_of(part(body, n)) for n in ("MessageName", "PrimaryEntityName"))
        if not message or not entity:
            raise not_theirs("MessageName or PrimaryEntityName is missing")
        event = f"{entity} {message}"
        if event not in ("incident Create", "email Create", "email Update"):
            return [InboundMessage(event=event, kind="ignored")]
        own, fields = _guid(part(body, "PrimaryEntityId")), _attributes(body)
        if not own:
            raise not_theirs("PrimaryEntityId is missing")
        if entity == "incident":
            return [_case(event, own, fields)]
        ticket = _guid(part(fields.get("regardingobjectid"), "Id"))
        about = part(fields.get("regardingobjectid"), "LogicalName")
        if not ticket or about != "incident" or fields.get("directioncode") is True:
            # Ours, or one too large to come along: the poll finds those.
            return [InboundMessage(event=event, kind="ignored")]
        return [_mail(event, ticket, own)]

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        path, own = _path("incidents", ticket_id), _usable(ticket_id)
        case = await self._api.read(path, **{"$select": "title,description,_customerid_value"})
        mails = await self._listed(
            "emails",
            "activityid,description",
            "createdon",
            f"_regardingobjectid_value eq {own} and directioncode eq false",
        )
        later = [
            CustomerWords(id=_guid(part(mail, "activityid")), text=_body(mail)) for mail in mails
        ]
        title, described = (text_of(part(case, name)) for name in ("title", "description"))
        return conversation(title, described, later, _guid(part(case, "_customerid_value")))

    async def post(self, post: Post) -> str:
        own = str(uuid.uuid5(_OURS, post.key))
        if post.how != "note":
            return await self._mail(post, own)
        note = {
            "annotationid": own,
            "subject": "Frontdesk",
            "notetext": post.html,
            "objectid_incident@odata.bind": f"/incidents({_usable(post.ticket_id)})",
        }
        await self._make("annotations", note)
        return f"note {own}"

    async def label(self, labels: Labels) -> str:
        """The priority."""
        path = _path("incidents", labels.ticket_id)
        wanted = _PRIORITY_OF.get(labels.urgency or "")
        case = await self._api.read(path, **{"$select": "prioritycode"})
        present = part(case, "prioritycode")
        if wanted is None or not higher(_PRIORITIES, wanted, present):
            return f"nothing: the priority is {present}"
        # Without If-Match a case that is gone would be made anew.
        await self._api.write("PATCH", path, {"prioritycode": wanted}, **{"If-Match": "*"})
        return f"priority {wanted}"

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        path = _path("incidents", ticket_id)
        present = part(await self._api.read(path, **{"$select": "statuscode"}), "statuscode")
        wanted = {_IN_PROGRESS: _WAITING} if status == "waiting" else {_WAITING: _IN_PROGRESS}
        if present not in wanted:
            return f"nothing: the status is {present}"
        fields = {"statuscode": wanted[present]}
        await self._api.write("PATCH", path, fields, **{"If-Match": "*"})
        return f"status {wanted[present]}"

    async def changed_since(self, mark: str | None, now: datetime) -> Changes:
        since = at_iso(mark) - _OVERLAP if mark else now - _FIRST_LOOK
        cases = await self._listed("incidents", "incidentid,title,description,createdon",
            "createdon", f"createdon ge {_stamp(since)}")  # fmt: skip
        mails = await self._listed("emails", "activityid,_regardingobjectid_value,modifiedon",
            "modifiedon", f"modifiedon ge {_stamp(since)} and directioncode eq false "
            "and regardingobjectid_incident_email/incidentid ne null")  # fmt: skip
        found = [_case("poll", _guid(part(one, "incidentid")), one) for one in cases]
        found += [
            _mail("poll", _guid(part(m, "_regardingobjectid_value")), _guid(part(m, "activityid")))
            for m in mails
        ]
        # Where a list was cut, the next poll goes on behind it.
        ends = [
            at_iso(text_of(part(listed[-1], name))) + _OVERLAP
            for listed, name in ((cases, "createdon"), (mails, "modifiedon"))
            if len(listed) == _MOST
        ]
        return Changes(tuple(found), _stamp(min([now, *ends])))

    async def _mail(self, post: Post, own: str) -> str:
        query = {
            "$select": "title",
            "$expand": ",".join(f"customerid_{k}($select={k}id)" for k in _CUSTOMERS),
        }
        case = await self._api.read(_path("incidents", post.ticket_id), **query)
        customers = {
            f"partyid_{kind}@odata.bind": f"/{kind}s({own_id})"
            for kind in _CUSTOMERS
            if (own_id := _guid(part(case, f"customerid_{kind}", f"{kind}id")))
        }
        if not customers:
            raise PermanentError("no_customer", "the case has no customer to write to")
        mail = {
            "activityid": own,
            "subject": f"Re: {text_of(part(case, 'title'))}",
            "description": post.html,
            "regardingobjectid_incident_email@odata.bind": f"/incidents({post.ticket_id})",
            "email_activity_parties": [
                {
                    "partyid_queue@odata.bind": f"/queues({_usable(self.access.need('QUEUE'))})",
                    "participationtypemask": _FROM,
                },
                {**customers, "participationtypemask": _TO},
            ],
        }
        await self._make("emails", mail)
        if post.how == "draft":
            return f"draft {own}"
        path = _path("emails", own)
        # An earlier attempt may have got as far as this.
        if part(await self._api.read(path, **{"$select": "statecode"}), "statecode") == _OPEN:
            send = f"{path}/Microsoft.Dynamics.CRM.SendEmail"
            await self._api.write("POST", send, {"IssueSend": True})
        return f"email {own}"

    async def _make(self, entities: str, fields: Mapping[str, object]) -> None:
        try:
            await self._api.write("POST", f"{_DATA}/{entities}", fields)
        except PermanentError as error:
            if error.code != _EXISTS:
                raise

    async def _listed(self, entities: str, select: str, by: str, which: str) -> list[Any]:
        query = {"$select": select, "$filter": which, "$orderby": f"{by} asc", "$top": str(_MOST)}
        found = part(await self._api.read(f"{_DATA}/{entities}", **query), "value")
        return found if isinstance(found, list) else []

    def _token(self) -> str:
        return f"/{_usable(self.access.need('TENANT'))}/oauth2/v2.0/token"

    def _form(self) -> Mapping[str, str]:
        return {**grant(self.access), "scope": f"{self.access.need('URL').rstrip('/')}/.default"}


def _attributes(body: Any) -> Mapping[str, Any]:
    """What the record held after the change; empty for a delivery that was too large."""
    found: dict[str, Any] = {}
    for name in ("PostEntityImages", "InputParameters"):
        for entry in part(body, name) or ():
            for attribute in part(entry, "value", "Attributes") or ():
                found[text_of(part(attribute, "key"))] = part(attribute, "value")
    return found


def _case(event: str, own: str, fields: Mapping[str, Any]) -> InboundMessage:
    title, described = (text_of(fields.get(name)) for name in ("title", "description"))
    return InboundMessage(
        event=event,
        kind="new",
        ticket_id=own,
        delivery_id=OPENING,
        text=with_subject(title, described) if described.strip() else "",
        fetch=None if described.strip() else "all",
        customer=_guid(part(fields.get("customerid"), "Id")),
    )


def _body(mail: Any) -> str:
    return plain(text_of(part(mail, "description")))


def _mail(event: str, ticket: str, own: str) -> InboundMessage:
    """Always fetched: a case's first e-mail is often its description too."""
    return InboundMessage(
        event=event, kind="follow_up", ticket_id=ticket, delivery_id=own, fetch="all"
    )


def _guid(value: object) -> str:
    found = text_of(value).strip("{}").lower()
    return found if _GUID.fullmatch(found) else ""


def _usable(value: str) -> str:
    if found := _guid(value):
        return found
    raise PermanentError("crm_ticket_missing", "not an id of Dataverse")


def _path(entities: str, own: str) -> str:
    return f"{_DATA}/{entities}({_usable(own)})"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(status: int, said: Any) -> FrontdeskError | None:
    """Something of that id is there already: an earlier attempt made it."""
    if part(said, "error", "code") == _DUPLICATE:
        return PermanentError(_EXISTS, f"HTTP {status}")
    return None
