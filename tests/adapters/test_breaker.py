"""The breaker of a deployment, by itself and through the real client against the emulator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from devkit.emulator import Emulator
from shared.adapters.azure_openai import OpenAIModel
from shared.adapters.breaker import Breaker
from shared.errors import PermanentError, RetryableError
from shared.ports import RESTING
from shared.settings import read_settings
from tests.support.model_endpoint import CALL

DOWN = {"then": {"fault": "server_error", "status": 503}}


class Time:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@asynccontextmanager
async def model_at(emulator: Emulator, time: Time, **more: str) -> AsyncIterator[OpenAIModel]:
    at = {"OPENAI_BASE_URL": f"{emulator.url}/v1", "OPENAI_MODEL": "m", "OPENAI_API_KEY": "k"}
    async with aclosing(OpenAIModel(read_settings(at | more), time)) as model:
        yield model


async def outcome(model: OpenAIModel, stage: str = "sentiment") -> str:
    try:
        await model.complete(replace(CALL, stage=stage))
    except (RetryableError, PermanentError) as error:
        return error.code
    return "answered"


async def test_an_outage_costs_a_few_calls_then_one_at_a_time(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    time = Time()
    emulator.use({"rules": [DOWN]})
    before = len(emulator.requests)
    async with model_at(emulator, time) as model:
        outcomes = [await outcome(model) for _ in range(20)]
        assert outcomes == ["provider_error"] * 5 + [RESTING] * 15
        assert len(emulator.requests) - before == 5
        assert model.pause("sentiment") == 30

        # The rest is over: of ten who ask at once exactly one calls, and it fails.
        time.seconds += 30
        assert model.pause("sentiment") == 0
        outcomes = await asyncio.gather(*(outcome(model) for _ in range(10)))
        assert sorted(outcomes) == [RESTING] * 9 + ["provider_error"]
        assert len(emulator.requests) - before == 6
        assert model.pause("sentiment") == 60

        # It answers again: one call finds out, and all go on.
        emulator.use()
        time.seconds += 59
        assert await outcome(model) == RESTING
        time.seconds += 1
        assert await outcome(model) == "answered"
        assert await asyncio.gather(*(outcome(model) for _ in range(5))) == ["answered"] * 5
        assert len(emulator.requests) - before == 12

    told = [(r.levelno, vars(r)["deployment"]) for r in caplog.records if "model" in r.message]
    assert told == [(logging.ERROR, "m"), (logging.WARNING, "m")]


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ({"fault": "hang"}, "timeout"),
        ({"fault": "drop"}, "connection_lost"),
        ({"fault": "half_body"}, "connection_lost"),
        ({"fault": "rate_limited", "retry_form": "none"}, "rate_limited"),
        ({"fault": "wrong_key"}, "wrong_key"),
        ({"fault": "unknown_deployment"}, "unknown_deployment"),
        ({"fault": "quota_exhausted"}, "quota_exhausted"),
    ],
)
async def test_whatever_says_that_nobody_answers_opens_it(
    emulator: Emulator, then: dict[str, Any], code: str
) -> None:
    emulator.use({"rules": [{"then": then}]})
    seconds = {"FRONTDESK_BREAKER_FAILURES": "2", "FRONTDESK_MODEL_TIMEOUT_SECONDS": "0.3"}
    async with model_at(emulator, Time(), **seconds) as model:
        assert [await outcome(model) for _ in range(3)] == [code, code, RESTING]


@pytest.mark.parametrize(
    "then",
    [
        {"fault": "refusal"},
        {"fault": "truncated"},
        {"fault": "content_filter_input"},
        {"fault": "content_filter_output"},
        {"fault": "context_length"},
        {"fault": "malformed_json"},
        {"fault": "empty_answer"},
        {"respond": {"status": 400, "body": {"error": {"code": "bad"}}}},
    ],
)
async def test_an_answer_of_no_use_never_opens_it(emulator: Emulator, then: dict[str, Any]) -> None:
    emulator.use({"rules": [{"then": then}]})
    async with model_at(emulator, Time()) as model:
        assert RESTING not in [await outcome(model) for _ in range(12)]


async def test_one_answer_among_failures_keeps_it_closed(emulator: Emulator) -> None:
    emulator.use({"rules": [{"when": {"calls": 5}, "then": {"fault": "refusal"}}, DOWN]})
    async with model_at(emulator, Time()) as model:
        outcomes = [await outcome(model) for _ in range(9)]
    assert outcomes == ["provider_error"] * 4 + ["refusal"] + ["provider_error"] * 4


async def test_other_deployments_are_not_punished(emulator: Emulator) -> None:
    emulator.use({"rules": [{"when": {"deployment": "large"}, **DOWN}]})
    large = {"FRONTDESK_DEPLOYMENT_ESCALATION": "large"}
    async with model_at(emulator, Time(), **large) as model:
        assert [await outcome(model, "escalation") for _ in range(6)][-1] == RESTING
        assert await outcome(model) == "answered"
        assert (model.pause("escalation"), model.pause("sentiment")) == (30, 0)


async def test_it_rests_as_long_as_the_endpoint_says(emulator: Emulator) -> None:
    time = Time()
    emulator.use({"rules": [{"then": {"fault": "rate_limited", "retry_after_s": 7}}]})
    async with model_at(emulator, time) as model:
        for _ in range(5):
            await outcome(model)
        assert model.pause("sentiment") == 7


async def test_it_can_be_turned_off(emulator: Emulator) -> None:
    emulator.use({"rules": [DOWN]})
    async with model_at(emulator, Time(), FRONTDESK_BREAKER_FAILURES="0") as model:
        assert [await outcome(model) for _ in range(12)] == ["provider_error"] * 12


async def test_while_one_tries_the_others_are_told_to_wait(emulator: Emulator) -> None:
    time = Time()
    emulator.use({"rules": [{"when": {"calls": "1-5"}, **DOWN}], "latency_ms": 200})
    async with model_at(emulator, time) as model:
        for _ in range(5):
            await outcome(model)
        time.seconds += 30
        trying = asyncio.create_task(outcome(model))
        await asyncio.sleep(0.05)
        assert model.pause("sentiment") == 10
        assert await trying == "answered"
        assert model.pause("sentiment") == 0


async def test_a_call_that_is_given_up_lets_another_try() -> None:
    time = Time()
    breaker = Breaker("m", 1, 30, time)
    _fail(breaker)
    time.seconds += 30
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert breaker.pause() == 0


def test_the_longest_rest_is_five_minutes() -> None:
    time = Time()
    breaker = Breaker("m", 1, 30, time)
    rests = []
    for _ in range(2000):
        _fail(breaker)
        rests.append(breaker.pause())
        time.seconds += rests[-1]
    assert rests[:6] == [30, 60, 120, 240, 300, 300]
    assert rests[-1] == 300


def test_a_late_failure_of_an_earlier_call_changes_nothing() -> None:
    time = Time()
    breaker = Breaker("m", 1, 30, time)
    earlier = breaker.call()
    earlier.__enter__()
    _fail(breaker)
    time.seconds += 10
    late = RetryableError("timeout")
    assert not earlier.__exit__(RetryableError, late, None)
    assert breaker.pause() == 20


def test_an_answer_to_an_earlier_call_ends_the_rest() -> None:
    breaker = Breaker("m", 1, 30, Time())
    with breaker.call():
        _fail(breaker)
        assert breaker.pause() == 30
    assert breaker.pause() == 0


def _fail(breaker: Breaker) -> None:
    with pytest.raises(RetryableError), breaker.call():
        raise RetryableError("provider_error")
