"""Digests over HTTP: shown, and sent again to a channel that failed."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from entrypoints import digest_api, operator_api
from entrypoints.http_protocol import answering
from shared.errors import PermanentError
from tests.pipeline.test_digest_channels import Failing

HANDLERS = {
    route.name: answering(route.handler) for route in digest_api.ROUTES + operator_api.ROUTES
}


@pytest.fixture
async def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    made = Failing("after")

    async def frontdesk() -> Any:
        return made.world.app

    for module in (digest_api, operator_api):
        monkeypatch.setattr(module, "frontdesk", frontdesk)
    return made


async def call(
    name: str, body: dict[str, Any] | None = None, desk: str = "berlin", **params: str
) -> tuple[int, Any]:
    request = func.HttpRequest(
        method="POST" if body is not None else "GET",
        url="http://127.0.0.1/api",
        body=json.dumps(body or {}).encode(),
        params=params,
        route_params={"desk": desk},
    )
    response = await HANDLERS[name](request)
    return response.status_code, json.loads(response.get_body())


async def parked_of_berlin() -> list[dict[str, str]]:
    _, listed = await call("parked")
    assert {channel["desk"] for channel in listed["digests"]} >= {"newyork", "kathmandu"}
    return [channel for channel in listed["digests"] if channel["desk"] == "berlin"]


async def test_a_channel_that_failed_is_parked_and_sent_again_by_its_name(failing: Failing) -> None:
    digest = await failing.happen()
    window = f"{digest.end:%Y-%m-%dT%H%MZ}"

    [parked] = await parked_of_berlin()
    named = ("desk", "window", "channel", "state", "reason")
    assert tuple(parked[name] for name in named) == (
        "berlin", window, "slack", "uncertain", "answer_lost"
    )  # fmt: skip

    failing.fault = "none"
    act = {"by": "ana", "reason": "nobody has seen it", "window": window}
    status, said = await call("replay_digest", act)
    assert (status, said["title"]) == (409, "Nothing to replay")
    status, said = await call("replay_digest", {**act, "channels": ["slack"]})
    assert (status, said) == (202, {"desk": "berlin", "window": window, "replayed": ["slack"]})
    await failing.world.deliver()

    _, shown = await call("show_digest", window=window)
    assert {e["key"]: e["state"] for e in shown["effects"]} == {
        "copy": "done", "email": "done", "slack": "done", "teams": "done"
    }  # fmt: skip
    [who] = shown["acts"]
    assert (who["act"], who["by"], who["effects"]) == ("replay", "ana", ["slack"])
    assert who["at"] == failing.world.clock.now().isoformat().replace("+00:00", "Z")
    assert await parked_of_berlin() == []


async def test_only_the_first_page_of_what_is_parked_has_digests(failing: Failing) -> None:
    failing.world.model.script["sentiment"] = PermanentError("refusal")
    for _ in range(2):
        await failing.world.open(desk="berlin")
    await failing.happen()

    _, first = await call("parked", limit="1")
    _, second = await call("parked", limit="1", cursor=first["next"])

    assert (len(first["cases"]), len(first["digests"])) == (1, 3)
    assert (len(second["cases"]), second["digests"]) == (1, [])


async def test_a_person_may_say_that_it_is_dealt_with(failing: Failing) -> None:
    digest = await failing.happen()
    window = f"{digest.end:%Y-%m-%dT%H%MZ}"
    _, shown = await call("show_digest", window=window)
    assert [e["reason"] for e in shown["effects"] if e["reason"]] == ["answer_lost"]

    failing.world.clock.advance(60)
    status, said = await call("resolve_digest", {"by": "ana", "window": window})

    assert (status, said) == (202, {"desk": "berlin", "window": window})
    assert await parked_of_berlin() == []


@pytest.mark.parametrize(
    ("desk", "body", "status"),
    [
        ("nowhere", {"by": "ana", "window": "2026-03-29T0600Z"}, 404),
        ("berlin", {"by": "ana", "window": "2026-03-29T0600Z"}, 404),
        ("berlin", {"by": "ana", "window": "yesterday"}, 400),
        ("berlin", {"by": "ana"}, 422),
        ("berlin", {"window": "2026-03-29T0600Z"}, 422),
    ],
)
@pytest.mark.parametrize("name", ["replay_digest", "resolve_digest"])
async def test_what_makes_no_sense_is_refused(
    failing: Failing, name: str, desk: str, body: dict[str, str], status: int
) -> None:
    assert (await call(name, body, desk))[0] == status
