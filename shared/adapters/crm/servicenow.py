"""ServiceNow incidents.

In: a business rule of your own, which sends what docs/crm/servicenow.md shows. Out: comments (the
caller sees them), work notes and urgency over the Table API.
https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from shared.adapters.crm_api import Api, Headers, Pass, basic, segment
from shared.adapters.crm_oauth import OAuth, grant
from shared.adapters.crm_signatures import check_token
from shared.adapters.crm_vendor import (
    Access,
    VendorConnector,
    higher,
    json_of,
    not_theirs,
    part,
    text_of,
)
from shared.domain.inbound import OPENING, Delivery, InboundMessage, Kind, usable_id, with_subject
from shared.domain.outbound import Labels, Post, Stand, carries, is_echo, mark_of, marked

#: Low, medium, high. The instance makes the priority of it and of the impact.
_URGENCIES = ("3", "2", "1")
#: States of an incident, and why one is on hold, as every instance begins with them.
_NEW, _IN_PROGRESS, _ON_HOLD = "1", "2", "3"
_AWAITING_CALLER = "1"
_CODE = re.compile(r"\[(/?)code\]", re.IGNORECASE)
_URGENCY_OF = {"normal": "2", "high": "1", "critical": "1"}


class Connector(VendorConnector):
    """One ServiceNow instance."""

    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "what the rule sends as X-Frontdesk-Token; two with a space while changed",
        "URL": "the instance, such as https://acme.service-now.com",
        "USER": "the user who writes our comments, with role itil",
        "PASSWORD": "their password; or instead of both, OAuth's client credentials:",
        "CLIENT_ID": "of the inbound integration in the Application Registry",
        "CLIENT_SECRET": "the same",
        "REFRESH_TOKEN": "only for that grant",
    }
    writes = (
        ("URL", "USER", "PASSWORD"),
        ("URL", "CLIENT_ID", "CLIENT_SECRET"),
    )
    paste = "the system property frontdesk.url"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._api = Api(access, authorization(access))

    def verify(self, delivery: Delivery, now: datetime) -> None:
        check_token(delivery, self.access.secrets)

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        ticket = usable_id(part(body, "sys_id"))
        if not ticket:
            raise not_theirs("sys_id is missing: send what docs/crm/servicenow.md shows")
        if part(body, "comment") is None:
            return [_opened(body, ticket)]
        return [_commented(body, ticket)]

    async def post(self, post: Post) -> str:
        # Journals keep nothing of ours with an entry but its text.
        name = "comments" if post.how == "public" else "work_notes"
        entry = {name: marked(without_html(post.text), mark_of(post.key))}
        await self._api.write("PATCH", f"{_path(post.ticket_id)}?sysparm_fields=sys_id", entry)
        return name

    async def find(self, ticket_id: str, key: str) -> str | None:
        mark = mark_of(key)
        for name in ("comments", "work_notes"):
            # Only its display value is the whole journal.
            if carries(text_of(await self._field(ticket_id, name, "true")), mark):
                return name
        return None

    async def label(self, labels: Labels) -> str:
        """The urgency. Tags are people's own in ServiceNow."""
        wanted = _URGENCY_OF.get(labels.urgency or "")
        present = await self._field(labels.ticket_id, "urgency", "false")
        if wanted is None or not higher(_URGENCIES, wanted, present or None):
            return f"nothing: the urgency is {present}"
        path = f"{_path(labels.ticket_id)}?sysparm_fields=sys_id"
        await self._api.write("PATCH", path, {"urgency": wanted})
        return f"urgency {wanted}"

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        state = text_of(await self._field(ticket_id, "state", "false"))
        why = text_of(await self._field(ticket_id, "hold_reason", "false"))
        held = (state, why) == (_ON_HOLD, _AWAITING_CALLER)
        if status == "open" and held:
            fields = {"state": _IN_PROGRESS, "hold_reason": ""}
        elif status == "waiting" and state in (_NEW, _IN_PROGRESS):
            fields = {"state": _ON_HOLD, "hold_reason": _AWAITING_CALLER}
        else:
            return f"nothing: the state is {state}"
        await self._api.write("PATCH", f"{_path(ticket_id)}?sysparm_fields=sys_id", fields)
        return f"state {fields['state']}"

    async def _field(self, ticket: str, name: str, shown: str) -> Any:
        query = {"sysparm_fields": name, "sysparm_display_value": shown}
        return part(await self._api.read(_path(ticket), **query), "result", name)


def without_html(text: str) -> str:
    """Journals and descriptions show HTML between [code] and [/code], and others wrote the text."""
    return _CODE.sub(r"[\1 code]", text)


def authorization(access: Access) -> Headers | Pass:
    """OAuth where a client is set, else the user's password."""
    if access.values.get("CLIENT_ID"):
        return OAuth(access, lambda: "/oauth_token.do", lambda: grant(access))

    async def headers() -> Mapping[str, str]:
        return basic(access.need("USER"), access.need("PASSWORD"))

    return headers


def _opened(body: Any, ticket: str) -> InboundMessage:
    described = text_of(part(body, "description"))
    return InboundMessage(
        event="incident",
        # An incident that we opened as a ticket is nobody's message.
        kind="echo" if is_echo(described) else "new",
        ticket_id=ticket,
        delivery_id=OPENING,
        text=with_subject(text_of(part(body, "short_description")), described),
        customer=usable_id(part(body, "caller")),
    )


def _commented(body: Any, ticket: str) -> InboundMessage:
    text, name = text_of(part(body, "comment", "text")), usable_id(part(body, "comment", "id"))
    if not name:
        raise not_theirs("comment.id is missing: send what docs/crm/servicenow.md shows")
    # Callers with a role are colleagues who have an incident of their own.
    staff = part(body, "comment", "staff") is not False
    kind: Kind = "echo" if is_echo(text) else "ignored" if staff else "follow_up"
    return InboundMessage(
        event="comment",
        kind=kind,
        ticket_id=ticket,
        delivery_id=name,
        text=text,
        customer=usable_id(part(body, "caller")),
    )


def _path(ticket: str) -> str:
    return f"/api/now/table/incident/{segment(ticket)}"
