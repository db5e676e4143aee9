"""The verdict on a run: the simulator's invariants and a few more, from rows and ledgers."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from shared.domain.fold import index_entry
from shared.domain.partition import Partition
from shared.domain.rows import Row, StageRow, mark_of
from tests.chaos.evidence import Call, Carried, Evidence, tokens_in
from tests.chaos.verdict_tickets import judge_tickets, written
from tests.simulation import checker
from tests.simulation.checker_telling import check_telling
from tests.simulation.watch import Findings

#: Share of effects that may end uncertain; in a small run, this many.
UNCERTAIN_SHARE = 0.05
UNCERTAIN_FEW = 3
#: What carries actions out, and what each does with a key that comes again.
_ACTIONS = {"action-http": "keyed", "action-ticket": "queryable", "action-python": "unkeyed"}
#: Seconds that a request may take to the model on a busy machine; its worker may have given up.
_ON_ITS_WAY = 1.0


@dataclass
class Verdict:
    """What was found.

    Attributes:
        violations: In words, by case id; under ``run`` what concerns none.
        cut_off: Claims whose worker died or lost its storage: what the kills hit.
        carried: Actions that were carried out; ``unallowed`` of them without any right to.
        decided: Decisions of people that were accepted; ``by_link`` of them by links in mails.
        words: What customers wrote in CRMs; ``written``: replies and notes in their tickets.
        forged: Deliveries that were refused.
    """

    cases: int = 0
    lost: int = 0
    duplicated: int = 0
    avoidable: int = 0
    uncertain: int = 0
    effects: int = 0
    paid: int = 0
    cut_off: int = 0
    carried: int = 0
    unallowed: int = 0
    decided: int = 0
    by_link: int = 0
    words: int = 0
    written: int = 0
    forged: int = 0
    digests: int = 0
    violations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def good(self) -> bool:
        """Whether all invariants hold."""
        return not any(self.violations.values())

    def __str__(self) -> str:
        share = 100 * self.uncertain / self.effects if self.effects else 0.0
        return (
            f"{self.lost} lost, {self.duplicated} duplicated, "
            f"{self.avoidable} avoidably paid of {self.paid} paid calls, "
            f"{self.uncertain} uncertain of {self.effects} effects ({share:.1f} %), "
            f"{self.carried} actions carried out, {self.unallowed} of them unallowed, "
            f"{self.decided} decided on, {self.by_link} of them by link, "
            f"{self.words} messages in CRMs, {self.written} replies and notes written there, "
            f"{self.forged} forged deliveries refused, {self.digests} digests"
        )


def judge(evidence: Evidence) -> Verdict:
    """Checks everything that a run left behind."""
    opened = {promise.case_id for promise in evidence.promises}
    opened |= {words.ticket for words in evidence.words}
    verdict = Verdict(cases=len(opened))
    verdict.violations["run"] += evidence.troubles
    _promises(evidence, verdict)
    judge_tickets(evidence, verdict)
    _cases(evidence, verdict)
    _sinks(evidence, verdict)
    _actions(evidence, verdict)
    _digests(evidence, verdict)
    _calls(evidence, verdict)
    _listing(evidence, verdict)
    _leftovers(evidence, verdict)
    allowed = max(UNCERTAIN_FEW, UNCERTAIN_SHARE * verdict.effects)
    if verdict.uncertain > (0 if evidence.calm else allowed):
        verdict.violations["run"].append(f"{verdict.uncertain} effects are uncertain")
    return verdict


def _promises(evidence: Evidence, verdict: Verdict) -> None:
    """I1: whatever was answered with 202 is stored, once."""
    for promise in evidence.promises:
        view = evidence.cases.get(promise.case_id)
        texts = [
            evidence.said(view, row)
            for row in (view.messages if view else ())
            if view and row.delivery_id == promise.delivery_id
        ]
        if view is None or view.received is None or promise.text not in texts:
            verdict.lost += 1
            verdict.violations[promise.case_id].append(f"lost: accepted, not stored: {promise}")
        elif len(texts) > 1:
            verdict.duplicated += 1
            verdict.violations[promise.case_id].append(f"stored {len(texts)} times: {promise}")
    for case_id in evidence.cancelled:
        if not evidence.cases[case_id].cancelled:
            verdict.violations[case_id].append("a cancel was accepted and not stored")


def _cases(evidence: Evidence, verdict: Verdict) -> None:
    """I1, I2, I4 by the simulator's checker, which is handed these rows as if it had run them."""

    async def read(case_id: str) -> Partition:
        return evidence.cases[case_id]

    sinks = {
        "callback": _sink("keyed", _keys(evidence.applied)),
        "email": _sink("unkeyed", _keys(evidence.mails)),
    } | {
        name: _sink(kind, [_done(one) for one in evidence.carried if one.sink == name])
        for name, kind in _ACTIONS.items()
    }
    sinks |= {
        vendor: _sink(books.kind, _keys(written(evidence, vendor)))
        for vendor, books in evidence.books.items()
    }
    every = {
        case_id: {key: item.row for key, item in view.stored.items()}
        for case_id, view in evidence.cases.items()
    }
    _lists(every, sinks, verdict)
    for case_id, view in evidence.cases.items():
        if view.received is None:
            continue
        findings = Findings()
        run: Any = SimpleNamespace(
            watch=SimpleNamespace(findings=findings),
            # No run lasts until a promise to a customer is late.
            scenario=SimpleNamespace(timer=False),
            receivers=sinks,
            ticketing={},
            store=SimpleNamespace(inner=SimpleNamespace(read=read)),
        )
        checker._Case(run, case_id, every[case_id]).check()
        verdict.lost += findings.lost
        verdict.duplicated += findings.duplicated
        verdict.uncertain += findings.uncertain
        verdict.effects += findings.effects
        verdict.violations[case_id] += findings.violations


def _lists(every: dict[str, dict[str, Row]], sinks: Any, verdict: Verdict) -> None:
    """Each message by itself or in one list, by the simulator's checker."""
    findings = Findings()
    run: Any = SimpleNamespace(
        watch=SimpleNamespace(findings=findings, rows=every),
        scenario=SimpleNamespace(timer=False),
        receivers=sinks,
    )
    check_telling(run)
    verdict.lost += findings.lost
    verdict.duplicated += findings.duplicated
    verdict.violations["run"] += findings.violations


def _sink(kind: str, ledger: list[SimpleNamespace]) -> SimpleNamespace:
    """A sink as the simulator's checker looks at it."""
    return SimpleNamespace(kind=kind, ledger=ledger)


def _keys(keys: list[str]) -> list[SimpleNamespace]:
    return [SimpleNamespace(key=key) for key in keys]


def _done(one: Carried) -> SimpleNamespace:
    action = SimpleNamespace(id=one.id, name=one.name, arguments=one.arguments)
    return SimpleNamespace(key=one.key, at=one.at, request=SimpleNamespace(action=action))


def _actions(evidence: Evidence, verdict: Verdict) -> None:
    """I8 as the ledgers of what carries actions out see it, and what people were told."""
    verdict.carried = len(evidence.carried)
    verdict.decided = len(evidence.decisions)
    verdict.by_link = sum(decision.by_link for decision in evidence.decisions)
    verdict.unallowed = sum(
        "nobody allowed it" in why for found in verdict.violations.values() for why in found
    )
    done: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for one in evidence.carried:
        turn = one.id.rsplit("-", 2)[1]
        done[one.case_id, turn, one.name, repr(sorted(one.arguments.items()))].add(one.key)
    for (case_id, _, name, _), keys in done.items():
        if len(keys) > 1:
            verdict.duplicated += len(keys) - 1
            verdict.violations[case_id].append(f"{name} was carried out as {sorted(keys)}")
    for decision in evidence.decisions:
        view = evidence.cases.get(decision.case_id)
        stored = {(act.act, act.action) for act in (view.acts if view else ())}
        if (decision.act, decision.action) not in stored:
            verdict.lost += 1
            why = f"lost: {decision.act} of {decision.action} was accepted and is not stored"
            verdict.violations[decision.case_id].append(why)


def _digests(evidence: Evidence, verdict: Verdict) -> None:
    """Each digest was sent once, or may have been."""
    for case_id, view in evidence.cases.items():
        if view.digest is None:
            continue
        verdict.digests += 1
        for effect in view.effects:
            state = effect.row.state if effect.row else "missing"
            times = evidence.mails.count(_in_mail(f"{case_id}-{effect.request.key}"))
            if times > 1:
                verdict.duplicated += times - 1
                verdict.violations[case_id].append(f"{effect.request.key} was sent {times} times")
            sent = times or effect.request.sink != "email"
            if state not in ("done", "uncertain") or (state == "done" and not sent):
                verdict.lost += 1
                why = f"{effect.request.key} is {state} and was sent {times} times"
                verdict.violations[case_id].append(why)


def _in_mail(key: str) -> str:
    """A key as it stands in a Message-ID."""
    return key.replace(":", "_")


def _sinks(evidence: Evidence, verdict: Verdict) -> None:
    """I2 as receivers see it: one id and one text for a reply, and nothing unasked for."""
    asked = {
        f"{case_id}-{effect.request.key}"
        for case_id, view in evidence.cases.items()
        for effect in view.effects
    }
    asked |= {_in_mail(key) for key in asked}
    done = {one.key for one in evidence.carried}
    for key in sorted({*evidence.applied, *evidence.mails, *done} - asked):
        verdict.violations["run"].append(f"an effect that nobody asked for: {key}")
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    texts: dict[str, set[str]] = defaultdict(set)
    for reply in evidence.replies:
        ids[reply.case_id, reply.turn].add(reply.id)
        texts[reply.id].add(reply.text)
    for (case_id, turn), seen in ids.items():
        if len(seen) > 1:
            verdict.duplicated += len(seen) - 1
            verdict.violations[case_id].append(f"turn {turn} was answered under ids {sorted(seen)}")
        if any(len(texts[one]) > 1 for one in seen):
            verdict.violations[case_id].append(f"turn {turn} was answered in different words")


def _calls(evidence: Evidence, verdict: Verdict) -> None:
    """I5 from the model's own log: no call beyond what the claims in the table allow."""
    turns = {
        mark: (case_id, message.turn)
        for case_id, view in evidence.cases.items()
        for message in view.messages
        for mark in tokens_in(evidence.said(view, message))
    }
    made: dict[tuple[str, int, str], list[Call]] = defaultdict(list)
    for call in evidence.calls:
        verdict.paid += call.paid
        made[*turns.get((call.number, call.turn), ("", 0)), call.stage].append(call)
    for (case_id, turn, stage), calls in made.items():
        view = evidence.cases.get(case_id)
        progress = view.stage(turn, stage) if view else None
        if progress is None or progress.row is None:
            verdict.avoidable += len(calls)
            verdict.violations[case_id or "run"].append(f"model calls without a claim: {calls}")
            continue
        for why in _avoidable(progress.row, calls):
            verdict.avoidable += 1
            verdict.violations[case_id].append(f"avoidably paid: {turn}:{stage}: {why}")
    for case_id, view in evidence.cases.items():
        for row in view.stage_rows:
            claims = _claims(row)
            verdict.cut_off += sum(ended is None for _, ended in claims)
            for (began, ended), (again, _) in pairwise(claims):
                if ended is None and again < began + evidence.limits.lease:
                    verdict.violations[case_id].append(f"{row.key}: a live claim was taken away")


def _avoidable(row: StageRow, calls: list[Call]) -> list[str]:
    """Calls of one stage that should not have been made."""
    found = []
    claims = _claims(row)
    asked: Counter[tuple[datetime, bool]] = Counter()
    for call in calls:
        under = [claim for claim in claims if claim[0].timestamp() <= call.at]
        if not under:
            found.append("a call before its claim")
            continue
        began, ended = under[-1]
        if ended is not None and ended.timestamp() + _ON_ITS_WAY < call.at:
            found.append(f"a call {call.at - ended.timestamp():.2f} s after the claim had ended")
        elif call.paid:
            asked[began, call.again] += 1
    found += [
        f"{times} answered calls under the claim of {began:%H:%M:%S}"
        for (began, _), times in asked.items()
        if times > 1
    ]
    return found


def _claims(row: StageRow) -> list[tuple[datetime, datetime | None]]:
    """Each claim's time, and when it ended; None for one whose worker never said."""
    ends = {event.epoch: event.at for event in row.events if event.event != "claimed"}
    return [(event.at, ends.get(event.epoch)) for event in row.events if event.event == "claimed"]


def _listing(evidence: Evidence, verdict: Verdict) -> None:
    """I6: no open mark, and each case listed once under its status."""
    listed: dict[str, list[str]] = defaultdict(list)
    for facet, entry in evidence.listed:
        view = evidence.cases.get(entry.case_id)
        if facet == "open" and may_stay_open(evidence, entry.mark, entry.case_id):
            continue
        if view is None or view.received is None:
            verdict.violations[entry.case_id].append(f"listed under {facet}, and there is no case")
            continue
        listed[entry.case_id].append(facet)
    for case_id, view in evidence.cases.items():
        if view.received and listed[case_id] != [index_entry(view).facet]:
            wanted = index_entry(view).facet
            verdict.violations[case_id].append(f"listed under {listed[case_id]}, it is {wanted}")


def may_stay_open(evidence: Evidence, mark: str, case_id: str) -> bool:
    """Whether an open mark is one of an act that died before its row and was refused later.

    Such a mark goes when it is ``orphan_age`` old, an hour, for which no run waits.
    """
    view = evidence.cases.get(case_id)
    rows = {mark_of(key) for key in view.stored} if view else set()
    return case_id in evidence.unanswered and mark not in rows


def _leftovers(evidence: Evidence, verdict: Verdict) -> None:
    """Nothing dropped: what was no nudge is in quarantine, or hidden since its host was killed."""
    extra = Counter(evidence.quarantined)
    for queue, bodies in evidence.garbage.items():
        missing = [body for body in bodies if body not in evidence.quarantined]
        extra -= Counter(bodies)
        if len(missing) > evidence.left.get(queue, 0):
            verdict.violations["run"].append(f"dropped from {queue}: {missing}")
    if extra:
        verdict.violations["run"].append(f"in quarantine by mistake: {list(extra)}")
    poison = {name: n for name, n in evidence.left.items() if n and name.endswith("-poison")}
    if poison:
        verdict.violations["run"].append(f"left in poison queues: {poison}")
