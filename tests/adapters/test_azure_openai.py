from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from shared.domain.stage import ChatMessage, Usage
from shared.errors import RetryableError
from tests.support.model_endpoint import ANSWER, CALL, COMPLETION, SCHEMA, model_at


def bodies(server: HTTPServer) -> list[dict[str, Any]]:
    return [json.loads(request.get_data()) for request, _ in server.log]


async def test_v1_of_azure_gets_the_deployment_as_the_model_and_no_api_version(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/openai/v1/chat/completions", method="POST").respond_with_json(
        COMPLETION, headers={"apim-request-id": "azure-7"}
    )
    pasted = httpserver.url_for("/openai/v1")

    async with model_at(
        httpserver, AZURE_OPENAI_ENDPOINT=pasted, AZURE_OPENAI_API_KEY="key", FRONTDESK_EFFORT="low"
    ) as model:
        answer = await model.complete(CALL)

    request = httpserver.log[0][0]
    assert request.headers["Authorization"] == "Bearer key"
    assert request.query_string == b""
    assert bodies(httpserver) == [
        {
            "model": "gpt-5.4-mini",
            "messages": [message.model_dump() for message in CALL.messages],
            "max_completion_tokens": 4000,
            "reasoning_effort": "low",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "sentiment_output", "strict": True, "schema": SCHEMA},
            },
        }
    ]
    assert answer.text == ANSWER
    assert answer.request_id == "azure-7"
    assert answer.model == "gpt-5.4-mini-2026-03-17"
    assert answer.latency_ms < 10_000
    assert not answer.demo


async def test_a_dated_version_of_azure_gets_the_deployment_in_the_path(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request(
        "/openai/deployments/large/chat/completions", query_string="api-version=2024-10-21"
    ).respond_with_json(COMPLETION)

    async with model_at(
        httpserver,
        AZURE_OPENAI_ENDPOINT=httpserver.url_for("/"),
        AZURE_OPENAI_API_KEY="key",
        AZURE_OPENAI_API_VERSION="2024-10-21",
        FRONTDESK_DEPLOYMENT_SENTIMENT="large",
    ) as model:
        answer = await model.complete(CALL)

    assert httpserver.log[0][0].headers["api-key"] == "key"
    assert answer.request_id == "chatcmpl-1"


async def test_a_stage_has_its_own_deployment_effort_and_limit(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(COMPLETION)

    async with model_at(
        httpserver,
        FRONTDESK_DEPLOYMENT_SENTIMENT="small",
        FRONTDESK_EFFORT_SENTIMENT="minimal",
        FRONTDESK_MAX_OUTPUT_TOKENS_SENTIMENT="200",
        FRONTDESK_TEMPERATURE="0",
        FRONTDESK_SEED="7",
        FRONTDESK_MODEL_QUALITY="demo",
    ) as model:
        answer = await model.complete(CALL)

    sent = bodies(httpserver)[0]
    assert (sent["model"], sent["reasoning_effort"]) == ("small", "minimal")
    assert (sent["max_completion_tokens"], sent["temperature"], sent["seed"]) == (200, 0, 7)
    assert "max_tokens" not in sent
    assert answer.demo


@pytest.mark.parametrize(
    ("prices", "cost"),
    [
        ('{"m": {"input": 1, "cached_input": 0.1, "output": 10}}', 778.4e-6),
        ('{"gpt-5.4-mini": {"input": 1, "output": 10}}', 1700e-6),
        ('{"gpt-5.4-mini-2026-03-17": {"input": 0, "output": 10}}', 500e-6),
        ('{"another": {"input": 1, "output": 10}}', None),
    ],
)
async def test_usage_is_counted_and_priced_by_deployment_or_model(
    httpserver: HTTPServer, prices: str, cost: float | None
) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(COMPLETION)

    async with model_at(httpserver, FRONTDESK_PRICES=prices) as model:
        answer = await model.complete(CALL)

    assert answer.usage.cost == pytest.approx(cost)
    assert answer.usage.model_copy(update={"cost": None}) == Usage(
        calls=1,
        prompt_tokens=1200,
        cached_tokens=1024,
        completion_tokens=50,
        reasoning_tokens=30,
    )


@pytest.mark.parametrize(
    "text", ["My steak is raw.", "肉がまだ生です。" * 50, "\U0001f969\u200d" * 99]
)
async def test_no_call_uses_more_than_what_is_reserved_for_it(
    httpserver: HTTPServer, text: str
) -> None:
    prices = '{"m": {"input": 2, "output": 10, "cached_input": 1}}'
    said = ChatMessage(role="user", content=text)
    call = replace(CALL, messages=(*CALL.messages, said))

    async with model_at(httpserver, FRONTDESK_PRICES=prices) as model:
        most = model.most(call)

    whole = sum(len(m.content.encode()) for m in call.messages) + len(json.dumps(SCHEMA))
    assert most.prompt_tokens >= whole
    assert most.completion_tokens == 4000
    assert most.cost == pytest.approx((most.prompt_tokens * 2 + 4000 * 10) / 1e6)


async def test_without_a_price_for_the_deployment_nobody_knows_the_most_that_a_call_costs(
    httpserver: HTTPServer,
) -> None:
    async with model_at(httpserver, FRONTDESK_PRICES='{"n":{"input":1,"output":1}}') as model:
        assert model.most(CALL).cost is None


async def test_a_bare_answer_without_usage_or_ids_is_enough(httpserver: HTTPServer) -> None:
    bare = {"choices": [{"message": {"content": ANSWER}}]}
    httpserver.expect_request("/v1/chat/completions").respond_with_json(bare)

    async with model_at(httpserver, FRONTDESK_PRICES='{"m":{"input":1,"output":1}}') as model:
        answer = await model.complete(CALL)

    assert (answer.text, answer.model, answer.request_id) == (ANSWER, "m", "")
    assert answer.usage == Usage(calls=1)


async def test_entra_id_gives_the_token_where_no_key_is_set(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity endpoint of App Service is emulated; azure-identity is the real one."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IDENTITY_ENDPOINT", httpserver.url_for("/msi/token"))
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    httpserver.expect_request("/msi/token").respond_with_json(
        {
            "access_token": "entra",
            "expires_on": "4102444800",
            "resource": "https://ai.azure.com",
            "token_type": "Bearer",
        }
    )
    httpserver.expect_request(
        "/openai/v1/chat/completions", headers={"Authorization": "Bearer entra"}
    ).respond_with_json(COMPLETION)

    async with model_at(httpserver, AZURE_OPENAI_ENDPOINT=httpserver.url_for("/")) as model:
        await model.complete(CALL)
        await model.complete(CALL)

    asked = [request for request, _ in httpserver.log if request.path == "/msi/token"]
    assert [request.args["resource"] for request in asked] == ["https://ai.azure.com"]


async def test_a_dated_version_asks_entra_id_for_the_older_scope(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_ENDPOINT", httpserver.url_for("/msi/token"))
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    httpserver.expect_request("/msi/token").respond_with_json({"message": "no identity"}, 400)

    async with model_at(
        httpserver,
        AZURE_OPENAI_ENDPOINT=httpserver.url_for("/"),
        AZURE_OPENAI_API_VERSION="2024-10-21",
    ) as model:
        with pytest.raises(RetryableError, match="wrong_key: Entra ID") as caught:
            await model.complete(CALL)

    assert caught.value.retry_after == 60
    assert httpserver.log[0][0].args["resource"] == "https://cognitiveservices.azure.com"
    assert any("until someone puts it right" in record.message for record in caplog.records)


async def test_connections_are_reused_and_opened_again_after_a_close(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(COMPLETION)

    async with model_at(httpserver) as model:
        await model.complete(CALL)
        first = model._client
        await model.complete(CALL)
        assert model._client is first
        await model.aclose()
        await model.complete(CALL)

    assert len(httpserver.log) == 3
