"""Each fault of the script, as the real client meets it."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import openai
import pytest

from devkit.emulator import Emulator

MODEL = "gpt-5.4-mini"
SCHEMA = {
    "type": "object",
    "properties": {"reply": {"type": "string"}},
    "required": ["reply"],
    "additionalProperties": False,
}
FORMAT: Any = {
    "type": "json_schema",
    "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA},
}


async def ask(client: openai.AsyncOpenAI, **more: Any) -> Any:
    return await client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": '{"customer_message": "The lift is stuck."}'}],
        response_format=FORMAT,
        **more,
    )


def script(**then: Any) -> dict[str, Any]:
    return {"rules": [{"then": then}]}


@pytest.mark.parametrize(
    ("then", "error", "status", "code"),
    [
        ({"fault": "rate_limited"}, openai.RateLimitError, 429, "429"),
        ({"fault": "quota_exhausted"}, openai.RateLimitError, 429, "insufficient_quota"),
        ({"fault": "server_error"}, openai.InternalServerError, 500, None),
        ({"fault": "server_error", "status": 503}, openai.InternalServerError, 503, None),
        ({"fault": "wrong_key"}, openai.AuthenticationError, 401, "401"),
        ({"fault": "unknown_deployment"}, openai.NotFoundError, 404, "DeploymentNotFound"),
        ({"fault": "context_length"}, openai.BadRequestError, 400, "context_length_exceeded"),
        ({"fault": "content_filter_input"}, openai.BadRequestError, 400, "content_filter"),
        ({"fault": "no_structured_output"}, openai.BadRequestError, 400, None),
        ({"respond": {"status": 403}}, openai.PermissionDeniedError, 403, None),
        ({"respond": {"status": 409}}, openai.ConflictError, 409, None),
    ],
)
async def test_an_error_of_the_api(
    emulator: Emulator,
    client: openai.AsyncOpenAI,
    then: dict[str, Any],
    error: type[openai.APIStatusError],
    status: int,
    code: str | None,
) -> None:
    emulator.use(script(**then))

    with pytest.raises(error) as caught:
        await ask(client)

    assert caught.value.status_code == status
    assert caught.value.code == code
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("form", "header", "value"),
    [
        ("seconds", "retry-after", "7"),
        ("ms", "retry-after-ms", "7000"),
        ("none", "retry-after", None),
    ],
)
async def test_a_rate_limit_says_when_to_come_back(
    emulator: Emulator, client: openai.AsyncOpenAI, form: str, header: str, value: str | None
) -> None:
    emulator.use(script(fault="rate_limited", retry_after_s=7, retry_form=form))

    with pytest.raises(openai.RateLimitError) as caught:
        await ask(client)

    assert caught.value.response.headers.get(header) == value


async def test_a_rate_limit_may_name_a_date(emulator: Emulator, client: openai.AsyncOpenAI) -> None:
    emulator.use(script(fault="rate_limited", retry_after_s=90, retry_form="http_date"))

    with pytest.raises(openai.RateLimitError) as caught:
        await ask(client)

    headers = caught.value.response.headers
    wait = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
    assert 88 <= wait.total_seconds() <= 92


async def test_the_client_waits_as_told_and_then_succeeds(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    then = {"fault": "rate_limited", "retry_after_s": 0.2, "retry_form": "ms"}
    emulator.use({"rules": [{"when": {"calls": [1, 2]}, "then": then}]})

    answer = await ask(client.with_options(max_retries=2))

    assert answer.choices[0].finish_reason == "stop"
    assert [request.status for request in emulator.requests] == [429, 429, 200]


async def test_a_filtered_prompt_names_category_and_severity(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use(script(fault="content_filter_input", category="hate", severity="high"))

    with pytest.raises(openai.BadRequestError) as caught:
        await ask(client)

    body: Any = caught.value.body
    assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    found = body["innererror"]["content_filter_result"]
    assert found["hate"] == {"filtered": True, "severity": "high"}
    assert found["violence"] == {"filtered": False, "severity": "safe"}
    assert found["jailbreak"] == {"filtered": False, "detected": False}


async def test_a_jailbreak_is_detected_without_severity(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use(script(fault="content_filter_input", category="jailbreak"))

    with pytest.raises(openai.BadRequestError) as caught:
        await ask(client)

    body: Any = caught.value.body
    found = body["innererror"]["content_filter_result"]
    assert found["jailbreak"] == {"filtered": True, "detected": True}


async def test_a_filtered_answer_has_no_text(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use(script(fault="content_filter_output", category="sexual", severity="low"))

    answer = await ask(client)

    choice = answer.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("content_filter", None)
    assert choice.content_filter_results["sexual"] == {"filtered": True, "severity": "low"}


async def test_a_refusal(emulator: Emulator, client: openai.AsyncOpenAI) -> None:
    emulator.use(script(fault="refusal", text="No."))

    answer = await ask(client)

    assert (answer.choices[0].message.refusal, answer.choices[0].message.content) == ("No.", None)


async def test_a_truncated_answer(emulator: Emulator, client: openai.AsyncOpenAI) -> None:
    emulator.use(script(fault="truncated", answer={"reply": "a long reply " * 20}))

    answer = await ask(client)

    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content.startswith('{"reply": "a long')
    assert not answer.choices[0].message.content.endswith("}")


@pytest.mark.parametrize(
    ("fault", "begins", "ends"),
    [
        ("malformed_json", '{"reply"', ", oops"),
        ("fenced_json", '```json\n{"reply"', "}\n```"),
        ("prose_json", "Sure, here it is:", "anything else."),
        ("empty_answer", "", ""),
    ],
)
async def test_text_that_is_not_just_json(
    emulator: Emulator, client: openai.AsyncOpenAI, fault: str, begins: str, ends: str
) -> None:
    emulator.use(script(fault=fault))

    answer = await ask(client)

    text = answer.choices[0].message.content
    assert text.startswith(begins)
    assert text.endswith(ends)
    assert answer.choices[0].finish_reason == "stop"


async def test_no_choices(emulator: Emulator, client: openai.AsyncOpenAI) -> None:
    emulator.use(script(fault="empty_choices"))

    assert (await ask(client)).choices == []


@pytest.mark.parametrize("fault", ["drop", "half_body"])
async def test_a_connection_that_ends(
    emulator: Emulator, client: openai.AsyncOpenAI, fault: str
) -> None:
    emulator.use(script(fault=fault))

    with pytest.raises(openai.APIConnectionError) as caught:
        await ask(client)

    assert not isinstance(caught.value, openai.APITimeoutError)


async def test_a_body_that_ends_early_and_claims_to_be_whole(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use(script(fault="broken_off"))

    raw = await client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": "hi"}]
    )

    assert raw.http_response.text.startswith('{"id"')
    assert not raw.http_response.text.endswith("}")


async def test_a_client_that_gives_up_ends_a_hang(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use(script(fault="hang"))

    with pytest.raises(openai.APITimeoutError):
        await ask(client.with_options(timeout=0.2))

    emulator.use()
    assert (await ask(client)).choices


async def test_a_trickle_outlives_a_timeout_that_counts_from_the_last_byte(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use(script(fault="trickle", seconds=1))

    started = time.monotonic()
    with pytest.raises(openai.APIConnectionError) as caught:
        await ask(client.with_options(timeout=0.5))

    assert not isinstance(caught.value, openai.APITimeoutError)
    assert time.monotonic() - started > 0.5


async def test_a_hang_without_a_client_timeout_is_bounded(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use(script(fault="hang", seconds=0.2))

    with pytest.raises(openai.APIConnectionError):
        await ask(client)

    assert emulator.requests[0].status == 0


async def test_the_page_of_a_proxy(emulator: Emulator, client: openai.AsyncOpenAI) -> None:
    page = {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>Log in</html>"}
    emulator.use(script(respond=page))

    raw = await client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": "hi"}]
    )

    assert raw.http_response.text == "<html>Log in</html>"
    assert raw.headers["content-type"] == "text/html"


async def test_latency(emulator: Emulator, client: openai.AsyncOpenAI) -> None:
    emulator.use(script(latency_ms=200))

    started = time.monotonic()
    await ask(client)

    assert time.monotonic() - started >= 0.2


async def test_latencies_of_many_calls_pass_at_the_same_time(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use({"latency_ms": [400, 500]})

    started = time.monotonic()
    await asyncio.gather(*(ask(client) for _ in range(20)))

    assert 0.4 <= time.monotonic() - started < 4
