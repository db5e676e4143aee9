"""Links: what they are for cannot be changed, and they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.approval_links import ApprovalLinks, Claim
from shared.domain.contacts import Contact
from shared.errors import RequestError
from tests.support.effect_calls import CASE_ID, a_case, a_desk, an_action

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLAIM = Claim(CASE_ID, "refund-1-0123456789", "human", NOW + timedelta(hours=1))
LINKS = ApprovalLinks(b"s" * 32, "https://desk.example.com/")
BOTH = a_desk(
    tell=(
        Contact(name="Duty", email="duty@hotel.example.com"),
        Contact(name="Boss", email="boss@hotel.example.com", about="management"),
    )
)


def test_a_link_says_what_it_is_for_until_its_time_is_over() -> None:
    token = LINKS.token(CLAIM)
    assert LINKS.read(token, NOW) == CLAIM
    assert LINKS.read(token, CLAIM.until - timedelta(seconds=1)) == CLAIM
    for late in (CLAIM.until, CLAIM.until + timedelta(days=400)):
        with pytest.raises(RequestError) as expired:
            LINKS.read(token, late)
        assert expired.value.status == 410


@given(st.integers(0, 300), st.characters())
def test_no_character_of_it_can_be_changed(at: int, character: str) -> None:
    token = LINKS.token(CLAIM)
    at %= len(token)
    if token[at] != character:
        with pytest.raises(RequestError) as refused:
            LINKS.read(token[:at] + character + token[at + 1 :], NOW)
        assert refused.value.status == 404


@given(st.text(max_size=300))
def test_no_other_text_is_a_link(text: str) -> None:
    with pytest.raises(RequestError):
        LINKS.read(text, NOW)


def test_another_installation_makes_other_links() -> None:
    with pytest.raises(RequestError):
        LINKS.read(ApprovalLinks(b"t" * 32, "https://desk.example.com").token(CLAIM), NOW)


def test_what_needs_management_is_linked_only_in_what_goes_to_management_alone() -> None:
    case = a_case(
        actions=(
            an_action("refund"),
            an_action("close_area", approval="management"),
            an_action("call", "to_do"),
            an_action("housekeeping", "done"),
            an_action("voucher", "rejected"),
        )
    )

    def linked(*to: str) -> set[str]:
        return set(LINKS.for_readers(case, BOTH, to, NOW))

    assert linked("duty@hotel.example.com") == {"refund-1-0", "call-1-0"}
    assert linked("duty@hotel.example.com", "boss@hotel.example.com") == {"refund-1-0", "call-1-0"}
    assert linked("boss@hotel.example.com") == {"refund-1-0", "close_area-1-0", "call-1-0"}
    link = LINKS.for_readers(case, BOTH, ("boss@hotel.example.com",), NOW)["close_area-1-0"]
    base, _, token = link.rpartition("/")
    assert base == "https://desk.example.com/api/decide"
    assert LINKS.read(token, NOW).until == NOW + timedelta(hours=168)
    assert len(token) < 260, "a segment of a path"


def test_without_an_address_people_get_the_command() -> None:
    case = a_case(actions=(an_action("refund"), an_action("call", "to_do")))
    found = ApprovalLinks(b"s" * 32, "").for_readers(case, BOTH, ("duty@hotel.example.com",), NOW)
    assert found == {
        "refund-1-0": f"./frontdesk approve {CASE_ID} refund-1-0",
        "call-1-0": f"./frontdesk done {CASE_ID} call-1-0",
    }
