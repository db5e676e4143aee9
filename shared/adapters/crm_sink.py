"""Sink of one CRM vendor: replies, notes and labels into the ticket that a case came from.

What an effect writes is the first part of its key: ``reply-1``, ``note-1``, ``escalation_note-1``,
``handover-1``, ``labels-1``, ``review``. The vendor's connector says what a second attempt may do.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Literal

from shared.adapters.crm_connectors import vendor_class
from shared.domain.letters import ticket_note
from shared.domain.outbound import Labels, Post
from shared.errors import PermanentError

if TYPE_CHECKING:
    from shared.domain.case import SupportCase
    from shared.ports import EffectCall
    from shared.ports.crm import Connector, Connectors

_NOT_SENT = "Suggested reply, not sent to the customer:\n\n"
_NO_REVIEW = "Suggested request for a review, not sent to the customer:\n\n"


class CrmSink:
    """Writes into one vendor's tickets.

    Args:
        public_url: Where people reach this app; empty for the command instead.
    """

    def __init__(self, vendor: str, connectors: Connectors, public_url: str) -> None:
        self._vendor = vendor
        self._connectors = connectors
        self._public_url = public_url.rstrip("/")

    @property
    def kind(self) -> Literal["keyed", "queryable", "unkeyed"]:
        """As the vendor's connector says."""
        return vendor_class(self._vendor).kind

    @property
    def window(self) -> float:
        """As the vendor's connector says; seconds."""
        return vendor_class(self._vendor).window

    async def send(self, call: EffectCall) -> str:
        connector = self._connector(call)
        what, ticket = _what(call), call.request.to[0]
        if what.endswith("labels"):
            return await connector.label(_labels(ticket, call))
        if what.endswith("status"):
            return await _stand(connector, ticket, call)
        if what in ("reply", "review"):
            return await connector.post(_reply(ticket, call, connector))
        text, html = ticket_note(call.case, self._look(call.case))
        return await connector.post(
            Post(ticket_id=ticket, how="note", text=text, html=html, key=call.idempotency_key)
        )

    async def find(self, call: EffectCall) -> str | None:
        if _what(call).endswith(("labels", "status")):
            # Setting them again changes nothing.
            return None
        return await self._connector(call).find(call.request.to[0], call.idempotency_key)

    def _connector(self, call: EffectCall) -> Connector:
        connector = self._connectors.get(call.desk.name, self._vendor)
        if connector is None:
            raise PermanentError(
                "connector_not_configured", f"no secret for {self._vendor}; set it, then replay"
            )
        return connector

    def _look(self, case: SupportCase) -> str:
        if self._public_url:
            return f"{self._public_url}/api/cases/{case.case_id}"
        return f"./frontdesk show {case.case_id}"


def _what(call: EffectCall) -> str:
    return call.request.key.partition("-")[0]


def _reply(ticket: str, call: EffectCall, connector: Connector) -> Post:
    how, text = call.desk.crm.reply, call.request.text or call.case.support_response or ""
    # A demonstration model's words never reach a customer.
    if (how == "public" and call.case.demo) or (how == "draft" and not connector.drafts):
        how = "note"
    if how == "note":
        text = (_NO_REVIEW if call.request.text else _NOT_SENT) + text
    html = escape(text).replace("\n", "<br>\n")
    return Post(ticket_id=ticket, how=how, text=text, html=html, key=call.idempotency_key)


async def _stand(connector: Connector, ticket: str, call: EffectCall) -> str:
    escalated = _what(call) != "status"
    if not escalated and call.case.demo:
        return "nothing: the reply is a note"
    return await connector.stand(ticket, "open" if escalated else "waiting", call.idempotency_key)


def _labels(ticket: str, call: EffectCall) -> Labels:
    case = call.case
    tags = ["frontdesk", f"frontdesk_{'escalated' if case.should_escalate else 'answered'}"]
    if case.sentiment:
        tags.append(f"frontdesk_{case.sentiment.lower()}")
    tags += [f"frontdesk_{risk}" for risk in case.risks]
    tags += case.tags
    return Labels(
        ticket_id=ticket, tags=tuple(tags), urgency=case.urgency, key=call.idempotency_key
    )
