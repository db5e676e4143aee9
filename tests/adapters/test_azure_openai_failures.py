"""The rows of docs/provider-failures.md, one by one, through the real client."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.azure_openai import OpenAIModel
from shared.adapters.model_errors import OPERATOR_CODES, retry_after
from shared.domain.stage import ChatMessage, Usage
from shared.errors import PermanentError, RetryableError
from shared.ports import ModelCall
from shared.settings import read_settings

TABLE = Path(__file__).parents[2] / "docs" / "provider-failures.md"
CANARY = "canary-of-the-customer"
USAGE = {"prompt_tokens": 90, "completion_tokens": 7}
#: What surely costs nothing; anything else that fails may be billed.
FREE = {"rate_limited", "quota_exhausted", "wrong_key", "unknown_deployment"}
PAID = Usage(calls=1, prompt_tokens=90, completion_tokens=7)
FOUND = {
    "hate": {"filtered": False, "severity": "safe"},
    "violence": {"filtered": True, "severity": "high"},
    "jailbreak": {"filtered": True, "detected": True},
}
Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: object, **headers: str) -> bytes:
    """An HTTP answer; underscores of header names stand for hyphens."""
    sent = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(sent)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", sent]).encode()


def refused(status: int, code: str, **headers: str) -> bytes:
    said = {"code": code, "message": f"about {CANARY}", "param": None, "type": None}
    return http(status, {"error": said}, **headers)


def wrote(finish_reason: str, message: dict[str, Any], **choice: Any) -> bytes:
    first = {"finish_reason": finish_reason, "message": message, **choice}
    return http(200, {"id": "c1", "model": "m", "choices": [first], "usage": USAGE})


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.02)


async def drop(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def half_a_body(writer: asyncio.StreamWriter) -> None:
    whole = wrote("stop", {"content": "{}"})
    writer.write(whole[: len(whole) - 30])
    writer.close()


@dataclass(frozen=True)
class Row:
    """What the provider does, and the verdict that must come of it."""

    answer: bytes | Answering
    code: str
    pause: float | None = None
    detail: str = ""
    paid: bool = False
    environ: dict[str, str] = field(default_factory=dict)


BROKEN_OFF = (
    b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{"id": "c'
)
FILTERED = {
    "code": "content_filter",
    "message": f"The response was filtered. {CANARY}",
    "param": "prompt",
    "status": 400,
    "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FOUND},
}
TOO_LONG = {
    "code": 400,
    "message": f"the request exceeds the available context size {CANARY}",
    "type": "exceed_context_size_error",
}

ROWS: dict[str, Row] = {
    "rate-limit-seconds": Row(refused(429, "429", retry_after="7"), "rate_limited", 7),
    "rate-limit-date": Row(
        refused(429, "429", date=formatdate(1e9, usegmt=True), retry_after=formatdate(1e9 + 30)),
        "rate_limited",
        30,
    ),
    "rate-limit-ms": Row(
        refused(429, "429", retry_after="2", retry_after_ms="1250"), "rate_limited", 1.25
    ),
    "rate-limit-bare": Row(refused(429, "429"), "rate_limited", 0),
    "quota-exhausted": Row(refused(429, "insufficient_quota"), "quota_exhausted", 60),
    "server-error": Row(
        refused(500, "InternalServerError", x_request_id="r-1"),
        "provider_error",
        0,
        "HTTP 500, code InternalServerError, request r-1",
    ),
    "overloaded": Row(refused(503, "busy", retry_after="20"), "provider_error", 20),
    "conflict": Row(refused(409, "conflict"), "provider_error", 0),
    "no-answer": Row(hang, "timeout", 0, "after 0.3 s"),
    "trickle": Row(trickle, "timeout", 0, "after 0.3 s"),
    "dropped": Row(drop, "connection_lost", 0, "RemoteProtocolError"),
    "half-a-body": Row(half_a_body, "connection_lost", 0, "RemoteProtocolError"),
    "broken-off": Row(BROKEN_OFF, "connection_lost", 0, "JSON breaks off"),
    "other-content": Row(http(200, "<h1>Sign in</h1>"), "provider_error", 0, "HTTP 200, but not"),
    "truncated": Row(
        wrote("length", {"content": '{"sentiment": "Neg'}),
        "truncated",
        detail="stopped at 4000 tokens, 0 of them reasoning; FRONTDESK_MAX_OUTPUT_TOKENS_SENTIMENT",
        paid=True,
    ),
    "refusal": Row(wrote("stop", {"content": None, "refusal": CANARY}), "refusal", paid=True),
    "filter-input": Row(
        http(400, {"error": FILTERED}),
        "content_filter_input",
        detail="jailbreak=detected, violence=high; HTTP 400",
    ),
    "filter-output": Row(
        wrote("content_filter", {"content": CANARY}, content_filter_results=FOUND),
        "content_filter_output",
        detail="jailbreak=detected, violence=high",
        paid=True,
    ),
    "context-too-long": Row(http(400, {"error": TOO_LONG}), "context_too_long"),
    "wrong-key": Row(refused(401, "invalid_api_key"), "wrong_key", 60, "HTTP 401"),
    "no-role": Row(refused(403, "PermissionDenied"), "wrong_key", 60, "HTTP 403"),
    "unknown-deployment": Row(
        refused(404, "DeploymentNotFound"), "unknown_deployment", 60, "DeploymentNotFound"
    ),
    "redirect": Row(
        http(307, {}, location="http://127.0.0.1:9/v1"), "unknown_deployment", 60, "HTTP 307"
    ),
    "bad-request": Row(
        http(400, {"error": {"code": "unsupported_value", "param": "temperature"}}),
        "bad_request",
        detail="HTTP 400, code unsupported_value, param temperature",
    ),
    "empty-answer": Row(wrote("stop", {"content": "  \n"}), "empty_answer", paid=True),
}


@asynccontextmanager
async def provider(answer: bytes | Answering, heads: list[bytes]) -> AsyncIterator[str]:
    """A server that takes one request a connection and answers it as told; gives its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            length = re.search(rb"content-length: (\d+)", head.lower())
            await reader.readexactly(int(length[1]) if length else 0)
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()


async def failure(answer: bytes | Answering, seconds: float) -> RetryableError | PermanentError:
    heads: list[bytes] = []
    async with provider(answer, heads) as address:
        model = OpenAIModel(read_settings({"OPENAI_BASE_URL": address, "OPENAI_MODEL": "m"}))
        call = ModelCall(
            stage="sentiment",
            messages=(
                ChatMessage(role="system", content="Judge."),
                ChatMessage(role="user", content=CANARY),
            ),
            output_name="o",
            output_schema={"type": "object", "properties": {}},
            timeout=seconds,
        )
        async with aclosing(model):
            with pytest.raises((RetryableError, PermanentError)) as caught:
                await model.complete(call)
    assert len(heads) == 1, "a call is made once"
    assert isinstance(caught.value, RetryableError | PermanentError)
    return caught.value


@pytest.mark.parametrize("name", ROWS)
async def test_each_failure_gets_its_verdict(name: str, caplog: pytest.LogCaptureFixture) -> None:
    row = ROWS[name]
    in_time = 0.3 if row.code == "timeout" else 20

    error = await failure(row.answer, in_time)

    assert error.code == row.code
    assert row.detail in error.detail
    assert CANARY not in f"{error!r}{caplog.text}"
    if isinstance(error, RetryableError):
        assert error.retry_after == row.pause
        assert error.usage == (Usage() if row.code in FREE else None)
    else:
        assert row.pause is None
        assert error.usage == (PAID if row.paid else None)
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert bool(told) == (row.code in OPERATOR_CODES)


async def test_an_address_where_nothing_listens_is_a_lost_connection(free_port: int) -> None:
    settings = {"OPENAI_BASE_URL": f"http://127.0.0.1:{free_port}/v1", "OPENAI_MODEL": "m"}
    call = ModelCall("sentiment", (ChatMessage(role="system", content="x"),), "o", {}, 10)

    async with aclosing(OpenAIModel(read_settings(settings))) as model:
        with pytest.raises(RetryableError, match="connection_lost: ConnectError") as caught:
            await model.complete(call)
    assert caught.value.usage == Usage()


async def test_a_call_ends_in_its_time_although_bytes_keep_coming() -> None:
    await failure(drop, 5)  # the client is imported now; only the call itself is measured
    started = time.monotonic()

    await failure(trickle, 0.3)

    assert time.monotonic() - started < 2


async def test_half_a_character_is_refused_before_anything_is_sent() -> None:
    settings = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_MODEL": "m"}
    messages = (ChatMessage(role="system", content=f"{CANARY} \ud800"),)

    async with aclosing(OpenAIModel(read_settings(settings))) as model:
        with pytest.raises(PermanentError, match="bad_request: half a character") as caught:
            await model.complete(ModelCall("sentiment", messages, "o", {}, 10))

    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "nan"}, 0),
        ({"retry-after": "1e9"}, 0),
        ({"retry-after": "86400"}, 3600),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": formatdate(0, usegmt=True)}, 0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 3600),
        ({"retry-after": "Mon, 99 Foo 99999999999999 23:59:59 GMT"}, 0),
        ({"retry-after-ms": "x", "retry-after": "3"}, 3),
    ],
)
def test_any_wait_that_is_asked_for_stays_within_an_hour(
    headers: dict[str, str], seconds: float
) -> None:
    assert retry_after(headers) == seconds


def test_the_table_of_the_document_is_the_table_of_the_tests() -> None:
    lines = re.findall(r"^\| `([a-z-]+)` \|.*?\| `([a-z_]+)`", TABLE.read_text(), re.MULTILINE)

    assert dict(lines) == {name: row.code for name, row in ROWS.items()}
