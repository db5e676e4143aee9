"""Who was told: each message once, by itself or in one list; stand-ins and reviews only in need.

Worked out from the stored rows and the receivers' ledgers, as in ``checker.py``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.rows import EffectRow, GatheredRow, MessageRow, Row, StageRow, effect_key
from shared.domain.telling import ROUNDS

if TYPE_CHECKING:
    from shared.domain.rows import Member
    from tests.simulation.simulation import Simulation

_FAILED = ("refused", "uncertain")
_HANDLED = ("done", *_FAILED)
#: Two clocks may differ so much.
_SKEW = timedelta(seconds=45)


def check_telling(simulation: Simulation) -> None:
    """Checks every list, and every message that might have been in one."""
    for name, rows in simulation.watch.rows.items():
        if name.startswith(ROUNDS):
            _list(simulation, name, rows)
        elif "case" in rows:
            _case(simulation, name, rows)


def _list(simulation: Simulation, name: str, rows: dict[str, Row]) -> None:
    findings = simulation.watch.findings
    found = sorted((r for r in rows.values() if isinstance(r, GatheredRow)), key=lambda r: r.n)
    members = [row.member for row in found if row.member]
    if [row.n for row in found] != list(range(1, len(found) + 1)):
        findings.add(f"a list has numbers {[row.n for row in found]} ({name})")
    names = [(m.case_id, m.effect, m.generation) for m in members]
    if len(set(names)) != len(names):
        findings.duplicated += 1
        findings.add(f"a list has a message twice ({name})")
    free = found[0].round.free if found[0].round else 0
    listed = members[free:]
    closed = [row for row in found if row.member is None]
    if closed and (len(closed) > 1 or closed[0] is not found[-1]):
        findings.add(f"a list went on after it was closed ({name})")
    # Without a timer nobody waits until a list is due, and until its messages have seen it sent.
    timer = simulation.scenario.timer
    if not listed or not (closed or timer):
        return
    sent = rows.get(effect_key("gathered", 0))
    if not closed or not isinstance(sent, EffectRow) or sent.state not in _HANDLED:
        findings.lost += len(listed)
        findings.add(f"I2: a list of {len(listed)} messages was never sent ({name})")
        return
    times = _times(simulation, sent.request.sink, f"{name}-gathered")
    if times > 1 or (sent.state == "done" and not times) or (sent.state == "refused" and times):
        findings.add(f"I2: a list that is {sent.state} was sent {times} times ({name})")
    for member in listed if timer else ():
        _member(simulation, name, sent, member)
    instead = rows.get(effect_key("gathered-instead", 0))
    begun = isinstance(instead, EffectRow)
    if begun != (sent.state in _FAILED) and len(closed[0].effects) > 1:
        findings.add(f"a list is {sent.state}, and somebody else told: {begun} ({name})")


def _member(simulation: Simulation, name: str, sent: EffectRow, member: Member) -> None:
    row = simulation.watch.rows[member.case_id].get(effect_key(member.effect, member.generation))
    if not isinstance(row, EffectRow) or not row.gathered or row.state != sent.state:
        state = row.state if isinstance(row, EffectRow) else "missing"
        simulation.watch.findings.add(
            f"{member.effect} is {state}, its list {sent.state} ({member.case_id[:8]}, {name})"
        )


def _case(simulation: Simulation, case_id: str, rows: dict[str, Row]) -> None:
    effects = [row for row in rows.values() if isinstance(row, EffectRow)]
    for row in effects:
        if row.gathered and row.state in _HANDLED and not _is_listed(simulation, case_id, row):
            simulation.watch.findings.lost += 1
            _wrong(simulation, case_id, f"I2: {row.key} is {row.state} and in no list")
        key = row.request.key
        generations = [other for other in effects if other.request.key == key]
        times = _times(simulation, row.request.sink, f"{case_id}-{key}")
        if times and all(other.gathered for other in generations):
            simulation.watch.findings.duplicated += 1
            _wrong(simulation, case_id, f"I2: {key} is in a list and went out by itself, too")
        if row.request.instead_of:
            named = [o for o in effects if o.request.key in row.request.instead_of]
            if not any(o.state in _FAILED and not o.gathered for o in named):
                _wrong(simulation, case_id, f"{key} although nothing had failed")
        if row.request.while_answered:
            _review(simulation, case_id, rows, row)


def _review(simulation: Simulation, case_id: str, rows: dict[str, Row], row: EffectRow) -> None:
    before = row.first_at - _SKEW
    for other in rows.values():
        needs = isinstance(other, StageRow) and (other.state == "parked" or other.writes.escalated)
        if needs and isinstance(other, StageRow) and (other.finished_at or before) < before:
            replayed = f"s|{other.turn:04d}|{other.stage}|{other.generation + 1:03d}" in rows
            if not replayed:
                _wrong(simulation, case_id, f"a review was asked for although of {other.key}")
        later = isinstance(other, MessageRow) and other.turn > row.request.turn and not other.fetch
        if later and isinstance(other, MessageRow) and other.received_at < before:
            _wrong(simulation, case_id, "a review was asked for after another message")


def _is_listed(simulation: Simulation, case_id: str, row: EffectRow) -> bool:
    round_ = row.request.round
    if round_ is None:
        return False
    return any(
        isinstance(other, GatheredRow)
        and other.member is not None
        and other.n > round_.free
        and (other.member.case_id, other.member.effect) == (case_id, row.request.key)
        and other.member.generation == row.generation
        for other in simulation.watch.rows.get(round_.id, {}).values()
    )


def _times(simulation: Simulation, sink: str, key: str) -> int:
    return sum(applied.key == key for applied in simulation.receivers[sink].ledger)


def _wrong(simulation: Simulation, case_id: str, why: str) -> None:
    simulation.watch.findings.add(f"{why} ({case_id[:8]})")
