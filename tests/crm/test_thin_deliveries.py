"""Deliveries without the text, many events in one, and vendors who read the answer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.domain.inbound import CustomerWords
from shared.domain.rows import Row
from shared.errors import PermanentError, RetryableError, UncertainError
from tests.support.crm import MakeWorld, ThinVendor, deliver, thin
from tests.support.world import POSITIVE, World


@pytest.fixture
def vendor() -> ThinVendor:
    return ThinVendor(tickets={"7": [("m-1", "customer", "My room is dirty.")]})


@pytest.fixture
def world(make_world: MakeWorld, vendor: ThinVendor) -> World:
    return make_world(vendor)


def happened(name: str, ticket: str = "7", **more: object) -> dict[str, object]:
    event = {"event": "ticket.changed", "kind": "follow_up", "ticket_id": ticket, "fetch": "all"}
    return {**event, "delivery_id": name, **more}


async def take(world: World, *events: dict[str, object]) -> list[str]:
    """The cases that the events of one delivery go to."""
    before = set(world.store._cases)
    response, said = await deliver("zendesk", *thin(*events))
    assert (response.status_code, response.mimetype) == (200, "text/xml")
    assert said == b"<Ack>true</Ack>"
    return [case_id for case_id in world.store._cases if case_id not in before]


async def test_the_text_is_fetched_before_any_agent_works(world: World, vendor: ThinVendor) -> None:
    [case_id] = await take(world, happened("e-1"))
    before = await world.case(case_id)
    assert (before.customer_query, vendor.calls) == ("", [])
    outcomes = await world.deliver()
    assert outcomes[0] == "fetch: finished"
    case = await world.case(case_id)
    assert case.customer_query == case.turns[0].text == "My room is dirty."
    assert all("My room is dirty." in call.messages[-1].content for call in world.model.calls[:2])
    assert [post.how for post in vendor.posts] == ["public", "note"]
    entries, _ = await world.index.page(["hotel"], ["escalated"], None, None, 9)
    assert [entry.subject for entry in entries] == ["My room is dirty."]


async def test_who_the_customer_is_may_be_known_only_with_the_fetched_words(
    make_world: MakeWorld, vendor: ThinVendor
) -> None:
    world = make_world(vendor, regulars=True)
    vendor.customer = "c-7"
    vendor.tickets["8"] = []
    cases = []
    for ticket in ("7", "8"):
        cases += await take(world, happened(f"e-{ticket}", ticket))
        await world.deliver()
    assert not (await world.case(cases[1])).repeat_customer, "nobody wrote yet"
    vendor.tickets["8"] = [("m-2", "customer", "Mine is dirty, too.")]
    await take(world, happened("e-9", "8"))
    await world.deliver()
    first, again = [await world.case(case_id) for case_id in cases]
    assert (first.repeat_customer, first.tags) == (False, ())
    assert (again.repeat_customer, again.tags) == (True, ("regular",))


async def test_risks_and_secrets_are_looked_for_in_what_was_fetched(
    world: World, vendor: ThinVendor
) -> None:
    world.model.script |= POSITIVE
    vendor.tickets["7"] = [("m-1", "customer", "Gas leak! Card 4242 4242 4242 4242. A person!")]
    [case_id] = await take(world, happened("e-1"))
    await world.deliver()
    case = await world.case(case_id)
    assert (case.signals, case.urgency, case.status) == (("safety",), "critical", "escalated")
    assert "4242 4242" not in case.customer_query
    assert case.turns[0].masked == ("card number",)
    assert "4242 4242" not in (await world.store.read(case_id)).stage_rows[0].model_dump_json()


async def test_a_long_text_is_fetched_whole(world: World, vendor: ThinVendor) -> None:
    text = "Sehr ärgerlich. " * 5000
    vendor.tickets["7"] = [("m-1", "customer", text)]
    [case_id] = await take(world, happened("e-1"))
    await world.deliver()
    view = await world.store.read(case_id)
    said = view.said(view.messages[0])
    assert said.blob is not None
    assert await world.texts.get(said.blob) == text.strip()


async def test_events_that_come_before_the_fetch_add_nothing_to_it(
    world: World, vendor: ThinVendor
) -> None:
    [case_id] = await take(world, happened("e-1"), happened("e-2"), happened("e-3"))
    assert len((await world.store.read(case_id)).messages) == 1
    vendor.tickets["7"].append(("m-2", "customer", "And cold."))
    await world.deliver()
    case = await world.case(case_id)
    assert (case.customer_query, vendor.calls.count("fetch")) == (
        "My room is dirty.\n\nAnd cold.", 1
    )  # fmt: skip


async def claim_fetch(world: World) -> None:
    """Lets a fetch begin, and fail for now."""
    await world.run(world.nudges.sent.pop(0).nudge)


async def test_events_that_come_while_it_is_fetched_are_turns_that_come_to_nothing(
    world: World, vendor: ThinVendor
) -> None:
    vendor.troubles.append(RetryableError("crm_busy"))
    [case_id] = await take(world, happened("e-1"))
    await claim_fetch(world)
    await take(world, happened("e-2"))
    await take(world, happened("e-3"))
    for _ in range(3):
        world.make_visible()
        await world.deliver()
    case = await world.case(case_id)
    assert case.status == "escalated"
    assert len(world.model.calls) == 3, "one turn's"
    assert [bool(turn.text) for turn in case.turns] == [True, False]
    assert len(vendor.posts) == 2
    assert await world.open_marks() == 0


async def test_later_turns_wait_until_the_one_before_has_fetched(
    world: World, vendor: ThinVendor
) -> None:
    [case_id] = await take(world, happened("e-1"))
    vendor.troubles.append(RetryableError("crm_rate_limited", 60))
    await claim_fetch(world)
    await take(world, happened("e-2"))
    await world.deliver()
    case = await world.case(case_id)
    assert [s.error.code for s in case.stages if s.stage == "fetch" and s.error] == [
        "crm_rate_limited", "earlier_turn_first"
    ]  # fmt: skip


@pytest.mark.parametrize("said", [[], [("m-1", "colleague", "Note to self")]])
async def test_an_event_that_was_no_customers_comes_to_nothing(
    world: World, vendor: ThinVendor, said: list[tuple[str, str, str]]
) -> None:
    vendor.tickets["7"] = said
    [case_id] = await take(world, happened("e-1"))
    await world.deliver()
    case = await world.case(case_id)
    assert (case.status, "no customer's message" in case.status_reason) == ("resolved", True)
    assert {s.state for s in case.stages} == {"finished", "skipped"}
    assert (world.model.calls, vendor.posts, vendor.labels) == ([], [], [])
    assert await world.open_marks() == 0

    vendor.tickets["7"] = [*said, ("m-2", "customer", "My room is dirty.")]
    await take(world, happened("e-2"))
    await world.deliver()
    case = await world.case(case_id)
    assert (case.status, case.customer_query) == ("escalated", "My room is dirty.")


async def test_a_fetch_that_never_works_ends_at_a_person(world: World, vendor: ThinVendor) -> None:
    vendor.troubles.append(PermanentError("crm_ticket_missing", "HTTP 404"))
    [case_id] = await take(world, happened("e-1"))
    await world.deliver()
    case = await world.case(case_id)
    assert "crm_ticket_missing" in case.status_reason
    assert [post.key.rpartition("-")[0][-8:] for post in vendor.posts] == ["handover"]

    await world.app.acts.replay(case_id, "ana", "restored")
    await world.deliver()
    assert (await world.case(case_id)).customer_query == "My room is dirty."


async def test_an_event_about_a_message_that_came_with_its_text_is_no_second_turn(
    world: World, vendor: ThinVendor
) -> None:
    whole = happened("m-1", fetch=None, text="My room is dirty.")
    [case_id] = await take(world, whole)
    await take(world, happened("e-1"), whole)
    await world.deliver()
    assert len(world.model.calls) == 3
    assert len((await world.store.read(case_id)).messages) == 2


@pytest.mark.parametrize("fetch_ends_first", [True, False])
async def test_a_message_whose_text_comes_while_an_event_fetches_it_is_in_one_turn(
    world: World, vendor: ThinVendor, fetch_ends_first: bool
) -> None:
    """The text comes while the fetch of an event before it is under way, and finds it too."""
    vendor.tickets["7"].append(("m-2", "customer", "Still dirty!"))
    [case_id] = await take(world, happened("e-1"))
    whole = happened("m-1", fetch=None, text="My room is dirty.")
    nudge = world.nudges.sent.pop(0).nudge
    if fetch_ends_first:
        insert = world.store.insert

        async def late(case_id: str, row: Row) -> str:
            """What was read is old by the time that the turn is written."""
            world.store.insert = insert  # type: ignore[method-assign]
            await world.run(nudge)
            return await insert(case_id, row)

        world.store.insert = late  # type: ignore[method-assign]
        await take(world, whole)
    else:
        fetch = vendor.fetch

        async def slow(ticket_id: str, what: str) -> Sequence[CustomerWords]:
            """The text comes when the stage has read what there is."""
            await take(world, whole)
            return await fetch(ticket_id, what)

        vendor.fetch = slow  # type: ignore[method-assign]
        await world.run(nudge)
    for _ in range(3):
        await world.deliver()
        world.make_visible()
    case = await world.case(case_id)
    assert [turn.text for turn in case.turns] == ["My room is dirty.\n\nStill dirty!", ""]
    assert (len(world.model.calls), len(vendor.posts)) == (3, 2)
    assert await world.open_marks() == 0


async def test_a_turn_that_is_held_is_fetched_when_a_person_lets_it_go_on(
    make_world: MakeWorld, vendor: ThinVendor
) -> None:
    world = make_world(vendor, turns_alone=1)
    world.model.script |= POSITIVE
    [case_id] = await take(world, happened("e-1"))
    await world.deliver()
    vendor.tickets["7"].append(("m-2", "customer", "Thank you!"))
    await take(world, happened("e-2"))
    await world.deliver()
    assert "too_many_turns" in (await world.case(case_id)).status_reason
    assert len(world.model.calls) == 2
    await world.app.acts.replay(case_id, "ana", "no automaton")
    await world.deliver()
    case = await world.case(case_id)
    assert (case.customer_query, case.status) == ("Thank you!", "answered")


async def test_a_write_that_may_have_happened_is_looked_up_first(
    world: World, vendor: ThinVendor
) -> None:
    world.model.script |= POSITIVE
    [case_id] = await take(world, happened("e-1"))
    await world.run(world.nudges.sent.pop(0).nudge)
    vendor.troubles += [UncertainError("answer_lost")] * 3
    await world.deliver()
    world.make_visible()
    await world.deliver()
    assert {e.state for e in (await world.case(case_id)).effects} == {"done"}
    assert vendor.calls.count("find") == 2, "labels are set again instead"


async def test_a_connector_that_is_gone_says_what_to_set(world: World, vendor: ThinVendor) -> None:
    [case_id] = await take(world, happened("e-1"))
    world.connectors._known.clear()  # type: ignore[attr-defined]
    await world.deliver()
    case = await world.case(case_id)
    assert case.stages[0].error is not None
    assert case.stages[0].error.code == "connector_not_configured"


async def test_a_vendor_that_tells_us_of_our_own_notes_is_no_endless_loop(
    make_world: MakeWorld, vendor: ThinVendor
) -> None:
    world = make_world(vendor, turns_alone=1)
    [case_id] = await take(world, happened("e-0"))
    await world.deliver()
    vendor.tickets["7"].append(("m-2", "customer", "Hello?"))
    told = 0
    for number in range(1, 30):
        await take(world, happened(f"e-{number}"))
        await world.deliver()
        told, before = len(vendor.posts), told
        if told == before:
            break
    assert [post.how for post in vendor.posts] == ["public", "note", "note"]
    assert "too_many_turns" in (await world.case(case_id)).status_reason


async def test_a_failing_fetch_tells_the_ticket_once_until_somebody_acts(
    world: World, vendor: ThinVendor
) -> None:
    async def fails(number: int) -> list[str]:
        vendor.troubles.append(PermanentError("crm_refused", "HTTP 403"))
        cases = await take(world, happened(f"e-{number}"))
        await world.deliver()
        return cases

    [case_id] = await fails(0)
    for number in range(1, 4):
        await fails(number)
    assert len(vendor.posts) == 1
    await world.app.acts.resolve(case_id, "ana", "rights given")
    await fails(9)
    assert len(vendor.posts) == 2


async def test_a_tickets_next_case_knows_what_the_one_before_it_holds(
    world: World, vendor: ThinVendor
) -> None:
    [first] = await take(world, happened("e-1"))
    await world.deliver()
    vendor.tickets["7"].append(("m-2", "customer", "Hello?"))
    await take(world, happened("e-2"))
    await world.app.acts.cancel(first, "ana", "duplicate")
    vendor.tickets["7"].append(("m-3", "customer", "Anybody there?"))
    [second] = await take(world, happened("e-3"))
    await world.deliver()
    assert (await world.case(second)).customer_query == "Hello?\n\nAnybody there?"


async def test_words_that_come_after_a_cancel_are_in_the_tickets_next_case_only(
    world: World, vendor: ThinVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = await take(world, happened("e-1"))
    fetch, later = vendor.fetch, []

    async def cancelled_meanwhile(ticket_id: str, what: str) -> Sequence[CustomerWords]:
        words = await fetch(ticket_id, what)
        monkeypatch.setattr(vendor, "fetch", fetch)
        await world.app.acts.cancel(first, "ana", "duplicate")
        later.extend(await take(world, happened("e-2")))
        return words

    monkeypatch.setattr(vendor, "fetch", cancelled_meanwhile)
    await world.deliver()
    [second] = later
    assert (await world.case(second)).customer_query == "My room is dirty."
    stopped = await world.case(first)
    assert (stopped.status, stopped.customer_query) == ("cancelled", "")
