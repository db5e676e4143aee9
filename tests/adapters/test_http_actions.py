"""Backend ``http``: what is sent where, and what each answer means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from shared.adapters.backends import Around
from shared.adapters.backends.http import BACKEND, HttpActions
from shared.adapters.clocks import SystemClock
from shared.adapters.guarded_http import GuardedHttp
from shared.domain.desk import Desk
from shared.domain.desk_action import CatalogueAction
from shared.domain.stage import Action, EffectRequest
from shared.errors import PermanentError, RetryableError, UncertainError
from shared.ports import EffectCall
from tests.support.effect_calls import CASE_ID, a_case, a_desk
from tests.support.service import Fault, Service

KEY = f"{CASE_ID}-action-clean-1-0"
GIVEN = {"room": "12", "note": "left; side", "price": 20.5, "vip": True}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service() as running:
        yield running


def desk_with(options: Mapping[str, Any], **more: Any) -> Desk:
    arguments = (
        {"name": "room", "description": "Room"},
        {"name": "note", "description": "Note", "required": False},
        {"name": "price", "type": "number", "description": "Price", "required": False},
        {"name": "vip", "type": "boolean", "description": "Vip", "required": False},
    )
    action = {"name": "clean", "description": "Cleans.", "when": "Dirty.", "arguments": arguments}
    backend = {"type": "http", **options}
    return a_desk(actions=(CatalogueAction.model_validate(action | {"backend": backend}),), **more)


def a_call(desk: Desk, **arguments: Any) -> EffectCall:
    action = Action(id="clean-1-0", name="clean", arguments=arguments or GIVEN, backend="http")
    request = EffectRequest(
        key="action-clean-1-0", sink="action-http", to=(), turn=1, action=action
    )
    return EffectCall(idempotency_key=KEY, request=request, about=a_case(), desk=desk)


def a_sink(service: Service | None, *, total: float = 5.0, **around: Any) -> HttpActions:
    addresses = {"": service.url} if service else {}
    found = Around(SystemClock(), **{"addresses": addresses, "development": True, **around})
    return HttpActions(found, GuardedHttp(total=total))


async def test_an_action_goes_to_the_service_of_the_setting_with_our_key(service: Service) -> None:
    receipt = await a_sink(service).send(a_call(desk_with({})))

    (request,) = service.requests
    assert receipt == "HTTP 201"
    assert (request.method, request.path) == ("POST", "/desks/hotel/actions/clean")
    assert request.headers["idempotency-key"] == KEY
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers
    assert request.body == {"case_id": CASE_ID, "turn": 1, "arguments": GIVEN}


async def test_a_template_says_where_and_what(service: Service) -> None:
    options = {
        "url": f"{service.url}/rooms/{{room}}/cleanings?case={{case_id}}",
        "method": "PUT",
        "body": {
            "text": "{note} for {price}",
            "price": "{price}",
            "vip": ["{vip}", 1, None],
            "deep": {"room": "{room}"},
            "braces": "{{room}}",
        },
        "secret": "hotel-pms",
        "auth_header": "X-Api-Key",
        "auth_scheme": "",
        "key_header": "X-Request-Id",
        "expect": (201,),
    }
    service._key_header = "x-request-id"
    sink = a_sink(None, secrets={"HOTEL_PMS": "s3cret"})
    await sink.send(a_call(desk_with(options)))
    await sink.send(a_call(desk_with(options), room="a/b?#%{x} ü"))

    first, second = service.requests
    assert (first.method, first.path) == ("PUT", f"/rooms/12/cleanings?case={CASE_ID}")
    assert first.headers["x-api-key"] == "s3cret"
    assert first.body == {
        "text": "left; side for 20.5",
        "price": 20.5,
        "vip": [True, 1, None],
        "deep": {"room": "12"},
        "braces": "{room}",
    }
    assert second.path == f"/rooms/a%2Fb%3F%23%25%7Bx%7D%20%C3%BC/cleanings?case={CASE_ID}"
    assert second.body["text"] == " for "
    assert "price" not in second.body


@pytest.mark.parametrize("room", ["..", ".", ""])
async def test_an_argument_cannot_lead_to_another_place(service: Service, room: str) -> None:
    desk = desk_with({"url": f"{service.url}/rooms/{{room}}/cleanings"})
    with pytest.raises(PermanentError) as refused:
        await a_sink(None).send(a_call(desk, room=room))
    assert refused.value.code == "argument_unusable"
    assert service.requests == []


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault(400), PermanentError, "receiver_refused"),
        (Fault(404), PermanentError, "receiver_refused"),
        (Fault(409), PermanentError, "receiver_refused"),
        (Fault(422), PermanentError, "receiver_refused"),
        (Fault(302, {"Location": "/"}), PermanentError, "redirect_refused"),
        (Fault(429, {"Retry-After": "7"}), RetryableError, "receiver_busy"),
        (Fault(503), RetryableError, "receiver_busy"),
        (Fault(500), UncertainError, "receiver_failed"),
        (Fault(502), UncertainError, "receiver_failed"),
        (Fault(203), UncertainError, "unexpected_status"),
        (Fault(cut=True), UncertainError, "answer_lost"),
        (Fault(hang=5.0), UncertainError, "answer_lost"),
    ],
)
async def test_each_answer_has_its_meaning(
    service: Service, fault: Fault, error: type[Any], code: str
) -> None:
    service.faults.append(fault)
    with pytest.raises(error) as raised:
        await a_sink(service, total=0.5).send(a_call(desk_with({})))
    assert raised.value.code == code
    if code == "receiver_busy" and fault.headers:
        assert raised.value.retry_after >= 7


async def test_nobody_at_the_address_is_tried_again() -> None:
    sink = a_sink(None, addresses={"": "http://127.0.0.1:9"})
    with pytest.raises(RetryableError) as raised:
        await sink.send(a_call(desk_with({})))
    assert raised.value.code == "receiver_unreachable"


async def test_in_production_only_hosts_of_the_desk_are_sent_to(service: Service) -> None:
    for around in ({"development": False}, {"addresses": {"": "https://evil.example.com"}}):
        with pytest.raises(PermanentError) as refused:
            await a_sink(service, **around).send(a_call(desk_with({})))
        assert refused.value.code == "address_refused"
    assert service.requests == []


async def test_a_secret_that_is_gone_sends_nothing(service: Service) -> None:
    with pytest.raises(PermanentError) as refused:
        await a_sink(service).send(a_call(desk_with({"secret": "pms"})))
    assert refused.value.code == "action_secret_missing"
    assert service.requests == []


def test_no_secret_shows_in_a_repr() -> None:
    assert "s3cret" not in repr(Around(SystemClock(), secrets={"A": "s3cret"}))
    assert BACKEND.sink(Around(SystemClock())).kind == "keyed"
