"""Baselines: what an earlier run came to, and whether this one is worse beyond noise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evals.errors import EvalError
from evals.items import Item
from evals.noise import Interval, difference
from evals.suite import Outcome, Suite
from shared.domain.stage import Record

FOLDER = Path(__file__).resolve().parent / "baselines"


class Selection(Record):
    """Which messages, and which model: what has to be equal for two runs to be compared."""

    suite: str
    data: str
    sha256: str
    labels: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()
    seed: int
    skip: int = 0
    model: str


class Baseline(Record):
    """A run as it is kept in the repository: no text of the data, only what came of it.

    Attributes:
        figures: For people; comparisons compute them anew from the outcomes.
        outcomes: One an item, in the order that the seed gives.
    """

    selection: Selection
    prompts: dict[str, str]
    figures: dict[str, float]
    outcomes: tuple[Any, ...]


class Compared(Record):
    """A figure beside that of the baseline, on the items that both have.

    Attributes:
        change: The middle 95 % of the change over resampled items.
        worse: Whether it is worse beyond noise.
    """

    name: str
    before: float
    after: float
    change: Interval
    worse: bool


def find_baseline(selection: Selection, folder: Path) -> Baseline | None:
    """The baseline of the same messages and model.

    Raises:
        EvalError: The file is not a baseline.
    """
    path = _path(selection, folder)
    try:
        baseline = Baseline.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise EvalError(f"{path}: not a baseline; --save-baseline writes it anew") from None
    return baseline if baseline.selection == selection else None


def save_baseline(baseline: Baseline, folder: Path) -> Path:
    """Write it, over an older one of the same suite, data and model."""
    path = _path(baseline.selection, folder)
    whole = baseline.model_dump(mode="json")
    outcomes = json.dumps(whole.pop("outcomes"), separators=(",", ":"))
    head = json.dumps(whole, indent=2).removesuffix("\n}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head},\n  "outcomes": {outcomes}\n}}\n', encoding="utf-8")
    return path


def compare(
    suite: Suite, baseline: Baseline, items: Sequence[Item], outcomes: Sequence[Sequence[Outcome]]
) -> list[Compared]:
    """Every figure that has a better and a worse, on the items that both runs have.

    Args:
        items: In the order that the seed gives.
        outcomes: Of each item, one a repeat.
    """
    both = list(zip(items, baseline.outcomes, outcomes, strict=False))
    before = [[(item, old)] for item, old, _ in both]
    after = [[(item, new) for new in repeats] for item, _, repeats in both]
    changes = difference(before, after, suite.figures)
    was = suite.figures([told for group in before for told in group])
    now = suite.figures([told for group in after for told in group])
    return [
        Compared(
            name=name,
            before=was[name],
            after=now[name],
            change=changes[name],
            worse=changes[name].high < 0 if name in suite.higher else changes[name].low > 0,
        )
        for name in (*suite.higher, *suite.lower)
    ]


def _path(selection: Selection, folder: Path) -> Path:
    parts = (selection.suite, selection.data, selection.model)
    return folder / (".".join(part.replace("/", "-") for part in parts) + ".json")
