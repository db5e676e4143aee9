"""What the journal of a desk says after cases went through the pipeline."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.domain.journal import JournalEntry
from tests.support.world import NEGATIVE, POSITIVE, World

START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


async def journal(world: World, desk: str = "hotel") -> list[JournalEntry]:
    return await world.journal.recorded(desk, START, END, 100)


def said(entries: list[JournalEntry]) -> list[tuple[str, str, str]]:
    return [(entry.mark, entry.what, entry.outcome) for entry in entries]


async def test_an_answered_message_is_one_happening_with_what_it_used() -> None:
    world = World(POSITIVE)
    case_id = await world.open()
    await world.deliver()

    [entry] = await journal(world)

    assert said([entry]) == [("m0001", "message", "answered")]
    assert (entry.sentiment, entry.urgency, entry.usage.calls) == ("Positive", "low", 2)
    assert entry.usage == (await world.case(case_id)).usage


async def test_an_escalation_is_a_happening_of_its_own() -> None:
    world = World(NEGATIVE)
    await world.open()
    await world.deliver()

    message, escalated = sorted(await journal(world), key=lambda entry: entry.what, reverse=True)

    assert said([message]) == [("m0001", "message", "escalated")]
    assert said([escalated]) == [("e0001", "escalated", "decided")]
    assert escalated.about == ("negative sentiment", "urgency: high")


async def test_a_parked_stage_is_an_escalation_with_its_code() -> None:
    world = World({**NEGATIVE, "sentiment": {"nonsense": True}})
    await world.open()
    await world.deliver()

    entries = {entry.mark: entry for entry in await journal(world)}

    assert entries["e0001"].outcome == "parked"
    assert entries["e0001"].about[0].startswith("sentiment: ")
    assert entries["m0001"].failures


async def test_a_replay_carries_what_it_used_and_the_message_is_told_once() -> None:
    world = World(NEGATIVE)
    case_id = await world.open()
    await world.deliver()
    world.clock.advance(600)
    await world.app.acts.replay(case_id, "Ada", "prompt repaired", ("sentiment",))
    await world.deliver()

    entries = await journal(world)

    assert [mark for mark, _, _ in said(entries)].count("m0001") == 1
    assert [mark for mark, _, _ in said(entries)].count("e0001") == 1
    used = {entry.mark: entry.usage.calls for entry in entries if entry.usage.calls}
    assert used == {"m0001": 3, "x0001": 2}


async def test_each_turn_and_each_act_is_told() -> None:
    world = World(NEGATIVE)
    case_id = await world.open()
    await world.deliver()
    world.clock.advance(60)
    await world.app.acts.resolve(case_id, "Ada", "done")
    world.clock.advance(60)
    await world.app.intake.follow_up(case_id, "Dirty again.")
    await world.deliver()

    assert said(await journal(world)) == [
        ("e0001", "escalated", "decided"),
        ("m0001", "message", "escalated"),
        ("x0001", "act", "resolve"),
        ("e0002", "escalated", "decided"),
        ("m0002", "message", "escalated"),
    ]


async def test_what_a_cancel_cut_off_is_told_with_it() -> None:
    world = World(NEGATIVE)
    case_id = await world.open()
    world.clock.advance(60)
    await world.app.acts.cancel(case_id, "Ada", "duplicate")
    await world.deliver()

    assert said(await journal(world)) == [
        ("m0001", "message", "cancelled"),
        ("x0001", "act", "cancel"),
    ]
