"""What ``ask`` prints and how it ends."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from entrypoints.cli.follow import is_settled
from shared.domain.case import ActionView, EffectView
from shared.domain.stage import DroppedAction
from tests.support.proposals import proposing
from tests.support.world import World

MESSAGE = "My room is dirty."
NOW = "2026-11-23T10:00:00Z"


def working_then_finished(make_case: Any, stage: Any) -> list[Any]:
    first = {"support_response": None, "sentiment": None, "status": "working"}
    return [
        make_case(**first, stages=(stage("reply", "working"), stage("mood", "working"))),
        make_case(**first, stages=(stage("reply", "finished"), stage("mood", "working"))),
        make_case(stages=(stage("reply", "finished"), stage("mood", "finished"))),
    ]


def test_the_result_is_on_stdout_and_a_line_per_change_on_stderr(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    frontdesk.cases = working_then_finished(make_case, stage)

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", MESSAGE)

    assert ended.code == 0
    assert frontdesk.posted == [
        {"desk": "hotel", "customer_query": MESSAGE, "channel": {"source": "cli"}}
    ]
    assert [line.split()[1:3] for line in ended.err.splitlines()[1:]] == [
        ["reply", "working"],
        ["mood", "working"],
        ["reply", "finished"],
        ["mood", "finished"],
    ]
    assert "1.2 s     312 tokens" in ended.err
    assert "We are sorry about your room." in ended.out
    assert "./frontdesk show 3f2a9c1b" in ended.out
    assert "\x1b" not in ended.out + ended.err


def test_reply_sentiment_actions_and_decision_are_printed(
    cli: Any, frontdesk: Any, make_case: Any
) -> None:
    frontdesk.cases = [
        make_case(
            demo=True,
            risks=("legal",),
            wants_human=True,
            repeat_customer=True,
            needs_upper_management_attention=True,
            decision=("escalate: negative sentiment", "dropped pay_rent: not in the catalogue"),
            summary="Guest wants a clean room.",
            actions=(
                ActionView(
                    id="send_housekeeping-1-ab",
                    name="send_housekeeping",
                    arguments={"room": "12", "request": "clean"},
                    reason="the room is dirty",
                    rule="the desk lets it be carried out at once",
                    turn=1,
                    state="done",
                    asked_at=datetime.fromisoformat(NOW),
                    receipt="HTTP 201",
                ),
                ActionView(
                    id="refund_guest-1-cd",
                    name="refund_guest",
                    approval="management",
                    turn=1,
                    state="waiting",
                    asked_at=datetime.fromisoformat(NOW),
                ),
            ),
            dropped_actions=(DroppedAction(name="pay_rent", why="not in the catalogue"),),
            effects=(
                EffectView(
                    key="ticket-1",
                    sink="ticket",
                    to=("jira",),
                    turn=1,
                    state="done",
                    receipt="OPS-7 https://acme.atlassian.net/browse/OPS-7",
                ),
            ),
        )
    ]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", MESSAGE)

    for expected in (
        "Reply  (demo quality",
        "Negative, urgency high, risks: legal, asks for a person, a repeat customer",
        "send_housekeeping  done  send_housekeeping-1-ab\n    room     12\n    request  clean\n",
        "rule: the desk lets it be carried out at once\n    receipt: HTTP 201\n",
        "ticket-1  ticket to jira  done",
        "    receipt: OPS-7 https://acme.atlassian.net/browse/OPS-7\n",
        "why: the room is dirty",
        "refund_guest  waits for management's yes",
        "escalated, upper management is needed",
        "- escalate: negative sentiment\n  - dropped pay_rent: not in the catalogue",
        "Summary (demo quality): Guest wants a clean room.",
        "2 model calls, 624 tokens, 3.0 s",
    ):
        assert expected in ended.out


def test_json_is_exactly_the_final_case(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    frontdesk.cases = working_then_finished(make_case, stage)
    final = frontdesk.cases[-1].model_dump(mode="json")

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", "--json", MESSAGE)

    assert json.loads(ended.out) == final
    assert "reply" in ended.err


def test_json_keeps_the_text_and_cannot_steer_a_terminal(
    cli: Any, frontdesk: Any, make_case: Any
) -> None:
    text = "a\x1b[31m\x9b2J\u202egod\u2069 ä 😀"
    frontdesk.cases = [make_case(customer_query=text)]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", "--json", "Hi")

    assert json.loads(ended.out)["customer_query"] == text
    assert not re.search("[\x1b\x9b\u202e\u2069]", ended.out)
    assert "ä 😀" in ended.out


def test_quiet_says_nothing_but_the_result(cli: Any, frontdesk: Any, make_case: Any) -> None:
    frontdesk.cases = [make_case()]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", "--quiet", MESSAGE)

    assert (ended.code, ended.err) == (0, "")
    assert "We are sorry" in ended.out


def test_exit_3_when_a_stage_could_not_be_finished(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    blocked = stage("escalation", "waiting", after=("reply",))
    frontdesk.cases = [make_case(stages=(stage("reply", "error"), blocked))]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", MESSAGE)

    assert ended.code == 3
    assert "content_filter: the provider refused" in ended.err
    assert "a person is needed: reply could not be finished" in ended.err


@pytest.mark.parametrize(("minute", "code"), [(5, 0), (-5, 3)])
def test_what_a_person_has_resolved_since_needs_nobody(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any, minute: int, code: int
) -> None:
    failed, more = stage("sentiment", "error"), stage("sentiment", "finished")
    resolved = failed.claimed_at + timedelta(minutes=minute)
    trace = ({"at": resolved, "who": "ana", "event": "resolve"},)
    frontdesk.cases = [make_case(stages=(failed, more), trace=trace)]

    assert cli("message", make_case().case_id, "Hi", "--url", frontdesk.url).code == code


@pytest.mark.parametrize("how", ["-", "pipe", "file"])
def test_a_message_from_a_pipe_or_a_file_arrives_unharmed(
    cli: Any, frontdesk: Any, make_case: Any, tmp_path: Path, how: str
) -> None:
    text = "\n  First paragraph.\n\n\u202eSecond\u202c, e\u0301 😀" + "👍" * 10_000
    frontdesk.cases = [make_case()]
    file = tmp_path / "letter.txt"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")
    more = {"-": ["-"], "pipe": [], "file": ["--file", str(file)]}[how]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", *more, stdin=file.read_bytes())

    assert ended.code == 0
    assert frontdesk.asked == text


def test_words_without_quotes_are_one_message(cli: Any, frontdesk: Any, make_case: Any) -> None:
    frontdesk.cases = [make_case()]

    cli("ask", "--url", frontdesk.url, "--scene", "A bakery in Lyon.", "Merci", "beaucoup")

    (body,) = frontdesk.posted
    assert body["support_context"] == "A bakery in Lyon."
    assert body["customer_query"] == "Merci beaucoup"


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["--desk", "hotel"], b"", "the message is empty"),
        (["--desk", "hotel", " \t\n"], b"", "the message is empty"),
        (["--desk", "hotel"], b"caf\xe9", "not UTF-8"),
        (["--desk", "hotel", "caf\udce9"], b"", "not UTF-8"),
        (["--desk", "hotel"], b"a\0b", "NUL at character 2"),
        (["--desk", "hotel"], b"a" * (256 * 1024 + 1), "longer than 256 KiB"),
        (["--desk", "hotel"], b"a" * 400_000, "longer than 256 KiB"),
        (["--desk", "hotell", "Hi"], b"", "the desks are bank, hotel"),
        (["Hi"], b"", "which scene? Give --desk bank|hotel"),
        (["--scene", " ", "Hi"], b"", "the scene is empty"),
        (["--desk", "hotel", "--scene", "x", "Hi"], b"", "not allowed with"),
        (["--desk", "hotel", "--file", "/nowhere/x"], b"", "No such file"),
        (["--desk", "hotel", "--file", "/", "Hi"], b"", "give the message once"),
        (["--desk", "hotel", "--timeout", "nan", "Hi"], b"", "not a number of seconds"),
        (["--desk", "hotel", "--wat", "Hi"], b"", "--wat"),
    ],
)
def test_bad_usage_is_one_line_and_sends_nothing(
    cli: Any, frontdesk: Any, arguments: list[str], stdin: bytes, said: str
) -> None:
    ended = cli("ask", "--url", frontdesk.url, *arguments, stdin=stdin)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert said in ended.err
    assert frontdesk.posted == []


def test_256_kib_are_accepted(cli: Any, frontdesk: Any, make_case: Any) -> None:
    frontdesk.cases = [make_case()]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", stdin=b"a" * (256 * 1024) + b"\n")

    assert ended.code == 0


def test_what_the_api_refuses_is_bad_usage(cli: Any, frontdesk: Any) -> None:
    frontdesk.refusals = [(422, "Scene too long", "4000 characters are the most.")]

    ended = cli("ask", "--url", frontdesk.url, "--scene", "x", "Hi")

    assert ended.code == 2
    assert ended.err == "frontdesk ask: Scene too long: 4000 characters are the most.\n"


def test_a_busy_api_is_asked_again_with_the_same_key(
    cli: Any, frontdesk: Any, make_case: Any
) -> None:
    frontdesk.cases = [make_case()]
    frontdesk.refusals = [(503, "Try again later", ""), (429, "Too many requests", "")]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", MESSAGE)

    assert ended.code == 0
    assert len(frontdesk.keys) == 3
    assert len(set(frontdesk.keys)) == 1


def test_what_will_take_a_minute_is_said_at_once(cli: Any, frontdesk: Any, httpserver: Any) -> None:
    said = Response('{"title": "Not configured"}', 503, {"Retry-After": "60"})
    httpserver.expect_oneshot_request("/api/cases", method="POST").respond_with_response(said)

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", MESSAGE)

    assert (ended.code, ended.err) == (1, "frontdesk ask: Not configured\n")
    assert frontdesk.keys == []


def test_a_case_that_takes_too_long_is_named_and_said_to_be_stored(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    frontdesk.cases = [make_case(status="working", stages=(stage("reply", "working"),))]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", "--timeout", "0.3", MESSAGE)

    assert ended.code == 1
    assert "not finished after 0.3 s; case 3f2a9c1b-1111-4222-8333-444455556666" in ended.err
    assert "./frontdesk show 3f2a9c1b" in ended.err


def test_a_short_outage_while_following_is_waited_out(
    cli: Any, frontdesk: Any, make_case: Any, httpserver: Any
) -> None:
    frontdesk.cases = [make_case()]
    case = f"/api/cases/{make_case().case_id}"
    httpserver.expect_oneshot_request(case).respond_with_data("", status=503)
    httpserver.expect_oneshot_request(case).respond_with_data("", status=500)

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", MESSAGE)

    assert ended.code == 0


def test_an_address_without_a_frontdesk_is_one_line(cli: Any, free_port: int) -> None:
    ended = cli("ask", "--url", f"http://127.0.0.1:{free_port}", "--desk", "hotel", MESSAGE)

    assert ended.code == 1
    assert ended.err == (
        f"frontdesk ask: http://127.0.0.1:{free_port} does not answer (Connection refused)\n"
    )


def test_a_stage_that_will_be_tried_again_is_not_settled(make_case: Any, stage: Any) -> None:
    deferred = stage("reply", "waiting", attempts=1, due_at="2026-11-23T10:00:00Z")
    done = stage("mood", "finished")

    assert not is_settled(make_case(stages=(done, deferred)))
    assert is_settled(make_case(stages=(done, stage("escalation", "skipped"))))
    assert is_settled(make_case(stages=(done, deferred), status="cancelled"))


@pytest.mark.parametrize("state", ["waiting", "attempting"])
def test_an_effect_is_waited_for_until_it_was_tried(make_case: Any, state: str) -> None:
    effect = {"key": "reply", "sink": "email", "to": [], "turn": 1}

    assert not is_settled(make_case(effects=[{**effect, "state": state, "due_at": NOW}]))
    assert is_settled(make_case(effects=[{**effect, "state": "deferred", "due_at": NOW}]))
    assert is_settled(make_case(effects=[{**effect, "state": "done"}]))


async def test_a_case_that_waits_for_a_yes_is_settled_before_its_reminders() -> None:
    world = World(proposing(("pay", {"amount": 40})))
    case_id = await world.open(desk="acting")
    await world.deliver()
    case = await world.case(case_id)
    assert [action.state for action in case.actions] == ["waiting"]
    assert [e.key for e in case.effects if e.dormant and e.due_at], "a reminder is to come"
    assert is_settled(case)


def test_effects_say_where_they_went_and_what_went_wrong(
    cli: Any, frontdesk: Any, make_case: Any
) -> None:
    error = {"code": "rejected", "detail": "no such address"}
    effect = {"key": "reply", "sink": "email", "to": ["a@b.example"], "turn": 1, "error": error}
    frontdesk.cases = [make_case(effects=[{**effect, "state": "refused"}])]

    ended = cli("ask", "--url", frontdesk.url, "--desk", "hotel", MESSAGE)

    assert ended.code == 0
    assert "reply  email to a@b.example  refused  rejected: no such address\n" in ended.out
