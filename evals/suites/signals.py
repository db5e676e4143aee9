"""``signals``: how often do the words of a message raise an alarm, without any model?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from agents.base import Agent
from evals.flow import Worked
from evals.items import Item
from evals.suite import Outcome, Suite, Table, Told


class SignalsSuite(Suite):
    """Harmless messages, no model: each alarm is false. ``--labels`` leaves out what is grave."""

    name = "signals"
    summary = "risks found in the words alone: how many messages raise an alarm"
    agents: ClassVar[tuple[Agent[Any], ...]] = ()
    lower = ("alarms",)

    def outcome(self, item: Item, worked: Worked) -> Outcome:
        case = worked.case
        if case is None:
            return []
        return [*case.signals, *(["person"] if case.asks_for_human else [])]

    def passed(self, item: Item, outcome: Outcome) -> bool:
        return not outcome

    def figures(self, told: Sequence[Told]) -> dict[str, float]:
        return {"alarms": sum(bool(found) for _, found in told) / max(1, len(told))}

    def tables(self, told: Sequence[Told]) -> list[Table]:
        kinds = Counter(kind for _, found in told for kind in found)
        all_rows = Counter(str(item.row.get("label", "")) for item, _ in told)
        alarms = Counter(str(item.row.get("label", "")) for item, found in told if found)
        return [
            Table(
                "By what was found",
                ("kind", "messages"),
                tuple((kind, str(count)) for kind, count in kinds.most_common()),
            ),
            Table(
                "By label",
                ("label", "messages", "alarms"),
                tuple((label, str(all_rows[label]), str(n)) for label, n in alarms.most_common(20)),
            ),
        ]
