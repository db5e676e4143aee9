"""Which rule decides, and what is said about a script that cannot be used."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest

from devkit.emulator import Emulator, ScriptError
from devkit.emulator.script import Script, load_script, read_script

LIMITED = {"fault": "rate_limited"}
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "emulator.md"


async def statuses(emulator: Emulator, requests: int, **body: Any) -> list[int]:
    client = openai.AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="k", max_retries=0)
    emulator.clear()
    for _ in range(requests):
        request: dict[str, Any] = {
            "model": "m",
            "messages": [{"role": "user", "content": "Hello"}],
            **body,
        }
        with suppress(openai.APIError):
            await client.chat.completions.create(**request)
    return [request.status for request in emulator.requests]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (2, [200, 429, 200, 200]),
        ([1, 3], [429, 200, 429, 200]),
        ("2-3", [200, 429, 429, 200]),
        ("3-", [200, 200, 429, 429]),
    ],
)
async def test_a_rule_for_certain_calls(
    emulator: Emulator, calls: Any, expected: list[int]
) -> None:
    emulator.use({"rules": [{"when": {"calls": calls}, "then": LIMITED}]})

    assert await statuses(emulator, 4) == expected


async def test_calls_are_counted_among_the_requests_that_fit(emulator: Emulator) -> None:
    emulator.use({"rules": [{"when": {"text": "HELLO", "calls": 2}, "then": LIMITED}]})

    other = {"messages": [{"role": "user", "content": "Good morning"}]}
    assert await statuses(emulator, 1) == [200]
    assert await statuses(emulator, 2, **other) == [200, 200]
    assert await statuses(emulator, 1) == [429]


async def test_a_probability_is_repeatable_by_its_seed(emulator: Emulator) -> None:
    def script(seed: int) -> dict[str, Any]:
        return {"seed": seed, "rules": [{"when": {"probability": 0.5}, "then": LIMITED}]}

    runs = []
    for seed in (1, 1, 2):
        emulator.use(script(seed))
        runs.append(await statuses(emulator, 12))

    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 429}


async def test_the_first_rule_that_matches_decides(emulator: Emulator) -> None:
    emulator.use(
        {
            "rules": [
                {"when": {"deployment": "other"}, "then": {"respond": {"status": 418}}},
                {"name": "once", "when": {"calls": 1}, "then": {"respond": {"status": 503}}},
                {"then": LIMITED},
            ]
        }
    )

    assert await statuses(emulator, 2) == [503, 429]
    assert [request.rule for request in emulator.requests] == ["once", "rule 3"]


@pytest.mark.parametrize(
    ("agent", "name", "system", "fits"),
    [
        ("sentiment", "SentimentOutput", "", True),
        ("customer_query", "CustomerQueryOutput", "", True),
        ("sentiment", "escalation", "the sentiment is known", False),
        ("sentiment", "", "You are a Sentiment Analyst.", True),
        ("escalation", "", "You are a sentiment analyst.", False),
        ("sentiment", "", "You are an escalation specialist.\nYou get the sentiment.", False),
    ],
)
async def test_a_rule_for_one_agent(
    emulator: Emulator, agent: str, name: str, system: str, fits: bool
) -> None:
    emulator.use({"rules": [{"when": {"agent": agent}, "then": LIMITED}]})
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    named = {"name": name, "strict": True, "schema": schema}
    wanted = {"response_format": {"type": "json_schema", "json_schema": named}} if name else {}

    messages = [{"role": "system", "content": system}, {"role": "user", "content": "x"}]

    assert await statuses(emulator, 1, messages=messages, **wanted) == [429 if fits else 200]


async def test_another_script_starts_its_counts_anew(emulator: Emulator) -> None:
    script = {"rules": [{"when": {"calls": 1}, "then": LIMITED}]}
    for _ in range(2):
        emulator.use(script)
        assert await statuses(emulator, 2) == [429, 200]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"rule": []}, "rule: Extra inputs are not permitted"),
        ({"rules": [{"when": {"calls": 0}}]}, "rules.0.when.calls: Value error, a number from 1"),
        ({"rules": [{"when": {"calls": "2-x"}}]}, "rules.0.when.calls"),
        ({"rules": [{"then": {"fault": "explode"}}]}, "rules.0.then.fault: Input should be"),
        (
            {"rules": [{"then": {"fault": "hang", "severity": "high"}}]},
            "rules.0.then: Value error, fault 'hang' does not take severity",
        ),
        (
            {"rules": [{"then": {"retry_after_s": 3}}]},
            "a rule without a fault does not take retry_after_s",
        ),
        ({"rules": [{"then": {"fault": "drop", "content": "x"}}]}, "does not take content"),
        ({"rules": [{"then": {"content": "x", "answer": {}}}]}, "choose one of answer, content"),
        ({"latency_ms": -1}, "latency_ms"),
        ([], "the document: Input should be a valid dictionary"),
    ],
)
def test_a_script_that_cannot_be_used_is_explained(script: Any, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        read_script(script, "night.yaml")

    assert str(caught.value).startswith("night.yaml: ")
    assert said in str(caught.value)


def test_a_file_that_is_no_yaml_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("rules:\n  - {")

    with pytest.raises(ScriptError, match=r"night\.yaml: not valid YAML: (.|\n)*line 2"):
        load_script(path)

    with pytest.raises(ScriptError, match="cannot be read"):
        load_script(tmp_path / "none.yaml")


def test_every_example_in_the_document_is_a_valid_script(tmp_path: Path) -> None:
    examples = DOCUMENT.read_text(encoding="utf-8").split("```yaml\n")[1:]

    assert len(examples) >= 3
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.yaml"
        path.write_text(example.partition("```")[0], encoding="utf-8")
        assert load_script(path) != Script()
