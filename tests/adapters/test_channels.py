"""Digests in Slack and Teams: what goes out is what the services take, whatever is in it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.adapters.channels import (
    TEAMS_BYTES,
    ChannelSink,
    WebhookAddresses,
    slack_message,
    teams_message,
)
from shared.adapters.clocks import SystemClock
from shared.adapters.digest_copy import CopySink
from shared.adapters.memory import MemoryTexts
from shared.domain.approval_links import ApprovalLinks
from shared.domain.case import SupportCase
from shared.domain.digest import Digest
from shared.domain.digest_letter import digest_notice
from shared.domain.gathering import Gathering, member_of
from shared.domain.letter_text import where_to_look
from shared.domain.letters import case_notice
from shared.domain.notices import Notice, gathered_notice, notice_letter
from shared.domain.rows import Member
from shared.domain.stage import Severity
from shared.domain.written import is_storable
from shared.errors import ConfigError, PermanentError, RetryableError, UncertainError
from tests.support import channels
from tests.support.channels import ChannelStandIn
from tests.support.digests import a_digest
from tests.support.effect_calls import a_call, a_case, a_desk, an_action

URL = "https://desk.example.com"
LINKS = ApprovalLinks(b"x" * 32, URL)
KINDS: dict[Literal["slack", "teams"], Any] = {"slack": channels.slack, "teams": channels.teams}


def sink(what: Literal["slack", "teams"], everyone: str = "", **by_desk: str) -> ChannelSink:
    addresses = WebhookAddresses("FRONTDESK_HOOK", everyone, by_desk, development=True)
    return ChannelSink(what, addresses, URL, SystemClock(), LINKS)


def call(digest: Digest) -> Any:
    return replace(a_call("hotel"), about=digest)


@pytest.fixture(params=["slack", "teams"])
async def channel(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[ChannelSink, ChannelStandIn]]:
    async with ChannelStandIn(KINDS[request.param]) as service:
        yield sink(request.param, service.url), service


@pytest.mark.parametrize("size", [0, 1, 3, 10, 10_000])
async def test_a_digest_of_any_size_is_taken(
    channel: tuple[ChannelSink, ChannelStandIn], size: int
) -> None:
    sender, service = channel
    assert await sender.send(call(a_digest(size))) in ("HTTP 200", "HTTP 202")
    assert (len(service.taken), service.refused) == (1, [])


async def test_a_digest_full_of_long_text_is_named_in_full_or_says_that_it_is_cut(
    channel: tuple[ChannelSink, ChannelStandIn],
) -> None:
    sender, service = channel
    await sender.send(call(a_digest(10_000, what="語" * 400, why="\U0001f525" * 400)))
    assert service.refused == []
    said = json.dumps(service.taken)
    named = len(set(re.findall(r"/api/cases/([0-9a-f-]{36})", said)))
    assert (named == 10) != ("Cut: the mail and the stored copy have all of it." in said)


hostile = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        [
            "<!channel> <@U1>",
            "[click](https://evil.example)",
            "**x** `y` &amp;",
            "\u202egnp.exe",
            "",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(what=hostile, why=hostile, title=hostile.filter(str.strip))
def test_whatever_customers_and_models_write_the_services_take_it_as_plain_text(
    what: str, why: str, title: str
) -> None:
    digest = a_digest(2, what=what, why=why, title=title[:400])
    for url in (URL, ""):
        notice = digest_notice(digest, partial(where_to_look, url))
        slack = slack_message(notice)
        assert channels.slack(json.dumps(slack).encode()) == (200, "ok")
        assert channels.teams(json.dumps(teams_message(notice)).encode()) == (202, "")
        assert "<" not in slack["text"]
        spoken = [
            b["text"]["text"] for b in slack["blocks"] if b.get("text", {}).get("type") == "mrkdwn"
        ]
        assert all(text.startswith("*") and "evil" not in text for text in spoken)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, RetryableError), (503, RetryableError), (500, UncertainError), (404, PermanentError)],
)
async def test_an_answer_says_whether_it_happened(
    channel: tuple[ChannelSink, ChannelStandIn], status: int, expected: type[Exception]
) -> None:
    sender, service = channel
    service.faults.append((status, {"Retry-After": "7"}))
    with pytest.raises(expected):
        await sender.send(call(a_digest()))
    assert service.taken == []


async def test_a_desk_has_its_own_channel_or_everyones() -> None:
    async with ChannelStandIn(channels.slack) as mine, ChannelStandIn(channels.slack) as all_:
        await sink("slack", all_.url, HOTEL=mine.url).send(call(a_digest()))
        await sink("slack", all_.url, BANK=mine.url).send(call(a_digest()))
        assert (len(mine.taken), len(all_.taken)) == (1, 1)
    with pytest.raises(PermanentError, match="FRONTDESK_HOOK_HOTEL"):
        await sink("slack").send(call(a_digest()))


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/x",
        "https://10.0.0.1/x",
        "https://u:p@hooks.example.com/x",
        "hooks",
    ],
)
def test_an_address_that_is_no_https_url_stops_the_start_and_is_not_repeated(address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        WebhookAddresses("FRONTDESK_HOOK", "", {"HOTEL": address}, development=False)
    assert "FRONTDESK_HOOK_HOTEL" in str(refused.value)
    assert address not in str(refused.value)


async def test_a_name_that_leads_into_a_private_network_is_refused() -> None:
    addresses = WebhookAddresses("FRONTDESK_HOOK", "", {}, development=True)
    addresses._everyone = "https://localhost.localdomain/x"
    sender = ChannelSink("slack", addresses, URL, SystemClock(), LINKS)
    with pytest.raises((PermanentError, RetryableError)):
        await sender.send(call(a_digest()))


async def test_a_copy_is_kept_in_three_forms() -> None:
    texts = MemoryTexts()
    receipt = await CopySink(texts, URL).send(call(a_digest()))
    assert receipt == "digests/hotel/2026-03-30T0600Z.html"
    assert (await texts.get(receipt)).startswith("<!doctype html>")
    assert "Harbour Lane Hotel" in await texts.get("digests/hotel/2026-03-30T0600Z.txt")
    stored = Digest.model_validate_json(await texts.get("digests/hotel/2026-03-30T0600Z.json"))
    assert stored == a_digest()


async def test_what_is_no_digest_is_not_copied() -> None:
    with pytest.raises(PermanentError, match="not_a_digest"):
        await CopySink(MemoryTexts(), "").send(a_call("hotel"))


def told(case: SupportCase | Gathering, **more: Any) -> Any:
    desk = a_desk(tell=(ROOM, BOARD), **more)
    asked = a_call("Room").request.model_copy(update={"sink": "slack"})
    return replace(a_call("Room", desk=desk), about=case, request=asked)


ROOM = {"name": "Room", "channel": "slack"}
BOARD = {"name": "Board", "channel": "teams", "about": "management"}


async def test_a_case_is_taken_with_links_to_what_waits_and_without_the_customers_words(
    channel: tuple[ChannelSink, ChannelStandIn],
) -> None:
    sender, service = channel
    case = a_case(customer_query="My secret story.", summary="Card 4111 1111 1111 1111 refused.")
    await sender.send(told(case))
    assert service.refused == []
    said = json.dumps(service.taken)
    assert f"{URL}/api/cases/{case.case_id}" in said
    assert f"{URL}/api/decide/" in said
    assert "secret story" not in said
    assert "4111" not in said
    assert "refund (amount: 50)" in said


async def test_without_a_summary_the_customers_words_stay_out_too(
    channel: tuple[ChannelSink, ChannelStandIn],
) -> None:
    sender, service = channel
    case = a_case(customer_query="My secret story.", summary=None)
    await sender.send(told(case))
    assert service.refused == []
    said = json.dumps(service.taken)
    assert "(no summary)" in said
    assert "secret story" not in said
    assert member_of(case, told(case).request, 0).what == ""


@pytest.mark.timeout(10)
def test_a_card_of_a_few_huge_texts_is_cut_and_ends() -> None:
    card = teams_message(Notice(subject="x" * 40_000, opening="y" * 40_000))
    assert len(json.dumps(card)) <= TEAMS_BYTES
    assert "Cut: " in json.dumps(card)


async def test_only_a_channel_of_management_can_decide_for_management(
    channel: tuple[ChannelSink, ChannelStandIn],
) -> None:
    sender, service = channel
    grave = an_action("close", approval="management")
    call = told(a_case(actions=(grave,)))
    await sender.send(call)
    assert "/api/decide/" not in json.dumps(service.taken)
    board = call.request.model_copy(update={"to": ("Board",)})
    await sender.send(replace(call, request=board))
    assert "/api/decide/" in json.dumps(service.taken)


@pytest.mark.parametrize("size", [1, 3, 60, 300])
async def test_a_list_of_any_size_is_taken_and_names_all_or_says_that_it_is_cut(
    channel: tuple[ChannelSink, ChannelStandIn], size: int
) -> None:
    sender, service = channel
    await sender.send(told(a_list(size)))
    assert service.refused == []
    said = json.dumps(service.taken)
    named = len(set(re.findall(r"/api/cases/(case-\d+)", said)))
    assert (named == size) != ("Cut: " in said)
    assert f"{size:,} message" in said


@settings(max_examples=60, deadline=None)
@given(what=hostile, summary=hostile, title=hostile.filter(str.strip).filter(is_storable))
@example(what=" ", summary=" ", title="Hotel")
def test_a_case_and_a_list_full_of_markup_are_plain_text(
    what: str, summary: str, title: str
) -> None:
    desk = a_desk(title=title[:400])
    case = a_case(summary=summary, decision=(what, "escalate: x"))
    notices = [
        case_notice(case, desk, f"{URL}/api/cases/1", {"refund-1-0": f"{URL}/d"}),
        gathered_notice(a_list(3, what=what), lambda name: f"./frontdesk show {name}"),
    ]
    for notice in notices:
        slack = slack_message(notice)
        assert channels.slack(json.dumps(slack).encode()) == (200, "ok")
        assert channels.teams(json.dumps(teams_message(notice)).encode()) == (202, "")
        assert "<" not in slack["text"]
        letter = notice_letter(notice)
        assert "<!channel>" not in letter.html
        assert "\n" not in letter.subject


async def test_a_room_has_its_own_address_else_that_of_its_desk() -> None:
    async with ChannelStandIn(channels.slack) as mine, ChannelStandIn(channels.slack) as all_:
        sender = sink("slack", all_.url, HOTEL_ONCALL=mine.url)
        call = told(a_case())
        call = replace(call, desk=a_desk(tell=(ROOM | {"room": "oncall"},)))
        await sender.send(call)
        other = replace(call, desk=a_desk(tell=(ROOM | {"room": "night"},)))
        await sender.send(other)
        assert (len(mine.taken), len(all_.taken)) == (1, 1)


def a_list(size: int, what: str = "Room 4 is dirty.") -> Gathering:
    severities: tuple[Severity, ...] = ("critical", "high", "normal")
    members = (
        Member(
            case_id=f"case-{n}", effect="escalated-1", generation=0, what=what,
            severity=severities[n % 3], why="needs a person; message 1",
        )
        for n in range(size)
    )  # fmt: skip
    return Gathering(
        desk="hotel", title="Hotel", time_zone="Europe/Berlin", why="flood", before=5,
        end=datetime(2026, 3, 4, 10, 10, tzinfo=UTC), members=tuple(members),
    )  # fmt: skip
