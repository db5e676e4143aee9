"""The checks can fail: each planted violation is found, and a clean run shows none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.domain.fold import index_entry
from shared.domain.partition import Partition
from shared.domain.progress import Stored
from shared.domain.rows import Row
from tests.chaos.clean_run import (
    ASKED,
    CASE,
    CRM_CASE,
    DIGEST,
    FREE,
    MAIL,
    PAY,
    a_stage,
    a_yes,
    an_effect,
    at,
    carried,
    clean,
    events,
)
from tests.chaos.evidence import Decision, Evidence
from tests.chaos.verdict import judge


def write(evidence: Evidence, row: Row) -> None:
    evidence.cases[CASE] = evidence.cases[CASE].with_row(row, "")


def without(evidence: Evidence, key: str) -> None:
    kept = [item for name, item in evidence.cases[CASE].stored.items() if name != key]
    evidence.cases[CASE] = Partition(CASE, kept)


def stage_left_working(evidence: Evidence) -> None:
    write(evidence, a_stage(state="working", effects=(), events=events((1, 1, "claimed"))))


def case_gone(evidence: Evidence) -> None:
    del evidence.cases[CASE], evidence.listed[0]
    evidence.decisions.clear()


def effect_left_behind(evidence: Evidence) -> None:
    without(evidence, "e|escalated-1|000")
    del evidence.mails[0]


def mail_doubled(evidence: Evidence) -> None:
    evidence.mails.append(evidence.mails[0])


def answered_under_two_ids(evidence: Evidence) -> None:
    evidence.replies.append(replace(evidence.replies[0], id=f"{CASE}-reply-01"))


def answered_in_other_words(evidence: Evidence) -> None:
    evidence.replies.append(replace(evidence.replies[0], text="We are not sorry."))


def called_twice_under_one_claim(evidence: Evidence) -> None:
    evidence.calls.append(replace(evidence.calls[0], at=at(2).timestamp()))


def called_while_an_answer_was_stored(evidence: Evidence) -> None:
    evidence.calls.append(replace(evidence.calls[0], at=at(30).timestamp()))


def called_without_a_claim(evidence: Evidence) -> None:
    evidence.calls.append(replace(evidence.calls[0], number=9))


def claim_taken_away(evidence: Evidence) -> None:
    again = events((1, 1, "claimed"), (2, 2, "claimed"), (3, 2, "finished"))
    write(evidence, a_stage(epoch=2, attempts=2, events=again))


def mark_left_open(evidence: Evidence) -> None:
    _, entry = evidence.listed[0]
    evidence.listed.append(("open", entry.model_copy(update={"status": "open", "mark": "m0001"})))


def not_listed(evidence: Evidence) -> None:
    evidence.listed.clear()


def mail_that_nobody_asked_for(evidence: Evidence) -> None:
    evidence.mails.append(f"{CASE}-escalated-7")


def nudge_in_quarantine(evidence: Evidence) -> None:
    evidence.quarantined.append('{"case":"x","turn":1,"stage":"sentiment"}')


def poison_left(evidence: Evidence) -> None:
    evidence.left = {"effects-poison": 1}


def garbage_dropped(evidence: Evidence) -> None:
    evidence.garbage = {"effects": ("hello",)}


def many_uncertain(evidence: Evidence) -> None:
    evidence.calm = True
    unsure = events((4, 1, "claimed"), (5, 1, "uncertain"))
    write(evidence, an_effect(MAIL, state="uncertain", events=unsure))
    evidence.listed[0] = ("escalated", index_entry(evidence.cases[CASE]))


def cancel_forgotten(evidence: Evidence) -> None:
    evidence.cancelled.add(CASE)


def action_doubled(evidence: Evidence) -> None:
    evidence.carried.append(evidence.carried[0])


def action_done_under_two_keys(evidence: Evidence) -> None:
    other = FREE.id.replace("a" * 10, "c" * 10)
    evidence.carried.append(carried(FREE, key=f"{CASE}-action-{other}"))


def action_done_without_its_yes(evidence: Evidence) -> None:
    without(evidence, "x|0001")
    evidence.decisions.clear()


def action_done_before_its_yes(evidence: Evidence) -> None:
    write(evidence, a_yes(at=at(600)))


def action_done_otherwise_than_was_shown(evidence: Evidence) -> None:
    evidence.carried[1] = carried(ASKED, arguments={"amount": 90.0})


def approved_action_never_done(evidence: Evidence) -> None:
    evidence.carried.pop()


def approved_action_not_even_begun(evidence: Evidence) -> None:
    evidence.carried.pop()
    without(evidence, f"e|{PAY.key}|000")
    evidence.listed[0] = ("escalated", index_entry(evidence.cases[CASE]))


def decided_both_ways(evidence: Evidence) -> None:
    write(evidence, a_yes(n=2, act="reject", asks=()))


def decision_forgotten(evidence: Evidence) -> None:
    evidence.decisions.append(Decision(CASE, FREE.id, "reject", by_link=False))


def ticket_is_two_cases(evidence: Evidence) -> None:
    view, other = evidence.cases[CRM_CASE], CRM_CASE.replace("2", "3")
    rest = view.messages[0].model_copy(update={"text": "Still dirty."})
    evidence.cases[other] = Partition(other, view.stored.values()).with_row(rest, "")


def words_in_no_turn(evidence: Evidence) -> None:
    evidence.words.append(replace(evidence.words[0], text="[chaos 2-2] Still dirty."))


def words_in_two_turns(evidence: Evidence) -> None:
    view = evidence.cases[CRM_CASE]
    again = view.messages[0].model_copy(update={"turn": 2, "delivery_id": "m-2"})
    evidence.cases[CRM_CASE] = view.with_row(again, "")


def note_doubled(evidence: Evidence) -> None:
    evidence.books["zendesk"].ledger.append(evidence.books["zendesk"].ledger[0])


def note_lost(evidence: Evidence) -> None:
    evidence.books["zendesk"].ledger.clear()


def note_that_nobody_asked_for(evidence: Evidence) -> None:
    evidence.books["zendesk"].ledger.append("fd-000000000000")


def labels_lost(evidence: Evidence) -> None:
    evidence.books["zendesk"].untagged.add("T-1")


def forged_ticket_taken_in(evidence: Evidence) -> None:
    evidence.words.clear()
    evidence.forged.add("T-1")


def digest_doubled(evidence: Evidence) -> None:
    evidence.mails.append(evidence.mails[1])


def digest_lost(evidence: Evidence) -> None:
    del evidence.mails[1]


def digest_left_behind(evidence: Evidence) -> None:
    del evidence.mails[1]
    row = evidence.cases[DIGEST].stored["digest"].row
    evidence.cases[DIGEST] = Partition(DIGEST, [Stored(row, "")])


def host_fell(evidence: Evidence) -> None:
    evidence.troubles.append("host-1 ended by itself with 1")


def test_a_clean_run_has_no_violation() -> None:
    verdict = judge(clean())
    assert dict(verdict.violations) == {"run": [], CASE: [], CRM_CASE: []}
    assert str(verdict) == (
        "0 lost, 0 duplicated, 0 avoidably paid of 1 paid calls, 0 uncertain of 6 effects (0.0 %), "
        "2 actions carried out, 0 of them unallowed, 1 decided on, 1 of them by link, "
        "1 messages in CRMs, 1 replies and notes written there, 0 forged deliveries refused, "
        "1 digests"
    )


def test_a_malformed_answer_may_be_asked_for_again_once() -> None:
    evidence = clean()
    evidence.calls.append(replace(evidence.calls[0], at=at(2).timestamp(), again=True))
    assert judge(evidence).good
    evidence.calls.append(replace(evidence.calls[0], at=at(2.5).timestamp(), again=True))
    assert judge(evidence).avoidable == 1


def test_a_claim_that_was_cut_off_may_be_paid_for_again_after_its_lease() -> None:
    evidence = clean()
    lease = evidence.limits.lease.total_seconds()
    again = events((1, 1, "claimed"), (lease + 1, 2, "claimed"), (lease + 2, 2, "finished"))
    write(evidence, a_stage(epoch=2, attempts=2, events=again))
    evidence.calls.append(replace(evidence.calls[0], at=at(lease + 1.5).timestamp()))
    evidence.listed[0] = ("answered", index_entry(evidence.cases[CASE]))
    verdict = judge(evidence)
    assert (verdict.good, verdict.cut_off, verdict.paid) == (True, 1, 2)


@pytest.mark.parametrize(
    ("plant", "counted", "said"),
    [
        (stage_left_working, "lost", "lost in turn 1"),
        (case_gone, "lost", "accepted, not stored"),
        (effect_left_behind, "lost", "effect escalated-1 is missing"),
        (mail_doubled, "duplicated", "effect escalated-1 happened 2 times"),
        (answered_under_two_ids, "duplicated", "answered under ids"),
        (answered_in_other_words, "", "answered in different words"),
        (called_twice_under_one_claim, "avoidable", "2 answered calls under the claim"),
        (called_while_an_answer_was_stored, "avoidable", "27.00 s after the claim had ended"),
        (called_without_a_claim, "avoidable", "model calls without a claim"),
        (claim_taken_away, "", "a live claim was taken away"),
        (mark_left_open, "", "listed under ['answered', 'open']"),
        (not_listed, "", "listed under [], it is answered"),
        (mail_that_nobody_asked_for, "", "an effect that nobody asked for"),
        (nudge_in_quarantine, "", "in quarantine by mistake"),
        (garbage_dropped, "", "dropped from effects"),
        (poison_left, "", "left in poison queues"),
        (many_uncertain, "uncertain", "1 effects are uncertain"),
        (cancel_forgotten, "", "a cancel was accepted and not stored"),
        (action_doubled, "duplicated", "happened 2 times"),
        (action_done_under_two_keys, "duplicated", "send_tow_truck was carried out as"),
        (action_done_without_its_yes, "unallowed", "nobody allowed it"),
        (action_done_before_its_yes, "unallowed", "nobody allowed it"),
        (action_done_otherwise_than_was_shown, "unallowed", "nobody allowed it"),
        (approved_action_never_done, "lost", "is done and never happened"),
        (approved_action_not_even_begun, "lost", "is missing after 0 replays"),
        (decided_both_ways, "", "was decided on 2 times"),
        (decision_forgotten, "lost", "was accepted and is not stored"),
        (ticket_is_two_cases, "duplicated", "ticket T-1 is the cases"),
        (words_in_no_turn, "lost", "lost: in no turn"),
        (words_in_two_turns, "duplicated", "is in the turns [1, 2]"),
        (note_doubled, "duplicated", "queryable effect note-1 happened 2 times"),
        (note_lost, "lost", "effect note-1 is done and never happened"),
        (note_that_nobody_asked_for, "", "written into zendesk, and nobody asked for it"),
        (labels_lost, "lost", "effect labels-1 is done and never happened"),
        (forged_ticket_taken_in, "", "a case of a forged ticket"),
        (digest_doubled, "duplicated", "email was sent 2 times"),
        (digest_lost, "lost", "email is done and was sent 0 times"),
        (digest_left_behind, "lost", "email is missing and was sent 0 times"),
        (host_fell, "", "ended by itself"),
    ],
)
def test_a_planted_violation_is_found(
    plant: Callable[[Evidence], None], counted: str, said: str
) -> None:
    evidence = clean()
    plant(evidence)
    verdict = judge(evidence)
    assert not verdict.good
    assert any(said in why for found in verdict.violations.values() for why in found)
    assert not counted or getattr(verdict, counted) == 1
