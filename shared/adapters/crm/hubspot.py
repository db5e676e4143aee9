"""HubSpot tickets, with the conversations that they come from.

In: thin events, many in one delivery, that a ticket is new or that a message came to it; a poll of
one pipeline finds what they leave out. Out: messages in the conversation, notes on the ticket,
priority.
https://developers.hubspot.com/docs/api/webhooks/validating-requests
https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
https://developers.hubspot.com/docs/api-reference/2026-03/crm/search-the-crm
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from shared.adapters.crm_api import Api, segment
from shared.adapters.crm_signatures import (
    at_epoch,
    at_iso,
    check_signature,
    check_window,
    header,
)
from shared.adapters.crm_vendor import (
    Access,
    VendorConnector,
    first_of,
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
    usable_id,
)
from shared.domain.markup import plain
from shared.domain.outbound import (
    Labels,
    Post,
    carries,
    is_echo,
    mark_of,
    marked,
    marked_html,
)
from shared.errors import FrontdeskError, PermanentError, RetryableError, UnverifiedError

_TICKETS = "/crm/v3/objects/tickets"
_NOTES = "/crm/v3/objects/notes"
_THREADS = "/conversations/v3/conversations/threads"
_THREAD = "hs_conversations_originating_thread_id"
_CAME = "hs_last_message_received_at"
_BEGAN = "createdate"
#: Events by their newer names are about any object; this is the type of tickets.
_TICKET_TYPE = "0-5"
#: HubSpot's own association of a note with a ticket.
_NOTE_TO_TICKET = 228
_PAGES = 10
_NOTES_READ = 100
_PRIORITIES = ("LOW", "MEDIUM", "HIGH", "URGENT")
_PRIORITY_OF = {"normal": "MEDIUM", "high": "HIGH", "critical": "HIGH"}
_ENCODED = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_DAY = 3600.0
#: A first poll looks back as far; each poll overlaps with the one before, because the search finds
#: what changed only after some moments.
_FIRST_LOOK = timedelta(minutes=15)
_OVERLAP = timedelta(minutes=5)
_SEARCHED = 50
_MIGRATION = 477


class Connector(VendorConnector):
    """One HubSpot account."""

    polls = True
    poll_needs = ("PIPELINE",)
    settings: ClassVar[Mapping[str, str]] = {
        "SECRET": "the app's client secret; two with a space between while one is changed",
        "URL": "https://api.hubapi.com",
        "TOKEN": "the app's access token",
        "ACTOR": "A- and the id of the user who writes our messages, such as A-12345",
        "PIPELINE": "polls the tickets of this pipeline too; 0 is the first one",
    }
    writes = (("URL", "TOKEN", "ACTOR"),)
    paste = "Development → Legacy apps → the app → Webhooks → Target URL"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._keys = tuple(secret.encode() for secret in access.secrets)
        self._api = Api(access, self._authorization, refusal=_refusal)

    def verify(self, delivery: Delivery, now: datetime) -> None:
        at = header(delivery.headers, "x-hubspot-request-timestamp")
        given = header(delivery.headers, "x-hubspot-signature-v3")
        check_window(at_epoch(at, 1000), now)
        # The address as HubSpot calls it: FRONTDESK_PUBLIC_URL behind a proxy.
        address = _ENCODED.sub(lambda found: unquote(found[0]), delivery.url)
        signed = f"{delivery.method}{address}".encode() + delivery.body + at.encode()
        check_signature(signed, [given], self._keys, lambda d: base64.b64encode(d).decode())

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        body = json_of(delivery)
        if usable_id(part(body, "portalId") or part(body, "portal-id")) and not part(
            body, "subscriptionType"
        ):
            return [_enrolled(body, delivery.body)]
        events = body if isinstance(body, list) else [body]
        if not events or not all(text_of(part(event, "subscriptionType")) for event in events):
            raise not_theirs("not an array of events with a subscriptionType")
        return [_event(event) for event in events]

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        ticket = await self._properties(ticket_id, "subject", "content", _THREAD)
        said = [one for one in await self._messages(ticket) if _incoming(one)]
        later = [
            CustomerWords(
                id=usable_id(part(one, "id")),
                text=await self._whole(ticket, one),
                customer=_sender(one),
            )
            for one in said
        ]
        later = [one for one in later if not is_echo(one.text)]
        subject, content = (text_of(part(ticket, name)) for name in ("subject", "content"))
        return conversation(subject, content, later, later[0].customer if later else "")

    async def post(self, post: Post) -> str:
        if post.how == "public":
            return await self._reply(post)
        note = {
            "properties": {
                "hs_timestamp": datetime.now(UTC).isoformat(),
                "hs_note_body": marked_html(post),
            },
            "associations": [
                {
                    "to": {"id": post.ticket_id},
                    "types": [
                        {
                            "associationCategory": "HUBSPOT_DEFINED",
                            "associationTypeId": _NOTE_TO_TICKET,
                        }
                    ],
                }
            ],
        }
        answer = await self._api.write("POST", _NOTES, note)
        return f"note {part(answer, 'id') or 'unknown'}"

    async def find(self, ticket_id: str, key: str) -> str | None:
        mark = mark_of(key)
        for message in await self._messages(await self._properties(ticket_id, _THREAD)):
            if carries(text_of(part(message, "text")), mark):
                return f"message {part(message, 'id')}"
        path = f"/crm/v4/objects/tickets/{segment(ticket_id)}/associations/notes"
        listed = part(await self._api.read(path, limit="500"), "results") or ()
        ids = [usable_id(part(one, "toObjectId")) for one in listed][-_NOTES_READ:]
        if not ids:
            return None
        wanted = {"inputs": [{"id": one} for one in ids], "properties": ["hs_note_body"]}
        notes = part(await self._api.ask(f"{_NOTES}/batch/read", wanted), "results") or ()
        for note in notes:
            if carries(text_of(part(note, "properties", "hs_note_body")), mark):
                return f"note {part(note, 'id')}"
        return None

    async def label(self, labels: Labels) -> str:
        """The priority: tickets have no tags that the API sets."""
        wanted = _PRIORITY_OF.get(labels.urgency or "")
        ticket = await self._properties(labels.ticket_id, "hs_ticket_priority")
        present = part(ticket, "hs_ticket_priority") or None
        if wanted is None or not higher(_PRIORITIES, wanted, present):
            return f"nothing: the priority is {present}"
        fields = {"properties": {"hs_ticket_priority": wanted}}
        await self._api.write("PATCH", f"{_TICKETS}/{segment(labels.ticket_id)}", fields)
        return f"priority {wanted}"

    async def changed_since(self, mark: str | None, now: datetime) -> Changes:
        since = datetime.fromisoformat(mark) - _OVERLAP if mark else now - _FIRST_LOOK
        wanted: dict[str, Any] = {
            "filterGroups": [
                {
                    "filters": [
                        {
                            "propertyName": "hs_pipeline",
                            "operator": "EQ",
                            "value": self.access.need("PIPELINE"),
                        },
                        {
                            "propertyName": name,
                            "operator": "GTE",
                            "value": str(_milliseconds(since)),
                        },
                    ]
                }
                for name in (_BEGAN, _CAME)
            ],
            "properties": [_BEGAN, _CAME],
            "limit": 100,
        }
        found: list[InboundMessage] = []
        for _ in range(_SEARCHED):
            page = await self._api.ask(f"{_TICKETS}/search", wanted)
            for ticket in part(page, "results") or ():
                found += _changes(ticket, since)
            after = part(page, "paging", "next", "after")
            if not isinstance(after, str):
                break
            wanted["after"] = after
        return Changes(tuple(found), now.isoformat())

    async def _reply(self, post: Post) -> str:
        ticket = await self._properties(post.ticket_id, "subject", _THREAD)
        last = next((m for m in reversed(await self._messages(ticket)) if _incoming(m)), None)
        if last is None:
            raise PermanentError("no_conversation", "the ticket has no message to reply to")
        reply = {
            "type": "MESSAGE",
            "text": marked(post.text, mark_of(post.key)),
            "richText": marked_html(post),
            "senderActorId": self.access.need("ACTOR"),
            "channelId": part(last, "channelId"),
            "channelAccountId": part(last, "channelAccountId"),
            "subject": text_of(part(ticket, "subject")),
            "recipients": [
                {
                    "actorId": part(sender, "actorId"),
                    "recipientField": "TO",
                    "deliveryIdentifiers": [part(sender, "deliveryIdentifier")],
                }
                for sender in part(last, "senders") or ()
            ],
        }
        answer = await self._api.write("POST", _messages_of(ticket), reply)
        return f"message {part(answer, 'id') or 'unknown'}"

    async def _properties(self, ticket: str, *names: str) -> Any:
        path = f"{_TICKETS}/{segment(ticket)}"
        return part(await self._api.read(path, properties=",".join(names)), "properties")

    async def _messages(self, ticket: Any) -> list[Any]:
        """All that was said in a ticket's conversation, oldest first; empty without one."""
        found: list[Any] = []
        query = {"limit": "100"}
        if not usable_id(part(ticket, _THREAD)):
            return found
        for _ in range(_PAGES):
            page = await self._api.read(_messages_of(ticket), **query)
            found += part(page, "results") or ()
            after = part(page, "paging", "next", "after")
            if not isinstance(after, str):
                break
            query["after"] = after
        return sorted(found, key=lambda said: text_of(part(said, "createdAt")))

    async def _whole(self, ticket: Any, message: Any) -> str:
        if part(message, "truncationStatus") == "TRUNCATED":
            name = segment(usable_id(part(message, "id")))
            message = await self._api.read(f"{_messages_of(ticket)}/{name}/original-content")
        return text_of(part(message, "text")) or plain(text_of(part(message, "richText")))

    async def _authorization(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.access.need('TOKEN')}"}


def _event(event: Any) -> InboundMessage:
    said = text_of(part(event, "subscriptionType"))
    about, _, what = said.partition(".")
    ours = about == "ticket" or (about == "object" and part(event, "objectTypeId") == _TICKET_TYPE)
    came = what == "propertyChange" and part(event, "propertyName") == _CAME
    if not ours or not (what == "creation" or came):
        return InboundMessage(event=said, kind="ignored")
    ticket = usable_id(part(event, "objectId"))
    if not ticket:
        raise not_theirs(f"{said} without an objectId")
    # Event ids are not unique, by HubSpot's own word; a ticket is new once, and the time at which
    # a message came is the property's value.
    when = usable_id(part(event, "propertyValue")) or usable_id(part(event, "occurredAt"))
    return _told(said, ticket, came=when if came else "")


def _changes(ticket: Any, since: datetime) -> list[InboundMessage]:
    """What a poll sees of a ticket, named as the events of the same would be."""
    name, at = usable_id(part(ticket, "id")), _milliseconds(since)
    began, came = (_read(part(ticket, "properties", field)) for field in (_BEGAN, _CAME))
    found = []
    if name and began >= at:
        found.append(_told("poll", name, came=""))
    if name and came >= at:
        found.append(_told("poll", name, came=str(came)))
    return found


def _told(event: str, ticket: str, *, came: str) -> InboundMessage:
    """That a ticket is new, or that a message came to it then."""
    return InboundMessage(
        event=event,
        kind="follow_up" if came else "new",
        ticket_id=ticket,
        delivery_id=f"came {came}" if came else OPENING,
        fetch="all",
    )


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _read(when: Any) -> int:
    """A property that is a time, in milliseconds; 0 for none."""
    try:
        return _milliseconds(at_iso(text_of(when)))
    except UnverifiedError:
        return 0


def _enrolled(record: Any, body: bytes) -> InboundMessage:
    """What a workflow's webhook sends: the enrolled record, with the times of its values."""
    ticket = usable_id(part(record, "objectId"))
    if part(record, "objectTypeId") != _TICKET_TYPE or not ticket:
        return InboundMessage(event="workflow", kind="ignored")
    return InboundMessage(
        event="workflow",
        kind="follow_up",
        ticket_id=ticket,
        delivery_id=f"workflow {hashlib.sha256(body).hexdigest()[:16]}",
        fetch="all",
    )


def _sender(message: Any) -> str:
    return usable_id(part(first_of(message, "senders"), "actorId"))


def _incoming(message: Any) -> bool:
    return (part(message, "type"), part(message, "direction")) == ("MESSAGE", "INCOMING")


def _messages_of(ticket: Any) -> str:
    return f"{_THREADS}/{segment(usable_id(part(ticket, _THREAD)))}/messages"


def _refusal(status: int, said: Any) -> FrontdeskError | None:
    """The day's allowance is used up, or the account is moving; all else is as everywhere.

    https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
    """
    if status == 429 and part(said, "policyName") == "DAILY":
        return RetryableError("crm_rate_limited", _DAY, "the day's allowance is used up")
    if status == _MIGRATION:
        return RetryableError("crm_busy", _DAY, f"HTTP {status}")
    return None
