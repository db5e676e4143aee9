"""Digests: windows without gap or overlap, each happening in one of them, each channel once.

Worked out from the stored rows and the receivers' ledgers, as in ``checker.py``.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.digest import DIGESTS
from shared.domain.digest_windows import MOST_LATE
from shared.domain.journal import entries
from shared.domain.rows import (
    ActRow,
    DigestRow,
    EffectRow,
    MessageRow,
    ReceivedRow,
    Row,
    StageRow,
    TargetRow,
    effect_key,
)
from tests.simulation.desks import DIGESTED, filed_before, planned_ends
from tests.simulation.world import START, instantly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.domain.digest import Digest
    from shared.domain.journal import JournalEntry
    from tests.simulation.simulation import Simulation

_HANDLED = ("done", "refused", "uncertain")
_FAILED = ("refused", "uncertain")
#: From the end of a window until a clock that is slow has it closed.
_CLOSING = timedelta(seconds=240)


def check_digests(simulation: Simulation) -> None:
    """Checks every digest of every desk that has some."""
    if simulation.scenario.digests is None:
        return
    found: dict[str, list[Digest]] = {desk: [] for desk in DIGESTED}
    for name, rows in simulation.watch.rows.items():
        if name.startswith(DIGESTS):
            row = rows["digest"]
            assert isinstance(row, DigestRow)
            found[row.digest.desk].append(row.digest)
            _channels(simulation, name, row, rows)
    for desk, digests in found.items():
        digests.sort(key=lambda digest: (digest.end, digest.start))
        _windows(simulation, desk, digests)
        _counts(simulation, desk, digests)
    for name in simulation.people.digests:
        if name not in simulation.watch.rows:
            _wrong(simulation, f"sent by hand and never sealed: {name}")


def _windows(simulation: Simulation, desk: str, digests: list[Digest]) -> None:
    plan = simulation.scenario.digests
    assert plan is not None
    said = [f"{d.start:%d %H:%M} to {d.end:%d %H:%M}" for d in digests]
    before = filed_before(desk, plan)
    starts = [digest.start for digest in digests]
    if starts != [before.end, *(digest.end for digest in digests)][: len(starts)]:
        _wrong(simulation, f"windows of {desk} leave a gap or overlap: {said}")
    now = START + timedelta(seconds=simulation.world.now)
    planned = [end for end in planned_ends(desk, plan, now - _CLOSING) if end > before.end]
    ends = {digest.end for digest in digests}
    unplanned = len(ends.difference(planned))
    if unplanned > simulation.people.digests_asked:
        _wrong(simulation, f"{unplanned} windows of {desk} end when nobody said: {said}")
    # One sent by hand takes in what was due and not sealed yet; so does the first after an outage.
    by_hand = [(d.start, d.end) for d in digests if d.end not in planned]
    left = [e for e in planned if not any(s < e < u for s, u in by_hand) and e not in ends]
    late = plan.days > MOST_LATE
    if any(end in planned[-MOST_LATE:] or not late for end in left):
        _wrong(simulation, f"windows of {desk} were never sealed: {left} beside {said}")


def _channels(simulation: Simulation, name: str, sealed: DigestRow, rows: dict[str, Row]) -> None:
    failed = {
        r.request.key for r in rows.values() if isinstance(r, EffectRow) and r.state in _FAILED
    }
    every = instantly(simulation.journal.inner.filed(sealed.digest.desk, 100))
    filed = [f for f in every if f.end == sealed.digest.end]
    if [{channel.channel for channel in f.failed} for f in filed] != [failed]:
        _wrong(simulation, f"{name} is filed as {filed}, of it failed: {failed}")
    for request in sealed.effects:
        row = rows.get(effect_key(request.key, 0))
        state = row.state if isinstance(row, EffectRow) else "missing"
        if state not in _HANDLED:
            simulation.watch.findings.lost += 1
            _wrong(simulation, f"I2: {request.key} of {name} is {state}")
            continue
        simulation.watch.findings.effects += 1
        simulation.watch.findings.uncertain += state == "uncertain"
        times = _times(simulation, name, sealed.digest, request.sink)
        if times > 1:
            simulation.watch.findings.duplicated += times - 1
        if times > 1 or (state == "done") > times or (state == "refused" and times):
            _wrong(simulation, f"I2: {request.key} of {name} is {state} and happened {times} times")


def _times(simulation: Simulation, name: str, digest: Digest, sink: str) -> int:
    if sink == "copy":
        kept = f"digests/{digest.desk}/{digest.end:%Y-%m-%dT%H%MZ}"
        texts = simulation.texts.inner._texts
        return int(all(f"{kept}.{ending}" in texts for ending in ("json", "txt", "html")))
    return sum(done.key == f"{name}-{sink}" for done in simulation.receivers[sink].ledger)


def _counts(simulation: Simulation, desk: str, digests: list[Digest]) -> None:
    """Each happening is counted once: by its instant, and in all by what the rows hold."""
    happened: list[JournalEntry] = []
    held: Counter[str] = Counter()
    unclear = False
    for case_id, rows in simulation.watch.rows.items():
        case = rows.get("case")
        if isinstance(case, ReceivedRow) and case.desk == desk:
            happened += entries(instantly(simulation.store.inner.read(case_id)))
            held.update(_held(rows))
            acts = [row for row in rows.values() if isinstance(row, ActRow)]
            names = [act.act for act in acts]
            # Of these checker.py says why a message may be told twice. And a turn that waited for a
            # person is a message until its fetch is replayed and finds that it is none.
            unclear = unclear or "cancel" in names or names.count("replay") > 1
            unclear = unclear or any(stage.endswith(":fetch") for a in acts for stage in a.stages)
    counted: Counter[str] = Counter()
    for digest in digests:
        inside = [entry for entry in happened if digest.start <= entry.at < digest.end]
        true = Counter(filter(None, map(_what, inside)))
        said = _said(digest)
        counted.update(said)
        for what in {*true, *said}:
            if said[what] != true[what] and not (unclear and what == "messages"):
                window = f"{digest.start:%H:%M} to {digest.end:%H:%M}"
                _wrong(simulation, f"{desk} {window}: {said[what]} {what}, truly {true[what]}")
    for what in {*held, *counted}:
        if counted[what] != held[what] and not (unclear and what == "messages"):
            simulation.watch.findings.lost += max(0, held[what] - counted[what])
            _wrong(simulation, f"{desk}: digests tell {counted[what]} {what} of {held[what]}")


def _said(digest: Digest) -> Counter[str]:
    names = ("messages", "escalated", "resolved", "cancelled", "at_risk", "breached")
    return Counter({name: n for name in names if (n := getattr(digest.counts, name))})


def _what(entry: JournalEntry) -> str:
    if entry.what == "message":
        return "messages" if entry.outcome != "nothing" else ""
    if entry.what == "act":
        return {"resolve": "resolved", "cancel": "cancelled"}.get(entry.outcome, "")
    return "escalated" if entry.what == "escalated" else entry.outcome


def _held(rows: dict[str, Row]) -> Iterator[str]:
    """What a case's rows hold, each thing once."""
    by_clock = {r.key for row in rows.values() if isinstance(row, TargetRow) for r in row.effects}
    escalated: set[int] = set()
    nothing: set[int] = set()
    for row in rows.values():
        if isinstance(row, StageRow):
            escalated |= {row.turn} if row.state == "parked" or row.writes.escalated else set()
            fetched = row.writes.fetched if row.state == "finished" else None
            nothing |= {row.turn} if fetched and fetched.nothing else set()
        elif isinstance(row, EffectRow) and row.state in _FAILED:
            escalated |= {row.request.turn} if row.request.key not in by_clock else set()
        elif isinstance(row, TargetRow):
            yield row.state
        elif isinstance(row, ActRow) and row.act in ("resolve", "cancel"):
            yield "resolved" if row.act == "resolve" else "cancelled"
    yield from ("escalated" for _ in escalated)
    turns = {row.turn for row in rows.values() if isinstance(row, MessageRow)}
    yield from ("messages" for _ in turns - nothing)


def _wrong(simulation: Simulation, why: str) -> None:
    simulation.watch.findings.add(why)
