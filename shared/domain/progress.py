"""How far each stage and each effect of a case is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.domain.case import EffectPhase
from shared.domain.rows import EffectRow, Row, StageRow, effect_key, stage_key
from shared.domain.stage import EffectRequest, PlannedStage

Phase = Literal["waiting", "working", "deferred", "finished", "parked", "skipped"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as read, with the ETag that guards its next write."""

    row: Row
    etag: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one planned stage is.

    Attributes:
        row: The row of the current generation; None until it is first claimed.
        due_at: UTC from which it may be claimed; None when it may not (blocked or at rest).
    """

    plan: PlannedStage
    turn: int
    generation: int
    phase: Phase
    row: StageRow | None
    due_at: datetime | None

    @property
    def at_rest(self) -> bool:
        """True when nothing will happen to this stage unless a person acts."""
        return self.phase in ("finished", "parked", "skipped")

    @property
    def parked_for(self) -> str:
        """Why a person is needed, as a short code; empty unless the stage is parked."""
        if self.phase != "parked" or self.row is None:
            return ""
        return self.row.error.code if self.row.error else "parked"

    @property
    def key(self) -> str:
        return stage_key(self.turn, self.plan.stage, self.generation)


@dataclass(frozen=True, slots=True)
class EffectProgress:
    """How far one effect is.

    Attributes:
        asked_by: The stage that asks for it, the act, or ``sla``.
        row: The row of the current generation; None until it is first claimed.
        due_at: UTC from which it may be claimed; None when it may not.
    """

    request: EffectRequest
    asked_by: str
    generation: int
    phase: EffectPhase
    row: EffectRow | None
    due_at: datetime | None

    @property
    def at_rest(self) -> bool:
        """True when nothing will happen to this effect unless a person acts."""
        return self.phase in ("done", "refused", "uncertain", "moot")

    @property
    def dormant(self) -> bool:
        """True for what waits for its hour: nothing has happened, and a sweep will see to it."""
        if self.row is not None:
            return self.phase == "deferred" and self.row.gathered
        return self.request.not_before is not None and self.due_at is not None

    @property
    def goes_on(self) -> bool:
        """True when it has begun, or will."""
        return self.row is not None or self.due_at is not None

    @property
    def failed(self) -> bool:
        """True when somebody else has to be told: for a list its own message says so."""
        gathered = self.row is not None and self.row.gathered
        return self.phase in ("refused", "uncertain") and not gathered

    @property
    def key(self) -> str:
        return effect_key(self.request.key, self.generation)
