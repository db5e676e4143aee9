"""I1: what customers wrote and was accepted is stored once, each message of a CRM in one turn."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from shared.domain.rows import ActRow, MessageRow, ReceivedRow, Row, StageRow
from tests.simulation.world import instantly

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


def check_promises(simulation: Simulation) -> None:
    """I1: whatever was answered with 202 is stored, once."""
    for promise in simulation.people.promises:
        rows = simulation.watch.rows.get(promise.case_id, {})
        texts = [
            row.text if row.blob is None else instantly(simulation.texts.inner.get(row.blob))
            for row in rows.values()
            if isinstance(row, MessageRow) and row.delivery_id == promise.delivery_id
        ]
        if "case" not in rows or texts != [promise.text]:
            simulation.watch.findings.lost += 1
            simulation.watch.findings.add(
                f"I1: accepted and not stored: {promise.text[:30]!r} ({promise.case_id[:8]})"
            )
    for case_id, action, act in simulation.people.decisions:
        decided = [r for r in simulation.watch.rows[case_id].values() if isinstance(r, ActRow)]
        if not any((row.act, row.action) == (act, action) for row in decided):
            simulation.watch.findings.lost += 1
            simulation.watch.findings.add(f"I8: {act} was accepted and not stored ({case_id[:8]})")
    for case_id in simulation.people.cancels:
        acts = [r for r in simulation.watch.rows[case_id].values() if isinstance(r, ActRow)]
        if not any(act.act == "cancel" for act in acts):
            simulation.watch.findings.add(f"a cancel was accepted and not stored ({case_id[:8]})")


def check_repeats(simulation: Simulation) -> None:
    """I1: all cases of the customer but the one that was counted first are a repeat customer's."""
    first = set(simulation.customers.inner._first.values())
    for case_id, rows in simulation.watch.rows.items():
        case = rows.get("case")
        if isinstance(case, ReceivedRow) and case.desk == "busy":
            repeat = case.repeat_customer
            if len(first) != 1 or repeat != (case_id not in first):
                simulation.watch.findings.add(
                    f"I1: a repeat customer: {repeat}, first was {first} ({case_id[:8]})"
                )


def check_tickets(simulation: Simulation) -> None:
    """I1: each message of a CRM's customer is in one turn of its ticket's cases, or a person looks.

    It may be in none only where a stage ``fetch`` waits for a person, its case was cancelled, or
    every webhook about it met an outage until its CRM gave up.
    """
    found: dict[str, Counter[str]] = {}
    looked_at: set[str] = set()
    for rows in simulation.watch.rows.values():
        case = rows.get("case")
        if isinstance(case, ReceivedRow) and case.channel.connected:
            ticket = case.channel.external_id or ""
            held, by_person = _held(rows)
            found.setdefault(ticket, Counter()).update(held)
            if by_person:
                looked_at.add(ticket)
    for ticket in found:
        for name, _ in simulation.crm.tickets[ticket]:
            times = found[ticket][name]
            if times > 1:
                simulation.watch.findings.duplicated += 1
                simulation.watch.findings.add(f"I1: {name} of {ticket} is in {times} turns")
            if not times and ticket not in looked_at | simulation.people.unheard:
                simulation.watch.findings.lost += 1
                simulation.watch.findings.add(f"I1: {name} of {ticket} is in no turn")


def _held(rows: dict[str, Row]) -> tuple[Counter[str], bool]:
    """The messages that a case holds, and whether a person has to look for what it may miss."""
    acts = [row for row in rows.values() if isinstance(row, ActRow)]
    held: Counter[str] = Counter()
    by_person = any(act.act == "cancel" for act in acts)
    # What a fetch brings after a cancel is not this case's.
    in_time = next((act.fetched for act in acts if act.act == "cancel"), None)
    empty: set[int] = set()
    for row in rows.values():
        if isinstance(row, StageRow) and row.stage == "fetch":
            if in_time is not None and row.turn not in in_time:
                continue
            replays = sum(f"{row.turn}:fetch" in act.stages for act in acts)
            fetched = row.writes.fetched if row.state == "finished" else None
            if row.generation == replays:
                by_person = by_person or row.state == "parked"
                held.update(fetched.ids if fetched else ())
                empty |= {row.turn} if fetched and fetched.nothing else set()
    for row in rows.values():
        if isinstance(row, MessageRow) and row.fetch is None and row.turn not in empty:
            held[row.delivery_id or ""] += 1
    return held, by_person
