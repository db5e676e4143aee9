"""What the real API refuses: parameters of other models, and schemas that strict mode has not."""

import re
from collections.abc import Iterator
from typing import Any

from devkit.emulator.api_errors import ApiError, invalid, no_structured_output
from devkit.emulator.chat_request import ChatRequest

_REASONING = re.compile(r"(gpt-5|o\d)(?!.*chat)")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_NOT_FOR_REASONING = (
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
)
_SCHEMA_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

#: Source: https://learn.microsoft.com/azure/ai-services/openai/how-to/structured-outputs
# fmt: off
_NOT_PERMITTED = frozenset((
    "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "multipleOf",
    "exclusiveMinimum", "exclusiveMaximum", "patternProperties", "unevaluatedProperties",
    "propertyNames", "minProperties", "maxProperties", "unevaluatedItems", "contains",
    "minContains", "maxContains", "minItems", "maxItems", "uniqueItems", "prefixItems",
    "default", "oneOf", "allOf", "not", "if", "then", "else", "dependentRequired",
    "dependentSchemas",
))
# fmt: on


def check_request(request: ChatRequest, *, structured_output: bool) -> None:
    """Refuse what the real API refuses.

    Args:
        request: The request.
        structured_output: Whether the endpoint has strict schemas.

    Raises:
        ApiError: The request is not valid.
    """
    body = request.body
    for name in ("max_completion_tokens", "max_tokens"):
        limit = body.get(name)
        if limit is not None and (type(limit) is not int or limit < 1):
            raise invalid(
                f"Invalid '{name}': expected an integer of 1 or more.", name, "invalid_value"
            )
    if _REASONING.match(request.model):
        _check_reasoning(body)
    elif body.get("reasoning_effort") is not None:
        raise invalid("Unrecognized request argument supplied: reasoning_effort")
    kind = request.format.get("type")
    if kind == "json_schema":
        if not structured_output:
            raise no_structured_output("json_schema")
        _check_schema(request)
    elif kind == "json_object" and "json" not in (request.system + request.user).lower():
        raise invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            "messages",
        )
    elif request.format and kind not in ("json_object", "text"):
        raise invalid(f"Invalid value: '{kind}'.", "response_format.type", "invalid_value")


def check_messages(body: Any) -> None:
    """Refuse a body that is not a chat request at all.

    Raises:
        ApiError: It is no object, or its messages are none.
    """
    messages = body.get("messages") if isinstance(body, dict) else None
    if not (isinstance(messages, list) and messages and all(isinstance(m, dict) for m in messages)):
        raise invalid("Missing required parameter: 'messages'.", "messages", "missing_parameter")


def _check_reasoning(body: dict[str, Any]) -> None:
    if body.get("max_tokens") is not None:
        raise _unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
    for name in _NOT_FOR_REASONING:
        if body.get(name) is not None:
            raise _unsupported(name)
    if (temperature := body.get("temperature")) not in (None, 1):
        raise invalid(
            f"Unsupported value: 'temperature' does not support {temperature} with this model. "
            "Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        )
    if (effort := body.get("reasoning_effort")) is not None and effort not in _EFFORTS:
        raise invalid(
            f"Unsupported value: 'reasoning_effort' does not support '{effort}' with this model.",
            "reasoning_effort",
            "unsupported_value",
        )


def _unsupported(name: str, advice: str = "") -> ApiError:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return invalid(message + advice, name, "unsupported_parameter")


def _check_schema(request: ChatRequest) -> None:
    named = request.format.get("json_schema")
    if not isinstance(named, dict) or not _SCHEMA_NAME.fullmatch(request.schema_name):
        raise invalid(
            "Invalid 'response_format.json_schema.name': expected a string that matches the "
            "pattern '^[a-zA-Z0-9_-]+$'.",
            "response_format.json_schema.name",
            "invalid_value",
        )
    schema = named.get("schema")
    if not isinstance(schema, dict):
        raise invalid("Missing required parameter: 'response_format.json_schema.schema'.")
    if named.get("strict"):
        problem = next(_strict_problems(schema), None)
        if schema.get("type") != "object":
            problem = "schema must be a JSON Schema of 'type: \"object\"'."
        if problem:
            raise invalid(
                f"Invalid schema for response_format '{request.schema_name}': {problem}",
                "response_format",
            )


def _strict_problems(schema: Any, at: tuple[str, ...] = ()) -> Iterator[str]:
    """What strict mode finds wrong with a schema, from the outside to the inside."""
    where = f"In context={at!r}, "
    if not isinstance(schema, dict):
        yield where + "schema must be an object."
        return
    if "$ref" in schema:
        if beside := sorted(schema.keys() - {"$ref"}):
            yield where + f"$ref cannot have keywords {beside}."
        return
    if banned := sorted(_NOT_PERMITTED & schema.keys()):
        yield where + f"'{banned[0]}' is not permitted."
    if not schema.keys() & {"type", "enum", "const", "anyOf"}:
        yield where + "schema must have a 'type' key."
    if schema.get("type") == "object":
        yield from _object_problems(schema, at)
    if schema.get("type") == "array":
        yield from _strict_problems(schema.get("items"), (*at, "items"))
    for number, option in enumerate(schema.get("anyOf", ())):
        yield from _strict_problems(option, (*at, "anyOf", str(number)))
    for name, part in schema.get("$defs", {}).items():
        yield from _strict_problems(part, (*at, "$defs", name))


def _object_problems(schema: dict[str, Any], at: tuple[str, ...]) -> Iterator[str]:
    where = f"In context={at!r}, "
    if schema.get("additionalProperties") is not False:
        yield where + "'additionalProperties' is required to be supplied and to be false."
    properties = schema.get("properties", {})
    if missing := [name for name in properties if name not in schema.get("required", ())]:
        yield where + (
            "'required' is required to be supplied and to be an array including every key in "
            f"properties. Missing '{missing[0]}'."
        )
    for name, part in properties.items():
        yield from _strict_problems(part, (*at, "properties", name))
