"""The shape of an agent's answer: told to the model as a strict schema, read back tolerantly.

Strict schemas take no bounds, patterns or defaults, so a wire model has none and what it means
is checked afterwards, in plain code.
Source: https://learn.microsoft.com/azure/ai-services/openai/how-to/structured-outputs
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

_MOST_PROBLEMS = 5
#: A surrogate that has lost its other half can be neither stored nor sent.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a wire model as strict structured output takes it.

    Docstring and field descriptions are kept: they are part of the prompt. Bounds, patterns,
    formats, titles and defaults are left out, every property is required, none may be added.

    Raises:
        TypeError: A field has a form that strict schemas cannot express: a dict with free keys,
            a tuple, or Any. Use a list of small models instead.
    """
    raw = model.model_json_schema()
    definitions = raw.pop("$defs", {})
    schema = _strict(raw, definitions, model.__name__)
    if definitions:
        schema["$defs"] = {
            name: _strict(node, definitions, name) for name, node in definitions.items()
        }
    return schema


def _strict(node: dict[str, Any], definitions: dict[str, Any], at: str) -> dict[str, Any]:
    if "$ref" in node:
        if "description" not in node:
            return {"$ref": node["$ref"]}
        # Strict mode refuses anything beside $ref, so a described reference is written out.
        target = definitions[node["$ref"].rpartition("/")[2]]
        node = {**target, "description": node["description"]}
    kept: dict[str, Any] = {
        name: node[name] for name in ("description", "type", "enum") if name in node
    }
    if "const" in node:
        kept["enum"] = [node["const"]]
    if choices := node.get("anyOf") or node.get("oneOf"):
        kept["anyOf"] = [_strict(choice, definitions, at) for choice in choices]
    if node.get("type") == "array":
        if not isinstance(node.get("items"), dict):
            raise TypeError(f"{at}: a strict schema needs to know what is in the list")
        kept["items"] = _strict(node["items"], definitions, at)
    if node.get("type") == "object":
        if node.get("additionalProperties"):
            raise TypeError(f"{at}: a strict schema has no free keys; use a list of name and value")
        properties = node.get("properties", {})
        kept["properties"] = {
            name: _strict(inner, definitions, f"{at}.{name}") for name, inner in properties.items()
        }
        kept["required"] = list(properties)
        kept["additionalProperties"] = False
    if not kept.keys() & {"type", "enum", "anyOf"}:
        raise TypeError(f"{at}: a strict schema needs a type here")
    return kept


def read_answer(text: str, model: type[T]) -> T:
    """The answer in what a model wrote: one JSON object, perhaps in a fence or amid prose.

    Raises:
        ValueError: What is wrong, worded for the model so that it can be asked once more. Names
            fields and places, and never repeats more than a few words of the answer.
    """
    found = _only_object(text)
    try:
        return model.model_validate(found)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(
            f"field {'.'.join(map(str, problem['loc']))[:80] or '(all)'}: {problem['msg'][:160]}"
            for problem in problems[:_MOST_PROBLEMS]
        )
    raise ValueError(f"{said}.")


def _only_object(text: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    broken = ""
    start = text.find("{")
    while start >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
            found.append(value)
        except json.JSONDecodeError as error:
            broken = broken or f"; it breaks at character {error.pos}: {error.msg}"
            # Go on where it broke: what is inside a broken object is not an answer.
            end = max(error.pos, start + 1)
        except (ValueError, RecursionError) as error:
            why = (
                str(error)[:80]
                if isinstance(error, _NotTakenError)
                else "it is nested too deep or a number is too long"
            )
            raise ValueError(f"{why}.") from None
        start = text.find("{", end)
    if len(found) == 1:
        if _HALF_CHARACTER.search(json.dumps(found[0], ensure_ascii=False)):
            raise ValueError("half of a surrogate pair is in it.")
        return found[0]
    if found:
        raise ValueError(f"it holds {len(found)} JSON objects, not one.")
    raise ValueError(f"it holds no valid JSON object{broken}.")


class _NotTakenError(ValueError):
    """JSON that Python reads and other readers would read differently or not at all."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise _NotTakenError("a key is given twice")
    return unique


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise _NotTakenError("a number is out of range")
    return value


#: ``strict=False``: small models write line breaks into strings as they are.
_DECODER = json.JSONDecoder(
    strict=False, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite
)
