"""Limits that a small model needs and that strict schemas may not state.

Measured without them: five answers of six went round in a list or a sentence until the token
limit cut them, and one call with a high limit held its slot for 148 s.
"""

from typing import Any

#: Items of any list, characters of a string, of one that is described as one sentence, and of one
#: inside a list.
LIST_ITEMS = 2
STRING_CHARACTERS = 500
SENTENCE_CHARACTERS = 160
LISTED_CHARACTERS = 60

#: What goes on like something shortly before becomes unlikely: llama.cpp's "don't repeat yourself"
#: sampling. Without it nearly every reply said one sentence until the limit. Only for answers with
#: a text of several sentences, and only over the last tokens: the prompt's words may be repeated.
NO_LOOPS = {"dry_multiplier": 0.8, "dry_allowed_length": 3, "dry_penalty_last_n": 160}


def bound_request(body: dict[str, Any], max_output: int) -> dict[str, Any]:
    """A chat request with its schema bounded and no more than ``max_output`` tokens asked for.

    Args:
        body: The request as the client sent it; it is not changed.
        max_output: Most tokens of an answer, also when the request names no limit.
    """
    asked = [body.get(name) for name in ("max_completion_tokens", "max_tokens")]
    limits = [limit for limit in asked if isinstance(limit, int) and limit > 0]
    bounded = {name: value for name, value in body.items() if name != "max_tokens"}
    bounded["max_completion_tokens"] = min([*limits, max_output])
    match body.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)} as named}:
            schema = bound_schema(schema)
            named = {**named, "schema": schema}
            bounded["response_format"] = {"type": "json_schema", "json_schema": named}
            if _has_long_text(schema):
                bounded = NO_LOOPS | bounded
    return bounded


def bound_schema(schema: dict[str, Any], *, listed: bool = False) -> dict[str, Any]:
    """A JSON schema whose lists and strings end; limits that it states itself are kept.

    Args:
        schema: The schema or a part of it.
        listed: Whether the part is inside a list. Definitions count as such: most are list items.
    """
    bounded: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("properties", "$defs") and isinstance(value, dict):
            inside = listed or name == "$defs"
            bounded[name] = {key: bound_schema(part, listed=inside) for key, part in value.items()}
        elif name == "items" and isinstance(value, dict):
            bounded[name] = bound_schema(value, listed=True)
        elif name in ("anyOf", "allOf", "oneOf") and isinstance(value, list):
            bounded[name] = [bound_schema(part, listed=listed) for part in value]
        else:
            bounded[name] = value
    if schema.get("type") == "array":
        bounded.setdefault("maxItems", LIST_ITEMS)
    elif "string" in _kinds(schema) and not {"enum", "const"} & schema.keys():
        sentence = str(schema.get("description", "")).startswith("One sentence")
        most = SENTENCE_CHARACTERS if sentence else STRING_CHARACTERS
        bounded.setdefault("maxLength", LISTED_CHARACTERS if listed else most)
    return bounded


def _kinds(schema: dict[str, Any]) -> list[Any]:
    kinds = schema.get("type")
    return kinds if isinstance(kinds, list) else [kinds]


def _has_long_text(bounded: dict[str, Any]) -> bool:
    fields = bounded.get("properties")
    return isinstance(fields, dict) and any(
        isinstance(field, dict) and field.get("maxLength") == STRING_CHARACTERS
        for field in fields.values()
    )
