"""The rows of docs/provider-failures.md in a whole case: what customer, operator and trace see.

The emulator plays the provider, the real client calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from devkit.emulator import Emulator
from shared.adapters.azure_openai import OpenAIModel
from shared.settings import read_settings
from tests.support.world import World

TABLE = Path(__file__).parents[2] / "docs" / "provider-failures.md"
REFUSED = {"error": {"code": "refused", "message": "Please do not repeat this."}}


def responds(status: int, body: Any = REFUSED, **headers: str) -> dict[str, Any]:
    return {"respond": {"status": status, "body": body, "headers": headers}}


#: What the emulator does, by row.
ROWS: dict[str, dict[str, Any]] = {
    "rate-limit-seconds": {"fault": "rate_limited", "retry_after_s": 7},
    "rate-limit-date": {"fault": "rate_limited", "retry_after_s": 7, "retry_form": "http_date"},
    "rate-limit-ms": {"fault": "rate_limited", "retry_after_s": 7, "retry_form": "ms"},
    "rate-limit-bare": {"fault": "rate_limited", "retry_form": "none"},
    "quota-exhausted": {"fault": "quota_exhausted"},
    "server-error": {"fault": "server_error"},
    "overloaded": {"fault": "server_error", "status": 503, "retry_after_s": 7},
    "conflict": responds(409),
    "no-answer": {"fault": "hang"},
    "trickle": {"fault": "trickle"},
    "dropped": {"fault": "drop"},
    "half-a-body": {"fault": "half_body"},
    "broken-off": {"fault": "broken_off"},
    "other-content": responds(200, "<h1>Please sign in</h1>", **{"content-type": "text/html"}),
    "truncated": {"fault": "truncated"},
    "refusal": {"fault": "refusal", "text": "Please ask somebody else."},
    "filter-input": {"fault": "content_filter_input", "category": "violence", "severity": "high"},
    "filter-output": {"fault": "content_filter_output", "category": "hate", "severity": "low"},
    "context-too-long": {"fault": "context_length"},
    "wrong-key": {"fault": "wrong_key"},
    "no-role": responds(403),
    "unknown-deployment": {"fault": "unknown_deployment"},
    "redirect": responds(307, "", location="http://127.0.0.1:9/v1"),
    "bad-request": responds(400),
    "empty-answer": {"fault": "empty_answer"},
}
DETAILS = {
    "server-error": "HTTP 500, code server_error, request ",
    "no-answer": "after 0.5 s",
    "truncated": "FRONTDESK_MAX_OUTPUT_TOKENS_CUSTOMER_QUERY allows more; request ",
    "refusal": "the model declined to answer; request ",
    "filter-input": "violence=high; HTTP 400, code content_filter, param prompt, request ",
    "filter-output": "hate=low; request ",
    "wrong-key": "HTTP 401",
}


def documented() -> dict[str, tuple[str, str]]:
    """Code and verdict by row, as the document has them."""
    lines = re.findall(
        r"^\| `([a-z-]+)` \|.*?\| `([a-z_]+)` \| (.*) \|$", TABLE.read_text(), re.MULTILINE
    )
    return {row: (code, verdict) for row, code, verdict in lines}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.mark.parametrize("name", ROWS)
async def test_a_failure_shows_where_it_should_and_nowhere_else(
    emulator: Emulator, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.use({"rules": [{"then": ROWS[name]}]})
    code, verdict = documented()[name]
    at = {"AZURE_OPENAI_ENDPOINT": emulator.url, "AZURE_OPENAI_API_KEY": "k"}
    settings = read_settings(at | {"FRONTDESK_MODEL_TIMEOUT_SECONDS": "0.5"})
    async with aclosing(OpenAIModel(settings)) as model:
        world = World(model=model)
        case_id = await world.open("My room is dirty.", desk="told")
        await world.deliver()

    case = await world.case(case_id)
    reply = case.stages[0]
    happened = next(e for e in case.trace if e.who == "customer_query" and e.event != "claimed")
    assert case.support_response is None
    assert reply.error is not None
    assert reply.error.code == code
    assert DETAILS.get(name, "") in reply.error.detail
    assert "Please" not in f"{case.trace}{reply.error}{case.status_reason}{caplog.text}"
    if verdict.startswith("again"):
        assert (reply.state, happened.event, case.status) == ("waiting", "deferred", "working")
        assert happened.detail.startswith(f"{code}, again in")
        assert min(sent.delay for sent in world.nudges.sent) >= 5
        assert not case.effects
    else:
        assert verdict.startswith("a person")
        assert (reply.state, happened.event, case.status) == ("error", "parked", "escalated")
        assert happened.detail.startswith(f"{code}: ")
        assert f"customer_query: {code}" in case.status_reason
        assert [effect.key for effect in case.effects] == ["parked-1"]
        assert (reply.usage.tokens > 0) == ("usage is counted" in verdict)
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert bool(told) == ("operator is told" in verdict)


def test_every_row_of_the_document_is_here() -> None:
    assert set(ROWS) == set(documented())
