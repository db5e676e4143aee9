from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shared.errors import PermanentError
from shared.ports import ModelCall
from tests.support.model_endpoint import ANSWER, CALL, COMPLETION, SCHEMA, model_at


class Choosy:
    """An endpoint that takes only some forms of structured output."""

    def __init__(self, takes: set[str], complaint: dict[str, Any]) -> None:
        self.takes, self.complaint = takes, complaint
        self.forms: list[str] = []
        self.systems: list[str] = []

    def __call__(self, request: Request) -> Response:
        body = json.loads(request.get_data())
        form = body.get("response_format", {}).get("type", "prompt")
        self.forms.append(form)
        self.systems.append(body["messages"][0]["content"])
        taken = form in self.takes
        said = COMPLETION if taken else self.complaint
        return Response(json.dumps(said), 200 if taken else 400, content_type="application/json")


UNSUPPORTED: dict[str, dict[str, Any]] = {
    "azure": {
        "error": {
            "code": "BadRequest",
            "message": "response_format value as json_schema is enabled only for api versions "
            "2024-08-01-preview and later",
        }
    },
    "openai": {
        "error": {
            "message": "Invalid parameter: 'response_format' of type 'json_schema' is not "
            "supported with this model.",
            "type": "invalid_request_error",
            "param": "response_format",
            "code": None,
        }
    },
    "plain": {"object": "error", "message": "This response format is unavailable now"},
}


@pytest.mark.parametrize("complaint", UNSUPPORTED.values(), ids=UNSUPPORTED)
@pytest.mark.parametrize(
    ("takes", "tried"),
    [
        ({"json_object", "prompt"}, ["json_schema", "json_object"]),
        ({"prompt"}, ["json_schema", "json_object", "prompt"]),
    ],
)
async def test_a_simpler_form_of_structured_output_is_found_once_and_kept(
    httpserver: HTTPServer, complaint: dict[str, Any], takes: set[str], tried: list[str]
) -> None:
    endpoint = Choosy(takes, complaint)
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(endpoint)

    async with model_at(httpserver) as model:
        first = await model.complete(CALL)
        await model.complete(CALL)

    assert first.text == ANSWER
    assert endpoint.forms == [*tried, tried[-1]]
    assert endpoint.systems[0] == "Judge the tone."
    assert all(json.dumps(SCHEMA) in system for system in endpoint.systems[1:])


async def test_a_deployment_without_strict_schemas_does_not_lower_another(
    httpserver: HTTPServer,
) -> None:
    endpoint = Choosy({"prompt"}, UNSUPPORTED["azure"])
    able = Choosy({"json_schema"}, {})
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(
        lambda request: (able if b'"model":"able"' in request.get_data() else endpoint)(request)
    )
    other = ModelCall("escalation", CALL.messages, "o", SCHEMA, 10)

    async with model_at(httpserver, FRONTDESK_DEPLOYMENT_ESCALATION="able") as model:
        await model.complete(CALL)
        await model.complete(other)

    assert endpoint.forms[-1] == "prompt"
    assert able.forms == ["json_schema"]


async def test_a_schema_that_the_endpoint_calls_invalid_is_an_error_to_be_seen(
    httpserver: HTTPServer,
) -> None:
    endpoint = Choosy(
        set(),
        {
            "error": {
                "message": "Invalid schema for response_format 'o': 'default' is not permitted.",
                "type": "invalid_request_error",
                "param": "response_format",
                "code": None,
            }
        },
    )
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(endpoint)

    async with model_at(httpserver) as model:
        with pytest.raises(PermanentError, match=r"bad_request.*param response_format"):
            await model.complete(CALL)

    assert endpoint.forms == ["json_schema"]
