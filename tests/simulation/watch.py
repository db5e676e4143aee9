"""Watches every write, every model call and every effect while a schedule runs.

What it sees is the truth of the simulated world: real time, what is stored at this instant, and
which worker lives. It repeats rules of the product from the rows alone and shares no code with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.rows import ActRow, EffectRow, MessageRow, Row, StageRow, TargetRow
from tests.simulation.rests import Rests

if TYPE_CHECKING:
    from tests.simulation.world import Invocation, World

#: Seconds that two workers' clocks may differ, twice the skew of one.
_CLOCKS = 40.0
_MOVES = {
    "working": {"working", "deferred", "finished", "parked"},
    "attempting": {"attempting", "deferred", "done", "refused", "uncertain"},
    # Deferred again: it was not worked on, because the model rests or a budget is crowded.
    "deferred": {"working", "attempting", "deferred", "parked", "refused", "uncertain"},
}
_RESTING = ("finished", "parked", "done", "refused", "uncertain")


@dataclass
class Paid:
    """One model call that reached the model.

    Attributes:
        day: Of the claim that it was made for, by its worker's clock.
        tokens: What it used.
    """

    invocation: Invocation
    epoch: int
    day: str
    tokens: int


@dataclass
class Findings:
    """What was wrong, in words, and counts for the verdict.

    Attributes:
        stale: Lines that a worker frozen for minutes left in a listing; docs/simulator.md says why
            these cannot be prevented.
    """

    violations: list[str] = field(default_factory=list)
    lost: int = 0
    duplicated: int = 0
    avoidable: int = 0
    paid: int = 0
    effects: int = 0
    uncertain: int = 0
    cases: int = 0
    stale: int = 0

    def add(self, what: str) -> None:
        self.violations.append(what)


class Watch:
    """Follows one schedule.

    Args:
        deadline: Seconds after which a turn's stages must not be worked on any more.
        attempts: Claims of a stage that may be followed by model calls.
        last_call: Seconds after a claim within which a model call may still begin.

    Attributes:
        requested: Case, row and epoch of every claim for which the model was called.
    """

    def __init__(self, world: World, deadline: float, attempts: int, last_call: float) -> None:
        self.findings = Findings()
        self.rows: dict[str, dict[str, Row]] = {}
        self.paid: dict[tuple[str, str], list[Paid]] = {}
        self.last_change = 0.0
        self.requested: set[tuple[str, str, int]] = set()
        self.rests = Rests(world, self.findings)
        self._world = world
        self._deadline = deadline
        self._attempts = attempts
        self._last_call = last_call
        self._claims: dict[Invocation, tuple[str, StageRow]] = {}
        self._retry_after: dict[Invocation, float] = {}
        self._cancelled: dict[str, float] = {}
        self._decided: dict[tuple[str, str], float] = {}

    def wrote(self, invocation: Invocation, case_id: str, row: Row) -> None:
        """A row was written."""
        rows = self.rows.setdefault(case_id, {})
        before = rows.get(row.key)
        rows[row.key] = row
        self.last_change = self._world.now
        if isinstance(row, ActRow) and row.act == "cancel":
            self._cancelled.setdefault(case_id, self._world.now)
        if isinstance(row, ActRow) and row.action:
            self._decided.setdefault((case_id, row.action), self._world.now)
        if isinstance(row, StageRow):
            self._stage(invocation, case_id, before, row)
        elif isinstance(row, EffectRow):
            self._effect(invocation, case_id, before, row)
        elif before is not None:
            self._wrong(case_id, row.key, "I4: an insert-only row was written twice")
        elif isinstance(row, TargetRow) and row.state == "breached" and row.at < row.due:
            self._wrong(case_id, row.key, "called late before its time")

    def model_requested(self, invocation: Invocation, stage: str) -> tuple[str, str]:
        """A worker is about to pay for a model call. Returns which stage it is for."""
        case_id, claim = self._claims.get(invocation, ("", None))
        if claim is None or claim.stage != stage:
            self._avoidable(case_id, stage, "I5: a model call without a claim")
            return case_id, stage
        stored = self.rows[case_id][claim.key]
        assert isinstance(stored, StageRow)
        if stored.state in ("finished", "parked"):
            self._avoidable(case_id, claim.key, "I5: a model call while a response is stored")
        elif stored.owner != claim.owner or stored.state != "working":
            self._avoidable(case_id, claim.key, "I5: a model call although another took over")
        for other in self.paid.get((case_id, claim.key), ()):
            if other.invocation is not invocation and self._at_it(other, stored):
                self._avoidable(
                    case_id, claim.key, "I5: paid again while a living, unhindered worker has it"
                )
        late = (invocation.process.now() - self._began(case_id, claim.turn)).total_seconds()
        if late > self._deadline + self._last_call + 2 * _CLOCKS:
            self._wrong(case_id, claim.key, f"a model call {late:.0f} s after the turn began")
        self.requested.add((case_id, claim.key, claim.epoch))
        if claim.attempts > self._attempts:
            self._wrong(case_id, claim.key, f"I7: a model call in attempt {claim.attempts}")
        return case_id, claim.key

    @staticmethod
    def _at_it(other: Paid, stored: StageRow) -> bool:
        """Whether a worker that paid before still lives, and nothing but the model slowed it."""
        ended = any(e.epoch == other.epoch and e.event != "claimed" for e in stored.events)
        return not (ended or other.invocation.over or other.invocation.slowed)

    def model_paid(self, invocation: Invocation, which: tuple[str, str], tokens: int) -> None:
        """The model took the call."""
        calls = self.paid.setdefault(which, [])
        _, claim = self._claims.get(invocation, ("", None))
        epoch, day = (claim.epoch, claim.claimed_at.date()) if claim else (0, "")
        calls.append(Paid(invocation, epoch, str(day), tokens))
        self.findings.paid += 1
        if len(calls) > 2 * self._attempts:
            self._wrong(*which, f"I7: {len(calls)} paid calls")

    def model_refused(self, invocation: Invocation, retry_after: float) -> None:
        """The model said 429 and how long to wait."""
        self._retry_after[invocation] = retry_after

    def _stage(
        self, invocation: Invocation, case_id: str, before: Row | None, row: StageRow
    ) -> None:
        assert before is None or isinstance(before, StageRow)
        self._moved(invocation, case_id, before, row)
        if row.state == "working":
            self._claims[invocation] = (case_id, row)
            self._not_cancelled(invocation, case_id, row)
            self._retry_after.pop(invocation, None)
        if row.state == "deferred":
            waits = (row.not_before or row.claimed_at) - row.events[-1].at
            wanted = self._retry_after.pop(invocation, 0.0)
            if waits.total_seconds() < wanted - 1.0:
                self._wrong(case_id, row.key, f"comes back before the {wanted:.0f} s it was told")
        if row.answer is not None and not self.paid.get((case_id, row.key)):
            self._wrong(case_id, row.key, "an answer is stored that nobody was paid for")

    def _effect(
        self, invocation: Invocation, case_id: str, before: Row | None, row: EffectRow
    ) -> None:
        assert before is None or isinstance(before, EffectRow)
        self._moved(invocation, case_id, before, row)
        if before is None:
            self._not_cancelled(invocation, case_id, row)
            read = invocation.reads.get(case_id, 0.0)
            times = [self._decided.get((case_id, name)) for name in row.request.awaits]
            if times and all(at is not None and at < read for at in times):
                self._wrong(case_id, row.key, "I8: asked again although it was decided")

    def _moved(
        self,
        invocation: Invocation,
        case_id: str,
        before: StageRow | EffectRow | None,
        row: StageRow | EffectRow,
    ) -> None:
        """I3 and I4: progress is monotone, rest is final, the trace has no gap."""
        if before is None:
            if row.epoch != 1:
                self._wrong(case_id, row.key, f"I4: the first claim is epoch {row.epoch}")
            return
        if before.state in _RESTING:
            self._wrong(case_id, row.key, f"I3: {before.state} was overwritten by {row.state}")
        elif row.state not in _MOVES[before.state]:
            self._wrong(case_id, row.key, f"I3: {before.state} became {row.state}")
        if row.events[: len(before.events)] != before.events:
            self._wrong(case_id, row.key, "I4: the trace lost an event")
        if row.epoch == before.epoch and row.owner == before.owner:
            return
        if row.epoch != before.epoch + 1:
            self._wrong(case_id, row.key, f"I3: epoch {before.epoch} became {row.epoch}")
        free = before.not_before if before.state == "deferred" else before.lease_until
        early = free is not None and min(row.claimed_at, invocation.process.now()) < free
        if early and before.state in ("working", "attempting"):
            self._wrong(case_id, row.key, "I5: a live claim was taken away")
        elif early and row.state != "parked":
            self._wrong(case_id, row.key, "claimed before its time")

    def _not_cancelled(
        self, invocation: Invocation, case_id: str, row: StageRow | EffectRow
    ) -> None:
        at = self._cancelled.get(case_id)
        if at is not None and invocation.reads.get(case_id, 0.0) > at:
            self._wrong(case_id, row.key, "begun by a worker that knew of the cancel")

    def _began(self, case_id: str, turn: int) -> datetime:
        rows = self.rows[case_id].values()
        times = [r.received_at for r in rows if isinstance(r, MessageRow) and r.turn == turn]
        times += [
            row.at
            for row in rows
            if isinstance(row, ActRow) and any(name.startswith(f"{turn}:") for name in row.stages)
        ]
        return max(times)

    def _avoidable(self, case_id: str, what: str, why: str) -> None:
        self.findings.avoidable += 1
        self._wrong(case_id, what, why)

    def _wrong(self, case_id: str, what: str, why: str) -> None:
        self._world.note(f"!! {what}: {why}")
        self.findings.add(f"{why} ({what} of {case_id[:8]})")
