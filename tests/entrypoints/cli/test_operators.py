"""What operators do: look at what is parked, replay, resolve, cancel, add a message."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

WHOLE = "3f2a9c1b-1111-4222-8333-444455556666"
REASON = "a person is needed, not finished: sentiment: content_filter; escalated-1: uncertain"
ENDED = (409, "The case has ended", "There is nothing left to cancel.")
NOTHING = (409, "Nothing to replay", "No stage is parked.")


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOGNAME", "maria")
    return "maria"


@pytest.fixture
def parked(frontdesk: Any, make_entry: Any) -> list[Any]:
    since = datetime.now(UTC) - timedelta(minutes=5, seconds=1)
    frontdesk.parked = [
        make_entry(n, status="escalated", reason=REASON, updated_at=since) for n in (2, 1)
    ]
    return list(frontdesk.parked)


def test_parked_says_which_where_since_when_and_what(
    cli: Any, frontdesk: Any, parked: list[Any]
) -> None:
    ended = cli("parked", "--url", frontdesk.url)

    assert ended.code == 0
    head, first, _ = ended.out.splitlines()
    assert head.split() == ["CASE", "DESK", "WHEN", "NOT", "FINISHED", "SUBJECT"]
    assert re.fullmatch(
        r"00000002-\S+  hotel  5 min ago  sentiment: content_filter; escalated-1: uncertain  Thank"
        r" you for the lovely stay",
        first,
    )


DIGEST = "digest:hotel:2026-03-29T0600Z"


@pytest.fixture
def failed(frontdesk: Any) -> list[dict[str, str]]:
    since = datetime.now(UTC) - timedelta(hours=3, seconds=1)
    frontdesk.failed = [
        {
            "desk": "hotel",
            "window": "2026-03-29T0600Z",
            "channel": "slack",
            "state": "uncertain",
            "reason": "answer_lost",
            "at": since.isoformat(),
        }
    ]
    return list(frontdesk.failed)


def test_parked_lists_channels_of_digests_before_the_cases(
    cli: Any, frontdesk: Any, parked: list[Any], failed: list[Any]
) -> None:
    ended = cli("parked", "--url", frontdesk.url)
    frontdesk.parked = []
    alone = cli("parked", "--url", frontdesk.url)

    for out, lines in ((ended.out, 4), (alone.out, 2)):
        assert len(out.splitlines()) == lines
        said = f"{DIGEST} +hotel +3 h ago +slack: uncertain: answer_lost +digest"
        assert re.fullmatch(said, out.splitlines()[1])
    assert alone.err == ""


def test_replay_sends_a_digest_again(cli: Any, frontdesk: Any, user: str) -> None:
    ended = cli("replay", DIGEST, "--effect", "slack", "--reason", "x", "--url", frontdesk.url)
    cli("replay", DIGEST, "--url", frontdesk.url)

    assert (ended.code, ended.out) == (0, f"{DIGEST}  runs again: slack\n")
    assert "look again: ./frontdesk digest hotel --window 2026-03-29T0600Z" in ended.err
    body = {"by": user, "reason": "x", "window": "2026-03-29T0600Z", "channels": ["slack"]}
    unnamed = {**body, "reason": "", "channels": []}
    path = "/api/digests/hotel/replay"
    assert frontdesk.acts == [(path, body), (path, unnamed)]


def test_resolve_says_that_a_digest_is_dealt_with(cli: Any, frontdesk: Any, user: str) -> None:
    ended = cli("resolve", DIGEST, "--reason", "all have read it", "--url", frontdesk.url)

    assert (ended.code, ended.out) == (0, f"{DIGEST}  resolved\n")
    body = {"by": user, "reason": "all have read it", "window": "2026-03-29T0600Z"}
    assert frontdesk.acts == [("/api/digests/hotel/resolve", body)]


def test_a_digest_that_cannot_be_replayed_is_one_line(cli: Any, frontdesk: Any) -> None:
    frontdesk.refusals = [(409, "Nothing to replay", "No channel was refused.")]

    ended = cli("replay", DIGEST, "--url", frontdesk.url)

    assert (ended.code, ended.out) == (1, "")
    assert "Nothing to replay: No channel was refused." in ended.err


def test_all_parked_leaves_digests_alone_and_says_so(
    cli: Any, frontdesk: Any, parked: list[Any], failed: list[Any]
) -> None:
    command = ["replay", "--all-parked", "--yes", "--url", frontdesk.url]
    ended = cli(*command)
    frontdesk.parked = []
    alone = cli(*command)

    said = "digests are sent again one by one, by the names in ./frontdesk parked\n"
    assert ended.err == f"{said}2 of 2 cases run again\n"
    assert alone.err == f"{said}no case is parked\n"


def test_a_digests_receipts_show_what_failed_and_who_acted(cli: Any, frontdesk: Any) -> None:
    ended = cli("digest", "hotel", "--window", "2026-03-29T0600Z", "--url", frontdesk.url)

    assert ended.out.splitlines()[-3:] == [
        "email  done  <1@x> kept",
        "slack  refused  receiver_gone",
        "2026-03-29T07:00  replay slack by ana: address",
    ]


def test_parked_pages_and_json(cli: Any, frontdesk: Any, parked: list[Any]) -> None:
    page = json.loads(cli("parked", "--url", frontdesk.url, "--limit", "1", "--json").out)
    more = cli("parked", "--url", frontdesk.url, "--limit", "1").out

    first = [parked[0].model_dump(mode="json")]
    assert page == {"cases": first, "next": "1", "digests": []}
    assert "more: ./frontdesk parked --limit 1 --cursor 1" in more


def test_nothing_parked(cli: Any, frontdesk: Any) -> None:
    ended = cli("parked", "--url", frontdesk.url)

    assert (ended.code, ended.out, ended.err) == (0, "", "nothing is parked\n")


def test_replay_names_what_runs_again(cli: Any, frontdesk: Any, user: str) -> None:
    frontdesk.replays = [["1:sentiment", "escalated-1"]]
    names = ["--stage", "1:sentiment", "--effect", "escalated-1"]

    ended = cli("replay", WHOLE, *names, "--reason", "it is back", "--url", frontdesk.url)

    assert ended.code == 0
    assert ended.out == f"{WHOLE}  runs again: 1:sentiment, escalated-1\n"
    names_sent = {"stages": ["1:sentiment"], "effects": ["escalated-1"]}
    body = {"by": user, "reason": "it is back", **names_sent}
    assert frontdesk.acts == [(f"/api/cases/{WHOLE}/replay", body)]


def test_all_parked_runs_each_and_tells_which_did_not(
    cli: Any, frontdesk: Any, parked: list[Any], user: str
) -> None:
    frontdesk.replays = [["1:sentiment"], NOTHING]

    ended = cli("replay", "--all-parked", "--yes", "--by", "joe", "--url", frontdesk.url)

    assert ended.code == 1
    assert ended.out == (
        f"{parked[0].case_id}  runs again: 1:sentiment\n"
        f"{parked[1].case_id}  Nothing to replay: No stage is parked.\n"
    )
    assert ended.err == "1 of 2 cases run again\n"
    assert frontdesk.acts[0][1] == {"by": "joe", "reason": ""}


def test_all_parked_is_bounded(cli: Any, frontdesk: Any, make_entry: Any) -> None:
    frontdesk.parked = [make_entry(n, status="escalated", reason=REASON) for n in range(150)]
    command = ["replay", "--all-parked", "--yes", "--url", frontdesk.url]

    assert "100 of 100 cases run again\nmore are parked" in cli(*command).err
    assert "120 of 120" in cli(*command, "--limit", "120").err


def test_all_parked_of_none(cli: Any, frontdesk: Any) -> None:
    ended = cli("replay", "--all-parked", "--yes", "--url", frontdesk.url)

    assert (ended.code, ended.err) == (0, "nothing is parked\n")


@pytest.mark.parametrize(("typed", "replayed", "code"), [("y", 2, 0), ("", 0, 1), ("no", 0, 1)])
def test_on_a_terminal_a_person_is_asked_first(
    on_terminal: Any, frontdesk: Any, parked: list[Any], typed: str, replayed: int, code: int
) -> None:
    terminal = on_terminal("replay", "--all-parked")

    terminal.wait_for("content_filter")
    terminal.wait_for("these 2 cases again? [y/N] ")
    terminal.type(f"{typed}\n")
    ended = terminal.end()

    assert (ended.code, len(frontdesk.acts)) == (code, replayed)
    assert ("nothing was replayed" in ended.err) == (not replayed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay"], "Give CASE, or --all-parked"),
        (["replay", WHOLE, "--all-parked"], "Give CASE, or --all-parked"),
        (["replay", "--all-parked"], "say --yes"),
        (["replay", "--all-parked", "--yes", "--stage", "x"], "are for one CASE"),
        (["replay", "--all-parked", "--yes", "--limit", "0"], "from 1 to 1000"),
        (["replay", "3f2"], "'3f2' is no case id: give 6 or more"),
        (["replay", DIGEST, "--stage", "x"], "a digest has no stages"),
        (["replay", "digest:hotel:today"], "is no case id"),
        (["cancel", DIGEST, "--reason", "x"], "is no case id"),
        (["cancel", WHOLE], "required: --reason"),
        (["resolve", WHOLE], "required: --reason"),
        (["message", WHOLE, " "], "the message is empty"),
    ],
)
def test_bad_usage_starts_nothing(cli: Any, arguments: list[str], said: str) -> None:
    ended = cli(*arguments)

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert said in ended.err


@pytest.mark.parametrize(("verb", "past"), [("cancel", "cancelled"), ("resolve", "resolved")])
def test_cancel_and_resolve_say_who_and_why(
    cli: Any, frontdesk: Any, make_entry: Any, user: str, verb: str, past: str
) -> None:
    frontdesk.entries = [make_entry(0, case_id=WHOLE)]

    ended = cli(verb, "last", "--reason", "sent twice", "--url", frontdesk.url)

    assert (ended.code, ended.out) == (0, f"case {WHOLE}  {past}\n")
    body = {"by": user, "reason": "sent twice"}
    assert frontdesk.acts == [(f"/api/cases/{WHOLE}/{verb}", body)]


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        (ENDED, 1, "The case has ended: There is nothing left to cancel."),
        ((404, "No such case", "Look at GET /api/cases"), 2, f"there is no case {WHOLE}"),
        ((422, "Wrong fields", "by: too long"), 2, "Wrong fields: by: too long"),
        ((503, "Try again later", "No storage."), 1, "Try again later: No storage."),
    ],
)
def test_a_refusal_is_one_line(
    cli: Any, frontdesk: Any, refusal: tuple[int, str, str], code: int, said: str
) -> None:
    frontdesk.refusals = [refusal]

    ended = cli("cancel", WHOLE, "--reason", "x", "--url", frontdesk.url)

    assert (ended.code, ended.err) == (code, f"frontdesk cancel: {said}\n")


def test_a_user_without_a_name_is_an_operator(
    cli: Any, frontdesk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)

    assert cli("resolve", WHOLE, "--reason", "x", "--url", frontdesk.url).code == 0
    assert frontdesk.acts[0][1]["by"] == "operator"


def test_a_message_is_followed_to_its_end(
    cli: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    working = make_case(status="working", stages=(stage("reply", "working", turn=1),))
    frontdesk.cases = [working, make_case(stages=(stage("reply", "finished"),))]

    ended = cli("message", WHOLE, "--url", frontdesk.url, "-", stdin=b"Still dirty.\n")

    assert ended.code == 0
    assert frontdesk.asked == "Still dirty."
    assert "reply  finished" in ended.err
    assert "We are sorry about your room." in ended.out


def test_a_message_is_sent_again_with_its_key_when_storage_was_busy(
    cli: Any, frontdesk: Any, make_case: Any
) -> None:
    frontdesk.cases = [make_case()]
    frontdesk.refusals = [(503, "Try again later", "No storage.")]

    assert cli("message", WHOLE, "Hi", "--url", frontdesk.url).code == 0
    assert len(frontdesk.keys) == 2
    assert len(set(frontdesk.keys)) == 1


def test_a_message_to_a_case_that_takes_none(cli: Any, frontdesk: Any) -> None:
    frontdesk.refusals = [(409, "The case was cancelled", "Open a new one.")]

    ended = cli("message", WHOLE, "Hi", "--url", frontdesk.url)

    assert (ended.code, ended.err) == (
        1,
        "frontdesk message: The case was cancelled: Open a new one.\n",
    )


def test_quarantine_shows_hostile_text_safely(cli: Any, frontdesk: Any) -> None:
    hostile = "\x1b[2J\u202egod\x9b" + "x" * 1000
    frontdesk.quarantine = [
        {
            "id": "1",
            "queue": "stage-sentiment",
            "reason": "no nudge\x1b[0m",
            "body": hostile,
            "at": "2026-11-23T04:00:00+00:00",
        }
    ]

    ended = cli("quarantine", "--url", frontdesk.url)
    whole = cli("quarantine", "--url", frontdesk.url, "--json").out

    assert ended.out.startswith("stage-sentiment  ")
    assert "no nudge<U+001B>[0m" in ended.out
    assert "<U+001B>[2J<U+202E>god<U+009B>xxx" in ended.out
    assert "609 more characters: see --json" in ended.out
    assert not re.search("[\x1b\x9b\u202e]", ended.out + whole)
    assert json.loads(whole)["messages"][0]["body"] == hostile


def test_an_empty_quarantine(cli: Any, frontdesk: Any) -> None:
    assert cli("quarantine", "--url", frontdesk.url).err == "nothing is in quarantine\n"


def test_budget_shows_a_line_a_desk(cli: Any, frontdesk: Any) -> None:
    day = {
        "limit": {"tokens": 50_000, "cost": 2.5},
        "used": {"tokens": 50_000, "cost": 1.25},
        "reserved": {"tokens": 0, "cost": None},
    }
    frontdesk.budgets = [
        {"desk": "bank", "case": {"tokens": 500_000, "cost": None}, "day": None},
        {"desk": "hotel", "case": {"tokens": None, "cost": 0.5}, "day": day},
    ]

    ended = cli("budget", "--url", frontdesk.url, "--day", "2026-01-31")
    whole = cli("budget", "--url", frontdesk.url, "--json").out

    heads, bank, hotel = ended.out.splitlines()
    assert heads.split("  ")[-1] == "USED 2026-01-31"
    assert bank.split() == ["bank", "500,000", "tokens", "no", "limit"]
    assert "cost 0.50" in hotel
    assert hotel.endswith("50,000 tokens, cost 1.25")
    assert json.loads(whole)["desks"] == frontdesk.budgets
