"""Schema-valid answers by rule: the same request always gets the same sensible answer."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from devkit.emulator.chat_request import ChatRequest

_NEGATIVE = re.compile(
    r"\b(dirt|filth|raw\b|cold\b|nobody|no one|broken?\b|not work|double charge|charged twice|"
    r"angry|furious|fraud|stolen|refund|money back|terrible|awful|horrible|disgust|worst|wrong|"
    r"unaccept|complain|disappoint|rude\b|late\b|delay|never again|lawyer|sue\b|injur|gas\b|"
    r"smoke|fire\b)",
    re.IGNORECASE,
)
#: Answers that are nested deeper than this are cut off by empty lists.
_DEEPEST = 8


def write_answer(request: ChatRequest, author: "Author") -> dict[str, Any] | None:
    """An instance of the schema that the request wants; None where it wants none."""
    if request.schema is None:
        return None
    return dict(_Writer(author, request.schema.get("$defs", {})).write(request.schema, "", 0))


class Author(ABC):
    """Who decides what an answer's fields say; the schema decides which fields there are.

    Attributes:
        leaves_out: Whether a field is null where it may be, and a list empty.
        negative: Whether the customer's words sound like a complaint.
    """

    leaves_out: bool

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.negative = _NEGATIVE.search(request.customer_text) is not None

    @abstractmethod
    def prose(self) -> str:
        """An answer without a schema, or the text of a free field."""

    @abstractmethod
    def text(self, name: str) -> str:
        """A string field."""

    @abstractmethod
    def flag(self, name: str) -> bool:
        """A boolean field."""

    @abstractmethod
    def choice(self, name: str, options: list[Any]) -> Any:
        """One of the values of an enum."""

    @abstractmethod
    def number(self, name: str) -> int:
        """A number field."""

    @abstractmethod
    def picks(self, name: str, options: list[Any]) -> list[Any]:
        """The values of a list of an enum."""

    @abstractmethod
    def actions(self, names: list[Any]) -> list[str]:
        """Which of these actions a list of actions holds."""

    def argument(self, name: str, about: dict[str, Any]) -> str:
        """The value of an action's argument.

        Args:
            about: What the request's catalogue says of it; may lack anything.
        """
        choices = about.get("choices")
        return str(choices[0]) if choices else self.text(name)


class PoliteAuthor(Author):
    """Harmless answers: nothing is escalated, promised or asked for that the words do not show."""

    leaves_out = True

    def prose(self) -> str:
        if self.negative:
            return "I am sorry about this. I have passed it to our team, who look into it now."
        return "Thank you for your message. I have passed it to our team."

    def text(self, name: str) -> str:
        if name == "language":
            return "en"
        if name == "summary":
            return "The customer reports a problem." if self.negative else "The customer wrote in."
        if "reason" in name:
            return "The message asks for it."
        return self.prose()

    def flag(self, name: str) -> bool:
        return False

    def choice(self, name: str, options: list[Any]) -> Any:
        if name in ("sentiment", "mood"):
            wanted = ("negative", "unhappy") if self.negative else ("positive", "happy")
            return next((o for o in options if str(o).lower() in wanted), options[0])
        if name == "urgency" and "normal" in options:
            return "normal" if self.negative else options[0]
        return options[0]

    def number(self, name: str) -> int:
        return 0

    def picks(self, name: str, options: list[Any]) -> list[Any]:
        return []

    def actions(self, names: list[Any]) -> list[str]:
        return [str(name) for name in names[:1]] if self.negative else []

    def argument(self, name: str, about: dict[str, Any]) -> str:
        if about.get("choices"):
            return super().argument(name, about)
        kinds = {"integer": about.get("minimum", 1), "number": about.get("minimum", 1)}
        return str(kinds.get(str(about.get("type")), "as the customer wrote"))


class _Writer:
    """Walks a schema and asks the author for each value."""

    def __init__(self, author: Author, definitions: dict[str, Any]) -> None:
        self._author = author
        self._definitions = definitions

    def write(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        schema = self._resolve(schema, depth)
        options = [schema["const"]] if "const" in schema else schema.get("enum")
        if options:
            return self._author.choice(name, list(options))
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = "null" if "null" in kind and self._author.leaves_out else kind[0]
        writers: dict[Any, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._list(schema, name, depth),
            "string": lambda: self._author.text(name),
            "boolean": lambda: self._author.flag(name),
            "integer": lambda: max(self._author.number(name), schema.get("minimum", 0)),
            "number": lambda: max(self._author.number(name), schema.get("minimum", 0)),
        }
        return writers[kind]() if kind in writers else None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        parts = schema.get("properties", {})
        return {key: self.write(part, key, depth + 1) for key, part in parts.items()}

    def _list(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        actions = self._actions(schema.get("items", {}), depth) if name.endswith("actions") else {}
        items = self._resolve(schema.get("items", {}), depth)
        if actions:
            chosen = self._author.actions(list(actions))
            found = [self._action(known, actions[known], depth) for known in chosen]
        elif "enum" in items:
            found = self._author.picks(name, list(items["enum"]))
        elif self._author.leaves_out or depth >= _DEEPEST:
            found = []
        else:
            found = [self.write(items, name, depth + 1)]
        missing = min(schema.get("minItems", 0), 100) - len(found)
        return found + [self.write(items, name, depth + 1) for _ in range(missing)]

    def _actions(self, items: dict[str, Any], depth: int) -> dict[str, dict[str, Any]]:
        """The schema of each action that a list may hold: one for all, or each its own."""
        if "$ref" in items:
            items = self._definitions.get(str(items["$ref"]).rpartition("/")[2], {})
        found: dict[str, dict[str, Any]] = {}
        for option in items.get("anyOf") or [items]:
            named = self._resolve(option.get("properties", {}).get("name", {}), depth)
            offered = self._author.request.catalogue if named else ()
            found |= {str(known): option for known in named.get("enum") or offered}
        return found

    def _action(self, action: str, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        written = dict(self.write(schema, "actions", depth + 1))
        about = self._author.request.catalogue.get(action, {})
        arguments = self._resolve(schema["properties"].get("arguments", {}), depth)
        written["name"] = action
        if arguments.get("type") == "array":
            pairs = {name: self._author.argument(name, said) for name, said in about.items()}
            written["arguments"] = [{"name": n, "value": value} for n, value in pairs.items()]
        elif own := arguments.get("properties"):
            written["arguments"] = {
                name: self._value(name, wanted, about.get(name, {})) for name, wanted in own.items()
            }
        return written

    def _value(self, name: str, wanted: dict[str, Any], about: dict[str, Any]) -> Any:
        kinds = wanted.get("type")
        kind = kinds[0] if isinstance(kinds, list) else kinds
        choices = [choice for choice in wanted.get("enum", ()) if choice is not None]
        said = self._author.argument(name, {"type": kind, "choices": choices, **about})
        readers: dict[Any, Callable[[str], Any]] = {
            "integer": lambda text: int(float(text)),
            "number": float,
            "boolean": lambda text: text == "true",
        }
        return readers[kind](said) if kind in readers else said

    def _resolve(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                schema = self._definitions.get(str(schema["$ref"]).rpartition("/")[2], {})
            elif options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
                without = self._author.leaves_out or depth > _DEEPEST
                wanted = (o for o in options if (o.get("type") == "null") is without)
                schema = next(wanted, options[0])
            else:
                break
        return schema
