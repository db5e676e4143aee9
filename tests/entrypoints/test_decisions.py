"""Decisions over HTTP: by name and key, and by the links in mails."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import azure.functions as func
import pytest

from entrypoints import decision_api
from entrypoints.http_protocol import answering
from shared.domain.approval_links import Claim
from shared.domain.pages import HEADERS
from shared.domain.stage import Approval
from shared.errors import RetryableError
from tests.support.proposals import proposing
from tests.support.world import World

HANDLERS = {route.name: answering(route.handler) for route in decision_api.ROUTES}
PAY = ("pay", {"amount": 40})
FORM = {"by": "Ana <b>", "reason": "charged twice"}


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(proposing(PAY, ("close", {}), ("call", {})))

    async def frontdesk() -> Any:
        return made.app

    monkeypatch.setattr(decision_api, "frontdesk", frontdesk)
    return made


async def a_case(world: World) -> str:
    case_id = await world.open(desk="acting")
    await world.deliver()
    return case_id


async def call(name: str, body: bytes = b"", **route: str) -> func.HttpResponse:
    request = func.HttpRequest(
        method="POST" if body else "GET",
        url="http://127.0.0.1/api",
        body=body,
        params={},
        route_params=route,
    )
    return await HANDLERS[name](request)


async def act(name: str, case_id: str, action: str, **body: str) -> tuple[int, Any]:
    response = await call(name, json.dumps(body).encode(), case_id=case_id, action=action)
    return response.status_code, json.loads(response.get_body())


async def action_id(world: World, case_id: str, name: str) -> str:
    return next(a.id for a in (await world.case(case_id)).actions if a.name == name)


async def a_token(
    world: World, case_id: str, name: str, level: Approval = "human", hours: float = 1
) -> str:
    until = world.clock.now() + timedelta(hours=hours)
    claim = Claim(case_id, await action_id(world, case_id, name), level, until)
    return world.app.links.token(claim)


async def decide(token: str, decision: str, **fields: str) -> func.HttpResponse:
    return await call("decide", urlencode({"decision": decision, **fields}).encode(), token=token)


def states(case: Any) -> dict[str, str]:
    return {action.name: action.state for action in case.actions}


async def test_a_decision_by_name_says_how_the_action_is_now(world: World) -> None:
    case_id = await a_case(world)
    status, said = await act("approve_action", case_id, "pay", by="ana", reason="twice")
    assert (status, said["case_id"]) == (202, case_id)
    assert (said["action"]["name"], said["action"]["state"]) == ("pay", "under_way")
    assert (await act("reject_action", case_id, "close", by="bob", reason="no"))[0] == 202
    assert (await act("action_done", case_id, "call", by="eve"))[0] == 202
    await world.deliver()
    assert states(await world.case(case_id)) == {"pay": "done", "close": "rejected", "call": "done"}

    status, said = await act("approve_action", case_id, "close", by="ana")
    assert (status, said["title"]) == (409, "Already decided")
    assert "rejected by bob" in said["detail"]
    assert (await act("approve_action", case_id, "none", by="ana"))[0] == 404
    assert (await act("approve_action", case_id, "pay"))[0] == 422


async def test_what_waits_is_listed_until_it_is_decided_or_done(world: World) -> None:
    case_id = await a_case(world)

    async def listed() -> list[tuple[str, list[str], list[str]]]:
        cases = json.loads((await call("approvals")).get_body())["cases"]
        return [(e["case_id"], e["waiting"], e["to_do"]) for e in cases]

    assert await listed() == [(case_id, ["pay", "close"], ["call"])]
    for name in ("pay", "close"):
        await act("reject_action", case_id, name, by="ana", reason="no")
    assert await listed() == [(case_id, [], ["call"])]
    await act("action_done", case_id, "call", by="eve")
    assert json.loads((await call("approvals")).get_body()) == {"cases": [], "next": None}


async def test_looking_changes_nothing_and_only_the_form_decides(world: World) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay")
    before = (await world.store.read(case_id)).stored
    pages = [await call("decision", token=token) for _ in range(5)]
    for page in pages:
        assert page.status_code == 200
        assert page.mimetype == "text/html"
        assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert (await world.store.read(case_id)).stored.keys() == before.keys()
    assert "40" in pages[0].get_body().decode()

    done = await decide(token, "approve", **FORM)
    assert done.status_code == 200
    assert "Approved: pay" in done.get_body().decode()
    await world.deliver()
    pay = next(a for a in (await world.case(case_id)).actions if a.name == "pay")
    assert (pay.state, pay.decided_by, pay.decided_why, pay.via) == (
        "done", "Ana <b>", "charged twice", "link in a mail"
    )  # fmt: skip
    assert len(world.backend.ledger) == 1


async def test_a_link_that_was_used_says_who_decided_and_does_nothing(world: World) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay")
    await decide(token, "approve", **FORM)
    await world.deliver()
    again = await decide(token, "approve", by="Bob")
    assert again.status_code == 200, "sent twice by an impatient finger"
    assert "It is done." in again.get_body().decode()
    assert "you" not in again.get_body().decode(), "it was Ana"
    for page in (await call("decision", token=token), await decide(token, "reject", by="Bob")):
        said = page.get_body().decode()
        assert page.status_code == 409
        assert "approved by Ana &lt;b&gt;" in said
        assert "<form" not in said
    await world.deliver()
    assert len(world.backend.ledger) == 1


async def test_a_yes_to_what_people_do_by_hand_says_so_and_its_link_ticks_it_off(
    world: World,
) -> None:
    world.model.script |= proposing(("move", {}))
    case_id = await a_case(world)
    status, said = await act("action_done", case_id, "move", by="eve")
    assert (status, said["detail"]) == (409, "move waits for a yes first.")
    token = await a_token(world, case_id, "move")
    approved = (await decide(token, "approve", **FORM)).get_body().decode()
    assert "It is for you to do by hand. When it is done, open the link again" in approved
    effects = (await world.case(case_id)).effects
    assert [(e.state, e.dormant) for e in effects if e.key.startswith("undone-1-")] == [
        ("waiting", True)
    ]
    asked = await call("decision", token=token)
    assert asked.status_code == 200
    assert "Is it done?" in asked.get_body().decode()

    assert "Done: move" in (await decide(token, "done", by="Eve")).get_body().decode()
    assert states(await world.case(case_id)) == {"move": "done"}
    used = await call("decision", token=token)
    assert used.status_code == 409
    assert "move was carried out by hand by Eve" in used.get_body().decode()


async def test_the_link_of_an_action_that_failed_says_so_and_asks_whether_a_person_did_it(
    world: World,
) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay")
    world.fault = "never"
    await decide(token, "approve", **FORM)
    await world.deliver()
    page = (await call("decision", token=token)).get_body().decode()
    assert "Is it done?" in page
    assert "It could not be carried out." in page


async def test_a_second_yes_after_the_case_was_resolved_says_what_became_of_the_first(
    world: World,
) -> None:
    world.model.script |= proposing(("move", {}))
    case_id = await a_case(world)
    token = await a_token(world, case_id, "move")
    await decide(token, "approve", **FORM)
    await world.app.acts.resolve(case_id, "bob", "over")
    again = await decide(token, "approve", **FORM)
    assert "It was not carried out, because the case was closed" in again.get_body().decode()
    assert "The case was resolved" in (await call("decision", token=token)).get_body().decode()


async def test_a_form_that_is_sent_many_times_at_once_decides_once(world: World) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay")
    answers = await asyncio.gather(*(decide(token, "approve", by=f"p{n}") for n in range(8)))
    await world.deliver()
    assert {a.status_code for a in answers} <= {200, 409}
    assert len(world.backend.ledger) == 1


@pytest.mark.parametrize("change", ["altered", "cut", "none", "expired", "other secret"])
async def test_a_link_that_is_no_longer_good_gets_a_page_and_no_effect(
    world: World, change: str
) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay", hours=-1 if change == "expired" else 1)
    token = {
        "altered": token[:60] + ("A" if token[60] != "A" else "B") + token[61:],
        "cut": token[:-5],
        "none": "x",
        "expired": token,
        "other secret": "A" * 43 + token[43:],
    }[change]
    for page in (await call("decision", token=token), await decide(token, "approve", **FORM)):
        assert page.status_code == (410 if change == "expired" else 404)
        assert page.mimetype == "text/html"
        assert "<form" not in page.get_body().decode()
    assert "waiting" in states(await world.case(case_id))["pay"]


@pytest.mark.parametrize(
    ("end", "title"),
    [
        ("cancel", "The case was cancelled"),
        ("resolve", "The case was resolved"),
        ("rerun", "No longer proposed"),
    ],
)
async def test_a_link_whose_case_went_on_gets_a_page_and_no_effect(
    world: World, end: str, title: str
) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay")
    if end == "rerun":
        await world.app.acts.replay(case_id, "bob", "", ["escalation"])
        world.model.script |= proposing(("pay", {"amount": 41}))
        await world.deliver()
    else:
        await getattr(world.app.acts, end)(case_id, "bob", "over")
    for page in (await call("decision", token=token), await decide(token, "approve", **FORM)):
        assert page.status_code == 409
        assert title in page.get_body().decode()
    await world.deliver()
    assert world.backend.ledger == []


async def test_what_is_managements_needs_managements_link(world: World) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "close")
    for page in (await call("decision", token=token), await decide(token, "approve", **FORM)):
        assert page.status_code == 403
    token = await a_token(world, case_id, "close", level="management")
    assert (await decide(token, "approve", **FORM)).status_code == 200
    await world.deliver()
    close = next(a for a in (await world.case(case_id)).actions if a.name == "close")
    assert (close.state, close.via) == ("done", "management's link in a mail")


@pytest.mark.parametrize(
    "body",
    [
        b"decision=approve", b"decision=approve&by=%20", b"decision=steal&by=Ana", b"x",
        b"decision=approve&by=" + b"x" * 81, b"decision=approve&by=%00", b"\xff\xfe",
        b"&".join(b"a=1" for _ in range(50)),
    ],
)  # fmt: skip
async def test_a_form_without_a_name_is_shown_again(world: World, body: bytes) -> None:
    case_id = await a_case(world)
    page = await call("decide", body, token=await a_token(world, case_id, "pay"))
    assert page.status_code in (400, 422)
    assert page.mimetype == "text/html"
    assert states(await world.case(case_id))["pay"] == "waiting"


async def test_a_form_that_is_too_long_is_refused(world: World) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay")
    assert (await decide(token, "approve", by="Ana", reason="x" * 20_000)).status_code == 413


async def test_when_storage_is_away_the_page_says_that_nothing_was_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await a_case(world)
    token = await a_token(world, case_id, "pay")

    async def away(_: str) -> Any:
        raise RetryableError("storage_unreachable")

    monkeypatch.setattr(world.store, "read", away)
    page = await decide(token, "approve", **FORM)
    assert page.status_code == 503
    assert "Nothing was changed" in page.get_body().decode()
