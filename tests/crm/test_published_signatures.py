"""Signatures that vendors publish: the connector takes them, and the counterpart makes them.

A value is of use only with its secret, body and time. Intercom's page shows a signature without its
secret, Chatwoot's source computes those of its tests; the other vendors sign nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devkit.crm import hubspot, standard, zendesk
from shared.adapters.crm_connectors import vendor_class
from shared.adapters.crm_vendor import Access
from shared.domain.inbound import Delivery
from shared.errors import UnverifiedError


def verify(vendor: str, secret: str, delivery: Delivery, then: datetime) -> None:
    vendor_class(vendor)(Access("P_", {"SECRET": secret})).verify(delivery, then)


#: The specification's example, with which the libraries of its project are tested:
#: https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
STANDARD_BODY = b'{"test": 2432232314}'


def test_the_example_of_standard_webhooks() -> None:
    then = datetime.fromtimestamp(1614265330, UTC)
    verify("standard", STANDARD_SECRET, Delivery("", STANDARD_HEADERS, STANDARD_BODY), then)
    made = standard.signed(STANDARD_BODY, then, STANDARD_HEADERS["webhook-id"], STANDARD_SECRET)
    assert made == (STANDARD_BODY, {**STANDARD_HEADERS, "content-type": "application/json"})

    several = {**STANDARD_HEADERS, "webhook-signature": f"v1,AAAA {made[1]['webhook-signature']}"}
    verify("standard", STANDARD_SECRET, Delivery("", several, STANDARD_BODY), then)
    with pytest.raises(UnverifiedError, match="wrong signature"):
        verify("standard", STANDARD_SECRET, Delivery("", several, b'{"test":2432232314}'), then)


#: HubSpot's own libraries are tested with this secret, body, address and time:
#: https://github.com/HubSpot/hubspot-api-python/blob/master/tests/spec/utils/test_signature.py
HUBSPOT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
HUBSPOT_BODY, HUBSPOT_AT = b"{'example_field':'example_value'}", "15000000"
HUBSPOT_URL = "https://www.example.com/webhook_uri"
HUBSPOT_SIGNATURE = "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw="


@pytest.mark.parametrize(
    ("url", "right"),
    [
        (HUBSPOT_URL, True),
        ("https://www.example.com%2Fwebhook_uri", True),
        ("http://www.example.com/webhook_uri", False),
        ("https://www.example.com/webhook_uri?a=1", False),
    ],
)
def test_the_signature_that_hubspot_publishes(url: str, right: bool) -> None:
    headers = {
        "x-hubspot-signature-v3": HUBSPOT_SIGNATURE,
        "x-hubspot-request-timestamp": HUBSPOT_AT,
    }
    delivery = Delivery(url=url, headers=headers, body=HUBSPOT_BODY)
    then = datetime.fromtimestamp(int(HUBSPOT_AT) / 1000, UTC)
    if right:
        verify("hubspot", HUBSPOT_SECRET, delivery, then)
    else:
        with pytest.raises(UnverifiedError, match="wrong signature"):
            verify("hubspot", HUBSPOT_SECRET, delivery, then)


def hubspot_headers(body: bytes) -> dict[str, str]:
    settings = {"SECRET": HUBSPOT_SECRET}
    made = hubspot.Counterpart(hubspot.HubspotApi(), settings, HUBSPOT_URL, "1")
    return made.headers(body, HUBSPOT_URL, HUBSPOT_AT)


def test_the_stand_in_of_hubspot_signs_as_hubspot_publishes() -> None:
    assert hubspot_headers(HUBSPOT_BODY)["x-hubspot-signature-v3"] == HUBSPOT_SIGNATURE
    # https://developers.hubspot.com/docs/faq/v1-request-validation
    body = (
        b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
        b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,'
        b'"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
    )
    published = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
    assert hubspot_headers(body)["x-hubspot-signature"] == published


#: Zendesk's page gives this secret for tests and no signature made with it. The value is of a
#: proxy's tests, and so of somebody else's reading of the same page:
#: https://github.com/webhookx-io/webhookx
ZENDESK_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="


def test_zendesks_secret_for_tests_signs_as_others_read_its_page() -> None:
    body = b'{"event_type": "foo.bar","data": {"key": "value"}}'
    made = zendesk.signature(body, "1531420618", ZENDESK_SECRET)
    assert made == "qtmu3iClLKujnujOBkwe7yjI34o5CzsLD04Uy4LbE2A="


def test_the_order_of_zendesks_page_of_2021_is_no_longer_taken() -> None:
    """Then the time stood behind the body. The page of today has it in front."""
    headers = {
        "x-zendesk-webhook-signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=",
        "x-zendesk-webhook-signature-timestamp": "2021-07-25T10:00:00Z",
    }
    secret, then = (
        "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=",
        datetime(2021, 7, 25, 10, tzinfo=UTC),
    )
    with pytest.raises(UnverifiedError, match="wrong signature"):
        verify("zendesk", secret, Delivery("", headers, b'{"say": "hello"}'), then)
