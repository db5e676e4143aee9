"""What comes due in a case by the clock alone, while nothing else happens to it. Pure."""

from __future__ import annotations

from shared.domain import sla
from shared.domain.case import Wake
from shared.domain.partition import Partition


def next_wake(view: Partition) -> Wake | None:
    """When a settled case has to be looked at again; None for never."""
    times = [clock.pending[1] for clock in sla.clocks(view) if clock.pending]
    times += [effect.due_at for effect in view.effects if effect.dormant and effect.due_at]
    return Wake(case_id=view.case_id, at=min(times)) if times else None
