"""A suite over a scripted model: which messages, resuming, figures, baselines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evals.baseline import Baseline, find_baseline, save_baseline
from evals.errors import EvalError
from evals.run import Measured, Model, Order, choose, measure
from evals.suites.sentiment import SentimentSuite
from evals.summary import Summary, as_baseline, summarize
from shared.adapters.scripted_model import ScriptedModel
from shared.domain.desk import Desks
from shared.errors import PermanentError, RetryableError
from shared.ports import ModelCall
from shared.settings import Settings
from tests.support.world import a_desk

DESKS = Desks((a_desk("default"),))
Reading = Callable[[str], Any]


def by_words(message: str) -> Any:
    mood = "happy" if "good" in message else "angry"
    return {"mood": mood, "urgency": "low", "wants": "answer", "risks": []}


def scripted(read: Reading = by_words) -> ScriptedModel:
    def answer(call: ModelCall) -> Any:
        return read(json.loads(call.messages[-1].content)["customer_message"])

    return ScriptedModel({"sentiment": answer})


def tweets(folder: Path, rows: int = 40) -> Path:
    """Half of the rows good, half bad; the label says so."""
    lines = [
        f"r{i},{'good' if i % 2 else 'bad'} flight {i},{'positive' if i % 2 else 'negative'}"
        for i in range(rows)
    ]
    path = folder / "shop" / "tweets.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["id,text,label", *lines]) + "\n")
    return path


async def run(folder: Path, model: ScriptedModel, **more: Any) -> Measured:
    more.setdefault("data", tweets(folder))
    order = Order(suite=SentimentSuite(), folder=folder / "records", **more)
    data, items = choose(order)
    under_test = Model(model, "scripted", {}, Settings())
    return await measure(order, data, items, under_test, DESKS, lambda *_: None)


def figure(summary: Summary, name: str) -> float:
    return next(one.value for one in summary.figures if one.name == name)


async def test_every_message_is_worked_on_by_the_product_and_counted(tmp_path: Path) -> None:
    summary = summarize(await run(tmp_path, scripted()), None)

    assert summary.items == 40
    assert figure(summary, "macro_f1") == figure(summary, "accuracy") == 1.0
    assert summary.passed == 1.0
    assert summary.usage.calls == 40
    assert summary.prompts == {"sentiment": SentimentSuite.agents[0].prompt_hash}
    assert summary.selection.data == "shop-tweets"


async def test_a_limit_takes_the_same_rows_and_a_larger_one_adds_to_them(tmp_path: Path) -> None:
    few = await run(tmp_path, scripted(), limit=10)
    model = scripted()
    more = await run(tmp_path, model, limit=25)

    assert more.items[:10] == few.items
    assert few.items != sorted(few.items, key=lambda item: item.id)
    assert len(model.calls) == 15


async def test_another_seed_takes_other_rows(tmp_path: Path) -> None:
    one, other = [await run(tmp_path, scripted(), limit=10, seed=seed) for seed in (1, 2)]

    assert {item.id for item in one.items} != {item.id for item in other.items}


async def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    class Stopped(Exception):  # noqa: N818
        pass

    left = 7

    def stop(message: str) -> Any:
        nonlocal left
        left -= 1
        return by_words(message)

    order = Order(suite=SentimentSuite(), folder=tmp_path / "records", data=tweets(tmp_path))
    data, items = choose(order)

    def progress(done: int, total: int, before: int) -> None:
        if left == 0:
            raise Stopped

    under_test = Model(scripted(stop), "scripted", {}, Settings())
    with pytest.raises(Stopped):
        await measure(order, data, items, under_test, DESKS, progress)
    (path,) = (tmp_path / "records").iterdir()
    with path.open("ab") as file:
        file.write(b'{"id": "r3", "cut off')
    model = scripted()
    done = await run(tmp_path, model)

    assert len(model.calls) == 40 - 7
    assert done.done_before == 7
    assert figure(summarize(done, None), "accuracy") == 1.0


async def test_what_was_measured_is_forgotten_only_when_asked(tmp_path: Path) -> None:
    await run(tmp_path, scripted())
    again, fresh = scripted(), scripted()
    await run(tmp_path, again)
    await run(tmp_path, fresh, fresh=True)

    assert len(again.calls) == 0
    assert len(fresh.calls) == 40


async def test_a_stage_that_fails_is_wrong_and_named(tmp_path: Path) -> None:
    refusal = PermanentError("refusal", "declined")
    answers: Reading = lambda m: refusal if m.endswith(" 1") else by_words(m)  # noqa: E731

    summary = summarize(await run(tmp_path, scripted(answers)), None)

    assert summary.errors == {"refusal": 1}
    assert figure(summary, "failed") == pytest.approx(1 / 40)
    assert figure(summary, "accuracy") == pytest.approx(39 / 40)


async def test_a_model_that_stays_away_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.flow.PATIENCE", 1.0)
    away: Reading = lambda _: RetryableError("rate_limited", retry_after=30)  # noqa: E731

    with pytest.raises(EvalError, match="the model does not answer: rate_limited"):
        await run(tmp_path, scripted(away))


async def test_repeats_that_disagree_do_not_pass(tmp_path: Path) -> None:
    seen: dict[str, int] = {}

    def wavering(message: str) -> Any:
        seen[message] = seen.get(message, 0) + 1
        return by_words(message if seen[message] < 3 or " 1" not in message else "bad")

    summary = summarize(await run(tmp_path, scripted(wavering), repeat=3), None)

    # Rows 1, 11, 13, 15, 17 and 19 are good, and read as such only twice.
    assert summary.repeat == 3
    assert summary.passed == pytest.approx(34 / 40)
    assert figure(summary, "accuracy") == pytest.approx(114 / 120)


async def test_worse_beyond_noise_fails_and_noise_does_not(tmp_path: Path) -> None:
    baseline = as_baseline(await run(tmp_path, scripted()))

    def with_mistakes(*rows: int) -> Reading:
        return lambda m: by_words("bad" if int(m.split()[-1]) in rows else m)

    one = summarize(await run(tmp_path, scripted(with_mistakes(1)), fresh=True), baseline)
    many = with_mistakes(*range(1, 20, 2))
    ten = summarize(await run(tmp_path, scripted(many), fresh=True), baseline)

    assert one.good
    assert not ten.good
    worse = {compared.name for compared in ten.compared or () if compared.worse}
    assert worse == {"macro_f1", "accuracy"}


async def test_a_baseline_counts_for_the_same_messages_and_model_only(tmp_path: Path) -> None:
    measured = await run(tmp_path, scripted(), limit=20)
    path = save_baseline(as_baseline(measured), tmp_path)
    found = find_baseline(measured.selection, tmp_path)

    assert isinstance(found, Baseline)
    assert "flight" not in path.read_text()
    assert len(found.outcomes) == 20
    other = measured.selection.model_copy(update={"sha256": "0" * 64})
    assert find_baseline(other, tmp_path) is None
    path.write_text("{}")
    with pytest.raises(EvalError, match="not a baseline; --save-baseline writes it anew"):
        find_baseline(measured.selection, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "none.csv: cannot be read: No such file"),
        ("a.txt", "text,label\n", "must end in .csv or .jsonl"),
        ("a.csv", "text,mood\nhi,good\n", r"a.csv:2: no 'label'; a row needs the columns text, l"),
        ("a.csv", "text,label\n", "a.csv: no rows"),
        ("a.csv", "text,label\nhi\n", "a.csv:2: more or fewer fields than the head has"),
        ("a.csv", 'text,label\n"hi,positive\n', "a.csv:.: unexpected end of data"),
        ("a.csv", b"text,label\n\xff,positive\n", "a.csv:2: not UTF-8"),
        ("a.csv", "id,text,label\n1,a,positive\n1,b,positive\n", "second row with the id '1'"),
        ("a.csv", "text,label\nhi,neutral\n", "'neutral' is neither positive nor negative"),
        ("a.jsonl", '{"text": "hi", "label": "positive"}\n[]\n', "a.jsonl:2: not a JSON object"),
        ("a.jsonl", '{"text": 5, "label": "positive"}\n', "a.jsonl:1: 'text' is not text"),
    ],
)
def test_data_that_cannot_be_used_are_told_in_one_line(
    tmp_path: Path, name: str, content: str | bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(EvalError, match=said) as caught:
        choose(Order(suite=SentimentSuite(), folder=tmp_path, data=path))

    assert "\n" not in str(caught.value)


def test_labels_that_no_row_has_are_told(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="no row has one of the labels Mixed"):
        choose(
            Order(suite=SentimentSuite(), folder=tmp_path, data=tweets(tmp_path), labels=("Mixed",))
        )
