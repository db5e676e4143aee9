"""Who is told by severity, hours and fallback; and what becomes one message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.contacts import Contact, Flood, flood_end
from shared.domain.desk import Desk
from shared.domain.stage import EffectRequest, Risk, Severity, Urgency
from shared.domain.telling import next_in_line, on_duty, severity_of, told, told_of_parking
from tests.support.effect_calls import a_case, a_desk, an_action

WORK = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)  # a Wednesday
NIGHT = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
HOURS = {"weekdays": "9:00-17:00"}
NIGHTS = ({"name": "night", "every_day": "22:00-6:00"},)
DUTY = {"name": "Duty", "email": "duty@example.com"}
BOSS = {"name": "Boss", "email": "boss@example.com", "about": "management"}
ROOM = {"name": "Room", "channel": "slack"}


def desk(*tell: dict[str, Any], **more: Any) -> Desk:
    said = {"hours": HOURS, "windows": NIGHTS, **more}
    return Desk.model_validate({**dict(a_desk()), "tell": tell, **said})


def at(when: datetime, **more: Any) -> Any:
    plain: dict[str, Any] = {"actions": (), "urgency": "normal", "risks": ()}
    return a_case(as_of=when, **(plain | more))


def escalated(its_desk: Desk, when: datetime, **more: Any) -> tuple[EffectRequest, ...]:
    management = more.pop("management", False)
    case = at(when, **more)
    return told(case, its_desk, case.actions, management=management)


def whom(requests: tuple[EffectRequest, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return [(r.sink, r.to) for r in requests if not r.instead_of]


@pytest.mark.parametrize(
    ("urgency", "risks", "management", "severity"),
    [
        (None, (), False, "normal"),
        ("low", (), False, "normal"),
        ("high", (), False, "high"),
        ("normal", ("fraud",), False, "high"),
        ("critical", (), False, "critical"),
        ("low", ("safety",), False, "critical"),
        ("low", (), True, "critical"),
    ],
)
def test_severity_follows_from_urgency_risks_and_management(
    urgency: Urgency | None, risks: tuple[Risk, ...], management: bool, severity: Severity
) -> None:
    assert severity_of(urgency, risks, management=management) == severity


def test_a_desk_file_of_old_means_what_it_meant() -> None:
    old = desk(DUTY, {"name": "Second", "email": "two@example.com"}, BOSS, hours=None)
    (plain,) = escalated(old, NIGHT)
    assert (plain.key, plain.sink, plain.round) == ("escalated-1", "email", None)
    assert plain.to == ("duty@example.com", "two@example.com")
    (grave,) = escalated(old, NIGHT, management=True)
    assert grave.to == ("duty@example.com", "two@example.com", "boss@example.com")
    (parked,) = told_of_parking(old, 1, (), NIGHT, management=False)
    assert (parked.key, parked.to) == ("parked-1", ("duty@example.com", "two@example.com"))


def test_each_hears_what_is_severe_enough() -> None:
    three = desk(DUTY, ROOM | {"severity": "high"}, DUTY | {"name": "X", "severity": "critical"})
    assert whom(escalated(three, WORK)) == [("email", ("duty@example.com",))]
    high = escalated(three, WORK, urgency="high")
    assert whom(high) == [("email", ("duty@example.com",)), ("slack", ("Room",))]
    assert len({request.key for request in high}) == len(high)


def test_each_is_told_in_his_hours() -> None:
    two = desk(
        DUTY | {"hours": "open"},
        {"name": "On call", "email": "call@example.com", "hours": "closed"},
        ROOM | {"hours": "night"},
    )
    assert whom(escalated(two, WORK)) == [("email", ("duty@example.com",))]
    assert whom(escalated(two, NIGHT)) == [("email", ("call@example.com",)), ("slack", ("Room",))]


def test_a_fallback_is_told_when_nobody_else_is() -> None:
    last = {"name": "Last", "email": "last@example.com", "fallback": True}
    two = desk(DUTY | {"hours": "open"}, last)
    assert whom(escalated(two, WORK)) == [("email", ("duty@example.com",))]
    assert whom(escalated(two, NIGHT)) == [("email", ("last@example.com",))]


def test_without_a_fallback_the_first_is_told_rather_than_nobody() -> None:
    two = desk(DUTY | {"hours": "open", "severity": "high"}, ROOM | {"severity": "critical"})
    assert whom(escalated(two, NIGHT)) == [("email", ("duty@example.com",))]
    boss = desk(DUTY, BOSS | {"hours": "open"})
    grave = escalated(boss, NIGHT, management=True)
    assert whom(grave) == [("email", ("duty@example.com",))]


def test_who_stands_in_is_the_fallback_or_the_next_in_line() -> None:
    last = {"name": "Last", "email": "last@example.com", "fallback": True}
    chain = desk(ROOM, DUTY | {"severity": "critical"}, last)
    assert [c.name for c in next_in_line(chain, chain.tell[:1])] == ["Last"]
    (room, instead) = escalated(chain, WORK)
    assert (instead.to, instead.instead_of) == (("last@example.com",), (room.key,))
    (room, instead) = escalated(desk(ROOM, DUTY | {"severity": "critical"}), WORK)
    assert (instead.to, instead.instead_of) == (("duty@example.com",), (room.key,))


def test_in_quiet_hours_all_but_the_critical_waits_for_their_end() -> None:
    two = desk(DUTY | {"quiet": "night"}, ROOM)
    mail, room = escalated(two, NIGHT, urgency="high")
    assert room.round is None
    assert mail.round is not None
    assert (mail.round.why, mail.round.free) == ("quiet", 0)
    assert mail.round.end == datetime(2026, 3, 5, 6, 0, tzinfo=UTC)
    assert all(request.round is None for request in escalated(two, NIGHT, urgency="critical"))
    assert all(request.round is None for request in escalated(two, WORK))


def test_quiet_while_closed_ends_when_the_desk_opens() -> None:
    closed = desk(DUTY | {"quiet": "closed"})
    friday = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
    (mail,) = escalated(closed, friday)
    assert mail.round is not None
    assert mail.round.end == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


def test_windows_that_touch_are_one_quiet_time() -> None:
    weekend = ({"name": "off", "saturday": "0:00-24:00", "sunday": "0:00-24:00"},)
    off = desk(DUTY | {"quiet": "off"}, windows=weekend)
    (mail,) = escalated(off, datetime(2026, 3, 7, 12, 0, tzinfo=UTC))
    assert mail.round is not None
    assert mail.round.end == datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


def test_in_a_flood_each_recipient_and_the_critical_are_counted_apart() -> None:
    two = desk(DUTY, ROOM, flood={"more_than": 3, "within": "10m"})
    plain, urgent = escalated(two, WORK), escalated(two, WORK, urgency="critical")
    rounds = [request.round for request in (*plain, *urgent)]
    assert len({r.id for r in rounds if r}) == 4
    assert {(r.free, r.end) for r in rounds if r} == {(3, WORK + timedelta(minutes=10))}


def test_reminders_come_in_no_quiet_hours_either() -> None:
    case_actions = (an_action("refund", verdict="ask", approval="human"),)
    found = escalated(
        desk(DUTY | {"quiet": "night"}, hours=None, approvals={"remind_after": "8h",
             "escalate_after": "9h"}),
        datetime(2026, 3, 4, 15, 0, tzinfo=UTC), actions=case_actions,
    )  # fmt: skip
    (reminder,) = [request for request in found if request.about == "reminder"]
    assert reminder.not_before == datetime(2026, 3, 4, 23, 0, tzinfo=UTC)
    assert reminder.round is not None
    assert reminder.round.end == datetime(2026, 3, 5, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "more", "said"),
    [
        ({"name": "X"}, {}, "missing; add this field, or another channel"),
        (ROOM | {"email": "x@example.com"}, {}, "has no use with channel: slack"),
        (ROOM | {"channel": "fax"}, {}, "Input should be 'email', 'slack' or 'teams'"),
        (DUTY | {"hours": "lunch"}, {}, "no window of that name; there are: night"),
        (DUTY | {"hours": "open"}, {"hours": None}, "the desk has no hours"),
        (DUTY | {"quiet": "open"}, {}, "is closed, or a window's name"),
        (
            DUTY | {"quiet": "ever"},
            {"windows": ({"name": "ever", "every_day": "0:00-24:00"},)},
            "never ends",
        ),
        (DUTY | {"fallback": True, "severity": "high"}, {}, "is for all hours"),
        (BOSS | {"fallback": True}, {}, "is for about: escalated"),
        (ROOM, {"windows": ({"name": "open", "every_day": "1:00-2:00"},)}, "means something"),
        (ROOM, {"flood": {"more_than": 0, "within": "5m"}}, "greater than or equal to 1"),
        (ROOM, {"flood": {"more_than": 5, "within": "48h"}}, "longer than 24h"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(
    entry: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        desk(entry, **more)
    assert said in str(refused.value)


def test_two_channels_of_one_name_and_two_fallbacks_are_refused() -> None:
    with pytest.raises(ValidationError, match="is taken by another entry"):
        desk(ROOM, ROOM | {"channel": "teams"})
    with pytest.raises(ValidationError, match="there is one already"):
        desk(DUTY | {"fallback": True}, ROOM | {"fallback": True})


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    st.integers(1, 24 * 60),
)
def test_a_flood_is_counted_in_stretches_without_gaps(naive: datetime, minutes: int) -> None:
    when = naive.replace(tzinfo=UTC)
    flood = Flood(more_than=1, within=f"{minutes // 60}h {minutes % 60}m")
    end = flood_end(flood, when)
    assert when < end <= when + timedelta(minutes=minutes)
    assert flood_end(flood, end) == end + timedelta(minutes=minutes)


_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "channel": st.sampled_from(["email", "slack", "teams"]),
            "about": st.sampled_from(["escalated", "escalated", "management"]),
            "severity": st.sampled_from(get_args(Severity)),
            "hours": st.sampled_from(["always", "open", "closed", "night"]),
            "quiet": st.sampled_from([None, "closed", "night"]),
        }
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(
    _ENTRIES,
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001
    st.sampled_from([None, *get_args(Urgency)]),
    st.booleans(),
    st.booleans(),
)
def test_never_is_nobody_told_and_nobody_twice(
    entries: list[dict[str, Any]],
    naive: datetime,
    urgency: Urgency | None,
    management: bool,
    flooded: bool,
) -> None:
    tell = [
        said
        | {"name": f"E{n}"}
        | ({"email": f"e{n}@x.example"} if said["channel"] == "email" else {})
        for n, said in enumerate(entries)
    ]
    flood = {"more_than": 2, "within": "10m"} if flooded else None
    its_desk = desk(*tell, flood=flood)
    when = naive.replace(tzinfo=UTC)
    found = escalated(its_desk, when, urgency=urgency, management=management)
    first = [request for request in found if not request.instead_of]
    told_now = [address for request in first for address in request.to]
    staff = any(said["about"] == "escalated" for said in tell)
    assert len(told_now) == len(set(told_now))
    assert bool(told_now) >= (staff or management)
    for request in found:
        assert set(request.instead_of) <= {other.key for other in first}
        if request.instead_of:
            assert set(request.to).isdisjoint(told_now)
        if request.round and request.severity == "critical":
            assert request.round.why == "flood"
    contacts = on_duty(its_desk, "escalated", "critical", when)
    assert bool(contacts) == staff
    assert all(isinstance(contact, Contact) for contact in contacts)
