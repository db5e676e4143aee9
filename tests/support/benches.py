"""Every vendor's bench, by name: what tests expect of it that its counterpart does not say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from dataclasses import replace
from typing import Any

from devkit.crm import (
    chatwoot,
    dynamics365,
    freshdesk,
    hubspot,
    intercom,
    salesforce,
    servicenow,
    standard,
    zendesk,
)
from devkit.crm.counterpart import Sent
from tests.support.bench import Bench


class ChatwootBench(Bench[chatwoot.ChatwootApi], chatwoot.Counterpart):
    sample = "42"
    webhook_secret = "a-secret-of-a-chatwoot-webhook"
    priority = "high"
    tagged = True
    malformed = (
        b"{}",
        b"[]",
        b'{"event": "message_created", "message_type": "incoming", "id": 1}',
        b'{"event": "message_created", "message_type": "incoming", "conversation": {"id": 1}}',
    )

    def forged(self, sent: Sent) -> list[Sent]:
        name, at = "x-chatwoot-signature", sent.headers["x-chatwoot-timestamp"].encode()
        digests = [
            hmac.new(self.secret.encode(), message, hashlib.sha256).hexdigest()
            for message in (sent.body, at + sent.body)
        ]
        # Mistakes of verifiers in public code: the time left out, its dot left out, no prefix.
        wrong = (*(f"sha256={digest}" for digest in digests), sent.headers[name][7:])
        return [
            *(replace(sent, headers={**sent.headers, name: signature}) for signature in wrong),
            *self._without(sent, name, "x-chatwoot-timestamp"),
            self._at(-301, sent.body),
            self._at(301, sent.body),
        ]


class Dynamics365Bench(Bench[dynamics365.Dynamics365Api], dynamics365.Counterpart):
    sample = "0a5f1f0e-1111-4c2b-9f00-000d3aa2331c"
    priority = 1
    drafts = True
    stands = True
    malformed = (
        b"{}",
        b"[]",
        b'{"MessageName": "Create", "PrimaryEntityName": "incident", "PrimaryEntityId": "1"}',
    )

    def receipt(self, key: str) -> str:
        """Records have ids that follow from the key."""
        return str(uuid.uuid5(uuid.UUID("6f0c64ce-6ff1-5f0e-9d0b-0a5ac3a8e9f1"), key))


class FreshdeskBench(Bench[freshdesk.FreshdeskApi], freshdesk.Counterpart):
    sample = "295186"
    priority = 3
    tagged = True
    stands = True
    malformed = (b"{}", b"[]", b'{"freshdesk_webhook": {"ticket_id": ""}}')


class HubspotBench(Bench[hubspot.HubspotApi], hubspot.Counterpart):
    sample = "4242"
    webhook_secret = "client-secret-of-an-app"
    priority = "HIGH"
    malformed = (
        b"{}",
        b"[]",
        b"[1]",
        b'[{"subscriptionType": "ticket.creation"}]',
        b'[{"subscriptionType": "ticket.creation", "objectId": {"a": 1}}]',
    )

    def forged(self, sent: Sent) -> list[Sent]:
        now = int(self.clock.now().timestamp() * 1000)
        stamp = "x-hubspot-request-timestamp"
        return [
            *self._without(sent, "x-hubspot-signature-v3", stamp),
            replace(sent, headers={**sent.headers, stamp: str(now - 1)}),
            replace(sent, headers={**sent.headers, stamp: str(now // 1000)}),
            replace(sent, headers=self.headers(sent.body, self.address + "/", str(now))),
            self._at(-300.001, sent.body),
            self._at(300.001, sent.body),
        ]


class IntercomBench(Bench[intercom.IntercomApi], intercom.Counterpart):
    sample = "215468987654321"
    webhook_secret = "client-secret-of-an-app"
    accepted = 200
    tagged = True
    malformed = (
        b"{}",
        b"[]",
        b'{"topic": "conversation.user.created"}',
        b'{"topic": "ticket.created", "data": {"item": {"id": null}}}',
    )

    def forged(self, sent: Sent) -> list[Sent]:
        right = sent.headers["x-hub-signature"].removeprefix("sha1=")
        other = hmac.new(self.secret.encode(), sent.body, hashlib.sha256).hexdigest()
        wrong = ("", right, f"sha1={right.upper()}", f"sha1={other}", f"sha256={other}", "sha1=")
        return [
            *(replace(sent, headers={"x-hub-signature": signature}) for signature in wrong),
            *self._without(sent, "x-hub-signature"),
        ]


class SalesforceBench(Bench[salesforce.SalesforceApi], salesforce.Counterpart):
    sample = "5005e00000ZkM3hAAF"
    accepted = 200
    priority = "High"
    malformed = (
        b"{}",
        b"<a>",
        b"<a/>",
        salesforce.envelope(),
        salesforce.envelope("<Notification/>"),
        salesforce.envelope(*[salesforce.notification("Lead", Id="1")] * 101),
        salesforce.envelope(salesforce.notification("Case", Subject="no id")),
        salesforce.envelope(salesforce.notification("Case", Id="x' OR Id != '")),
        salesforce.envelope(
            salesforce.notification("EmailMessage", Id="02s5e0000000001AAA", ParentId=None)
        ),
        b'<!DOCTYPE a [<!ENTITY b "c">]>'
        + salesforce.envelope(salesforce.notification("Case", Id=sample))[38:],
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
        b"<a>" * 5000,
        b'<?xml version="1.0" encoding="no-such-thing"?><a/>',
    )

    def forged(self, sent: Sent) -> list[Sent]:
        ours = salesforce.ORGANIZATION.encode()
        other = sent.body.replace(ours, b"00D5e000000KQ2fEAG")
        none = sent.body.replace(ours, b"")
        return [*super().forged(sent), replace(sent, body=other), replace(sent, body=none)]


class ServicenowBench(Bench[servicenow.ServicenowApi], servicenow.Counterpart):
    sample = "9d385017c611228701d22104cc95c371"
    priority = "1"
    stands = True
    malformed = (b"{}", b"[]", b'{"sys_id": 5.5}', b'{"sys_id": "x", "comment": {"text": "no id"}}')


class StandardBench(Bench[standard.StandardApi], standard.Counterpart):
    sample = "T-77"
    webhook_secret = f"whsec_{base64.b64encode(b'a secret of thirty-two bytes...!').decode()}"
    priority = "high"
    tagged = True
    own_tags = frozenset()
    drafts = True
    stands = True
    malformed = (b"{}", b"[]", b'{"type": "ticket.created"}')

    def receipt(self, key: str) -> str:
        """The key is the ``webhook-id``."""
        return key

    def forged(self, sent: Sent) -> list[Sent]:
        return [
            *self._without(sent, "webhook-id", "webhook-timestamp", "webhook-signature"),
            replace(sent, headers={**sent.headers, "webhook-id": "another"}),
            self._at(-301, sent.body),
            self._at(301, sent.body),
        ]


class ZendeskBench(Bench[zendesk.ZendeskApi], zendesk.Counterpart):
    sample = "35436"
    #: What Zendesk signs tests of webhooks with before they are made:
    #: https://developer.zendesk.com/documentation/webhooks/verifying/
    webhook_secret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    priority = "high"
    tagged = True
    stands = True
    malformed = (
        b"{}",
        b"[]",
        b'{"ticket_id": "  "}',
        b'{"ticket_id": null}',
        b'{"type": "zen:event-type:ticket.created", "detail": {}}',
    )

    def forged(self, sent: Sent) -> list[Sent]:
        stamp = sent.headers["x-zendesk-webhook-signature-timestamp"].encode()
        right = self._digest(stamp + sent.body, self.secret.encode())
        # Mistakes of verifiers in public code.
        wrong = (
            right.hex(),
            _base64(self._digest(stamp + b"." + sent.body, self.secret.encode())),
            _base64(self._digest(sent.body + stamp, self.secret.encode())),
            _base64(self._digest(sent.body, self.secret.encode())),
            _base64(self._digest(stamp + sent.body, base64.b64decode(self.secret))),
        )
        name = "x-zendesk-webhook-signature"
        return [
            *(replace(sent, headers={**sent.headers, name: signature}) for signature in wrong),
            *self._without(sent, name, f"{name}-timestamp"),
            self._at(-301, sent.body),
            self._at(301, sent.body),
        ]

    @staticmethod
    def _digest(message: bytes, key: bytes) -> bytes:
        return hmac.new(key, message, hashlib.sha256).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


BENCHES: dict[str, type[Bench[Any]]] = {
    "chatwoot": ChatwootBench,
    "dynamics365": Dynamics365Bench,
    "freshdesk": FreshdeskBench,
    "hubspot": HubspotBench,
    "intercom": IntercomBench,
    "salesforce": SalesforceBench,
    "servicenow": ServicenowBench,
    "standard": StandardBench,
    "zendesk": ZendeskBench,
}
