"""The service that carries out actions: takes what the catalogue allows, once for each key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from devkit.actions import Ledger, make_app, read_ledger
from shared.adapters.desk_files import load_desks
from shared.domain.service_document import service_document

ROOT = Path(__file__).resolve().parents[2]
DESKS = load_desks(ROOT / "desks")
PATH = "/desks/hotel/actions/refund_guest"
BODY = {"case_id": "c1", "turn": 1, "arguments": {"reason": "charged twice", "amount": 40}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "actions.jsonl"


def client(file: Path) -> TestClient:
    return TestClient(make_app(service_document(DESKS.every), Ledger(file)))


def post(to: TestClient, body: Any, key: str | None = "k1", path: str = PATH) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key} if key is not None else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = to.post(path, content=data, headers=headers)
    return answer.status_code, answer.json()


def test_the_document_is_openapi_and_has_an_endpoint_for_each_action() -> None:
    document = service_document(DESKS.every)
    validate(document)
    assert len(document["paths"]) == sum(len(desk.actions) for desk in DESKS.every)
    schema = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["arguments"]["required"] == ["reason"]
    assert schema["properties"]["arguments"]["properties"]["amount"] == {
        "type": "number",
        "description": "Amount in dollars, only if the guest names one",
        "minimum": 1.0,
        "maximum": 300.0,
    }


def test_an_action_is_carried_out_once_for_its_key_and_listed(file: Path) -> None:
    service = client(file)
    first, second = post(service, BODY), post(service, BODY)
    assert (first[0], second[0]) == (201, 200)
    assert first[1] == second[1]
    assert post(service, BODY, "k2")[0] == 201
    listed = service.get("/ledger").json()
    assert [(e["number"], e["key"], e["path"], e["body"]) for e in listed] == [
        (1, "k1", PATH, BODY),
        (2, "k2", PATH, BODY),
    ]
    assert service.get("/openapi.json").json() == service_document(DESKS.every)


def test_keys_are_known_after_a_restart_and_a_torn_line_does_no_harm(file: Path) -> None:
    post(client(file), BODY)
    with file.open("a", encoding="utf-8") as torn:
        torn.write('{"number": 2, "at"')
    assert post(client(file), BODY)[0] == 200
    assert [entry.key for entry in read_ledger(file)] == ["k1"]


@pytest.mark.parametrize(
    ("body", "key", "status", "said"),
    [
        (BODY, None, 400, "Idempotency-Key"),
        (BODY, "x" * 256, 400, "Idempotency-Key"),
        (b"not json", "k", 400, "no JSON object"),
        ([], "k", 400, "no JSON object"),
        ({"case_id": "c"}, "k", 422, "'turn' is a required property"),
        (BODY | {"arguments": {"amount": 40}}, "k", 422, "'reason' is a required property"),
        (BODY | {"arguments": {"reason": "x", "amount": 301}}, "k", 422, "arguments.amount: 301"),
        (BODY | {"arguments": {"reason": "x", "to": "me"}}, "k", 422, "'to' was unexpected"),
        (BODY | {"turn": 2}, "k1", 422, "came before with another action"),
    ],
)
def test_what_the_catalogue_does_not_allow_is_refused_and_not_carried_out(
    file: Path, body: Any, key: str | None, status: int, said: str
) -> None:
    service = client(file)
    post(service, BODY)
    answered, problem = post(service, body, key)
    assert answered == status
    assert said in problem["detail"]
    assert len(read_ledger(file)) == 1


def test_what_is_in_no_catalogue_is_not_there(file: Path) -> None:
    assert client(file).post("/desks/hotel/actions/wire_money").status_code == 404
