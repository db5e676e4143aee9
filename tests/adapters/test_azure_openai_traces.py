from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from pytest_httpserver import HTTPServer
from werkzeug import Response

from shared.domain.stage import ChatMessage
from shared.errors import PermanentError, RetryableError
from shared.ports import ModelCall
from tests.support.model_endpoint import CALL, COMPLETION, SCHEMA, model_at


@contextmanager
def recorded_spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    spans: list[Any] = []

    class Recorded(trace.NonRecordingSpan):
        def __init__(self, name: str, attributes: dict[str, Any]) -> None:
            super().__init__(trace.INVALID_SPAN_CONTEXT)
            self.name, self.attributes = name, dict(attributes)
            self.status: object = None

        def set_attribute(self, key: str, value: Any) -> None:
            self.attributes[key] = value

        def set_attributes(self, attributes: Any) -> None:
            self.attributes.update(attributes)

        def set_status(self, status: object, description: str | None = None) -> None:
            self.status = (status, description)

    class Recorder(trace.NoOpTracer):
        @contextmanager
        def start_as_current_span(self, name: str, **given: Any) -> Iterator[Recorded]:  # type: ignore[override]
            spans.append(Recorded(name, given["attributes"]))
            yield spans[-1]

    monkeypatch.setattr(trace, "get_tracer", lambda _name: Recorder())
    yield spans


async def test_a_call_leaves_one_span_with_figures_and_without_content(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_oneshot_request("/v1/chat/completions").respond_with_json(COMPLETION)
    httpserver.expect_request("/v1/chat/completions").respond_with_json({}, 503)

    with recorded_spans(monkeypatch) as spans:
        async with model_at(httpserver) as model:
            await model.complete(CALL)
            with pytest.raises(RetryableError):
                await model.complete(CALL)

    good, failed = spans
    assert good.name == "chat m"
    assert good.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "gpt-5.4-mini-2026-03-17",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 50,
        "server.address": httpserver.host,
        "frontdesk.stage": "sentiment",
    }
    assert good.status is None
    assert failed.attributes["error.type"] == "provider_error"
    assert failed.status == (trace.StatusCode.ERROR, None)


async def test_neither_customer_text_nor_key_is_logged_or_raised(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    text, key = "canary-in-the-message", "sk-canary-in-the-key"
    echo = {"error": {"message": f"bad key {key} for {text}", "code": text * 9, "param": text * 9}}
    statuses = iter([401, 400, 500])
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(
        lambda _: Response(json.dumps(echo), next(statuses))
    )
    call = ModelCall(
        "sentiment",
        (CALL.messages[0], ChatMessage(role="user", content=text)),
        "o",
        SCHEMA,
        10,
    )

    said = []
    async with model_at(httpserver, OPENAI_API_KEY=key) as model:
        for _ in range(3):
            with pytest.raises((RetryableError, PermanentError)) as caught:
                await model.complete(call)
            said.append(
                f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__suppress_context__}"
            )

    logged = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "canary" not in " ".join(said) + logged
    assert all(words.endswith("None True") for words in said)


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    program = (
        "import sys\n"
        "from shared.adapters.azure_openai import OpenAIModel\n"
        "from shared.settings import read_settings\n"
        "OpenAIModel(read_settings({'AZURE_OPENAI_ENDPOINT': 'https://c.openai.azure.com'}))\n"
        "heavy = {'openai', 'httpx2', 'azure.identity', 'azure.core', 'opentelemetry'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert run.stdout.strip() == "[]"
