"""The OpenAPI document of a service that carries out a desk's actions. Pure.

Made from the catalogue alone: an endpoint for each action, its arguments with their limits, and our
idempotency key. `./frontdesk actions serve` is such a service.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain.desk import Desk
from shared.domain.desk_action import Argument, CatalogueAction

_TYPES = {"text": "string", "number": "number", "integer": "integer", "boolean": "boolean"}
_PROBLEM = {"$ref": "#/components/responses/Problem"}


def service_document(desks: Iterable[Desk]) -> dict[str, Any]:
    """The document of a service for these desks, as OpenAPI 3.1."""
    found = list(desks)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Actions of {', '.join(desk.title for desk in found)}",
            "version": "-".join(desk.version for desk in found),
        },
        "paths": {
            f"/desks/{desk.name}/actions/{action.name}": {"post": _operation(desk, action)}
            for desk in found
            for action in desk.actions
        },
        "components": {
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": True,
                    "description": "The same key again is the same action.",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                }
            },
            "responses": {
                "Problem": {
                    "description": "Refused: nothing was carried out.",
                    "content": {"application/problem+json": {"schema": {"type": "object"}}},
                }
            },
        },
    }


def _operation(desk: Desk, action: CatalogueAction) -> dict[str, Any]:
    entry = {"type": "object", "required": ["number"]}
    done = {"content": {"application/json": {"schema": entry}}}
    return {
        "operationId": f"{desk.name}.{action.name}",
        "summary": action.description,
        "parameters": [{"$ref": "#/components/parameters/IdempotencyKey"}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _body(action)}},
        },
        "responses": {
            "201": {"description": "Carried out.", **done},
            "200": {"description": "Carried out before, under this key.", **done},
            "400": _PROBLEM,
            "422": _PROBLEM,
        },
    }


def _body(action: CatalogueAction) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["case_id", "turn", "arguments"],
        "properties": {
            "case_id": {"type": "string"},
            "turn": {"type": "integer", "minimum": 1},
            "arguments": {
                "type": "object",
                "additionalProperties": False,
                "required": [a.name for a in action.arguments if a.required],
                "properties": {a.name: _argument(a, action) for a in action.arguments},
            },
        },
    }


def _argument(argument: Argument, action: CatalogueAction) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": _TYPES[argument.type],
        "description": argument.description,
    }
    if argument.choices:
        schema["enum"] = list(argument.choices)
    elif argument.type == "text":
        schema |= {"minLength": 1, "maxLength": argument.max_length}
    most = argument.maximum
    if action.money and action.money.argument == argument.name:
        most = min(action.money.most, most if most is not None else action.money.most)
    if argument.minimum is not None:
        schema["minimum"] = argument.minimum
    if most is not None:
        schema["maximum"] = most
    return schema
