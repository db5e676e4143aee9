"""How far a figure may move by chance: the bootstrap over items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, TypeVar

RESAMPLES = 1000
#: Of 1000 resamples these many are left out on either side: an interval of 95 %.
_TAIL = RESAMPLES // 40
_SEED = 1

T = TypeVar("T")
Figures = dict[str, float]


class Interval(NamedTuple):
    """The middle 95 % of what resampling gives."""

    low: float
    high: float


def intervals(
    groups: Sequence[Sequence[T]], figures: Callable[[Sequence[T]], Figures]
) -> dict[str, Interval]:
    """The interval of each figure.

    Args:
        groups: What belongs to one item, such as its repeats, stays together.
        figures: The figures over a selection of it.
    """
    found = [figures(_flat(sample)) for sample in _samples(groups)]
    return _middles(found)


def difference(
    before: Sequence[Sequence[T]],
    after: Sequence[Sequence[T]],
    figures: Callable[[Sequence[T]], Figures],
) -> dict[str, Interval]:
    """The interval of after minus before, where both were measured on the same items.

    Args:
        before: One group an item.
        after: The same items in the same order.
    """
    found = []
    for sample in _samples(list(zip(before, after, strict=True))):
        old = figures(_flat([one for one, _ in sample]))
        new = figures(_flat([other for _, other in sample]))
        found.append({name: new[name] - old[name] for name in new})
    return _middles(found)


def _samples(groups: Sequence[T]) -> list[list[T]]:
    random = Random(_SEED)  # noqa: S311
    return [random.choices(groups, k=len(groups)) for _ in range(RESAMPLES)]


def _flat(groups: Sequence[Sequence[T]]) -> list[T]:
    return [one for group in groups for one in group]


def _middles(found: Sequence[Figures]) -> dict[str, Interval]:
    middles = {}
    for name in found[0]:
        values = sorted(figures[name] for figures in found)
        middles[name] = Interval(values[_TAIL], values[-_TAIL - 1])
    return middles
