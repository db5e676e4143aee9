"""One case in full."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.domain.case import TraceEvent, Turn
from shared.domain.stage import ChatMessage

WHOLE = "3f2a9c1b-1111-4222-8333-444455556666"


@pytest.mark.parametrize("given", [WHOLE, WHOLE.upper(), "3f2a9c", "3F2A9C1B-11", "last"])
def test_a_case_by_its_id_its_beginning_or_last(
    cli: Any, frontdesk: Any, make_case: Any, make_entry: Any, given: str
) -> None:
    frontdesk.cases = [make_case()]
    frontdesk.entries = [make_entry(0, case_id=WHOLE), make_entry(1), make_entry(2)]

    ended = cli("show", given, "--url", frontdesk.url)

    assert ended.code == 0
    assert ended.out.startswith(f"Case {WHOLE}  hotel\n")
    assert "received 2026-11-23 09:30:00 UTC" in ended.out
    assert "\nCustomer\n  My room is dirty.\n" in ended.out
    assert "customer_query  finished" in ended.out


def test_a_beginning_is_looked_for_on_later_pages(
    cli: Any, frontdesk: Any, make_case: Any, make_entry: Any
) -> None:
    frontdesk.cases = [make_case()]
    frontdesk.entries = [*(make_entry(n) for n in range(150)), make_entry(0, case_id=WHOLE)]

    assert cli("show", "3f2a9c1b", "--url", frontdesk.url).code == 0
    assert len(frontdesk.listings) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("3f2", "give 6 or more of its characters"),
        ("hotel-1", "'hotel-1' is no case id"),
        ("000000", "may be 00000001-1111-4222-8333-444455556666 or 00000002-"),
        ("ffffff", "none of the last 500 cases begins with ffffff"),
        ("00000009-1111-4222-8333-444455556666", "there is no case 00000009-"),
    ],
)
def test_what_means_no_case_or_several_is_one_line(
    cli: Any, frontdesk: Any, httpserver: Any, make_entry: Any, given: str, said: str
) -> None:
    frontdesk.entries = [make_entry(1), make_entry(2)]
    missing = {"title": "No such case", "status": 404}
    httpserver.expect_request(f"/api/cases/{given}").respond_with_json(missing, status=404)

    ended = cli("show", given, "--url", frontdesk.url)

    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert said in ended.err


def test_last_of_none(cli: Any, frontdesk: Any) -> None:
    ended = cli("show", "last", "--url", frontdesk.url)

    assert (ended.code, ended.err) == (1, "frontdesk show: there are no cases yet\n")


def test_the_trace_says_when_who_what_and_why(cli: Any, frontdesk: Any, make_case: Any) -> None:
    events = (
        TraceEvent(at="2026-11-23T09:30:00Z", who="customer", event="received", detail="turn 1"),
        TraceEvent(at="2026-11-23T09:30:01.25Z", who="mood", event="deferred", detail="timeout"),
    )
    frontdesk.cases = [make_case(trace=events)]

    out = cli("show", WHOLE, "--trace", "--url", frontdesk.url).out

    assert "  09:30:00.000    +0.000 s  customer  received  turn 1\n" in out
    assert "  09:30:01.250    +1.250 s  mood      deferred  timeout\n" in out


def test_memory_is_each_agents_messages_made_safe(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    said = (
        ChatMessage(role="system", content="You are a sentiment analyst."),
        ChatMessage(role="user", content='{"customer_message": "\x1b[2Jhi"}'),
    )
    stages = (stage("mood", "finished", messages=said), stage("reply", "waiting"))
    frontdesk.cases = [make_case(stages=stages)]

    out = cli("show", WHOLE, "--memory", "--url", frontdesk.url).out

    assert "Memory of mood  turn 1, mood agent" in out
    assert "  system\n    You are a sentiment analyst.\n" in out
    assert "<U+001B>[2Jhi" in out
    assert "Memory of reply  turn 1, reply agent\n  nothing yet\n" in out


def test_every_turn_is_shown_and_long_texts_are_cut(
    cli: Any, frontdesk: Any, make_case: Any
) -> None:
    at = "2026-11-23T09:30:00Z"
    turns = (
        Turn(turn=1, text="First question", received_at=at, response="First reply"),
        Turn(turn=2, text="x", received_at=at),
    )
    frontdesk.cases = [make_case(turns=turns, customer_query="word " * 50_000)]

    out = cli("show", WHOLE, "--url", frontdesk.url).out

    assert "Customer, turn 1\n  First question\n\nReply, turn 1\n  First reply\n" in out
    assert "246,000 more characters: see --json" in out


def test_what_was_masked_and_what_was_held_back_is_said(
    cli: Any, frontdesk: Any, make_case: Any
) -> None:
    turn = Turn(turn=1, text="x", received_at="2026-11-23T09:30:00Z", masked=("card number",))
    why = 'the reply states an amount that is not in the facts: "$ 9"'
    frontdesk.cases = [make_case(turns=(turn,), reply_held_back=True, decision=(why,))]

    out = cli("show", WHOLE, "--url", frontdesk.url).out

    assert "masked before it was stored: card number" in out
    assert "Reply  (the desk's acknowledgement; the model's reply was held back)" in out
    assert f"- {why}" in out


def test_a_stage_whose_worker_is_gone_says_so(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    gone = stage("mood", "working", due_at="2026-01-01T00:00:00Z")
    frontdesk.cases = [make_case(status="working", stages=(gone,))]

    out = cli("show", WHOLE, "--url", frontdesk.url).out

    assert "mood  working   left behind; taken up again while the stack runs" in out


def test_json_is_the_case(cli: Any, frontdesk: Any, make_case: Any) -> None:
    frontdesk.cases = [make_case()]

    out = cli("show", WHOLE, "--json", "--url", frontdesk.url).out

    assert json.loads(out) == make_case().model_dump(mode="json")
