"""I7: what was spent, by the model's own ledger, within every limit and counted in the rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from shared.domain.rows import ReceivedRow, StageRow
from tests.simulation.world import instantly

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

#: Why a stage was released without having been worked on, unless the model was called all the same.
_PUT_OFF = ("model_resting", "desk_budget_reserved")


def check_budgets(simulation: Simulation) -> None:
    """Checks every case, every desk's day, and that waiting uses no attempts up."""
    spent: Counter[str] = Counter()
    days: Counter[tuple[str, str]] = Counter()
    for (case_id, _), calls in simulation.watch.paid.items():
        desk = simulation.watch.rows[case_id]["case"]
        assert isinstance(desk, ReceivedRow)
        for call in calls:
            spent[case_id] += call.tokens
            days[desk.desk, call.day] += call.tokens
    for case_id in simulation.watch.rows:
        _case(simulation, case_id, spent[case_id])
    for (desk_name, day), tokens in days.items():
        _day(simulation, desk_name, day, tokens)


def _case(simulation: Simulation, case_id: str, spent: int) -> None:
    findings, limit = simulation.watch.findings, simulation.scenario.case_tokens
    rows = [r for r in simulation.watch.rows[case_id].values() if isinstance(r, StageRow)]
    counted = 0
    for row in rows:
        parts = [row.spent, row.presumed, row.reserved, *([row.answer.usage] if row.answer else [])]
        counted += sum(part.prompt_tokens + part.completion_tokens for part in parts)
        if row.state != "working" and row.reserved.calls:
            findings.add(f"I7: {row.key} rests and holds a reservation ({case_id[:8]})")
        _attempts(simulation, case_id, row)
    if counted < spent:
        findings.add(f"I7: a case counts {counted} of {spent} tokens ({case_id[:8]})")
    if limit is not None and max(spent, counted) > limit:
        findings.add(f"I7: a case used {spent}, counted {counted} of {limit} ({case_id[:8]})")
    over = any(row.error and row.error.code == "case_budget_used_up" for row in rows)
    if over and limit is None:
        findings.add(f"a case is over the usual budget ({case_id[:8]})")


def _attempts(simulation: Simulation, case_id: str, row: StageRow) -> None:
    claims = sum(event.event == "claimed" for event in row.events)
    idle = sum(
        event.event == "deferred"
        and event.detail.startswith(_PUT_OFF)
        and (case_id, row.key, event.epoch) not in simulation.watch.requested
        for event in row.events
    )
    if row.attempts != claims - idle:
        simulation.watch.findings.add(
            f"{row.key} counts {row.attempts} attempts in {claims} claims, {idle} of them idle "
            f"({case_id[:8]})"
        )


def _day(simulation: Simulation, desk: str, day: str, spent: int) -> None:
    findings, limit = simulation.watch.findings, simulation.scenario.day_tokens
    if limit is None:
        return
    if spent > limit:
        findings.add(f"I7: {desk} used {spent} of {limit} tokens on {day}")
    stored, _ = instantly(simulation.spending.inner.read(desk, day))
    held = sum(hold.most.tokens for hold in stored.held.values())
    counted = stored.counted.tokens + held
    if not spent <= counted <= limit:
        findings.add(f"I7: {desk} counts {counted} of {spent} tokens on {day}, limit {limit}")
    calm = not (simulation.world.faults or simulation.world.crashes)
    if calm and (held or counted != spent):
        findings.add(f"I7: nothing went wrong, and {desk} counts {counted} of {spent} on {day}")
