"""Channels of digests that failed: listed, told of in the next digest, sent again once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.adapters.memory_sinks import Fault, MemorySink
from shared.domain.digest import DIGESTS, Digest, FailedChannel
from shared.domain.digest_letter import digest_letter, digest_notice
from shared.domain.partition import Partition
from shared.errors import RequestError
from tests.pipeline.test_digests import Crashing, DiedError, a_world, pass_time, sealed
from tests.support.world import World


class Failing:
    """A world whose desk ``berlin`` has one digest, with one channel that failed."""

    def __init__(self, fault: Fault = "never") -> None:
        self.world = a_world()
        self.fault: Fault = fault
        self.slack = MemorySink("unkeyed", self.world.clock, lambda _: self.fault)
        self.world.sinks["slack"] = self.slack
        self.channels = self.world.app.digest_channels

    async def happen(self) -> Digest:
        await pass_time(self.world, timedelta(days=1))
        await pass_time(self.world, timedelta(minutes=1))
        return latest(self.world)

    async def listed(self) -> list[FailedChannel]:
        return await self.channels.failed(["berlin"], 20)

    async def view(self, digest: Digest) -> Partition:
        return await self.world.store.read(f"{DIGESTS}berlin:{digest.end:%Y-%m-%dT%H%MZ}")


def latest(world: World) -> Digest:
    return max((d for d in sealed(world) if d.desk == "berlin"), key=lambda d: d.end)


def sent(sink: MemorySink) -> list[str]:
    return [applied.key for applied in sink.ledger if ":berlin:" in applied.key]


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [("never", "refused", "receiver_refused"), ("after", "uncertain", "answer_lost")],
)
async def test_a_channel_that_failed_for_good_is_listed(
    fault: Fault, state: str, reason: str
) -> None:
    there = Failing(fault)
    digest = await there.happen()

    [failed] = await there.listed()
    assert (failed.desk, failed.end, failed.channel) == ("berlin", digest.end, "slack")
    assert (failed.state, failed.reason) == (state, reason)
    assert failed.window == f"{digest.end:%Y-%m-%dT%H%MZ}"
    assert await there.channels.failed(["default"], 20) == []


async def test_one_that_is_tried_again_by_itself_is_not_listed() -> None:
    there = Failing("busy")
    await there.happen()

    assert await there.listed() == []


async def test_a_refused_channel_is_sent_again_once_and_who_and_why_stay() -> None:
    there = Failing()
    digest = await there.happen()
    [failed] = await there.listed()
    there.fault = "none"
    there.world.clock.advance(60)
    at = there.world.clock.now()

    again = await there.channels.replay("berlin", failed.window, "Ada", "address set")
    assert again == ("slack",)
    assert await there.listed() == []
    with pytest.raises(RequestError, match="Nothing to replay"):
        await there.channels.replay("berlin", failed.window, "Bob", "")
    await there.world.deliver()
    await pass_time(there.world, timedelta(minutes=1))

    view = await there.view(digest)
    assert {effect.phase for effect in view.effects} == {"done"}
    assert sent(there.slack) == [f"{view.case_id}-slack"]
    assert len(sent(there.world.email)) == 1, "the others have it already"
    [act] = view.acts
    assert (act.act, act.by, act.at, act.reason) == ("replay", "Ada", at, "address set")
    assert await there.listed() == []
    assert await there.world.index.wakes(there.world.clock.now(), 99) == []


async def test_one_that_may_have_got_it_is_sent_again_only_by_its_name() -> None:
    there = Failing("after")
    await there.happen()
    [failed] = await there.listed()
    there.fault = "none"

    with pytest.raises(RequestError, match="name one that is uncertain"):
        await there.channels.replay("berlin", failed.window, "Ada", "")
    assert len(sent(there.slack)) == 1
    await there.channels.replay("berlin", failed.window, "Ada", "", ["slack"])
    await there.world.deliver()

    assert len(sent(there.slack)) == 2
    assert await there.listed() == []


async def test_one_that_fails_again_is_listed_again() -> None:
    there = Failing()
    await there.happen()
    [failed] = await there.listed()

    await there.channels.replay("berlin", failed.window, "Ada", "")
    await there.world.deliver()
    await pass_time(there.world, timedelta(minutes=1))

    [again] = await there.listed()
    assert again.at > failed.at


@pytest.mark.parametrize("call", range(1, 7))
async def test_a_replay_that_dies_at_any_call_is_done_once_or_can_be_said_again(call: int) -> None:
    there = Failing()
    digest = await there.happen()
    [failed] = await there.listed()
    there.fault = "none"
    crashing = Crashing(there.world, call)
    with pytest.raises(DiedError):
        await there.channels.replay("berlin", failed.window, "Ada", "")
    assert crashing.left == 0

    for _ in range(3):
        await pass_time(there.world, timedelta(minutes=1))

    said = len((await there.view(digest)).acts)
    assert len(sent(there.slack)) == said
    assert len(await there.listed()) == 1 - said
    assert await there.world.index.wakes(there.world.clock.now(), 99) == []


async def test_what_a_person_has_dealt_with_is_listed_no_more() -> None:
    there = Failing("after")
    await there.happen()
    [failed] = await there.listed()
    there.world.clock.advance(60)

    await there.channels.resolve("berlin", failed.window, "Ada", "it is there")

    assert await there.listed() == []
    assert len(sent(there.slack)) == 1
    with pytest.raises(RequestError, match="Nothing to resolve"):
        await there.channels.resolve("berlin", failed.window, "Ada", "")


async def test_what_does_not_exist_is_refused() -> None:
    there = Failing()
    await there.happen()
    [failed] = await there.listed()

    with pytest.raises(RequestError, match="404"):
        await there.channels.replay("berlin", "2020-01-01T0000Z", "Ada", "")
    with pytest.raises(RequestError, match="422 No such channel: This digest has: copy, email"):
        await there.channels.replay("berlin", failed.window, "Ada", "", ["fax"])


async def test_the_next_digest_says_so_and_the_one_after_it_no_more() -> None:
    there = Failing()
    first = await there.happen()
    there.fault = "none"
    second = await there.happen()
    third = await there.happen()

    assert [(f.channel, f.end) for f in second.undelivered] == [("slack", first.end)]
    assert not second.nothing
    assert (first.undelivered, third.undelivered) == ((), ())
    said = "did not reach slack (receiver_refused): see ./frontdesk parked."
    for text in (digest_letter(second, str).text, *digest_notice(second, str).notes):
        assert said in text
    assert len(await there.listed()) == 1, "until somebody deals with it"


async def test_a_worker_with_an_old_view_hides_no_failure() -> None:
    there = Failing()
    digest = await there.happen()
    view = await there.view(digest)
    assert view.digest is not None
    old = Partition(view.case_id, [view.stored["digest"]])

    await there.channels.file(old)

    assert len(await there.listed()) == 1
