"""``eval`` as people run it, against a model endpoint that plays its part."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devkit.emulator import Emulator

CASES = {"good": ("happy", "positive"), "bad": ("angry", "negative"), "odd": ("angry", "positive")}


def script() -> dict[str, Any]:
    def rule(word: str, mood: str) -> dict[str, Any]:
        answer = {"mood": mood, "urgency": "low", "wants": "answer", "risks": []}
        return {"when": {"agent": "sentiment", "text": word}, "then": {"answer": answer}}

    return {"rules": [rule(word, mood) for word, (mood, _) in CASES.items()]}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(script()) as running:
        yield running


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., str]:
    """A CSV file with so many rows of each kind."""

    def write(**counts: int) -> str:
        path = tmp_path / "mails.csv"
        lines = ["id,text,label"]
        for word, count in counts.items():
            lines += [f"{word}{n},{word} day {n},{CASES[word][1]}" for n in range(count)]
        path.write_text("\n".join(lines))
        return str(path)

    return write


@pytest.fixture
def configured(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    settings = {"OPENAI_BASE_URL": f"{emulator.url}/v1", "OPENAI_MODEL": "m", "OPENAI_API_KEY": "k"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    emulator.use(script())
    emulator.clear()
    return settings


def sentiment(data: str, *more: str) -> list[str]:
    beside = str(Path(data).parent / "baselines")
    common = ["--data", data, "--baselines", beside, "--model", "configured"]
    return ["eval", "sentiment", *common, *more]


@pytest.mark.usefixtures("configured")
def test_figures_go_to_stdout_and_progress_to_stderr(cli: Any, rows: Any) -> None:
    ended = cli(*sentiment(rows(good=6, bad=6, odd=2)))

    assert ended.code == 0
    assert "14 messages, 14 measured now" in ended.out
    line = next(line for line in ended.out.splitlines() if line.startswith("accuracy"))
    assert line.split()[1] == f"{12 / 14:.3f}"
    assert "read as negative" in ended.out
    assert "no baseline for these messages and this model" in ended.out
    assert "14 of 14" in ended.err
    assert "good day" not in ended.out + ended.err


@pytest.mark.usefixtures("configured")
def test_json_is_the_same_summary_and_is_kept(cli: Any, rows: Any, tmp_path: Path) -> None:
    ended = cli(*sentiment(rows(good=3, bad=3), "--json", "--quiet"))
    summary = json.loads(ended.out)

    assert ended.err == ""
    assert summary["good"] is True
    assert summary["items"] == 6
    (kept,) = (tmp_path / "evals").glob("*.summary.json")
    assert json.loads(kept.read_text()) == summary


@pytest.mark.usefixtures("configured")
def test_the_same_command_again_asks_the_model_nothing(
    cli: Any, rows: Any, emulator: Emulator
) -> None:
    first = cli(*sentiment(rows(good=3, bad=3)))
    asked = len(emulator.requests)
    again = cli(*sentiment(rows(good=3, bad=3)))

    assert len(emulator.requests) == asked == 6
    assert "6 messages, 0 measured now" in again.out
    assert first.out.splitlines()[2:] == again.out.splitlines()[2:]


@pytest.mark.usefixtures("configured")
def test_a_regression_fails_with_exit_1(cli: Any, rows: Any, emulator: Emulator) -> None:
    data = rows(good=20, bad=20)
    saved = cli(*sentiment(data, "--save-baseline"))
    same = cli(*sentiment(data, "--fresh"))
    worse = script()
    worse["rules"][0]["then"]["answer"]["mood"] = "angry"
    emulator.use(worse)
    fallen = cli(*sentiment(data, "--fresh"))

    assert (saved.code, same.code, fallen.code) == (0, 0, 1)
    assert "not worse" in same.out
    line = next(line for line in fallen.out.splitlines() if line.startswith("macro_f1"))
    assert line.endswith("worse")
    assert "not worse" not in line


@pytest.mark.usefixtures("configured")
def test_a_model_that_refuses_stops_the_run_and_keeps_what_was_done(
    cli: Any, rows: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.flow.PATIENCE", 1.0)
    data = rows(good=3, bad=3)
    tired = {"when": {"calls": list(range(4, 99))}, "then": {"fault": "rate_limited"}}
    emulator.use({"rules": [tired, *script()["rules"]]})
    stopped = cli(*sentiment(data))
    emulator.use(script())
    done = cli(*sentiment(data))

    assert stopped.code == 1
    said = stopped.err.splitlines()[-1]
    assert said.startswith("frontdesk eval: the model does not answer: rate_limited HTTP 429")
    assert said.endswith("what was measured is kept, the same command goes on from there")
    assert "6 messages, 3 measured now" in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["moods"], 2, "there is no suite 'moods'; the suites are sentiment, "),
        (["sentiment"], 1, "sentiment has no data of its own; name a file with --data, with the"),
        (["sentiment", "--data", "no.csv"], 1, "no.csv: cannot be read: No such file or directory"),
        (["sentiment", "--limit", "0"], 2, "'0' is not a number from 1 to 1000000"),
        (["sentiment", "--model", "best"], 2, "invalid choice: 'best'"),
        (["reply", "--desk", "moon"], 2, "there is no desk 'moon'; the desks are bank, default, "),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line(
    cli: Any, arguments: list[str], code: int, said: str
) -> None:
    ended = cli("eval", *arguments)

    assert ended.code == code
    assert said in ended.err
    assert ended.err.startswith("frontdesk eval: ")
    assert ended.err.count("\n") == 1


def test_on_a_terminal_a_bar_grows(
    on_terminal: Any, rows: Any, configured: dict[str, str], tmp_path: Path
) -> None:
    configured["FRONTDESK_STATE"] = str(tmp_path)
    terminal = on_terminal(*sentiment(rows(good=3, bad=3), "--json"), **configured)

    terminal.wait_for("0 of 6")
    terminal.wait_for("6 of 6")
    ended = terminal.end()

    assert ended.code == 0
    assert "█" * 30 in ended.err
    assert json.loads(ended.out)["items"] == 6
