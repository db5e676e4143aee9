"""What waits for a yes, and what people decide at the terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

WHOLE = "3f2a9c1b-1111-4222-8333-444455556666"


def test_what_waits_for_a_yes_is_listed(cli: Any, frontdesk: Any, make_entry: Any) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5, seconds=1)
    frontdesk.waiting = [
        make_entry(1, status="escalated", waiting=("refund_guest", "close_area"), updated_at=since)
    ]

    ended = cli("approvals", "--url", frontdesk.url)

    assert re.search(r"hotel  5 min ago  refund_guest, close_area +Thank", ended.out)
    assert "more: ./frontdesk approvals" not in ended.out


def test_what_is_to_do_by_hand_is_told_apart_from_what_waits_for_a_yes(
    cli: Any, frontdesk: Any, make_entry: Any
) -> None:
    frontdesk.waiting = [
        make_entry(1, status="escalated", waiting=("refund_guest",), to_do=("call_guest",)),
        make_entry(2, status="escalated", to_do=("move_guest",)),
    ]

    head, both, by_hand = cli("approvals", "--url", frontdesk.url).out.splitlines()

    yes, hands = head.index("WAITS FOR A YES"), head.index("TO DO BY HAND")
    assert both[yes:hands].strip() == "refund_guest"
    assert both[hands:].startswith("call_guest ")
    assert by_hand[yes:hands].strip() == ""
    assert by_hand[hands:].startswith("move_guest ")


def test_nothing_waits(cli: Any, frontdesk: Any) -> None:
    ended = cli("approvals", "--url", frontdesk.url)
    nothing = "nothing waits for a yes, and nothing is to be done by hand\n"
    assert (ended.code, ended.out, ended.err) == (0, "", nothing)


@pytest.mark.parametrize(
    ("verb", "past"),
    [("approve", "approved"), ("reject", "rejected"), ("done", "noted as done")],
)
def test_a_decision_says_who_and_why(cli: Any, frontdesk: Any, verb: str, past: str) -> None:
    ended = cli(
        verb, WHOLE, "refund_guest", "--reason", "twice", "--by", "ana", "--url", frontdesk.url
    )

    assert (ended.code, ended.out) == (0, f"case {WHOLE}  refund_guest  {past}\n")
    path = f"/api/cases/{WHOLE}/actions/refund_guest/{verb}"
    assert frontdesk.acts == [(path, {"by": "ana", "reason": "twice"})]


def test_a_yes_to_what_a_person_does_says_how_to_tick_it_off(cli: Any, frontdesk: Any) -> None:
    ended = cli("approve", WHOLE, "offer_room", "--url", frontdesk.url)
    assert ended.code == 0
    assert f"./frontdesk done {WHOLE} offer_room-1-0\n" in ended.err


def test_a_no_needs_a_reason(cli: Any) -> None:
    ended = cli("reject", WHOLE, "refund_guest")
    assert ended.code == 2
    assert "required: --reason" in ended.err


def test_a_decision_that_came_too_late_is_one_line(cli: Any, frontdesk: Any) -> None:
    frontdesk.refusals = [(409, "Already decided", "pay was rejected by bob.")]
    ended = cli("approve", WHOLE, "pay", "--url", frontdesk.url)
    assert ended.code == 1
    assert ended.err == "frontdesk approve: Already decided: pay was rejected by bob.\n"
