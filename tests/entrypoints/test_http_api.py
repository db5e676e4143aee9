"""The HTTP API over memory ports: what it takes, what it refuses, what it says."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import azure.functions as func
import pytest

from entrypoints import http_api, operator_api
from entrypoints.http_protocol import answering
from shared.errors import ConfigError, PermanentError, RetryableError
from tests.support.proposals import proposing
from tests.support.world import NEGATIVE, POSITIVE, World, a_desk

HANDLERS = {route.name: answering(route.handler) for route in http_api.ROUTES + operator_api.ROUTES}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(NEGATIVE)

    async def frontdesk() -> Any:
        return made.app

    for module in (http_api, operator_api):
        monkeypatch.setattr(module, "frontdesk", frontdesk)
    return made


async def call(
    name: str,
    body: bytes | dict[str, Any] | None = None,
    *,
    case_id: str = "",
    headers: dict[str, str] | None = None,
    **params: str,
) -> tuple[func.HttpResponse, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    request = func.HttpRequest(
        method="POST" if body is not None else "GET",
        url="http://127.0.0.1/api",
        body=raw,
        headers=headers or {},
        params=params,
        route_params={"case_id": case_id} if case_id else {},
    )
    response = await HANDLERS[name](request)
    return response, json.loads(response.get_body())


async def test_a_customer_who_is_named_is_known_again_and_his_name_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule = {"name": "regular", "when": {"repeat_customer": True}, "then": {"tags": ("regular",)}}
    world = World(NEGATIVE, desks=(a_desk("default"), a_desk("hotel", reactions=(rule,))))

    async def frontdesk() -> Any:
        return world.app

    monkeypatch.setattr(http_api, "frontdesk", frontdesk)
    channel = {"source": "form", "customer": "ada@example.com"}
    found = []
    for text in ("It is dirty.", "It is dirty again."):
        body = {"customer_query": text, "desk": "hotel", "channel": channel}
        _, accepted = await call("create_case", body)
        await world.deliver()
        _, case = await call("get_case", case_id=accepted["case_id"])
        assert "ada" not in json.dumps(case)
        found.append((case["repeat_customer"], case["tags"]))
    assert found == [(False, []), (True, ["regular"])]


async def test_the_budget_shows_limits_and_what_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk("hotel", budget={"case_tokens": 90_000, "day_tokens": 50_000})
    world = World(POSITIVE, desks=(a_desk("default"), desk))

    async def frontdesk() -> Any:
        return world.app

    monkeypatch.setattr(operator_api, "frontdesk", frontdesk)
    await world.open("Thank you!")
    await world.run(world.nudges.sent.pop(0).nudge)
    _, said = await call("budget")
    _, before = await call("budget", day="2026-01-31")

    default, hotel = said["desks"]
    assert said["day"] == world.clock.now().date().isoformat()
    assert default == {"desk": "default", "case": {"tokens": 500_000, "cost": None}, "day": None}
    assert hotel["case"]["tokens"] == 90_000
    assert hotel["day"]["limit"] == {"tokens": 50_000, "cost": None}
    assert hotel["day"]["used"]["tokens"] > 100
    assert hotel["day"]["reserved"] == {"tokens": 0, "cost": None}
    assert before["desks"][1]["day"]["used"]["tokens"] == 0
    for wrong in ("yesterday", "2026-13-01", "20260131"):
        refused, why = await call("budget", day=wrong)
        assert (refused.status_code, why["title"]) == (400, "Bad day")


async def test_a_new_case_is_accepted_with_its_address(world: World) -> None:
    response, said = await call("create_case", {"desk": "hotel", "customer_query": "Dirty!"})
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/cases/{said['case_id']}"
    assert str(UUID(said["case_id"])) == said["case_id"]
    _, before = await call("get_case", case_id=said["case_id"])
    assert before["status"] == "open"
    await world.deliver()
    _, after = await call("get_case", case_id=said["case_id"])
    assert after["status"] == "escalated"
    assert after["supported_actions"] == ["send_help"]
    assert {s["stage"]: s["state"] for s in after["stages"]} == {
        "customer_query": "finished", "sentiment": "finished", "escalation": "finished"
    }  # fmt: skip


async def test_a_scene_in_free_text_needs_no_desk(world: World) -> None:
    body = {"support_context": "A bakery in Ghent.", "customer_query": "Stale bread."}
    _, said = await call("create_case", body)
    _, case = await call("get_case", case_id=said["case_id"])
    assert (case["desk"], case["support_context"]) == ("default", "A bakery in Ghent.")


async def test_the_same_idempotency_key_is_the_same_case(world: World) -> None:
    body = {"desk": "hotel", "customer_query": "Dirty!"}
    key = {"Idempotency-Key": "k-1"}
    _, first = await call("create_case", body, headers=key)
    again, second = await call("create_case", body, headers=key)
    assert (again.status_code, second["case_id"]) == (202, first["case_id"])
    other, problem = await call("create_case", body | {"customer_query": "!"}, headers=key)
    assert (other.status_code, problem["title"]) == (422, "Idempotency key used twice")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not valid JSON"),
        (b"{", 400, "line 1, column 2"),
        (b'{"a": "\xff"}', 400, "not UTF-8 at byte 7"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"[]", 422, "body: must be a JSON object"),
        (b"null", 422, "body: must be a JSON object"),
        ({}, 422, "customer_query: Field required"),
        ({"desk": "hotel", "customer_query": 5}, 422, "customer_query"),
        ({"desk": "hotel", "customer_query": None}, 422, "customer_query"),
        ({"desk": ["hotel"], "customer_query": "x"}, 422, "desk"),
        ({"desk": "hotel", "customer_query": "x", "qurey": 1}, 422, "qurey: unknown field"),
        ({"desk": "hotel", "customer_query": "x", "\u202eevil": 1}, 422, "?evil: unknown field"),
        ({"customer_query": "x"}, 422, "one of the two"),
        ({"desk": "hotel", "support_context": "a", "customer_query": "x"}, 422, "one of the two"),
        ({"support_context": "  ", "customer_query": "x"}, 422, "support_context needs"),
        ({"support_context": "a\x00b", "customer_query": "x"}, 422, "NUL"),
        ({"support_context": "s" * 4001, "customer_query": "x"}, 422, "support_context"),
        ({"desk": "motel", "customer_query": "x"}, 422, ", default, hotel, "),
        ({"desk": "hotel", "customer_query": ""}, 422, "needs some text"),
        ({"desk": "hotel", "customer_query": " \t\n"}, 422, "needs some text"),
        ({"desk": "hotel", "customer_query": "a\x00"}, 422, "NUL"),
        (b'{"desk": "hotel", "customer_query": "\\ud800"}', 422, "surrogate"),
        ({"desk": "hotel", "customer_query": "x" * 262_145}, 413, "262144"),
        (b'"' + b"x" * (2 * 1024 * 1024) + b'"', 413, "most"),
        (
            {"desk": "hotel", "customer_query": "x", "channel": {"source": "?"}},
            422,
            "channel.source",
        ),
    ],
)
async def test_bad_bodies_are_refused_with_a_problem_that_says_what_to_do(
    world: World, body: Any, status: int, said: str
) -> None:
    response, problem = await call("create_case", body)
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail"}
    assert said in problem["detail"]
    assert await world.open_marks() == 0, "a refused body leaves nothing behind"


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb"])
async def test_a_bad_idempotency_key_is_refused(world: World, key: str) -> None:
    body = {"desk": "hotel", "customer_query": "x"}
    response, _ = await call("create_case", body, headers={"Idempotency-Key": key})
    assert response.status_code == 400


async def test_a_follow_up_is_a_new_turn_of_the_same_case(world: World) -> None:
    world.model.script |= POSITIVE
    case_id = await world.open("My room is dirty.")
    await world.deliver()
    response, said = await call("add_message", {"customer_query": "Solved!"}, case_id=case_id)
    assert (response.status_code, said["case_id"]) == (202, case_id)
    await world.deliver()
    _, case = await call("get_case", case_id=case_id)
    assert [turn["text"] for turn in case["turns"]] == ["My room is dirty.", "Solved!"]
    assert case["customer_query"] == "Solved!"
    assert case["status"] == "answered"


async def test_a_long_text_comes_back_whole(world: World) -> None:
    text = "ärgerlich 😡 " * 8000
    case_id = await world.open(text)
    _, case = await call("get_case", case_id=case_id)
    assert case["customer_query"] == text


@pytest.mark.parametrize(
    "case_id", ["nothing", "../../secret", "00000000-0000-4000-8000-000000000000"]
)
async def test_an_unknown_case_is_404(world: World, case_id: str) -> None:
    for name in ("get_case", "add_message", "cancel_case", "replay_case"):
        body = {"customer_query": "x"} if name == "add_message" else {"by": "ana"}
        response, _ = await call(name, body, case_id=case_id)
        assert response.status_code == 404, name


async def test_cases_are_listed_newest_first_and_by_filter(world: World) -> None:
    for n in range(5):
        world.clock.advance(1)
        await world.open(f"Message {n}", desk="hotel" if n % 2 else "default")
    await world.deliver()
    _, first = await call("list_cases", limit="3")
    assert [c["subject"] for c in first["cases"]] == ["Message 4", "Message 3", "Message 2"]
    _, rest = await call("list_cases", limit="3", cursor=first["next"])
    assert [c["subject"] for c in rest["cases"]] == ["Message 1", "Message 0"]
    assert rest["next"] is None
    _, hotel = await call("list_cases", desk="hotel", status="escalated", sentiment="Negative")
    assert [c["subject"] for c in hotel["cases"]] == ["Message 3", "Message 1"]
    _, none = await call("list_cases", status="answered")
    assert none["cases"] == []


@pytest.mark.parametrize(
    "params",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "many"}, {"limit": "٣"}, {"status": "gone"},
     {"sentiment": "Meh"}, {"desk": "a/b"}, {"cursor": "nonsense"}],
)  # fmt: skip
async def test_bad_query_parameters_are_refused(world: World, params: dict[str, str]) -> None:
    response, problem = await call("list_cases", None, case_id="", headers=None, **params)
    assert response.status_code == 400, problem


async def test_parked_cases_are_listed_and_run_again_by_a_replay(world: World) -> None:
    world.model.script["sentiment"] = PermanentError("refusal")
    case_id = await world.open()
    await world.deliver()
    _, listed = await call("parked")
    assert [(c["case_id"], "refusal" in c["reason"]) for c in listed["cases"]] == [(case_id, True)]

    world.model.script["sentiment"] = NEGATIVE["sentiment"]
    response, said = await call("replay_case", {"by": "ana", "reason": "fixed"}, case_id=case_id)
    assert (response.status_code, said["replayed"]) == (202, ["1:sentiment"])
    await world.deliver()
    _, case = await call("get_case", case_id=case_id)
    assert (case["status"], case["status_reason"]) == ("escalated", "")
    assert {"who": "ana", "event": "replay", "detail": "fixed"}.items() <= next(
        e for e in case["trace"] if e["who"] == "ana"
    ).items()
    _, listed = await call("parked")
    assert listed["cases"] == []


async def test_a_case_that_waits_for_somebodys_hands_can_be_cancelled(world: World) -> None:
    world.model.script |= proposing(("call", {}))
    case_id = await world.open(desk="acting")
    await world.deliver()
    response, _ = await call("cancel_case", {"by": "ana", "reason": "left"}, case_id=case_id)
    assert response.status_code == 202
    _, case = await call("get_case", case_id=case_id)
    assert (case["status"], [a["state"] for a in case["actions"]]) == ("cancelled", ["lapsed"])


async def test_a_cancelled_case_does_nothing_more(world: World) -> None:
    case_id = await world.open()
    response, _ = await call("cancel_case", {"by": "ana", "reason": "test"}, case_id=case_id)
    assert response.status_code == 202
    await world.deliver()
    _, case = await call("get_case", case_id=case_id)
    assert (case["status"], case["status_reason"]) == ("cancelled", "test")
    assert world.model.calls == []
    again, _ = await call("cancel_case", {"by": "ana"}, case_id=case_id)
    assert again.status_code == 202
    late, problem = await call("add_message", {"customer_query": "Hi"}, case_id=case_id)
    assert (late.status_code, "was cancelled" in problem["detail"]) == (409, True)
    replayed, _ = await call("replay_case", {"by": "ana"}, case_id=case_id)
    assert replayed.status_code == 409


async def test_a_replay_of_something_unknown_or_at_rest_is_refused(world: World) -> None:
    case_id = await world.open()
    moving, problem = await call(
        "replay_case", {"by": "a", "stages": ["escalation"]}, case_id=case_id
    )
    assert (moving.status_code, problem["title"]) == (409, "Nothing to replay")
    await world.deliver()
    unknown, problem = await call("replay_case", {"by": "a", "stages": ["x"]}, case_id=case_id)
    assert (unknown.status_code, "This case has: 1:customer_query" in problem["detail"]) == (
        422,
        True,
    )
    resting, _ = await call("replay_case", {"by": "a"}, case_id=case_id)
    assert resting.status_code == 409
    nobody, problem = await call("replay_case", {"stages": ["sentiment"]}, case_id=case_id)
    assert (nobody.status_code, "by: Field required" in problem["detail"]) == (422, True)


async def test_a_finished_stage_can_be_run_again_with_those_after_it(world: World) -> None:
    case_id = await world.open()
    await world.deliver()
    _, said = await call("replay_case", {"by": "a", "stages": ["sentiment"]}, case_id=case_id)
    assert said["replayed"] == ["1:sentiment", "1:escalation"]
    await world.deliver()
    _, case = await call("get_case", case_id=case_id)
    assert {s["stage"]: s["generation"] for s in case["stages"]} == {
        "customer_query": 0, "sentiment": 1, "escalation": 1
    }  # fmt: skip
    assert case["status"] == "escalated"
    assert await world.open_marks() == 0


async def test_an_escalation_stays_until_a_person_resolves_it(world: World) -> None:
    case_id = await world.open()
    early, _ = await call("resolve_case", {"by": "ana"}, case_id=case_id)
    assert early.status_code == 409, "it is still being worked on"
    await world.deliver()
    world.model.script |= POSITIVE
    await call("add_message", {"customer_query": "Thanks anyway."}, case_id=case_id)
    await world.deliver()
    _, case = await call("get_case", case_id=case_id)
    assert case["status"] == "escalated", "thanks do not undo what a person has to look at"

    body = {"by": "ana", "reason": "room cleaned"}
    response, _ = await call("resolve_case", body, case_id=case_id)
    _, case = await call("get_case", case_id=case_id)
    assert (response.status_code, case["status"]) == (202, "resolved")
    assert case["status_reason"] == "room cleaned"
    assert await world.open_marks() == 0

    await call("add_message", {"customer_query": "One more thing."}, case_id=case_id)
    await world.deliver()
    _, case = await call("get_case", case_id=case_id)
    assert case["status"] == "answered"
    _, listed = await call("list_cases", status="resolved")
    assert listed["cases"] == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(RetryableError("storage_unavailable", 7), 503), (ConfigError("FRONTDESK_SECRET: …"), 503)],
)
async def test_an_outage_says_when_to_come_back_and_nothing_of_the_inside(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    async def broken() -> Any:
        raise error

    monkeypatch.setattr(http_api, "frontdesk", broken)
    response, problem = await call("create_case", {"desk": "hotel", "customer_query": "x"})
    assert response.status_code == status
    assert int(response.headers["Retry-After"]) >= 5
    assert "SECRET" not in json.dumps(problem)


async def test_health_and_desks_answer(world: World) -> None:
    response, said = await call("health")
    assert (response.status_code, said) == (200, {"status": "ok", "demo": False})
    _, desks = await call("list_desks")
    named = {desk["name"] for desk in desks["desks"]}
    assert named == set(world.app.desks.names)
