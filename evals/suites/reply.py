"""``reply``: what does the model write to customers, and what of it does the guard let through?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from agents.customer_query import CustomerQueryAgent
from evals.flow import Worked
from evals.items import Item
from evals.suite import Outcome, Suite, Table, Told
from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.reply_policy import violations

_AGENT = CustomerQueryAgent()


class ReplySuite(Suite):
    """Any messages. What the model wrote first and when asked again, and what was sent."""

    name = "reply"
    summary = "replies to messages: rules broken before and after the guard, language, length"
    agents = (_AGENT,)
    lower = ("first_broken", "held_back", "first_looped", "first_asked", "first_language", "failed")
    zero = ("sent_broken",)

    def outcome(self, item: Item, worked: Worked) -> Outcome:
        if worked.case is None or worked.desk is None:
            return {"failed": worked.refused}
        case, desk = worked.case, worked.desk
        written = [_kinds(case, desk, reply) for reply in _written(case)]
        sent = case.support_response
        return {
            "written": written,
            "held_back": case.reply_held_back,
            "sent": None if sent is None else _kinds(case, desk, sent),
            "characters": len(sent or ""),
        }

    def passed(self, item: Item, outcome: Outcome) -> bool:
        return bool(outcome.get("sent") == [] and not outcome["held_back"])

    def figures(self, told: Sequence[Told]) -> dict[str, float]:
        outcomes = [outcome for _, outcome in told]
        total = max(1, len(outcomes))
        first = [kinds for outcome in outcomes for kinds in outcome.get("written", [])[:1]]
        lengths = [o["characters"] for o in outcomes if o.get("characters")]

        def share(count: int) -> float:
            return count / total

        return {
            "first_broken": share(sum(bool(kinds) for kinds in first)),
            "held_back": share(sum(bool(o.get("held_back")) for o in outcomes)),
            "sent_broken": share(sum(bool(o.get("sent")) for o in outcomes)),
            "first_looped": share(sum("repetition" in kinds for kinds in first)),
            "first_asked": share(sum("question" in kinds for kinds in first)),
            "first_language": share(sum("language" in kinds for kinds in first)),
            "failed": share(sum(o.get("sent") is None for o in outcomes)),
            "characters": sum(lengths) / max(1, len(lengths)),
        }

    def tables(self, told: Sequence[Told]) -> list[Table]:
        first, again, sent = Counter[str](), Counter[str](), Counter[str]()
        for _, outcome in told:
            answers = outcome.get("written", [])
            first.update(answers[0] if answers else ())
            again.update(answers[1] if len(answers) > 1 else ())
            sent.update(outcome.get("sent") or ())
        kinds = sorted(first | again | sent, key=lambda kind: (-first[kind], kind))
        rows = tuple((kind, str(first[kind]), str(again[kind]), str(sent[kind])) for kind in kinds)
        heads = ("rule", "first answer", "asked again", "sent")
        return [Table("Messages whose reply breaks a rule", heads, rows)]


def _written(case: SupportCase) -> list[str]:
    """The replies that the model wrote, in order; what could not be read is left out."""
    opening = len(_AGENT.opening)
    said = [m.content for m in case.stages[0].messages[opening:] if m.role == "assistant"]
    replies: list[str] = []
    for text in said:
        try:
            replies.append(_AGENT.parse(text).reply)
        except ValueError:
            continue
    return replies


def _kinds(case: SupportCase, desk: Desk, reply: str) -> list[Any]:
    return sorted({violation.kind for violation in violations(case, desk, reply)})
