"""What each suite counts, over a scripted model that behaves well or badly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.run import Model, Order, choose, measure
from evals.suite import Suite
from evals.suites import SUITES
from evals.suites.reply import ReplySuite
from evals.suites.robustness import RobustnessSuite
from evals.summary import Summary, summarize
from shared.adapters.scripted_model import Script, ScriptedModel
from shared.domain.desk import Desks
from shared.domain.stage import ChatMessage
from shared.errors import PermanentError
from shared.ports import ModelCall
from shared.settings import Settings
from tests.support.world import NEGATIVE, a_desk

DESKS = Desks((a_desk("default"), a_desk("hotel")))
GOOD = "Thank you for writing. The team looks into it."
BAD = "Thank you for writing. Call 555-123-4567, we refund everything."


def figures(summary: Summary) -> dict[str, float]:
    return {one.name: round(one.value, 3) for one in summary.figures}


async def run(folder: Path, suite: Suite, script: Script, texts: list[str], **more: Any) -> Summary:
    path = folder / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    order = Order(suite=suite, folder=folder / "records", data=path, **more)
    data, items = choose(order)
    model = Model(ScriptedModel(script), "scripted", {}, Settings())
    return summarize(await measure(order, data, items, model, DESKS, lambda *_: None), None)


def replies(*answers: str) -> Script:
    """The first answer, then what is written when asked again."""

    def answer(call: ModelCall) -> Any:
        again = call.messages[-1].content.startswith("Your answer cannot be used")
        return {"reply": answers[1 if again else 0], "language": "en"}

    return {"customer_query": answer}


def test_every_suite_has_a_name_and_says_what_is_better() -> None:
    names = [suite.name for suite in SUITES]

    assert len(names) == len(set(names))
    assert all(suite.summary and (suite.higher or suite.lower) for suite in SUITES)


async def test_a_good_reply_is_counted_as_sent(tmp_path: Path) -> None:
    summary = await run(tmp_path, ReplySuite(), replies(GOOD), ["Where is my card?"])

    assert summary.passed == 1.0
    assert figures(summary) == {
        "first_broken": 0,
        "held_back": 0,
        "sent_broken": 0,
        "first_looped": 0,
        "first_asked": 0,
        "first_language": 0,
        "failed": 0,
        "characters": len(GOOD),
    }


async def test_a_bad_reply_is_counted_before_and_after_the_guard(tmp_path: Path) -> None:
    mended = await run(tmp_path, ReplySuite(), replies(BAD, GOOD), ["Where is my card?"])
    held = await run(tmp_path, ReplySuite(), replies(BAD, BAD), ["Where is my card?"], fresh=True)

    assert figures(mended)["first_broken"] == 1
    assert figures(mended)["held_back"] == figures(mended)["sent_broken"] == 0
    assert mended.tables[0].rows == (("commitment", "1", "0", "0"), ("phone number", "1", "0", "0"))
    assert figures(held)["held_back"] == 1
    assert figures(held)["sent_broken"] == 0
    assert held.passed == 0
    assert held.good


async def test_a_broken_reply_that_was_sent_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.customer_query.violations", lambda *_: ())

    summary = await run(tmp_path, ReplySuite(), replies(BAD), ["Where is my card?"])

    assert summary.broken == ("sent_broken",)
    assert not summary.good


async def test_each_desk_that_is_asked_for_gets_each_message(tmp_path: Path) -> None:
    both = await run(
        tmp_path, ReplySuite(), replies(GOOD), ["Hi.", "Ho."], desks=("hotel", "default")
    )

    assert both.items == 4


async def test_strange_strings_reach_every_agent(tmp_path: Path) -> None:
    strange = ["\u202etest\u202c", "%s%n\x00", "', DROP TABLE", "é" * 3000, "\ufeff", "   "]
    summary = await run(tmp_path, RobustnessSuite(), NEGATIVE, strange)

    assert set(summary.prompts) == {"customer_query", "sentiment", "escalation"}
    assert summary.broken == ()
    assert figures(summary)["refused"] > 0


async def test_an_exception_of_ours_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("agents.sentiment.policy.judge", explode)

    summary = await run(tmp_path, RobustnessSuite(), NEGATIVE, ["hi"])

    assert summary.broken == ("exceptions",)


async def test_a_customers_words_in_a_system_message_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def formatted(agent: Any, case: Any, desk: Any) -> tuple[ChatMessage, ...]:
        told = f"{agent.instructions}\n{case.customer_query}"
        return (ChatMessage(role="system", content=told),)

    monkeypatch.setattr("agents.base.Agent.conversation", formatted)

    summary = await run(tmp_path, RobustnessSuite(), NEGATIVE, ["hi"])

    assert summary.broken == ("leaks",)


async def test_a_stage_that_fails_by_name_is_counted_and_allowed(tmp_path: Path) -> None:
    script = {**NEGATIVE, "sentiment": PermanentError("content_filter_input", "jailbreak")}

    summary = await run(tmp_path, RobustnessSuite(), script, ["hi"])

    assert figures(summary)["failed"] == 1
    assert summary.broken == ()
