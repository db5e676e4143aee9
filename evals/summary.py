"""The figures of a run: as JSON for programs, from which the terminal's tables are made."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from evals.baseline import Baseline, Compared, Selection, compare
from evals.noise import Interval, intervals
from evals.records import ItemRecord
from evals.run import Measured
from evals.suite import Table
from shared.domain.stage import Record, Usage


class Figure(Record):
    """A figure over all items, with the middle 95 % of what resampling the items gives."""

    name: str
    value: float
    interval: Interval


class Summary(Record):
    """A complete run.

    Attributes:
        new: Records that this run added; the others were there.
        passed: Share of items that were right in every repeat: pass^k.
        broken: Figures that have to be 0 and are not.
        compared: Beside the baseline's; None without a baseline.
        usage: Over all records.
        latency_ms: Median and 95th percentile of an item's waiting for the model.
    """

    selection: Selection
    prompts: dict[str, str]
    items: int
    repeat: int
    new: int
    figures: tuple[Figure, ...]
    passed: float
    broken: tuple[str, ...]
    errors: dict[str, int]
    usage: Usage
    latency_ms: tuple[int, int]
    tables: tuple[Table, ...]
    compared: tuple[Compared, ...] | None

    @property
    def good(self) -> bool:
        """Whether nothing is worse than the baseline, and what has to be 0 is."""
        return not self.broken and not any(one.worse for one in self.compared or ())


def summarize(run: Measured, baseline: Baseline | None) -> Summary:
    """All figures of a run."""
    suite = run.suite
    outcomes = [[record.outcome for record in repeats] for repeats in run.records]
    groups = [
        [(item, outcome) for outcome in repeats]
        for item, repeats in zip(run.items, outcomes, strict=True)
    ]
    told = [one for group in groups for one in group]
    records = [record for repeats in run.records for record in repeats]
    values, spread = suite.figures(told), intervals(groups, suite.figures)
    passes = [all(suite.passed(item, outcome) for item, outcome in group) for group in groups]
    return Summary(
        selection=run.selection,
        prompts=_prompts(records),
        items=len(run.items),
        repeat=len(run.records[0]),
        new=len(records) - run.done_before,
        figures=tuple(Figure(name=n, value=v, interval=spread[n]) for n, v in values.items()),
        passed=sum(passes) / len(passes),
        broken=tuple(name for name in suite.zero if values[name]),
        errors=dict(Counter(code for record in records for code in record.errors)),
        usage=sum((record.usage for record in records), Usage()),
        latency_ms=_latency(records),
        tables=tuple(suite.tables(told)),
        compared=tuple(compare(suite, baseline, run.items, outcomes)) if baseline else None,
    )


def as_baseline(run: Measured) -> Baseline:
    """The run's first repeat, as the repository keeps it."""
    first = [repeats[0] for repeats in run.records]
    told = [(item, record.outcome) for item, record in zip(run.items, first, strict=True)]
    figures = {name: round(value, 4) for name, value in run.suite.figures(told).items()}
    return Baseline(
        selection=run.selection,
        prompts=_prompts(first),
        figures=figures,
        outcomes=tuple(record.outcome for record in first),
    )


def as_json(summary: Summary) -> str:
    """The summary as it is printed and kept."""
    return json.dumps({**summary.model_dump(mode="json"), "good": summary.good}, indent=2)


def _prompts(records: Sequence[ItemRecord]) -> dict[str, str]:
    prompts: dict[str, Any] = {}
    for record in records:
        prompts |= record.prompts
    return prompts


def _latency(records: Sequence[ItemRecord]) -> tuple[int, int]:
    times = sorted(record.latency_ms for record in records)
    return round(statistics.median(times)), times[min(len(times) - 1, len(times) * 95 // 100)]
