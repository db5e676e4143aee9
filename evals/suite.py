"""What a suite is: which agents work, what came of each message, and the figures over all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from agents import PIPELINE
from agents.base import Agent
from evals.flow import Worked
from evals.items import Data, Item, read_data

#: What came of an item, small and JSON: enough, with the item, to compute every figure.
Outcome = Any
Told = tuple[Item, Outcome]


class Table(NamedTuple):
    """Something to show under the figures."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Suite(ABC):
    """One kind of measurement. Subclass it in a file of its own and give it a row in SUITES.

    Attributes:
        name: What people type.
        summary: One line for --help.
        columns: Columns that every row of its data must have.
        data: Its own data; None where people have to name a file.
        agents: Those that work on each message; the others' stages are not planned at all.
        higher: Figures of which more is better, the most telling first.
        lower: Figures of which less is better. Figures in neither are shown and not compared.
        zero: Figures that have to be 0, whatever the baseline says.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ("text",)
    data: ClassVar[Path | None] = None
    agents: ClassVar[tuple[Agent[Any], ...]] = PIPELINE
    higher: ClassVar[tuple[str, ...]] = ()
    lower: ClassVar[tuple[str, ...]] = ()
    zero: ClassVar[tuple[str, ...]] = ()

    def read(self, path: Path) -> Data:
        """The rows of a file.

        Raises:
            EvalError: It cannot be read, or a row lacks a column.
        """
        return read_data(path, self.columns)

    def items(self, data: Data, labels: Sequence[str], desks: Sequence[str]) -> list[Item]:
        """The messages to work on.

        Args:
            data: The rows of the file.
            labels: Only rows with one of these labels; all rows when empty.
            desks: The desks that were asked for; the row's or the default one when empty.

        Raises:
            EvalError: A row has a value that the suite does not know.
        """
        wanted = {label.lower() for label in labels}
        rows = [r for r in data.rows if not wanted or str(r.get("label", "")).lower() in wanted]
        return [item for row in rows for item in self.item(row, desks)]

    def item(self, row: Mapping[str, Any], desks: Sequence[str]) -> list[Item]:
        """The items of one row: one a desk that was asked for."""
        if not desks:
            return [Item(row["id"], row["text"], row=row)]
        one = len(desks) == 1
        return [
            Item(row["id"] if one else f"{row['id']}@{desk}", row["text"], desk, row=row)
            for desk in desks
        ]

    @abstractmethod
    def outcome(self, item: Item, worked: Worked) -> Outcome:
        """What came of an item. Pure."""

    @abstractmethod
    def passed(self, item: Item, outcome: Outcome) -> bool:
        """Whether it is as it should be; what pass^k counts."""

    @abstractmethod
    def figures(self, told: Sequence[Told]) -> dict[str, float]:
        """The figures over any selection of items, 0 where there is nothing to divide by."""

    def tables(self, told: Sequence[Told]) -> list[Table]:
        """More to show, such as a confusion matrix."""
        return []
