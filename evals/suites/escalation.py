"""``escalation``, ``decision``: does what must reach a person reach one, with the right actions?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, get_args

from agents.base import Agent
from agents.escalation import EscalationAgent
from agents.sentiment import SentimentAgent
from evals.flow import Worked
from evals.golden_cases import FOLDER, Grave, load_golden
from evals.items import Data, Item
from evals.suite import Outcome, Suite, Table, Told
from shared.domain.policy import MANAGEMENT_RISKS

_GRAVE = frozenset(get_args(Grave))


class EscalationSuite(Suite):
    """Golden cases, each at its desk, judged twice.

    Once as the product does it, by the words of the message, the model and policy together, and
    once by words and policy alone, as if every model answered that all is well. ``--labels`` takes
    tags, languages, and ``tuned`` or ``held-out``.
    """

    name = "escalation"
    summary = "golden cases: escalation, actions and upper management, with the model and without"
    data = FOLDER
    agents: ClassVar[tuple[Agent[Any], ...]] = (SentimentAgent(), EscalationAgent())
    higher: ClassVar[tuple[str, ...]] = (
        "recall",
        "grave_recall",
        "precision",
        "action_recall",
        "action_precision",
        "management_recall",
        "management_precision",
    )
    lower = ("failed",)
    proposes: ClassVar[bool] = True

    def read(self, path: Path) -> Data:
        return load_golden(path)

    def items(self, data: Data, labels: Sequence[str], desks: Sequence[str]) -> list[Item]:
        return [
            Item(row["id"], row["text"], row["desk"], row=row)
            for row in data.rows
            if (not desks or row["desk"] in desks) and set(labels) <= set(_labels(row))
        ]

    def outcome(self, item: Item, worked: Worked) -> Outcome:
        case = worked.case
        if case is None:
            return {"failed": True}
        return {
            "failed": bool(worked.errors),
            "escalated": case.should_escalate or case.status == "escalated",
            "management": case.needs_upper_management_attention,
            "actions": sorted({action.name for action in case.actions}),
            "dropped": [f"{dropped.name}: {dropped.why}" for dropped in case.dropped_actions],
            "alone": bool(case.signals) or case.asks_for_human,
            "management_alone": not MANAGEMENT_RISKS.isdisjoint(case.signals),
        }

    def passed(self, item: Item, outcome: Outcome) -> bool:
        row = item.row
        actions, required = set(outcome.get("actions", ())), set(row["required"])
        return bool(
            not outcome["failed"]
            and outcome["escalated"] == row["escalate"]
            and row["management"] in (None, outcome["management"])
            and required <= actions <= required | set(row["allowed"])
        )

    def figures(self, told: Sequence[Told]) -> dict[str, float]:
        usable = [(item, outcome) for item, outcome in told if "escalated" in outcome]
        together = _escalation(usable, "escalated") | _management(usable, "management")
        alone = _escalation(usable, "alone") | _management(usable, "management_alone")
        failed = sum(bool(outcome["failed"]) for _, outcome in told)
        return {
            **together,
            **(_actions(usable) if self.proposes else {}),
            "failed": failed / max(1, len(told)),
            **{f"alone_{name}": value for name, value in alone.items()},
        }

    def tables(self, told: Sequence[Told]) -> list[Table]:
        labels = sorted({label for item, _ in told for label in _labels(item.row)})
        parts = [label for label in ("tuned", "held-out") if label in labels]
        sides = [
            ("all", told),
            *((part, [one for one in told if part in _labels(one[0].row)]) for part in parts),
        ]
        figures = [(name, self.figures(chosen)) for name, chosen in sides]
        heads = ("figure", *(f"{name}, {how}" for name, _ in figures for how in ("model", "alone")))
        shown = [name for name in self.higher if not name.startswith("action")]
        beside = tuple(
            (
                name,
                *(f"{values[key]:.2f}" for _, values in figures for key in (name, f"alone_{name}")),
            )
            for name in shown
        )
        rows = tuple(self._by_label(label, told) for label in labels if label not in parts)
        return [
            Table("With the model, and words and policy alone", heads, beside),
            Table(
                "By tag and language",
                ("tag", "cases", "escalate", "did", "alone", *self._action_heads),
                rows,
            ),
        ]

    def _by_label(self, label: str, told: Sequence[Told]) -> tuple[str, ...]:
        chosen = [one for one in told if label in _labels(one[0].row) and "escalated" in one[1]]
        values = _actions(chosen)
        counts = (
            len(chosen),
            sum(item.row["escalate"] for item, _ in chosen),
            sum(outcome["escalated"] for _, outcome in chosen),
            sum(outcome["alone"] for _, outcome in chosen),
        )
        shares = (values["action_recall"], values["action_precision"]) if self.proposes else ()
        return (label, *map(str, counts), *(f"{share:.2f}" for share in shares))

    @property
    def _action_heads(self) -> tuple[str, ...]:
        return ("actions found", "right of proposed") if self.proposes else ()


class DecisionSuite(EscalationSuite):
    """The same cases, and only whether they escalate: one short call each instead of two."""

    name = "decision"
    summary = "golden cases: escalation alone, without proposed actions"
    agents: ClassVar[tuple[Agent[Any], ...]] = (SentimentAgent(),)
    higher = tuple(name for name in EscalationSuite.higher if not name.startswith("action"))
    proposes = False

    def outcome(self, item: Item, worked: Worked) -> Outcome:
        outcome = super().outcome(item, worked)
        if worked.case is not None:
            outcome["management"] = not MANAGEMENT_RISKS.isdisjoint(worked.case.risks)
        return outcome


def _labels(row: Mapping[str, Any]) -> list[str]:
    return [*row["tags"], row["language"], "held-out" if row["held_out"] else "tuned"]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _escalation(told: Sequence[Told], key: str) -> dict[str, float]:
    """Recall over all that should escalate and over what is grave, and precision."""

    def recall(wanted: Callable[[Mapping[str, Any]], bool]) -> float:
        due = [outcome for item, outcome in told if item.row["escalate"] and wanted(item.row)]
        return _ratio(sum(outcome[key] for outcome in due), len(due))

    did = [item for item, outcome in told if outcome[key]]
    return {
        "recall": recall(lambda _: True),
        "grave_recall": recall(lambda row: not _GRAVE.isdisjoint(row["tags"])),
        "precision": _ratio(sum(item.row["escalate"] for item in did), len(did)),
    }


def _management(told: Sequence[Told], key: str) -> dict[str, float]:
    """The upper management flag, over the cases that say what it should be."""
    pairs = [
        (bool(item.row["management"]), bool(outcome[key]))
        for item, outcome in told
        if item.row["management"] is not None or not item.row["escalate"]
    ]
    both = sum(wanted and flagged for wanted, flagged in pairs)
    return {
        "management_recall": _ratio(both, sum(wanted for wanted, _ in pairs)),
        "management_precision": _ratio(both, sum(flagged for _, flagged in pairs)),
    }


def _actions(told: Sequence[Told]) -> dict[str, float]:
    """Required actions that were proposed, and proposed ones that were required or allowed."""
    wanted = found = proposed = right = 0
    for item, outcome in told:
        required, actions = set(item.row["required"]), set(outcome["actions"])
        wanted += len(required)
        found += len(required & actions)
        proposed += len(actions)
        right += len(actions & (required | set(item.row["allowed"])))
    return {
        "action_recall": _ratio(found, wanted),
        "action_precision": _ratio(right, proposed),
    }
