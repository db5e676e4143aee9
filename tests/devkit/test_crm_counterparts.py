"""Each connector has a counterpart whose deliveries it takes, with secrets and tickets made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from devkit.crm import counterpart_of
from devkit.crm.counterpart import Counterpart, Sent
from shared.adapters.crm_connectors import VENDORS, vendor_class
from shared.adapters.crm_vendor import Access, VendorConnector
from shared.domain.inbound import Delivery
from shared.domain.outbound import Labels, Post
from shared.errors import PermanentError, UnverifiedError

ADDRESS = "https://desk.example.com/api/webhooks/hotel/"


def made(vendor: str) -> tuple[Counterpart[Any], VendorConnector]:
    made_by = counterpart_of(vendor)
    api: Any = made_by.api_type()
    settings = {**api.credentials, "SECRET": made_by.new_secret()}
    there = made_by(api, settings, ADDRESS + vendor, made_by.new_ticket())
    return there, vendor_class(vendor)(Access("P_", settings))


def delivery(there: Counterpart[Any], sent: Sent) -> Delivery:
    return Delivery(url=there.address, headers=sent.headers, body=sent.body, query=sent.query)


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_a_counterpart_sends_is_verified_and_read(vendor: str) -> None:
    there, connector = made(vendor)
    opened, replied = there.opened("My room is dirty."), there.replied("Still dirty!")
    for sent in (opened, replied):
        connector.verify(delivery(there, sent), datetime.now(UTC))
        [message] = connector.read(delivery(there, sent))
        assert message.from_customer
        assert message.ticket_id == there.ticket
        assert bool(message.text) or message.fetch is not None


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_signed_with_another_secret_is_refused(vendor: str) -> None:
    there, connector = made(vendor)
    there.settings = {**there.settings, "SECRET": there.new_secret()}
    forged = delivery(there, there.opened("My room is dirty."))
    with pytest.raises(UnverifiedError):
        connector.verify(forged, datetime.now(UTC))
    with pytest.raises(UnverifiedError):
        connector.verify(replace(forged, headers={}, query={}), datetime.now(UTC))


def lacking() -> list[tuple[str, str]]:
    """A vendor and a setting that one of its ways to write cannot do without."""
    return [
        (vendor, name)
        for vendor in VENDORS
        for names in vendor_class(vendor).writes[:1]
        for name in names
    ]


@pytest.mark.parametrize(("vendor", "name"), lacking())
async def test_what_is_said_to_be_needed_for_writing_is(vendor: str, name: str) -> None:
    there, _ = made(vendor)
    there.opened("My room is dirty.")
    async with there.api as api:
        settings = {**api.credentials, "SECRET": there.secret, "URL": api.url}
        api.settings("hotel", there.secret)
        post = Post(ticket_id=there.ticket, how="public", text="We come.", html="We come.", key="k")
        there.replied("Still dirty!")

        whole = vendor_class(vendor)(Access("P_", settings, development=True))
        assert await whole.post(post)
        labels = Labels(ticket_id=there.ticket, tags=("frontdesk",), urgency="high", key="l")
        assert await whole.label(labels)

        less = {key: value for key, value in settings.items() if key != name}
        with pytest.raises(PermanentError, match=f"P_{name}"):
            await vendor_class(vendor)(Access("P_", less, development=True)).post(post)


def test_what_can_be_set_is_all_that_is_said_to_be_needed() -> None:
    for vendor in VENDORS:
        connector = vendor_class(vendor)
        needed = {*connector.needs, *(name for names in connector.writes for name in names)}
        assert needed <= set(connector.settings), vendor
        assert connector.paste
