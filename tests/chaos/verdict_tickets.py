"""The verdict on tickets: each message in one turn of one case, each answer written once."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from shared.domain.partition import Partition
from shared.pipeline.fetching import STAGE as FETCH

if TYPE_CHECKING:
    from tests.chaos.evidence import Evidence
    from tests.chaos.verdict import Verdict


def judge_tickets(evidence: Evidence, verdict: Verdict) -> None:
    """I1 for what customers wrote in CRMs, and nothing for whoever forges deliveries."""
    cases: dict[str, list[str]] = defaultdict(list)
    for case_id, view in evidence.cases.items():
        channel = view.received.channel if view.received else None
        if channel and channel.connected:
            cases[channel.external_id or ""].append(case_id)
    verdict.words, verdict.forged = len(evidence.words), evidence.refused
    tickets = {words.ticket for words in evidence.words}
    for ticket in tickets:
        if len(cases[ticket]) > 1:
            verdict.duplicated += len(cases[ticket]) - 1
            verdict.violations["run"].append(f"ticket {ticket} is the cases {cases[ticket]}")
    for words in evidence.words:
        views = [evidence.cases[case_id] for case_id in cases[words.ticket]]
        turns = [
            message.turn
            for view in views
            for message in view.messages
            if words.text in evidence.said(view, message)
        ]
        where = cases[words.ticket][0] if views else "run"
        if len(turns) > 1:
            verdict.duplicated += len(turns) - 1
            verdict.violations[where].append(f"{words} is in the turns {turns}")
        elif not turns and not any(map(_with_a_person, views)):
            verdict.lost += 1
            verdict.violations[where].append(f"lost: in no turn: {words}")
    for ticket in sorted(cases.keys() - tickets):
        if cases[ticket]:
            kind = "forged" if ticket in evidence.forged else "unknown"
            verdict.violations["run"].append(f"a case of a {kind} ticket: {cases[ticket]}")
    _written(evidence, verdict)


def written(evidence: Evidence, vendor: str) -> list[str]:
    """The keys of the effects that a vendor's tickets show, one as often as it was written.

    Labels leave no receipt and may be set twice: theirs is there unless the ticket lacks them.
    """
    books = evidence.books[vendor]
    times = Counter(books.ledger)
    found: list[str] = []
    for key, ticket, state in _asked(evidence, vendor):
        if "labels-" in key:
            found += [key] if state == "done" and ticket not in books.untagged else []
        else:
            found += [key] * times[books.receipt(key)]
    return found


def _written(evidence: Evidence, verdict: Verdict) -> None:
    """I2 as vendors see it: nothing that nobody asked for."""
    for vendor, books in evidence.books.items():
        asked = {books.receipt(key) for key, _, _ in _asked(evidence, vendor)}
        verdict.written += len(books.ledger)
        for receipt in sorted(set(books.ledger) - asked):
            why = f"written into {vendor}, and nobody asked for it: {receipt}"
            verdict.violations["run"].append(why)


def _asked(evidence: Evidence, vendor: str) -> list[tuple[str, str, str]]:
    """Idempotency key, ticket and state of every effect of a vendor."""
    return [
        (
            f"{case_id}-{effect.request.key}",
            effect.request.to[0],
            effect.row.state if effect.row else "",
        )
        for case_id, view in evidence.cases.items()
        for effect in view.effects
        if effect.request.sink == vendor
    ]


def _with_a_person(view: Partition) -> bool:
    return any(p.plan.stage == FETCH and p.phase == "parked" for p in view.progress)
