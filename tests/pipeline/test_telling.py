"""People are told: once each, in one message when much comes, and somebody else when one fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from shared.adapters.memory_sinks import MemorySink
from shared.domain.case import Wake
from shared.domain.desk import Desk
from shared.domain.gathering import Gathering, gathering
from shared.domain.telling import ROUNDS
from shared.errors import PermanentError
from shared.ports import EffectCall
from tests.support.world import DESKS, NEGATIVE, World, a_desk

DUTY = {"name": "Duty", "email": "duty@example.com"}
LAST = {"name": "Last", "email": "last@example.com", "fallback": True}
ROOM = {"name": "Room", "channel": "slack"}
FLOOD = {"more_than": 2, "within": "10m"}
NIGHT = {"windows": ({"name": "night", "every_day": "22:00-6:00"},)}


class Listening(MemorySink):
    """Keeps what it was told about."""

    def __init__(self, world: World) -> None:
        super().__init__("unkeyed", world.clock, lambda _: world.fault)
        self.lists: list[Gathering] = []

    async def send(self, call: EffectCall) -> str:
        receipt = await super().send(call)
        if isinstance(call.about, Gathering):
            self.lists.append(call.about)
        return receipt


class Broken(MemorySink):
    async def send(self, call: EffectCall) -> str:
        raise PermanentError("channel_gone")


def world(*tell: dict[str, Any], **more: Any) -> World:
    desk = Desk.model_validate({**dict(a_desk("told")), "name": "busy", "tell": tell, **more})
    made = World(NEGATIVE, desks=(*DESKS, desk))
    # A quiet hour begins at 22:00, a stretch of ten minutes at each tenth.
    now = made.clock.now()
    made.clock.advance((now.replace(hour=12, minute=0, second=30, microsecond=0) - now).seconds)
    for name in ("email", "slack"):
        made.sinks[name] = Listening(made)
    made.app.effects._sinks = made.sinks
    return made


def sink(made: World, name: str = "email") -> Listening:
    found = made.sinks[name]
    assert isinstance(found, Listening)
    return found


async def opened(made: World, count: int = 1, **script: Any) -> list[str]:
    made.model.script |= script
    ids = [await made.open(f"My room {n} is dirty.", desk="busy") for n in range(count)]
    await made.deliver(40 * count)
    return ids


async def minutes(made: World, count: int) -> None:
    for _ in range(count):
        made.clock.advance(60)
        await made.app.sweeper.sweep()
        await made.deliver(500)


def messages(made: World, name: str = "email") -> Counter[str]:
    """How often each case was told of, by itself or in a list."""
    every = sink(made, name)
    alone = [a.key[:36] for a in every.ledger if not a.key.startswith(ROUNDS)]
    return Counter([*alone, *(m.case_id for found in every.lists for m in found.members)])


async def test_a_flood_becomes_one_message_with_the_count_and_the_list() -> None:
    made = world(DUTY, flood=FLOOD)
    ids = await opened(made, 7)
    assert len(sink(made).ledger) == 2
    waiting = [await made.case(name) for name in ids]
    assert {case.status for case in waiting} == {"escalated"}
    assert await made.open_marks() == 0

    await minutes(made, 13)

    (listed,) = sink(made).lists
    assert (listed.why, listed.before, len(listed.members)) == ("flood", 2, 5)
    assert len(sink(made).ledger) == 3
    assert messages(made) == Counter(ids)
    for name in ids:
        (effect,) = (await made.case(name)).effects
        assert effect.state == "done"
    assert not await made.index.wakes(made.clock.now(), 10)


async def test_each_stretch_counts_anew() -> None:
    made = world(DUTY, flood=FLOOD)
    ids = await opened(made, 3)
    await minutes(made, 12)
    ids += await opened(made, 3)
    assert len(sink(made).ledger) == 5
    await minutes(made, 12)
    assert [len(found.members) for found in sink(made).lists] == [1, 1]
    assert messages(made) == Counter(ids)


async def test_what_is_critical_is_never_held_back_by_a_flood_of_the_rest() -> None:
    made = world(DUTY, flood=FLOOD)
    await opened(made, 4)
    grave = {"mood": "angry", "urgency": "critical", "wants": "answer", "risks": []}
    (case_id,) = await opened(made, 1, sentiment=grave)
    assert sink(made).ledger[-1].key.startswith(case_id)


async def test_in_the_night_all_but_the_critical_waits_for_the_morning() -> None:
    made = world(DUTY | {"quiet": "night"}, ROOM, **NIGHT)
    made.clock.advance(11 * 3600)
    ids = await opened(made, 3)
    grave = {"mood": "angry", "urgency": "critical", "wants": "answer", "risks": []}
    (critical,) = await opened(made, 1, sentiment=grave)
    assert [a.key[:36] for a in sink(made).ledger] == [critical]
    assert messages(made, "slack") == Counter([*ids, critical])
    made.clock.advance(6 * 3600)
    await minutes(made, 65)
    (listed,) = sink(made).lists
    assert (listed.why, listed.before) == ("quiet", 0)
    assert messages(made) == Counter([*ids, critical])


async def test_who_comes_after_the_list_was_closed_is_told_by_himself() -> None:
    made = world(DUTY, flood=FLOOD)
    ids = await opened(made, 3)
    late = await made.open("My room is dirty, too.", desk="busy")
    for _ in range(4):  # the stages, but not the telling
        ready = [s for s in made.nudges.sent if s.delay == 0 and not s.nudge.effect]
        for sent in ready:
            made.nudges.sent.remove(sent)
            await made.run(sent.nudge)
    held = [s for s in made.nudges.sent if s.nudge.case_id == late]
    made.nudges.sent = [s for s in made.nudges.sent if s not in held]
    await minutes(made, 10)
    made.nudges.sent += held
    await made.deliver()
    await minutes(made, 3)
    assert sink(made).ledger[-1].key.startswith(late) or messages(made)[late] == 1
    assert messages(made) == Counter([*ids, late])


async def test_workers_that_race_for_numbers_leave_no_gap_and_tell_nothing_twice() -> None:
    made = world(DUTY, flood=FLOOD)
    ids = [await made.open(f"Room {n} is dirty.", desk="busy") for n in range(6)]
    for _ in range(12):
        ready = [s for s in made.nudges.sent if s.delay == 0]
        made.nudges.sent = [s for s in made.nudges.sent if s not in ready]
        await asyncio.gather(*(made.run(s.nudge) for s in ready for _ in range(2)))
    await minutes(made, 14)
    assert messages(made) == Counter(ids)
    (name,) = {a.request.round.id for a in sink(made).ledger if a.request.round}
    view = await made.store.read(name)
    assert [row.n for row in view.gathered] == list(range(1, 8))


async def test_a_crash_while_it_takes_a_number_leaves_it_once_in_the_list() -> None:
    made = world(DUTY, flood={"more_than": 1, "within": "10m"})
    first = await opened(made)
    original = made.store.replace
    broken = {"left": 1}

    async def dies(case_id: str, row: Any, etag: str) -> str:
        if row.key.startswith("e|") and row.state == "deferred" and broken["left"]:
            broken["left"] -= 1
            raise SystemExit
        return await original(case_id, row, etag)

    made.store.replace = dies  # type: ignore[method-assign]
    second = await made.open("My room is dirty.", desk="busy")
    with pytest.raises(SystemExit):
        await made.deliver()
    await minutes(made, 15)
    assert messages(made) == Counter([*first, second])
    (effect,) = (await made.case(second)).effects
    assert effect.state == "done"


async def test_a_channel_that_fails_for_good_has_the_next_in_line_told_and_is_seen() -> None:
    made = world(ROOM, LAST)
    made.sinks["slack"] = Broken("unkeyed", made.clock)
    (case_id,) = await opened(made)
    case = await made.case(case_id)
    states = {effect.key: effect.state for effect in case.effects}
    assert sorted(states.values()) == ["done", "refused"]
    assert [a.request.to for a in sink(made).ledger] == [("last@example.com",)]
    assert case.status == "escalated"
    assert "refused" in case.status_reason
    page, _ = await made.index.page(["busy"], ["escalated"], None, None, 10, unfinished=True)
    assert [entry.case_id for entry in page] == [case_id]


async def test_who_stands_in_is_not_told_while_all_is_well() -> None:
    made = world(ROOM, LAST)
    (case_id,) = await opened(made)
    assert sorted(e.state for e in (await made.case(case_id)).effects) == ["done", "moot"]
    assert sink(made).ledger == []
    assert await made.open_marks() == 0


async def test_a_list_that_fails_for_good_goes_to_the_next_in_line_once_and_each_case_says_so() -> (
    None
):
    made = world(ROOM, LAST, flood=FLOOD)
    ids = await opened(made, 5)
    made.sinks["slack"] = Broken("unkeyed", made.clock)
    await minutes(made, 16)
    (listed,) = sink(made).lists
    assert len(listed.members) == 3
    assert len(sink(made).ledger) == 1
    told = {m.case_id for m in listed.members}
    for case_id in ids:
        case = await made.case(case_id)
        states = sorted(effect.state for effect in case.effects)
        assert states == (["moot", "refused"] if case_id in told else ["done", "moot"])
        if case_id in told:
            (failed,) = [e for e in case.effects if e.state == "refused"]
            assert failed.error is not None
            assert failed.error.detail == "its list was not sent; last@example.com was told instead"


async def test_a_failed_list_is_sent_again_case_by_case_when_a_person_says_so() -> None:
    made = world(DUTY, flood={"more_than": 1, "within": "10m"})
    ids = await opened(made, 2)
    made.fault = "never"
    await minutes(made, 15)
    made.fault = "none"
    assert (await made.case(ids[1])).effects[0].state == "refused"
    await made.app.acts.replay(ids[1], "ana", "mail is back")
    await made.deliver()
    assert (await made.case(ids[1])).effects[0].state == "done"
    assert messages(made) == Counter(ids)


async def test_a_mail_server_in_trouble_delays_a_list_and_loses_nothing() -> None:
    made = world(DUTY, flood=FLOOD)
    ids = await opened(made, 5)
    made.fault = "busy"
    await minutes(made, 20)
    made.fault = "none"
    made.make_visible()
    await minutes(made, 20)
    assert messages(made) == Counter(ids)
    assert {(await made.case(n)).effects[0].state for n in ids} == {"done"}


async def test_an_announced_list_that_nobody_came_to_is_closed_and_says_nothing() -> None:
    made = world(DUTY, flood=FLOOD)
    name = f"{ROUNDS}busy.x.flood.2026-01-01T000000Z"
    await made.index.wake(Wake(case_id=name, at=made.clock.now()))
    await minutes(made, 2)
    view = await made.store.read(name)
    assert view.closing is not None
    assert gathering(view, "Busy", "UTC") is None
    assert sink(made).ledger == []
    assert not await made.index.wakes(made.clock.now(), 10)


async def test_a_cancelled_case_stays_in_the_list_that_it_is_in() -> None:
    made = world(DUTY, flood={"more_than": 1, "within": "10m"})
    ids = await opened(made, 2)
    await made.app.acts.resolve(ids[0], "ana", "")
    await made.app.acts.cancel(ids[1], "ana", "")
    await made.deliver()
    await minutes(made, 14)
    assert messages(made) == Counter(ids)
    assert (await made.case(ids[1])).effects[0].state == "done"
    assert (await made.case(ids[1])).status == "cancelled"


async def test_the_list_masks_what_the_model_says() -> None:
    made = world(DUTY, flood={"more_than": 1, "within": "10m"})
    answer: Any = NEGATIVE["escalation"]
    said = {"escalation": answer | {"summary": "Card 4111 1111 1111 1111 was charged twice."}}
    await opened(made, 2, **said)
    await minutes(made, 12)
    (listed,) = sink(made).lists
    assert "4111" not in listed.members[0].what
