"""What may happen outside: an action that policy let through, or that a person said yes to.

Worked out from the stored rows alone; no code of the product decides here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.rows import ActRow, Row, StageRow

if TYPE_CHECKING:
    from datetime import datetime

    from shared.adapters.memory_sinks import Applied
    from shared.domain.stage import Action

#: What the simulated desk lets out by itself in one case, and at all.
AUTOMATIC = 15
MOST = 100
#: Two clocks may differ so much.
_SKEW = timedelta(seconds=45)


class Permissions:
    """Who may do what in one case."""

    def __init__(self, rows: Iterable[Row], *, cancelled: bool) -> None:
        every = list(rows)
        self._stages = [r for r in every if isinstance(r, StageRow) and r.state == "finished"]
        self._acts = [r for r in every if isinstance(r, ActRow)]
        self._cancelled = cancelled

    def waiting(self) -> set[str]:
        """Ids of the actions that still wait for a yes."""
        if self._cancelled:
            return set()
        resolved = max((act.turn for act in self._acts if act.act == "resolve"), default=0)
        decided = {act.action for act in self._acts if act.act in ("approve", "reject")}
        return {
            action.id
            for row in self._stages
            if row.turn > resolved and row.generation == self._runs(row)
            for action in row.actions
            if action.verdict == "ask" and action.id not in decided
        }

    def wrong(self, applied: Iterable[Applied]) -> Iterator[str]:
        """What happened and should not have, and what was decided to no avail."""
        yield from self._decisions()
        spent = 0.0
        for done in applied:
            action = done.request.action
            if action is None:
                yield f"{done.request.key} carried out nothing"
                continue
            let_through = any(_same(action, free) for free in self._let_through())
            if not let_through and not any(_same(action, said) for said in self._approved(done.at)):
                yield f"{action.id} happened and nobody allowed it"
            if float(action.arguments.get("amount", 0)) > MOST:
                yield f"{action.id} is over the cap"
            if let_through and action.name == "gift":
                spent += float(action.arguments["amount"])
        if spent > AUTOMATIC:
            yield f"{spent:g} went out without a yes"

    def _decisions(self) -> Iterator[str]:
        decided = Counter(act.action for act in self._acts if act.act in ("approve", "reject"))
        for action, count in decided.items():
            if count > 1:
                yield f"{action} was decided on {count} times"
        for act in self._acts:
            if act.act == "approve" and not any(request.action for request in act.asks):
                yield f"the yes to {act.action} led to nothing"

    def _approved(self, by: datetime) -> list[Action]:
        """What people had said yes to by then, as it was shown to them."""
        acts = (act for act in self._acts if act.act == "approve" and act.at <= by + _SKEW)
        return [request.action for act in acts for request in act.asks if request.action]

    def _let_through(self) -> list[Action]:
        return [a for row in self._stages for a in row.actions if a.verdict == "execute"]

    def _runs(self, row: StageRow) -> int:
        name = f"{row.turn}:{row.stage}"
        return sum(act.act == "replay" and name in act.stages for act in self._acts)


def _same(one: Action, other: Action) -> bool:
    return (one.id, one.name, one.arguments) == (other.id, other.name, other.arguments)
