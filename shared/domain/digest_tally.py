"""Adds up what happened at a desk in a window. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from shared.domain.digest import Counts
from shared.domain.journal import JournalEntry
from shared.domain.stage import Usage

#: Kinds of failure that are told apart.
_MOST_KINDS = 8
_OTHERS = "others"
_ACTS: dict[str, Literal["resolved", "cancelled"]] = {
    "resolve": "resolved",
    "cancel": "cancelled",
}


class Tally:
    """Adds up the happenings of a window, each once, however many there are.

    Attributes:
        escalations: All of the window, in no order.
    """

    def __init__(self) -> None:
        self.escalations: list[JournalEntry] = []
        self._seen: set[tuple[str, str]] = set()
        self._counted: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._usage = Usage()

    def add(self, entries: Iterable[JournalEntry]) -> None:
        """Adds happenings; those that were added before change nothing."""
        for entry in entries:
            if entry.key not in self._seen:
                self._seen.add(entry.key)
                self._count(entry)

    def counts(self) -> Counts:
        """The sum."""
        common = self._failures.most_common()
        failures = dict(common[:_MOST_KINDS])
        if others := sum(times for _, times in common[_MOST_KINDS:]):
            failures[_OTHERS] = others
        counted: dict[str, Any] = dict(self._counted)
        return Counts(**counted, failures=failures, usage=self._usage)

    def _count(self, entry: JournalEntry) -> None:
        self._usage += entry.usage
        self._failures.update(entry.failures)
        self._counted["held_back"] += entry.held_back
        match entry.what:
            case "message" if entry.outcome != "nothing":
                self._counted["messages"] += 1
                self._counted["answered"] += entry.outcome == "answered"
            case "act" if entry.outcome in _ACTS:
                self._counted[_ACTS[entry.outcome]] += 1
            case "escalated":
                self._counted["escalated"] += 1
                self._counted["parked"] += entry.outcome == "parked"
                self.escalations.append(entry)
            case "target":
                self._counted[entry.outcome] += 1
