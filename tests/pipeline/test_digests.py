"""Digests: each window of each desk exactly once, each escalation in exactly one of them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from shared.adapters.memory_sinks import Fault, MemorySink
from shared.domain.digest import DIGESTS, Digest
from shared.domain.digest_windows import DigestPlan
from shared.domain.partition import Partition
from shared.domain.rows import DigestRow
from shared.errors import RequestError, RetryableError
from tests.support.proposals import proposing
from tests.support.world import ACTING, NEGATIVE, POSITIVE, World, a_desk

PLAN = {"at": "8:00", "email": ("lead@example.com",), "slack": True, "teams": True}
ZONES = {"berlin": "Europe/Berlin", "newyork": "America/New_York", "kathmandu": "Asia/Kathmandu"}


def a_world(script: Any = NEGATIVE, **plan: Any) -> World:
    desks = [
        a_desk(name, time_zone=zone, digest={**PLAN, **plan}, sla=SLA)
        for name, zone in ZONES.items()
    ]
    world = World(script, desks=(a_desk("default"), *desks))
    for name in ("slack", "teams", "copy"):
        world.sinks[name] = MemorySink("unkeyed", world.clock, lambda _: world.fault)
    return world


SLA = ({"urgency": "high", "resolution": "8h"},)


def sealed(world: World) -> list[Digest]:
    rows = [
        item.row
        for name, stored in world.store._cases.items()
        if name.startswith(DIGESTS)
        for item in stored.values()
    ]
    return [row.digest for row in rows if isinstance(row, DigestRow)]


def berlin(world: World) -> int:
    return sum(digest.desk == "berlin" for digest in sealed(world))


async def pass_time(world: World, time: timedelta) -> Counter[str]:
    world.clock.advance(time.total_seconds())
    await world.app.sweeper.sweep()
    counts = await world.app.digests.send_due()
    await world.deliver()
    return counts


async def test_a_month_over_three_zones_with_changes_of_the_clock_and_dead_timers() -> None:
    random = Random(11)
    world = a_world()
    world.clock.advance(timedelta(days=62).total_seconds())  # 4 March; both changes are to come
    begun = world.clock.now()
    await pass_time(world, timedelta())
    dead_until = begun
    for _ in range(30 * 24):
        world.clock.advance(3600 * random.uniform(0.5, 1.5))
        if random.random() < 0.25:
            case_id = await world.open(desk=random.choice(list(ZONES)))
            world.clock.advance(random.uniform(0, 90))
            await world.deliver()
            if random.random() < 0.5:
                await world.app.acts.resolve(case_id, "Ada", "done")
        if world.clock.now() < dead_until:
            continue
        if random.random() < 0.02:
            dead_until = world.clock.now() + timedelta(hours=random.uniform(5, 100))
        await pass_time(world, timedelta(minutes=1))
    await pass_time(world, timedelta(days=2))
    await pass_time(world, timedelta(minutes=10))

    for name in ZONES:
        digests = sorted((d for d in sealed(world) if d.desk == name), key=lambda d: d.end)
        assert len(digests) >= 30
        assert all(one.end == other.start for one, other in pairwise(digests))
        windows = {(d.end - d.start) // timedelta(hours=1) for d in digests}
        assert windows == {"berlin": {23, 24}, "newyork": {23, 24}, "kathmandu": {24}}[name]
        entries = await world.journal.recorded(name, digests[0].start, digests[-1].end, 10_000)
        counted = Counter(entry.what for entry in entries)
        assert sum(d.counts.escalated for d in digests) == counted["escalated"] > 40
        assert sum(d.counts.messages for d in digests) == counted["message"]
        for digest in digests:
            mine = [e for e in entries if digest.start <= e.at < digest.end]
            assert digest.counts.escalated == sum(e.what == "escalated" for e in mine)
    for sink in (world.email, *(world.sinks[n] for n in ("slack", "teams", "copy"))):
        assert isinstance(sink, MemorySink)
        keys = [applied.key for applied in sink.ledger if applied.key.startswith(DIGESTS)]
        assert len(keys) == len(set(keys)) == len(sealed(world))


async def test_a_digest_says_what_happened_and_what_waits() -> None:
    world = a_world()
    await pass_time(world, timedelta(days=1))
    case_id = await world.open(desk="berlin")
    await world.deliver()
    await pass_time(world, timedelta(hours=9))
    await pass_time(world, timedelta(days=1))

    digest = max((d for d in sealed(world) if d.desk == "berlin"), key=lambda d: d.end)
    whole = sum(d.counts.escalated for d in sealed(world) if d.desk == "berlin")
    assert whole == 1
    assert digest.backlog == 1
    [late] = digest.breached.first
    assert (late.case_id, late.urgency, late.what) == (case_id, "high", "Room 4 is dirty.")
    assert digest.before is not None


async def test_a_digest_lists_what_people_are_to_do_by_hand_until_it_is_done() -> None:
    desk = ACTING.model_copy(update={"digest": DigestPlan.model_validate(PLAN)})
    world = World(proposing(("move", {})), desks=(a_desk("default"), desk))
    begun = world.clock.now()

    async def opened(*names: str) -> str:
        world.model.script |= proposing(*((name, {}) for name in names))
        case_id = await world.open(desk="acting")
        await world.deliver()
        world.clock.advance(60)
        return case_id

    approved = await opened("move")
    let_through = [await opened("call") for _ in range(11)]
    await world.app.acts.decide(approved, "move", "approve", "ana", "")
    world.clock.advance(3600)

    to_do = (await world.app.digests.preview(desk)).to_do
    # The case that is open longest has had its yes last.
    assert (to_do.total, [case.case_id for case in to_do.first]) == (12, let_through[:10])
    assert [(case.why, case.what) for case in to_do.first] == [("call", "Room 4 is dirty.")] * 10
    assert to_do.first[0].since - begun < timedelta(seconds=70)

    for case_id in let_through:
        await world.app.acts.decide(case_id, "call", "done", "ana", "")
    digest = await world.app.digests.preview(desk)
    [left] = digest.to_do.first
    assert (left.case_id, left.why) == (approved, "move")
    assert timedelta(minutes=11) < left.since - begun < timedelta(minutes=13)
    await world.app.acts.decide(approved, "move", "done", "ana", "")
    assert (await world.app.digests.preview(desk)).to_do.total == 0


async def test_a_window_with_nothing_in_it_is_told_plainly() -> None:
    world = a_world(POSITIVE)
    await pass_time(world, timedelta(days=1))
    digest = sealed(world)[0]
    assert digest.nothing
    assert digest.counts.messages == 0


async def test_a_window_waits_for_a_worker_that_began_before_its_end() -> None:
    world = a_world()
    await pass_time(world, timedelta(days=1))
    before = berlin(world)
    # 7:59 in Berlin: the message's stages are claimed, and their worker dies.
    world.clock.advance(timedelta(hours=6, minutes=59).total_seconds())
    case_id = await world.open(desk="berlin")
    held = await _claimed(world, case_id)
    world.clock.advance(timedelta(minutes=10).total_seconds())

    counts = await world.app.digests.send_due()
    assert counts["postponed"] == 1
    assert berlin(world) == before

    await world.store.replace(case_id, held, (await _stored(world, case_id))[held.key].etag)
    await world.deliver()
    world.make_visible()
    await world.deliver()
    await world.app.digests.send_due()
    assert berlin(world) == before + 1


async def _stored(world: World, case_id: str) -> dict[str, Any]:
    return (await world.store.read(case_id)).stored


async def _claimed(world: World, case_id: str) -> Any:
    """A stage row that a worker claimed just now; returns it as finished."""
    from shared.pipeline import claims
    from shared.pipeline.limits import Limits

    view = await world.store.read(case_id)
    progress = view.stage(1, "customer_query")
    assert progress is not None
    row = claims.claimed(progress, "dead", world.clock.now(), Limits().lease)
    await world.store.insert(case_id, row)
    return row.model_copy(update={"lease_until": world.clock.now()})


class DiedError(Exception):
    """The process is gone."""


class Crashing:
    """Dies at the nth call of a port."""

    def __init__(self, world: World, call: int) -> None:
        self.left = call
        for port, names in (
            (world.store, ("insert", "read")),
            (world.index, ("wake",)),
            (world.journal, ("file", "recorded")),
            (world.nudges, ("send",)),
        ):
            for name in names:
                setattr(port, name, self._dying(getattr(port, name)))

    def _dying(self, true: Any) -> Any:
        async def call(*args: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise DiedError
            return await true(*args)

        return call


@pytest.mark.parametrize("call", range(1, 25))
async def test_a_crash_at_any_call_around_the_seal_loses_and_doubles_nothing(call: int) -> None:
    world = a_world()
    await pass_time(world, timedelta(hours=1))
    await world.open(desk="berlin")
    await world.deliver()
    world.clock.advance(timedelta(days=1).total_seconds())
    crashing = Crashing(world, call)
    with pytest.raises(DiedError):
        await world.app.digests.send_due()
    assert crashing.left == 0

    for _ in range(70):
        await pass_time(world, timedelta(minutes=1))

    ends = Counter((d.desk, d.end) for d in sealed(world))
    assert set(ends.values()) == {1}
    assert sum(d.counts.escalated for d in sealed(world) if d.desk == "berlin") == 1
    keys = [a.key for a in world.email.ledger if a.key.startswith(DIGESTS)]
    assert sorted(keys) == sorted({*keys})
    assert len(keys) == len(sealed(world))
    assert not [w for w in await world.index.wakes(world.clock.now(), 99) if DIGESTS in w.case_id]


@pytest.mark.parametrize(("fault", "state"), [("never", "refused"), ("after", "uncertain")])
async def test_a_channel_that_fails_does_not_keep_the_others_from_it(
    fault: Fault, state: str
) -> None:
    world = a_world()
    failing = MemorySink("unkeyed", world.clock, lambda _: fault)
    world.sinks["slack"] = failing
    await pass_time(world, timedelta(days=1))

    [name] = [n for n in world.store._cases if n.startswith(f"{DIGESTS}berlin")]
    view: Partition = await world.store.read(name)
    states = {effect.request.key: effect.phase for effect in view.effects}
    assert states == {"copy": "done", "email": "done", "slack": state, "teams": "done"}


async def test_a_digest_sent_by_hand_ends_its_window_and_the_next_begins_there() -> None:
    world = a_world()
    await pass_time(world, timedelta(days=1))
    desk = world.app.desks.get("berlin")
    assert desk is not None
    world.clock.advance(3600)
    await world.app.digests.send_now(desk)
    with pytest.raises(RequestError, match="Nothing to send"):
        await world.app.digests.send_now(desk)
    await pass_time(world, timedelta(days=1))

    ends = sorted(d.end for d in sealed(world) if d.desk == "berlin")
    starts = sorted(d.start for d in sealed(world) if d.desk == "berlin")
    assert starts[1:] == ends[:-1]
    assert len(ends) == 3


def windows_of(world: World, desk: str) -> list[tuple[datetime, datetime]]:
    return sorted((d.start, d.end) for d in sealed(world) if d.desk == desk)


async def test_one_sent_by_hand_while_the_timer_sends_another_leaves_no_overlap() -> None:
    world = a_world(POSITIVE)
    await pass_time(world, timedelta(days=1))
    await world.open(desk="berlin")
    await world.deliver()
    desk = world.app.desks.get("berlin")
    assert desk is not None
    recorded = world.journal.recorded

    async def frozen(*about: Any) -> Any:
        """Stands still until the timer has sealed the day's window."""
        slow.stop()
        await pass_time(world, timedelta(days=1))
        return await recorded(*about)

    world.clock.advance(3600)
    slow = patch.object(world.journal, "recorded", frozen)
    slow.start()
    name = await world.app.digests.send_now(desk)
    await pass_time(world, timedelta(days=1))

    windows = windows_of(world, "berlin")
    assert len(windows) == 3
    assert all(one[1] == other[0] for one, other in pairwise(windows))
    assert sum(d.counts.messages for d in sealed(world) if d.desk == "berlin") == 1
    assert name in world.store._cases


async def test_the_timer_heeds_one_that_was_sent_by_hand_and_not_filed() -> None:
    world = a_world(POSITIVE)
    await pass_time(world, timedelta(days=1))
    await world.open(desk="berlin")
    await world.deliver()
    desk = world.app.desks.get("berlin")
    assert desk is not None
    world.clock.advance(3600)

    async def died(*_: Any) -> None:
        raise DiedError

    with patch.object(world.journal, "file", died), pytest.raises(DiedError):
        await world.app.digests.send_now(desk)
    world.clock.advance(timedelta(days=1).total_seconds())
    await world.app.digests.send_due()

    windows = windows_of(world, "berlin")
    assert len(windows) == 3
    assert all(one[1] == other[0] for one, other in pairwise(windows))
    assert sum(d.counts.messages for d in sealed(world) if d.desk == "berlin") == 1


async def test_a_window_waits_for_an_act_that_was_announced_and_not_written() -> None:
    world = a_world(POSITIVE)
    await pass_time(world, timedelta(days=1))
    case_id = await world.open(desk="berlin")
    await world.deliver()
    world.clock.advance(timedelta(hours=6, minutes=59).total_seconds())
    before, insert = berlin(world), world.store.insert

    async def frozen(*about: Any) -> str:
        """Stands still while the window ends and the timer comes."""
        slow.stop()
        world.clock.advance(timedelta(minutes=10).total_seconds())
        assert (await world.app.digests.send_due())["postponed"] == 1
        return await insert(*about)

    slow = patch.object(world.store, "insert", frozen)
    slow.start()
    await world.app.acts.resolve(case_id, "Ada", "done")
    await world.app.digests.send_due()
    assert berlin(world) == before + 1
    assert sum(digest.counts.resolved for digest in sealed(world)) == 1


async def test_a_preview_writes_nothing() -> None:
    world = a_world()
    await world.open(desk="berlin")
    await world.deliver()
    world.clock.advance(3600)
    desk = world.app.desks.get("berlin")
    assert desk is not None
    digest = await world.app.digests.preview(desk)
    assert digest.counts.escalated == 1
    assert sealed(world) == []
    with pytest.raises(RequestError, match="No digest"):
        await world.app.digests.preview(a_desk("other"))


async def test_storage_that_is_down_leaves_the_window_to_the_next_timer() -> None:
    world = a_world()

    async def down(*_: Any) -> Any:
        raise RetryableError("storage_down")

    with patch.object(world.journal, "recorded", down), pytest.raises(RetryableError):
        await pass_time(world, timedelta(days=1))
    assert (await pass_time(world, timedelta(minutes=15)))["sealed"] == 3
    assert isinstance(sealed(world)[0].end, datetime)
