"""What must hold when a schedule has come to rest: I1 to I7 from the rows and the ledgers.

Written from the rules of docs/simulator.md against the stored rows; how far a stage or an effect is
gets worked out here a second time, so that a mistake in the product's fold does not hide itself.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from shared.domain.case import Status
from shared.domain.fold import fold, index_entry
from shared.domain.journal import entries
from shared.domain.rows import ActRow, EffectRow, MessageRow, Row, StageRow, TargetRow
from tests.simulation.checker_budgets import check_budgets
from tests.simulation.checker_digests import check_digests
from tests.simulation.checker_telling import check_telling
from tests.simulation.checker_words import check_promises, check_repeats, check_tickets
from tests.simulation.permissions import Permissions
from tests.simulation.world import instantly

if TYPE_CHECKING:
    from datetime import datetime

    from shared.domain.partition import Partition
    from shared.domain.stage import EffectRequest
    from tests.simulation.simulation import Simulation

_HANDLED = ("done", "refused", "uncertain")


def check(simulation: Simulation) -> None:
    """Checks everything that is left after a schedule."""
    findings = simulation.watch.findings
    for case_id, rows in simulation.watch.rows.items():
        if "case" in rows:
            findings.cases += 1
            _Case(simulation, case_id, rows).check()
    check_budgets(simulation)
    check_telling(simulation)
    check_digests(simulation)
    check_promises(simulation)
    check_tickets(simulation)
    check_repeats(simulation)
    _remembered(simulation)
    _leftovers(simulation)
    _listing(simulation)


class _Case:
    """The rows of one case and what they must add up to."""

    def __init__(self, simulation: Simulation, case_id: str, rows: dict[str, Row]) -> None:
        self._simulation = simulation
        self._findings = simulation.watch.findings
        self._id = case_id
        self._rows = rows
        self._acts = [row for row in rows.values() if isinstance(row, ActRow)]
        self._cancelled = any(act.act == "cancel" for act in self._acts)
        self._permissions = Permissions(rows.values(), cancelled=self._cancelled)
        self._waiting = self._permissions.waiting()

    def check(self) -> None:
        """I1, I2, I4 of this case, and that it shows the status that it has."""
        messages = [row for row in self._rows.values() if isinstance(row, MessageRow)]
        if [row.turn for row in messages] != list(range(1, len(messages) + 1)) or not messages:
            self._wrong("I1: its messages are not turns 1, 2, …")
            return
        ids = Counter(row.delivery_id for row in messages if row.delivery_id)
        if any(count > 1 for count in ids.values()):
            self._wrong("one delivery became two turns")
        resolved = max((act.turn for act in self._acts if act.act == "resolve"), default=0)
        parked = [message.turn for message in messages if self._stages(message)]
        needed = {turn for turn in parked + self._effects() if turn > resolved}
        self._trace()
        receivers = self._simulation.receivers.items()
        done = (a for name, r in receivers if name.startswith("action-") for a in r.ledger)
        for why in self._permissions.wrong(a for a in done if a.key.startswith(self._id)):
            self._wrong(f"I8: {why}")
        self._late(bool(needed) or self._handed_over(resolved))
        real = [m.turn for m in messages if not self._came_to_nothing(m)]
        self._status(needs_person=bool(needed), resolved=resolved >= max(real, default=0))

    def _stages(self, message: MessageRow) -> bool:
        """Whether the turn needs a person; says so when one of its stages is left behind."""
        phases: dict[str, str] = {}
        nothing = self._came_to_nothing(message)
        for plan in message.plan:
            before = [phases[name] for name in plan.after]
            row = self._latest(message.turn, plan.stage)
            if row is not None:
                phases[plan.stage] = row.state
            elif any(phase in ("parked", "blocked") for phase in before):
                phases[plan.stage] = "blocked"
            elif nothing or (plan.only_if and self._declined(message.turn, plan.only_if)):
                phases[plan.stage] = "skipped"
            else:
                phases[plan.stage] = "not begun"
        at_rest = ("finished", "parked", "blocked", "skipped")
        left = {stage: phase for stage, phase in phases.items() if phase not in at_rest}
        if left and not self._cancelled:
            self._findings.lost += 1
            self._wrong(f"I1: lost in turn {message.turn}: {left}")
        return "parked" in phases.values()

    def _came_to_nothing(self, message: MessageRow) -> bool:
        """Whether what a webhook announced was no customer's, or in another turn."""
        row = self._latest(message.turn, "fetch")
        found = row.writes.fetched if row is not None and row.state == "finished" else None
        return found is not None and bool(found.nothing)

    def _latest(self, turn: int, stage: str) -> StageRow | None:
        """The row of a stage's latest generation."""
        replays = [
            act for act in self._acts
            if act.act == "replay" and f"{turn}:{stage}" in act.stages
        ]  # fmt: skip
        row = self._rows.get(f"s|{turn:04d}|{stage}|{len(replays):03d}")
        assert row is None or isinstance(row, StageRow)
        return row

    def _declined(self, turn: int, name: str) -> bool:
        rows = [r for r in self._rows.values() if isinstance(r, StageRow) and r.turn == turn]
        latest = [r for r in rows if self._latest(turn, r.stage) is r]
        said = [getattr(row.writes, name) for row in latest]
        return False in said and True not in said

    def _effects(self) -> list[int]:
        """I2. The turns with an effect that needs a person."""
        asked: dict[str, EffectRequest] = {}
        for row in self._rows.values():
            if isinstance(row, StageRow) and row.state in ("finished", "parked"):
                asked |= {request.key: request for request in row.effects}
        asked |= {request.key: request for act in self._acts for request in act.asks}
        stray = {r.request.key for r in self._rows.values() if isinstance(r, EffectRow)} - set(
            asked
        )
        if stray:
            self._wrong(f"I2: effects that nobody asked for: {sorted(stray)}")
        failed: list[int] = []
        for key, request in asked.items():
            generations = self._generations(key)
            self._findings.effects += 1
            last = generations[-1].state if generations else "missing"
            resent = sum(act.act == "replay" and key in act.effects for act in self._acts)
            complete = len(generations) == resent + 1 and last in _HANDLED
            if not complete and not self._stopped(request, generations, resent):
                self._findings.lost += 1
                self._wrong(f"I2: effect {key} is {last} after {resent} replays")
            if last in ("refused", "uncertain"):
                failed.append(request.turn)
            self._findings.uncertain += last == "uncertain"
            self._applied(request, generations, resent)
        return failed

    def _stopped(self, request: EffectRequest, generations: list[EffectRow], resent: int) -> bool:
        """Whether an effect is right not to have come to its end."""
        last = generations[-1] if generations else None
        begun = len(generations) > resent
        deferred = last is not None and last.state == "deferred"
        if not self._simulation.scenario.timer and (
            (last is None and request.not_before) or (deferred and last and last.gathered)
        ):
            return True  # nobody waited until its hour
        if self._cancelled:
            # A cancel stops what had not begun, and what surely has not happened yet.
            return not begun or (deferred and last is not None and not last.ambiguous)
        if request.awaits and not begun:
            # Nobody is asked once more when there is nothing left to ask.
            return self._waiting.isdisjoint(request.awaits)
        if request.instead_of and last is None:
            return not any(map(self._failed, request.instead_of))
        return request.while_answered and last is None and not self._calm()

    def _failed(self, key: str) -> bool:
        """Whether an effect failed for good, and not as a part of a list."""
        last = self._generations(key)[-1:]
        return any(row.state in ("refused", "uncertain") and not row.gathered for row in last)

    def _calm(self) -> bool:
        """Whether the case was answered for good in a turn that asks for a review."""
        messages = [row for row in self._rows.values() if isinstance(row, MessageRow)]
        real = [m for m in messages if not self._came_to_nothing(m)]
        latest = [self._latest(m.turn, plan.stage) for m in real for plan in m.plan]
        rows = [row for row in latest if row is not None]
        needed = any(
            r.state == "parked" or r.writes.escalated or r.writes.should_escalate for r in rows
        )
        effects = [row for row in self._rows.values() if isinstance(row, EffectRow)]
        failed = any(row.state in ("refused", "uncertain") for row in effects)
        turn = max((message.turn for message in real), default=0)
        review = any(r.while_answered and r.turn == turn for row in rows for r in row.effects)
        key = f"reply-{turn}"
        asked = any(request.key == key for row in rows for request in row.effects)
        replied = any(row.request.key == key and row.state == "done" for row in effects)
        resolved = any(act.act == "resolve" for act in self._acts)
        unsent = asked and not replied
        return review and not (needed or failed or resolved or unsent or self._waiting)

    def _applied(self, request: EffectRequest, generations: list[EffectRow], resent: int) -> None:
        sink = self._simulation.receivers[request.sink]
        key = f"{self._id}-{request.key}"
        times = sum(applied.key == key for applied in sink.ledger)
        # A person who resends what no receiver can recognise has decided so.
        most = 1 + (resent if sink.kind != "queryable" else 0)
        if times > most:
            self._findings.duplicated += times - most
            self._wrong(f"I2: {sink.kind} effect {request.key} happened {times} times")
        if not times and any(row.state == "done" and not row.gathered for row in generations):
            self._findings.lost += 1
            self._wrong(f"I2: effect {request.key} is done and never happened")
        for row in generations:
            if row.state == "done" and request.sink in self._simulation.ticketing:
                self._linked(row)
        if times and generations and all(row.state == "refused" for row in generations):
            self._wrong(f"I2: effect {request.key} is refused, and it happened")

    def _linked(self, row: EffectRow) -> None:
        """A ticket knows its case, and the case its ticket."""
        tickets = self._simulation.tickets
        reference = f"{self._id}-{row.request.key}"
        receipts = tickets.receipts(reference)
        cases = {t.case_id for _, t, _ in tickets.made if t.reference == reference}
        shown = [e.receipt for e in fold(self._view()).effects if e.key == row.request.key]
        if row.receipt not in receipts or cases != {self._id} or shown != [row.receipt]:
            self._wrong(f"{row.request.key} is known as {row.receipt}, not {receipts}")

    def _generations(self, key: str) -> list[EffectRow]:
        rows = self._rows.values()
        found = [r for r in rows if isinstance(r, EffectRow) and r.request.key == key]
        return sorted(found, key=lambda row: row.generation)

    def _trace(self) -> None:
        """I4: claims 1, 2, … and after each an outcome or the next claim."""
        for row in self._rows.values():
            if not isinstance(row, StageRow | EffectRow):
                continue
            claims = [event.epoch for event in row.events if event.event == "claimed"]
            if claims != list(range(1, row.epoch + 1)):
                self._wrong(f"I4: {row.key} has claims {claims} at epoch {row.epoch}")
            outcomes = [event.epoch for event in row.events if event.event != "claimed"]
            if len(outcomes) != len(set(outcomes)):
                self._wrong(f"I4: {row.key} has two outcomes of one claim")
            if row.epoch not in outcomes and not self._cancelled:
                self._wrong(f"I4: the last claim of {row.key} has no outcome")

    def _handed_over(self, resolved: int) -> bool:
        rows = [row for row in self._rows.values() if isinstance(row, StageRow)]
        return any(row.turn > resolved and row.writes.escalated for row in rows)

    def _late(self, waiting: bool) -> None:
        """Whoever still waits for a person is late by now, and the sweep has said so."""
        rows = [row for row in self._rows.values() if isinstance(row, TargetRow)]
        late = any(row.target == "resolution" and row.state == "breached" for row in rows)
        timer = self._simulation.scenario.timer and not self._cancelled
        if timer and waiting and not late:
            self._wrong(f"nobody says that it is late: {[row.key for row in rows]}")

    def _status(self, *, needs_person: bool, resolved: bool) -> None:
        view = self._view()
        case = fold(view)
        if not view.settled:
            self._wrong("the fold says that it is not settled")
        expected: set[Status] = {"answered", "escalated"}
        if self._cancelled:
            expected = {"cancelled"}
        elif needs_person:
            expected = {"escalated"}
        elif resolved:
            expected = {"resolved"}
        elif self._waiting:
            expected = {"escalated"}
        if case.status not in expected:
            wanted = " or ".join(sorted(expected))
            self._wrong(f"I1: nobody sees that it is {wanted}: its status is {case.status}")
        if case.status == "answered" and case.support_response is None:
            self._wrong("I1: answered without an answer")

    def _view(self) -> Partition:
        return instantly(self._simulation.store.inner.read(self._id))

    def _wrong(self, why: str) -> None:
        self._findings.add(f"{why} ({self._id[:8]})")


def _remembered(simulation: Simulation) -> None:
    """I2: while a receiver remembers a key, even a person's resending does nothing twice."""
    for sink in simulation.sinks.values():
        last: dict[str, datetime] = {}
        for applied in sink.ledger:
            before = last.get(applied.key)
            last[applied.key] = applied.at
            if sink.kind == "keyed" and before:
                apart = (applied.at - before).total_seconds()
                if apart <= sink.inner.window:
                    simulation.watch.findings.duplicated += 1
                    simulation.watch.findings.add(f"I2: a key came anew after {apart:.0f} s")


def _leftovers(simulation: Simulation) -> None:
    """I6: no message left, nothing dropped, no sweep needed in calm weather."""
    findings = simulation.watch.findings
    if simulation.host.messages:
        left = Counter(message.queue for message in simulation.host.messages)
        findings.add(f"I6: messages left in queues: {dict(left)}")
    kept = {item.body.encode() for item in instantly(simulation.quarantine.entries(100))}
    if kept != set(simulation.garbage):
        findings.add(f"quarantine holds {sorted(kept)}, not {sorted(simulation.garbage)}")
    if simulation.scenario.calm and simulation.host.swept:
        findings.add("a sweep had to help although nothing went wrong")


def _listing(simulation: Simulation) -> None:
    """I6: no open mark, and each case listed once under its status."""
    findings, store = simulation.watch.findings, simulation.store.inner
    listed: dict[str, list[Any]] = {}
    for (facet, _), entry in simulation.index.entries.items():
        listed.setdefault(entry.case_id, []).append((facet.split("|")[0], entry))
    for case_id, places in listed.items():
        view = instantly(store.read(case_id))
        if view.received is None:
            findings.add(f"I6: a mark without a case is left ({case_id[:8]})")
            continue
        true = index_entry(view)
        stale = [
            facet for facet, entry in places
            if entry.version < true.version and (case_id, facet) in simulation.index.frozen_puts
        ]  # fmt: skip
        findings.stale += len(stale)
        kept = [(facet, entry) for facet, entry in places if facet not in stale]
        if [facet for facet, _ in kept] != [true.facet]:
            facets = [facet for facet, _ in kept]
            findings.add(f"I6: listed under {facets}, it is {true.status} ({case_id[:8]})")
            continue
        stored = kept[0][1]
        if view.cancelled:
            # A worker that was at it may still add to the trace of a cancelled case.
            stored = stored.model_copy(update={"updated_at": true.updated_at})
        if stored != true:
            findings.add(f"I6: listed as {_differing(stored, true)} ({case_id[:8]})")
    _journal(simulation)
    unlisted = {c for c, rows in simulation.watch.rows.items() if "case" in rows} - set(listed)
    findings.violations += [f"I6: not listed at all ({case_id[:8]})" for case_id in unlisted]
    shown, _ = instantly(
        simulation.index.inner.page(["busy", "default", "hotel"], get_args(Status), None, None, 100)
    )
    if len(shown) != len({entry.case_id for entry in shown}):
        findings.add("I6: a case is shown twice")


def _journal(simulation: Simulation) -> None:
    """What happened to each case is in the journal, once."""
    kept: dict[str, set[tuple[datetime, str]]] = {}
    for entry in simulation.journal.entries:
        kept.setdefault(entry.case_id, set()).add((entry.at, entry.mark))
    for case_id, rows in simulation.watch.rows.items():
        if "case" not in rows:
            continue
        true = {(e.at, e.mark) for e in entries(instantly(simulation.store.inner.read(case_id)))}
        found = kept.get(case_id, set())
        acts = [row.act for row in rows.values() if isinstance(row, ActRow)]
        # Work that went on while somebody cancelled it, or had it done again by what he had seen
        # long before, is told twice; never an escalation or a target.
        unclear = "cancel" in acts or acts.count("replay") > 1
        told_twice = {e for e in found - true if unclear and e[1][0] in "mx"}
        if found - told_twice != true:
            wrong = f"journal {sorted(found - true)} instead of {sorted(true - found)}"
            simulation.watch.findings.add(f"{wrong} ({case_id[:8]})")


def _differing(stored: Any, true: Any) -> str:
    return ", ".join(
        f"{name} {getattr(stored, name)!r} instead of {value!r}"
        for name, value in true
        if getattr(stored, name) != value
    )
