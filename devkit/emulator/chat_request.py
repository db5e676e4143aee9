"""A chat completion request as the emulator understands it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

#: ``dated``: Azure with api-version; ``v1``: Azure's newer path; ``openai``: plain ``/v1``.
PathStyle = Literal["dated", "v1", "openai"]

#: Fields of a user message that hold the customer's own words, in the order of preference.
_MESSAGE_FIELDS = ("customer_message", "customer_query", "message", "query", "text")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class ChatRequest:
    """One request.

    Attributes:
        style: Which of the three paths it came by.
        deployment: Deployment, or model of a plain request.
        model: Model behind the deployment.
        body: The parsed JSON body.
    """

    style: PathStyle
    deployment: str
    model: str
    body: dict[str, Any] = field(repr=False)

    @cached_property
    def system(self) -> str:
        """Text of the system and developer messages."""
        return "\n".join(self._texts("system", "developer"))

    @cached_property
    def user(self) -> str:
        """Text of the user messages."""
        return "\n".join(self._texts("user"))

    @cached_property
    def view(self) -> dict[str, Any]:
        """The last user message's JSON object; empty where it is none."""
        try:
            view = json.loads(next(reversed(list(self._texts("user"))), ""))
        except ValueError:
            return {}
        return view if isinstance(view, dict) else {}

    @property
    def customer_text(self) -> str:
        """The customer's own words, or else all that the user messages say."""
        found = (self.view.get(name) for name in _MESSAGE_FIELDS)
        return next((text for text in found if isinstance(text, str)), self.user)

    @cached_property
    def catalogue(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The actions that the user message offers: what it says of each argument of each."""
        given = self.view.get("catalogue")
        known = given if isinstance(given, dict) else {}
        return {
            name: {
                argument: about if isinstance(about, dict) else {}
                for argument, about in action.get("arguments", {}).items()
            }
            for name, action in known.items()
            if isinstance(action, dict)
        }

    @property
    def format(self) -> dict[str, Any]:
        """The ``response_format``; empty where there is none."""
        given = self.body.get("response_format")
        return given if isinstance(given, dict) else {}

    @property
    def schema_name(self) -> str:
        """Name of the JSON schema; empty where there is none."""
        named = self.format.get("json_schema")
        return str(named.get("name", "")) if isinstance(named, dict) else ""

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of the response format, or one that the messages spell out."""
        named = self.format.get("json_schema")
        if isinstance(named, dict) and isinstance(named.get("schema"), dict):
            return dict(named["schema"])
        return next(_schemas_in(self.system + "\n" + self.user), None)

    @property
    def max_output(self) -> int | None:
        """Most tokens of the answer, if the request says."""
        given = self.body.get("max_completion_tokens") or self.body.get("max_tokens")
        return given if isinstance(given, int) else None

    def is_for(self, agent: str) -> bool:
        """Whether the schema's name names this agent, or without one the first line of all."""
        first_line = self.system.partition("\n")[0]
        return _plain(agent) in _plain(self.schema_name or first_line)

    def _texts(self, *roles: str) -> Iterator[str]:
        for message in self.body["messages"]:
            if message.get("role") not in roles:
                continue
            content = message.get("content")
            parts = content if isinstance(content, list) else [content]
            for part in parts:
                text = part.get("text") if isinstance(part, dict) else part
                if isinstance(text, str):
                    yield text


def _plain(name: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", name).casefold()


def _schemas_in(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            value, end = None, start + 1
        if isinstance(value, dict) and isinstance(value.get("properties"), dict):
            yield value
        start = text.find("{", end)
