"""The listing of ``cases``."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from entrypoints.cli import cases, table
from entrypoints.cli.terminal import Terminal, cells
from shared.domain.case import Status

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class Tty(io.StringIO):
    """A terminal of 80 columns."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return -1


def test_newest_first_in_aligned_columns(cli: Any, frontdesk: Any, make_entry: Any) -> None:
    frontdesk.entries = [
        make_entry(2, desk="restaurant", status="escalated", sentiment="Negative"),
        make_entry(1, sentiment=None, urgency=None, status="working"),
    ]

    ended = cli("cases", "--url", frontdesk.url)

    head, first, second = ended.out.splitlines()
    assert head.split() == ["CASE", "AGE", "DESK", "STATUS", "SENTIMENT", "URGENCY", "SUBJECT"]
    assert first.startswith("00000002-1111-4222-8333-444455556666  ")
    assert second.split()[-7] == "-"
    assert len({line.index(word) for line, word in ((head, "SUBJECT"), (first, "Thank"))}) == 1
    assert first.index("escalated") == second.index("working") == head.index("STATUS")


def test_filters_are_passed_on(cli: Any, frontdesk: Any) -> None:
    arguments = ["--desk", "bank", "--status", "escalated", "--sentiment", "negative"]

    ended = cli("cases", "--url", frontdesk.url, *arguments, "--limit", "5", "--cursor", "10")

    wanted = {"desk": "bank", "status": "escalated", "sentiment": "Negative"}
    assert frontdesk.listings == [{**wanted, "limit": "5", "cursor": "10"}]
    assert (ended.code, ended.out, ended.err) == (0, "", "no such cases\n")


def test_an_empty_desk_says_how_to_begin(cli: Any, frontdesk: Any) -> None:
    assert "./frontdesk ask" in cli("cases", "--url", frontdesk.url).err


def test_a_full_page_says_how_to_go_on(cli: Any, frontdesk: Any, make_entry: Any) -> None:
    frontdesk.entries = [make_entry(n) for n in range(3)]

    first = cli("cases", "--url", frontdesk.url, "--limit", "2", "--desk", "hotel")
    last = cli("cases", "--url", frontdesk.url, "--limit", "2", "--cursor", "2")

    assert "./frontdesk cases --desk hotel --limit 2 --cursor 2" in first.out
    assert "--cursor" not in last.out


def test_json_is_the_page(cli: Any, frontdesk: Any, make_entry: Any) -> None:
    frontdesk.entries = [make_entry(1)]

    page = json.loads(cli("cases", "--url", frontdesk.url, "--json").out)

    assert page == {"cases": [make_entry(1).model_dump(mode="json")], "next": None}


def test_on_a_terminal_no_line_is_wider_than_the_terminal(
    make_entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((80, 24)))
    out = Tty()
    entries = [make_entry(n, subject="漢字かな交じり文\x1b[2J" * 9) for n in range(3)]

    cases.listing(entries, Terminal(out, {"TERM": "xterm", "NO_COLOR": "1"}), NOW)

    lines = out.getvalue().splitlines()
    assert all(cells(line) <= 80 for line in lines)
    assert lines[1].startswith("00000000  ")
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=5, seconds=50), "5 min"),
        (timedelta(hours=30), "1 d"),
        (timedelta(hours=3.9), "3 h"),
    ],
)
def test_ages_are_rough(ago: timedelta, said: str) -> None:
    assert table.age(ago.total_seconds()) == said


def test_a_limit_that_the_api_refuses_is_bad_usage(cli: Any, httpserver: Any) -> None:
    body = {"title": "Bad limit", "detail": "limit is a whole number from 1 to 100.", "status": 400}
    httpserver.expect_request("/api/cases").respond_with_json(body, status=400)

    ended = cli("cases", "--url", httpserver.url_for(""), "--limit", "1000")

    assert ended.code == 2
    assert ended.err.endswith("Bad limit: limit is a whole number from 1 to 100.\n")


def test_why_a_person_is_needed_stands_before_the_subject(
    cli: Any, frontdesk: Any, make_entry: Any
) -> None:
    frontdesk.entries = [make_entry(1, status="escalated", reason="sentiment: content_filter")]

    assert "sentiment: content_filter  Thank you" in cli("cases", "--url", frontdesk.url).out


def test_every_status_can_be_filtered_by() -> None:
    assert get_args(Status) == cases.STATUSES
