"""Paths, api-versions, keys, what is refused, and what comes with an answer."""

import json
from typing import Any

import openai
import pytest

from devkit.emulator import Emulator

HI: list[Any] = [{"role": "user", "content": "hi"}]
MODEL = "gpt-5.4-mini"


def azure(emulator: Emulator, version: str = "2024-10-21", key: str = "k") -> Any:
    return openai.AsyncAzureOpenAI(
        azure_endpoint=emulator.url, api_version=version, api_key=key, max_retries=0
    )


def plain(emulator: Emulator, path: str, key: str = "k", **more: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=emulator.url + path, api_key=key, max_retries=0, **more)


async def test_all_three_paths_answer(emulator: Emulator) -> None:
    for client in (
        azure(emulator),
        plain(emulator, "/openai/v1/"),
        plain(emulator, "/v1"),
    ):
        answer = await client.chat.completions.create(model=MODEL, messages=HI)
        assert answer.model == MODEL

    assert [request.path for request in emulator.requests] == [
        f"/openai/deployments/{MODEL}/chat/completions",
        "/openai/v1/chat/completions",
        "/v1/chat/completions",
    ]
    assert emulator.requests[0].query == {"api-version": "2024-10-21"}
    assert emulator.requests[1].body["messages"] == HI


async def test_keys_are_never_kept(emulator: Emulator) -> None:
    await azure(emulator, key="secret-1").chat.completions.create(model=MODEL, messages=HI)
    await plain(emulator, "/v1", key="secret-2").chat.completions.create(model=MODEL, messages=HI)

    assert emulator.requests[0].headers["api-key"] == "[key]"
    assert emulator.requests[1].headers["authorization"] == "[key]"
    assert "secret" not in repr(emulator.requests)


@pytest.mark.parametrize("version", ["", "soon", "2024-99-99"])
async def test_a_dated_path_without_a_good_api_version_is_not_found(
    emulator: Emulator, version: str
) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await azure(emulator, version=version).chat.completions.create(model=MODEL, messages=HI)

    assert caught.value.body == {"code": "404", "message": "Resource not found"}


async def test_the_v1_path_refuses_a_dated_api_version(emulator: Emulator) -> None:
    client = plain(emulator, "/openai/v1/", default_query={"api-version": "2024-10-21"})

    with pytest.raises(openai.BadRequestError, match="API version not supported"):
        await client.chat.completions.create(model=MODEL, messages=HI)


async def test_an_unknown_path_is_not_found(emulator: Emulator) -> None:
    with pytest.raises(openai.NotFoundError):
        await plain(emulator, "/v2").chat.completions.create(model=MODEL, messages=HI)


async def test_a_wrong_key_gets_the_body_of_its_path(emulator: Emulator) -> None:
    emulator.use({"keys": ["right"]})

    codes = []
    for client in (azure(emulator), plain(emulator, "/openai/v1/"), plain(emulator, "/v1")):
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.chat.completions.create(model=MODEL, messages=HI)
        codes.append(caught.value.code)

    assert codes == ["401", "401", "invalid_api_key"]
    right = plain(emulator, "/openai/v1/", key="right")
    await right.chat.completions.create(model=MODEL, messages=HI)


async def test_only_listed_deployments_exist(emulator: Emulator) -> None:
    emulator.use({"deployments": {"fast": "gpt-5.4-mini"}})

    codes = []
    for client in (azure(emulator), plain(emulator, "/openai/v1/"), plain(emulator, "/v1")):
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(model="slow", messages=HI)
        codes.append(caught.value.code)

    assert codes == ["DeploymentNotFound", "DeploymentNotFound", "model_not_found"]
    answer = await azure(emulator).chat.completions.create(model="fast", messages=HI)
    assert answer.model == "gpt-5.4-mini"


async def test_models_are_listed(emulator: Emulator) -> None:
    emulator.use({"deployments": ["one", "two"]})

    for client in (azure(emulator), plain(emulator, "/openai/v1/"), plain(emulator, "/v1")):
        assert [model.id async for model in client.models.list()] == ["one", "two"]


@pytest.mark.parametrize(
    ("model", "more", "param", "code"),
    [
        (MODEL, {"max_tokens": 10}, "max_tokens", "unsupported_parameter"),
        (MODEL, {"top_p": 0.5}, "top_p", "unsupported_parameter"),
        ("o4-mini", {"presence_penalty": 1}, "presence_penalty", "unsupported_parameter"),
        (MODEL, {"temperature": 0}, "temperature", "unsupported_value"),
        (MODEL, {"reasoning_effort": "huge"}, "reasoning_effort", "unsupported_value"),
        ("gpt-4.1-mini", {"reasoning_effort": "low"}, None, None),
        (MODEL, {"max_completion_tokens": 0}, "max_completion_tokens", "invalid_value"),
        (MODEL, {"messages": []}, "messages", "missing_parameter"),
        (MODEL, {"response_format": {"type": "json_object"}}, "messages", None),
        (
            MODEL,
            {"response_format": {"type": "xml"}},
            "response_format.type",
            "invalid_value",
        ),
    ],
)
async def test_requests_that_the_real_api_refuses(
    client: openai.AsyncOpenAI, model: str, more: dict[str, Any], param: str, code: str
) -> None:
    request: dict[str, Any] = {"model": model, "messages": HI, **more}

    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(**request)

    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.type == "invalid_request_error"


async def test_other_models_take_temperature_and_max_tokens(client: openai.AsyncOpenAI) -> None:
    await client.chat.completions.create(
        model="gpt-4.1-mini", messages=HI, temperature=0, top_p=0.5, max_tokens=100
    )
    await client.chat.completions.create(model=MODEL, messages=HI, temperature=1)


def strict(**parts: Any) -> dict[str, Any]:
    named = {"type": "object", "required": list(parts), "additionalProperties": False}
    return {**named, "properties": parts}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (strict(a={"type": "string", "minLength": 1}), "'minLength' is not permitted"),
        (strict(a={"type": "string", "pattern": "x"}), "'pattern' is not permitted"),
        (strict(a={"type": "string", "format": "email"}), "'format' is not permitted"),
        (strict(a={"type": "string", "default": ""}), "'default' is not permitted"),
        (
            strict(a={"type": "array", "minItems": 1, "items": {"type": "string"}}),
            "'minItems' is not permitted",
        ),
        (strict(a={"type": "array", "items": {"maximum": 3, "type": "integer"}}), "'maximum'"),
        (strict(a={"anyOf": [{"type": "string", "maxLength": 3}]}), "'maxLength'"),
        (strict(a={"$ref": "#/$defs/A", "description": "x"}), "$ref cannot have keywords"),
        (strict() | {"$defs": {"A": {"type": "object"}}}, "'additionalProperties' is required"),
        (strict(a={"type": "string"}) | {"required": []}, "Missing 'a'"),
        (strict(a={}), "must have a 'type' key"),
        ({"type": "array", "items": {"type": "string"}}, 'type: "object"'),
    ],
)
async def test_schemas_that_strict_mode_refuses(
    client: openai.AsyncOpenAI, schema: dict[str, Any], said: str
) -> None:
    named: Any = {"name": "answer", "strict": True, "schema": schema}

    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(
            model=MODEL,
            messages=HI,
            response_format={"type": "json_schema", "json_schema": named},
        )

    assert caught.value.message.startswith("Error code: 400")
    assert "Invalid schema for response_format 'answer'" in caught.value.message
    assert said in json.loads(caught.value.response.text)["error"]["message"]
    assert caught.value.param == "response_format"


async def test_the_schemas_name_is_checked(client: openai.AsyncOpenAI) -> None:
    named: Any = {"name": "two words", "strict": True, "schema": strict()}

    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(
            model=MODEL, messages=HI, response_format={"type": "json_schema", "json_schema": named}
        )

    assert caught.value.param == "response_format.json_schema.name"


async def test_an_endpoint_without_structured_output(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use({"structured_output": False})
    named: Any = {"name": "answer", "strict": True, "schema": strict()}

    with pytest.raises(openai.BadRequestError, match="'json_schema' is not supported"):
        await client.chat.completions.create(
            model=MODEL, messages=HI, response_format={"type": "json_schema", "json_schema": named}
        )


async def test_usage_counts_bytes_messages_and_thought(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use({"rules": [{"then": {"content": "x" * 40, "reasoning_tokens": 64}}]})

    answer = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "y" * 400}]
    )

    assert answer.usage
    assert answer.usage.prompt_tokens == 100 + 4
    assert answer.usage.completion_tokens == 10 + 64
    assert answer.usage.completion_tokens_details
    assert answer.usage.completion_tokens_details.reasoning_tokens == 64


@pytest.mark.parametrize(("characters", "cached"), [(4095 - 4, 0), (4096, 1024), (5000, 1152)])
async def test_a_long_system_message_is_cached_from_the_second_call_on(
    client: openai.AsyncOpenAI, characters: int, cached: int
) -> None:
    found = []
    for message in ("first", "second"):
        answer = await client.chat.completions.create(
            model=MODEL,
            messages=[
                {"role": "system", "content": "s" * characters},
                {"role": "user", "content": message},
            ],
        )
        assert answer.usage
        assert answer.usage.prompt_tokens_details
        found.append(answer.usage.prompt_tokens_details.cached_tokens)

    assert found == [0, cached]


@pytest.mark.parametrize(("limit", "thought"), [(5, 0), (100, 96), (100, 100)])
async def test_an_answer_beyond_the_output_limit_is_truncated(
    emulator: Emulator, client: openai.AsyncOpenAI, limit: int, thought: int
) -> None:
    then = {"content": "word " * 100, "reasoning_tokens": thought}
    emulator.use({"rules": [{"then": then}]})

    answer = await client.chat.completions.create(
        model=MODEL, messages=HI, max_completion_tokens=limit
    )

    assert answer.choices[0].finish_reason == "length"
    assert len(answer.choices[0].message.content or "") == 4 * (limit - thought)
    assert answer.usage
    assert answer.usage.completion_tokens == limit


async def test_a_prompt_beyond_the_context_is_refused(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use({"context_tokens": 100})

    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "y" * 400}]
        )

    assert caught.value.code == "context_length_exceeded"


async def test_an_answer_names_model_request_and_filters(
    emulator: Emulator, client: openai.AsyncOpenAI
) -> None:
    emulator.use({"rules": [{"then": {"model": "gpt-5.4-mini-2026-03-17"}}]})

    raw = await client.chat.completions.with_raw_response.create(model=MODEL, messages=HI)

    body = json.loads(raw.http_response.text)
    assert body["model"] == "gpt-5.4-mini-2026-03-17"
    assert raw.headers["x-request-id"] == raw.headers["apim-request-id"]
    assert not body["choices"][0]["content_filter_results"]["hate"]["filtered"]
    assert not body["prompt_filter_results"][0]["content_filter_results"]["jailbreak"]["detected"]


async def test_streaming(client: openai.AsyncOpenAI) -> None:
    events = await client.chat.completions.create(
        model=MODEL, messages=HI, stream=True, stream_options={"include_usage": True}
    )

    text, usage = "", None
    async for event in events:
        usage = event.usage or usage
        text += "".join(choice.delta.content or "" for choice in event.choices)
    assert text == "Thank you for your message. I have passed it to our team."
    assert usage
    assert usage.completion_tokens > 0


async def test_a_body_that_is_no_json_is_refused(emulator: Emulator) -> None:
    client = plain(emulator, "/v1")

    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/chat/completions", content=b"{", cast_to=object)

    assert caught.value.param == "messages"
