"""A short run of the benchmark of webhooks, and what it would find."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.webhooks import VENDORS, Planned, judge, measure
from devkit.crm.counterpart import Sent


@pytest.mark.timeout(240)
async def test_each_message_is_one_turn_of_one_case_and_the_forged_are_none() -> None:
    report = await measure(deliveries=24, rate=10.0, seed=1)

    assert report["wrong"] == []
    total = report["total"]
    assert (total["messages"], total["duplicates"], total["forged"]) == (22, 1, 1)
    assert total["cases"] == total["tickets"] > len(VENDORS)
    assert total["cases_of_forged"] == 0


def delivery(**more: Any) -> Planned:
    fields = {"vendor": "zendesk", "what": "genuine", "ticket": "1", "mark": "[m1]", "status": 202}
    return Planned(**{**fields, "sign": lambda: Sent(b""), **more})


def case(ticket: str, *texts: str) -> dict[str, Any]:
    channel = {"source": "zendesk", "external_id": ticket}
    return {"channel": channel, "turns": [{"text": text} for text in texts]}


@pytest.mark.parametrize(
    ("planned", "cases", "said"),
    [
        ([delivery()], [], "is 0 cases"),
        ([delivery()], [case("1", "[m1]"), case("1")], "is 2 cases"),
        ([delivery()], [case("1", "")], "genuine [m1] of zendesk is in 0 turns"),
        ([delivery()], [case("1", "[m1]", "[m1]")], "genuine [m1] of zendesk is in 2 turns"),
        ([delivery(status=0)], [case("1", "[m1]")], "was answered with 0"),
        ([delivery(what="forged", status=202)], [], "forged [m1] of zendesk was answered with 202"),
        ([delivery(what="forged", status=401)], [case("1", "[m1]")], "a case of nobody's ticket"),
    ],
)
def test_what_is_wrong_is_told(
    planned: list[Planned], cases: list[dict[str, Any]], said: str
) -> None:
    assert any(said in why for why in judge(planned, cases)["wrong"])


def test_nothing_is_wrong_when_all_is_well() -> None:
    again = delivery(what="duplicate", seconds=0.3)
    report = judge([delivery(seconds=0.1), again], [case("1", "Room 4 [m1] It is dirty.")])
    assert report["wrong"] == []
    assert (report["total"]["p50_ms"], report["total"]["p99_ms"]) == (300, 300)
