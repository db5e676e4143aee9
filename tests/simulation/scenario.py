"""What happens in a schedule besides faults: who writes, who acts, what the receivers are like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from random import Random

#: ``costly``: bad, and actions are proposed that are carried out or wait for a yes.
Mood = Literal["good", "bad", "costly"]
Act = Literal[
    "follow_up", "cancel", "resolve", "replay", "rerun", "resend", "poison", "approve", "reject",
    "digest",
]  # fmt: skip
#: How many of the random schedules have these; they cost more than others.
WITH_DIGESTS = 0.3
WITH_TICKETS = 0.3
_BUSY: tuple[Literal["hotel", "busy"], ...] = ("hotel", "hotel", "hotel", "busy")
Crm = Literal["", "text", "thin", "mixed"]
SinkKind = Literal["keyed", "queryable", "unkeyed"]
#: ``jira`` stands for any vendor's.
Tickets = Literal["", "jira", "ledger"]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that people do to a case once it was accepted.

    Attributes:
        at: Seconds after the case's first post.
        act: ``replay`` is of whatever failed, ``rerun`` of the named stages, ``resend`` of the
            named effects, ``approve`` and ``reject`` are about the named action; for these and for
            ``resolve`` a person looks several times until there is something to do. ``poison`` is
            a message for the named stage in its poison queue, such as a copy made twice.
            ``digest`` sends the digest of the desk ``hotel`` now, whatever the case.
        twin: Seconds until a second client does the same with the same key.
    """

    at: float
    act: Act
    mood: Mood = "good"
    twin: float | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer and the case that he opens.

    Attributes:
        at: Seconds from the start.
        twin: Seconds until the same delivery comes a second time.
        clash: Seconds until another message comes with the same key.
        keyed: Whether it has a delivery id; without one it is posted once.
        reply: Whether it names an address for replies.
        long: The message is too long for a table row.
        desk: ``busy`` gathers messages in lists, and asks for reviews.
        crm: He writes in a CRM, whose webhook brings the ``text``, or is ``thin``, or is ``mixed``:
            it is thin for the ticket and brings the text of all that follows.
    """

    at: float = 0.0
    mood: Mood = "bad"
    twin: float | None = None
    clash: float | None = None
    keyed: bool = True
    reply: bool = True
    long: bool = False
    crm: Crm = ""
    desk: Literal["hotel", "busy"] = "hotel"
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which every call of some ports fails.

    Attributes:
        start: Seconds from the beginning.
        end: Likewise.
        ports: How the names of their calls begin.
        fault: What goes wrong with each.
    """

    start: float
    end: float
    ports: tuple[str, ...]
    fault: Fault


@dataclass(frozen=True, slots=True)
class Digests:
    """When digests come, and what time passes for them.

    Attributes:
        at: Minutes from the start to the end of a window of the desk ``hotel``, which has one each
            day. That of the desk ``busy``, on some days, ends twelve minutes later.
        days: Days that pass once all is at rest, in which no timer rings.
    """

    at: int
    days: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """A schedule without its faults.

    Attributes:
        skews: Clock skews of the worker processes in seconds; their number is that of processes.
        timer: Whether the sweep runs.
        calm: No sweep may find anything to do: hints alone carry every case to its end.
        garbage: How many messages lie in queues that are none of ours, up to three.
        case_tokens: The budget of a case; None for the usual one, which nothing here meets.
        day_tokens: The budget of a desk's day; None for none.
        digests: None for desks without digests.
        tickets: The system in which escalations and actions open tickets; empty for none.
    """

    callers: tuple[Caller, ...]
    callback: SinkKind = "keyed"
    callback_window: float = 86400.0
    email: SinkKind = "unkeyed"
    backend: SinkKind = "keyed"
    crm: SinkKind = "queryable"
    skews: tuple[float, ...] = (0.0, 18.0, -18.0)
    timer: bool = True
    calm: bool = False
    garbage: int = 0
    outages: tuple[Outage, ...] = ()
    case_tokens: int | None = None
    day_tokens: int | None = None
    digests: Digests | None = None
    tickets: Tickets = ""


BASE: dict[str, Scenario] = {
    "escalated": Scenario((Caller(),)),
    "answered": Scenario((Caller(mood="good", reply=False),)),
    "queryable": Scenario((Caller(),), callback="queryable", email="keyed"),
    "follow-up": Scenario((Caller(steps=(Step(3.0, "follow_up"),)),)),
    "reopened": Scenario((Caller(mood="good", steps=(Step(40.0, "follow_up", "bad"),)),)),
    "cancelled": Scenario((Caller(steps=(Step(2.5, "cancel"),)),)),
    "replayed": Scenario((Caller(steps=(Step(45.0, "rerun", names=("sentiment",)),)),)),
    "approved": Scenario((Caller(mood="costly", steps=(Step(12.0, "approve", names=("pay",)),)),)),
    "argued": Scenario(
        (
            Caller(
                mood="costly",
                steps=(
                    Step(12.0, "approve", names=("pay",), twin=0.0),
                    Step(12.0, "reject", names=("pay",)),
                ),
            ),
        )
    ),
    "assessed again": Scenario(
        (
            Caller(
                mood="costly",
                steps=(
                    Step(40.0, "rerun", names=("escalation",)),
                    Step(40.5, "approve", names=("pay",)),
                ),
            ),
        )
    ),
    "unanswered": Scenario((Caller(mood="costly"),)),
    "budgeted": Scenario((Caller(), Caller(at=0.2)), case_tokens=3200, day_tokens=4200),
    "ticket": Scenario((Caller(crm="text", twin=0.0, steps=(Step(3.0, "follow_up"),)),)),
    "fetched": Scenario((Caller(mood="good", crm="thin"),)),
    "thin": Scenario((Caller(mood="good", crm="thin", steps=(Step(20.0, "follow_up", "bad"),)),)),
    "flood": Scenario(tuple(Caller(at=0.2 * n, desk="busy") for n in range(3)), skews=(0.0, 18.0)),
    "reviewed": Scenario((Caller(mood="good", desk="busy"),)),
    "mixed": Scenario((Caller(mood="good", crm="mixed", steps=(Step(0.5, "follow_up"),)),)),
    "twins": Scenario((Caller(mood="good", twin=0.0, clash=0.5),)),
    "digest": Scenario((Caller(),), skews=(0.0, 18.0), digests=Digests(2)),
    "digest by hand": Scenario(
        (Caller(steps=(Step(840.0, "resolve"), Step(900.0, "digest"))),), digests=Digests(12)
    ),
    "tickets": Scenario((Caller(mood="costly"),), tickets="jira"),
    "kept tickets": Scenario((Caller(mood="costly"),), skews=(0.0, 18.0), tickets="ledger"),
}


def at_random(random: Random, groups: frozenset[str], *, outage: bool = False) -> Scenario:
    """A scenario of one to three cases."""
    people = "people" in groups
    count = random.choice((1, 1, 1, 1, 2, 3)) if people else 1
    kinds: tuple[SinkKind, ...] = ("keyed", "queryable", "unkeyed")
    skews = tuple(
        random.uniform(-20.0, 20.0) if "skew" in groups else 0.0
        for _ in range(random.choice((1, 2, 3)))
    )
    story = Scenario(
        callers=tuple(_caller(random, people=people) for _ in range(count)),
        callback=random.choice(kinds),
        callback_window=random.choice((300.0, 86400.0)),
        email=random.choice(kinds),
        backend=random.choice(kinds),
        crm=random.choice(kinds),
        skews=skews,
        garbage=random.choice((0, 0, 0, 1, 3)) if people else 0,
        outages=(_outage(random),) if outage else (),
        case_tokens=random.choice((None, None, None, 2100, 3200, 8000)),
        day_tokens=random.choice((None, None, None, 2100, 4200, 20_000)),
    )
    if random.random() < WITH_TICKETS:
        story = replace(story, tickets=random.choice(("jira", "jira", "ledger")))
    if random.random() < WITH_DIGESTS:
        story = _with_digests(story, random, people=people)
    return story


def _with_digests(story: Scenario, random: Random, *, people: bool) -> Scenario:
    days = random.choice((1, 1, 1, 1, 2, 2, 10))
    story = replace(story, digests=Digests(random.randrange(1, 41), days))
    if people and random.random() < 0.3:
        sent = Step(
            random.choice((600.0, 900.0, 1800.0))
            + random.uniform(0.0, random.choice((0.5, 5.0, 60.0))),
            "digest",
        )
        first, *others = story.callers
        first = replace(first, steps=(*first.steps, sent))
        story = replace(story, callers=(first, *others))
    return story


def calm(random: Random) -> Scenario:
    """Cases that nothing disturbs: no sweep may be needed.

    No costly thin ones: an event that is not fetched yet may cost money too, so a person is asked,
    and in the end reminded.
    """
    callers = tuple(
        Caller(
            at=random.uniform(0.0, 3.0),
            mood=random.choice(("good", "bad", "costly")),
            crm=random.choice(("", "text")),
            steps=(Step(random.uniform(5.0, 60.0), "approve", names=("pay",)),),
        )
        for _ in range(random.choice((1, 2)))
    )
    return Scenario(callers, skews=(0.0, 0.0), calm=True)


def untimed(random: Random) -> Scenario:
    """One case without any sweep: the queues alone have to heal one fault in a worker.

    No thin one: its many turns in a short time leave open marks that a sweep is meant to find.
    """
    crm: Crm = random.choice(("", "text"))
    caller = Caller(mood=random.choice(("good", "bad", "bad")), crm=crm)
    return Scenario((caller,), email="queryable", skews=(0.0, 0.0), timer=False)


_OUT: tuple[tuple[tuple[str, ...], tuple[Fault, ...], tuple[float, ...]], ...] = (
    (
        ("store.", "index.", "nudges.", "texts.", "spending."),
        (Fault("error"),),
        (10.0, 100.0, 300.0, 900.0),
    ),
    (("spending.",), (Fault("error"), Fault("lost")), (5.0, 60.0, 300.0)),
    (("nudges.",), (Fault("error"),), (5.0, 60.0, 300.0)),
    (("index.",), (Fault("error"),), (5.0, 60.0, 300.0)),
    (
        ("model.",),
        (Fault("error"), Fault("timeout"), Fault("busy", 60.0), Fault("busy", 1500.0)),
        (300.0, 3000.0, 9000.0),
    ),
    (
        ("sink.", "tickets."),
        (Fault("error"), Fault("unsure"), Fault("lost")),
        (60.0, 600.0, 5000.0),
    ),
    (("connector.",), (Fault("error"), Fault("busy", 60.0)), (60.0, 600.0, 5000.0)),
)


def _outage(random: Random) -> Outage:
    ports, faults, lengths = random.choice(_OUT)
    start = random.uniform(0.0, random.choice((5.0, 60.0)))
    return Outage(start, start + random.choice(lengths), ports, random.choice(faults))


def _caller(random: Random, *, people: bool) -> Caller:
    mood: Mood = random.choice(("good", "bad", "costly"))
    if not people:
        at = random.uniform(0.0, 5.0)
        return Caller(at=at, mood=mood, crm=_crm(random), desk=random.choice(_BUSY))
    soon = random.choice((2.0, 10.0, 100.0))
    keyed = random.random() < 0.9
    return Caller(
        at=random.uniform(0.0, random.choice((1.0, 60.0))),
        mood=mood,
        twin=random.uniform(0.0, soon) if random.random() < 0.2 else None,
        clash=random.uniform(0.0, soon) if random.random() < 0.05 else None,
        keyed=keyed,
        reply=random.random() < 0.8,
        long=random.random() < 0.02,
        crm=_crm(random),
        desk=random.choice(_BUSY),
        steps=tuple(_step(random) for _ in range(random.choice((0, 0, 1, 1, 2, 3)))),
    )


def _crm(random: Random) -> Crm:
    return random.choice(("", "", "", "text", "thin", "mixed"))


_STAGES = ("customer_query", "sentiment", "escalation")
_NAMES = {
    "rerun": _STAGES,
    "poison": _STAGES,
    "resend": ("reply-1", "escalated-1", "parked-1", "escalation_note-1"),
    "approve": ("pay", "pay", "send_help"),
    "reject": ("pay", "gift"),
}
_ACTS: tuple[Act, ...] = (
    "follow_up", "follow_up", "follow_up", "cancel", "resolve", "replay", "replay", "rerun",
    "resend", "poison", "approve", "approve", "reject",
)  # fmt: skip


def _step(random: Random) -> Step:
    at = random.uniform(0.5, random.choice((5.0, 5.0, 20.0, 200.0, 2000.0)))
    act = random.choice(_ACTS)
    twin = random.uniform(0.0, 2.0) if random.random() < 0.2 else None
    names = _NAMES.get(act, ())
    mood: Mood = random.choice(("good", "bad", "costly"))
    return Step(at, act, mood, twin, (random.choice(names),) if names else ())
