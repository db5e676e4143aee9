"""``sentiment``: is the customer's mood read right?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from agents.sentiment import SentimentAgent
from evals.errors import EvalError
from evals.flow import Worked
from evals.items import Data, Item
from evals.suite import Outcome, Suite, Table, Told

LABELS = ("positive", "negative")


class SentimentSuite(Suite):
    """Rows with a text and its label, positive or negative. A stage that failed is wrong."""

    name = "sentiment"
    summary = "reads the mood of labelled messages: accuracy, macro-F1"
    columns = ("text", "label")
    agents = (SentimentAgent(),)
    higher = ("macro_f1", "accuracy")
    lower = ("failed",)

    def items(self, data: Data, labels: Sequence[str], desks: Sequence[str]) -> list[Item]:
        items = super().items(data, labels, desks)
        for item in items:
            if _label(item) not in LABELS:
                raise EvalError(
                    f"{data.name}: the label {item.row['label']!r} is neither positive nor "
                    "negative; --labels positive,negative leaves such rows out"
                )
        return items

    def outcome(self, item: Item, worked: Worked) -> Outcome:
        said = worked.case.sentiment if worked.case else None
        return said.lower() if said else "failed"

    def passed(self, item: Item, outcome: Outcome) -> bool:
        return bool(outcome == _label(item))

    def figures(self, told: Sequence[Told]) -> dict[str, float]:
        pairs = Counter((_label(item), outcome) for item, outcome in told)
        total = max(1, len(told))
        return {
            "macro_f1": sum(_f1(pairs, label) for label in LABELS) / len(LABELS),
            "accuracy": sum(pairs[label, label] for label in LABELS) / total,
            "failed": sum(n for (_, said), n in pairs.items() if said == "failed") / total,
        }

    def tables(self, told: Sequence[Told]) -> list[Table]:
        pairs = Counter((_label(item), outcome) for item, outcome in told)
        said = (*LABELS, "failed")
        rows = tuple((label, *(str(pairs[label, s]) for s in said)) for label in LABELS)
        return [Table("Confusion", ("label", *(f"read as {s}" for s in said)), rows)]


def _label(item: Item) -> str:
    return str(item.row["label"]).strip().lower()


def _f1(pairs: Counter[tuple[str, Any]], label: str) -> float:
    right = pairs[label, label]
    said = sum(n for (_, outcome), n in pairs.items() if outcome == label)
    there = sum(n for (true, _), n in pairs.items() if true == label)
    return 2 * right / (said + there) if said + there else 0.0
