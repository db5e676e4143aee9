"""Mistakes built in on purpose: the checks are only worth something if they find every one.

Each is a switch on a simulation that is about to start; the product's files know nothing of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.simulation import mistakes_in_budgets as budgets
from tests.simulation import mistakes_in_cases as cases
from tests.simulation import mistakes_in_crm as crm
from tests.simulation import mistakes_in_deciding as deciding
from tests.simulation import mistakes_in_digests as digests
from tests.simulation import mistakes_in_telling as telling
from tests.simulation import mistakes_in_tickets as tickets
from tests.simulation import mistakes_in_work as work
from tests.simulation.faults import GROUPS, Fault
from tests.simulation.scenario import BASE, Caller, Digests, Outage, Scenario, Step

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

Apply = Callable[["Simulation", ExitStack], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake.

    Attributes:
        what: In words.
        groups: Faults that bring it out; with all of them it takes longer.
        story: What people do that brings it out, instead of what the seed says.
    """

    name: str
    what: str
    apply: Apply
    groups: frozenset[str]
    story: Scenario | None

    @contextmanager
    def in_place(self, simulation: Simulation) -> Iterator[None]:
        """The mistake is made inside this block."""
        with ExitStack() as stack:
            self.apply(simulation, stack)
            yield


#: What brings out those that hide well; the others show under anything.
_GROUPS: dict[Apply, tuple[str, ...]] = {
    work.no_last_check: ("pause", "skew", "people"),
    work.no_last_check_of_effects: ("pause", "people"),
    work.no_check_after_look_up: ("pause",),
    work.no_deadline: ("outage", "people"),
    work.endless_attempts: ("outage", "people"),
    cases.one_mark_for_all: ("pause",),
    work.new_key_for_replays: ("people",),
    cases.accepted_too_early: ("error", "outage", "people"),
    cases.unconfirmed_settling: ("pause", "people"),
    cases.hasty_with_orphans: ("pause", "people"),
    **dict.fromkeys(
        (deciding.decides_again, deciding.old_yes_for_new_arguments, deciding.counts_no_money),
        ("people",),
    ),
    budgets.blind_to_others: ("model",),
    digests.files_before_it_seals: ("crash",),
}

_FLOOD = BASE["flood"]
_MANY = tuple(Caller(at=at) for at in (0.0, 0.1, 0.2, 0.3))
_THIN = Scenario((Caller(mood="good", crm="thin", steps=(Step(0.3, "follow_up", "bad"),)),))
_STORIES: dict[Apply, Scenario] = {
    budgets.rests_after_refusals: Scenario(
        _MANY, skews=(0.0,), outages=(Outage(0.0, 60.0, ("model.",), Fault("refusal")),)
    ),
    budgets.breaker_without_half_open: Scenario(
        _MANY, skews=(0.0,), outages=(Outage(0.0, 300.0, ("model.",), Fault("timeout")),)
    ),
    budgets.blind_to_others: Scenario(
        (Caller(),), outages=(Outage(0.0, 60.0, ("model.",), Fault("malformed")),), case_tokens=1100
    ),
    crm.fetches_side_by_side: _THIN,
    crm.forgets_what_was_fetched: _THIN,
    crm.waits_for_no_fetch: BASE["mixed"],
    crm.leaves_it_half_made: Scenario((Caller(crm="text"),)),
    work.no_check_after_look_up: Scenario(
        (Caller(),),
        callback="queryable",
        outages=(Outage(0.0, 12.0, ("sink.send",), Fault("unsure")),),
    ),
    cases.one_mark_for_all: Scenario(
        (Caller(mood="good", reply=False, steps=(Step(2.0, "follow_up"), Step(4.0, "follow_up"))),)
    ),
    work.endless_window: Scenario(
        (Caller(),),
        callback_window=300.0,
        outages=(Outage(0.0, 900.0, ("sink.send",), Fault("lost")),),
    ),
    work.new_key_for_replays: Scenario(
        (Caller(steps=(Step(5000.0, "resend", names=("reply-1",)),)),),
        outages=(Outage(0.0, 4900.0, ("sink.",), Fault("lost")),),
    ),
    deciding.old_yes_for_new_arguments: Scenario(
        (
            Caller(
                mood="costly",
                steps=(
                    Step(15.0, "approve", names=("pay",)),
                    Step(60.0, "rerun", names=("escalation",)),
                ),
            ),
        )
    ),
    deciding.decides_again: BASE["argued"],
    cases.takes_itself_for_another: Scenario((Caller(desk="busy", twin=0.0),)),
    **dict.fromkeys((telling.sends_what_is_listed, telling.nobody_closes_lists), _FLOOD),
    telling.takes_numbers_again: _FLOOD,
    telling.joins_closed_lists: replace(
        _FLOOD, outages=(Outage(560.0, 1300.0, ("sink.", "index."), Fault("error")),)
    ),
    telling.stands_in_at_once: _FLOOD,
    telling.never_stands_in: replace(
        _FLOOD, outages=(Outage(0.0, 60.0, ("sink.send",), Fault("refused")),)
    ),
    telling.asks_everybody_for_reviews: Scenario(
        (Caller(mood="good", desk="busy", steps=(Step(60.0, "follow_up", "bad"),)),)
    ),
    telling.never_asks_for_reviews: BASE["reviewed"],
    digests.seals_over_what_is_there: Scenario(
        (Caller(steps=(Step(300.0, "digest", twin=0.0),)),), digests=Digests(30)
    ),
    digests.windows_from_the_clock: Scenario((Caller(),), digests=Digests(2, days=2)),
    digests.agrees_on_no_end: BASE["digest by hand"],
    digests.looks_after_no_digest: BASE["digest"],
    digests.files_before_it_seals: Scenario(
        (Caller(steps=tuple(Step(300.0 + 60.0 * n, "digest") for n in range(5))),),
        digests=Digests(30),
    ),
    # Whoever stores what he came to is frozen before, and nobody is sent to take over from him.
    digests.closes_over_workers: Scenario(
        (Caller(mood="good", reply=False, steps=(Step(300.0, "digest"),)),),
        outages=(
            Outage(0.5, 40.0, ("store.replace",), Fault("pause_before", 400.0)),
            Outage(2.0, 600.0, ("nudges.",), Fault("error")),
        ),
        digests=Digests(30),
    ),
    digests.closes_over_acts: Scenario(
        (Caller(reply=False, steps=(Step(630.0, "resolve"),)),),
        outages=(Outage(630.0, 645.0, ("store.insert",), Fault("pause_before", 700.0)),),
        digests=Digests(11),
    ),
    digests.looks_at_no_open_case: Scenario(
        (Caller(),), outages=(Outage(0.0, 2000.0, ("sink.",), Fault("error")),), digests=Digests(2)
    ),
    **dict.fromkeys(
        (tickets.makes_without_look_up, tickets.forgets_found_tickets),
        replace(BASE["tickets"], outages=(Outage(0.0, 20.0, ("tickets.create",), Fault("lost")),)),
    ),
    tickets.looks_up_at_once: replace(
        BASE["tickets"], outages=(Outage(0.0, 20.0, ("tickets.create",), Fault("belated", 55.0)),)
    ),
    deciding.reminds_of_what_is_decided: BASE["approved"],
    deciding.counts_no_money: Scenario(
        (Caller(mood="costly", steps=(Step(1.0, "follow_up", "costly"),)),)
    ),
}


def _mutant(apply: Apply, what: str) -> Mutant:
    name = apply.__name__.replace("_", "-")
    groups = frozenset(_GROUPS.get(apply, GROUPS))
    return Mutant(name, what, apply, groups, _STORIES.get(apply))


_WHAT: dict[Apply, str] = {
    cases.no_sweeper: "the timer never runs",
    cases.no_open_mark: "open cases are not in the index",
    cases.mark_after_row: "the open mark follows the row that it announces",
    cases.no_etag_on_claim: "a claim is written over whatever is there",
    cases.no_fence_on_commit: "an outcome is written over whatever is there",
    cases.no_fence_on_effects: "effect rows are written over whatever is there",
    cases.no_second_query: "followers are worked out from what was read before the commit",
    work.no_lease: "a claim keeps nobody out",
    work.short_lease: "a claim ends while its model call goes on",
    work.no_last_check: "a worker that was paused after its claim pays all the same",
    cases.early_acknowledge: "messages are deleted before the work",
    work.blind_retry: "an effect that may have happened is sent again",
    work.no_attempting_mark: "an effect is begun without a trace",
    work.no_idempotency_key: "receivers cannot recognise a second attempt",
    work.no_look_up: "a sink that could tell is not asked",
    work.endless_window: "a key is sent again after its receiver forgot it",
    work.no_deadline: "old turns are worked on for ever",
    work.endless_attempts: "a failing stage is paid for again and again",
    cases.one_mark_for_all: "a follow-up sets no open mark of its own",
    cases.unconfirmed_settling: "the open mark goes without another look",
    cases.no_reading_back: "a conflict with our own write counts as lost",
    cases.case_row_first: "the case row is there before its message",
    cases.accepted_too_early: "202 although nothing was stored",
    work.parks_the_living: "a poison message parks what a worker is at",
    work.forgets_retry_after: "Retry-After is not honoured",
    work.endless_lease: "nobody takes over from a worker that died",
    work.no_last_check_of_effects: "a worker that was paused after its claim sends all the same",
    work.no_check_after_look_up: "a worker that was paused in its look-up sends all the same",
    work.new_key_for_replays: "a replayed effect has a new key",
    cases.forgets_delivery_ids: "a follow-up that comes twice is two messages",
    cases.accepts_any_body: "a key that comes again with another body is accepted",
    cases.keeps_orphans: "marks whose row never came stay",
    cases.hasty_with_orphans: "a mark goes before its row had time to come",
    cases.takes_itself_for_another: "a case that comes twice makes its customer a repeat customer",
    cases.drops_garbage: "messages that nobody understands vanish",
    work.cancel_forgets_effects: "effects begin after the cancel",
    deciding.carries_out_what_waits: "an action that waits for a yes is carried out",
    deciding.old_yes_for_new_arguments: "a yes counts for other arguments too",
    deciding.decides_again: "what was decided is decided once more",
    deciding.forgets_a_yes: "an approved action is not carried out",
    deciding.forgets_the_hour: "nobody is reminded",
    deciding.reminds_of_what_is_decided: "people are asked for what was decided",
    deciding.counts_no_money: "each message may cost as much as a whole case",
    budgets.no_reservation: "a claim reserves nothing of its budgets",
    budgets.blind_to_others: "two stages of a case share the last of its budget",
    budgets.settles_twice: "what was reserved too much is given back twice",
    budgets.forgets_lost_calls: "a call whose answer was lost costs nothing",
    budgets.forgets_dead_claims: "what a dead worker reserved costs nothing",
    budgets.forgets_old_holds: "a reservation that nobody settles is given back",
    budgets.no_etag_on_days: "a desk's day is written over whatever is there",
    budgets.breaker_without_half_open: "after a rest everybody calls the model at once",
    budgets.no_breaker: "a model that does not answer is called all the same",
    budgets.rests_after_refusals: "the model is not called after a refusal",
    budgets.breaker_counts_attempts: "waiting for the model uses attempts up",
    crm.fetches_side_by_side: "two turns of a ticket fetch at once",
    crm.forgets_what_was_fetched: "what was fetched before is fetched again",
    telling.sends_what_is_listed: "a message is in a list and goes out by itself, too",
    telling.nobody_closes_lists: "no sweep learns of lists",
    telling.joins_closed_lists: "a message takes a number of a list that is closed",
    telling.takes_numbers_again: "a second attempt takes another number of a list",
    telling.stands_in_at_once: "somebody else is told although nothing failed",
    telling.never_stands_in: "nobody else is told although a channel failed",
    telling.asks_everybody_for_reviews: "whoever waits for a person is asked for a review",
    telling.never_asks_for_reviews: "nobody is asked for a review",
    digests.seals_over_what_is_there: "a window is sealed again by whoever comes second",
    digests.windows_from_the_clock: "windows follow the clock instead of the last seal",
    digests.agrees_on_no_end: "two windows that begin together end at two times",
    digests.looks_after_no_digest: "no sweep learns of a sealed digest",
    digests.files_before_it_seals: "the next window begins before this one is sealed",
    digests.closes_over_workers: "a window is closed before its workers came to rest",
    digests.closes_over_acts: "a window is closed before an act of its time is written",
    digests.looks_at_no_open_case: "a digest tells only of settled cases",
    tickets.makes_without_look_up: "a ticket is made again without a look-up",
    tickets.looks_up_at_once: "a ticket is looked up while its vendor may be at it",
    tickets.forgets_found_tickets: "a ticket that was found is not linked to its case",
    crm.waits_for_no_fetch: "a text does not wait for a fetch that may find it too",
    crm.leaves_it_half_made: "a message without its case is taken for accepted",
}
MUTANTS: dict[str, Mutant] = {
    mutant.name: mutant for mutant in itertools.starmap(_mutant, _WHAT.items())
}
