"""The script of the emulator: what it answers to which request. docs/emulator.md explains it."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Fault = Literal[
    "rate_limited",
    "quota_exhausted",
    "server_error",
    "hang",
    "trickle",
    "drop",
    "half_body",
    "broken_off",
    "refusal",
    "truncated",
    "malformed_json",
    "fenced_json",
    "prose_json",
    "empty_answer",
    "empty_choices",
    "content_filter_input",
    "content_filter_output",
    "context_length",
    "no_structured_output",
    "wrong_key",
    "unknown_deployment",
]

#: Which further settings a fault takes.
_SETTINGS_OF: dict[Fault, frozenset[str]] = {
    "rate_limited": frozenset({"retry_after_s", "retry_form"}),
    "server_error": frozenset({"status", "retry_after_s", "retry_form"}),
    "hang": frozenset({"seconds"}),
    "trickle": frozenset({"seconds"}),
    "refusal": frozenset({"text"}),
    "content_filter_input": frozenset({"category", "severity"}),
    "content_filter_output": frozenset({"category", "severity"}),
}
_ANSWERS: frozenset[Fault] = frozenset(
    {"truncated", "malformed_json", "fenced_json", "prose_json", "half_body", "broken_off"}
)

Milliseconds = Annotated[int, Field(ge=0, le=600_000)]
Latency = Milliseconds | tuple[Milliseconds, Milliseconds]


class ScriptError(Exception):
    """The script cannot be used; the text names the place and says what is wrong."""


class Response(BaseModel):
    """An HTTP response, word for word.

    Attributes:
        status: HTTP status.
        headers: Further headers.
        body: An object is sent as JSON, text as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: int = Field(ge=200, le=599)
    headers: dict[str, str] = {}
    body: dict[str, Any] | str = ""


class Then(BaseModel):
    """What happens to a request that a rule matches. Without any of it: the usual answer.

    Attributes:
        answer: Fields that replace those of the usual answer.
        content: The message's text, word for word.
        respond: The HTTP response, word for word.
        fault: What goes wrong.
        latency_ms: Milliseconds before the answer, or the two ends of a range.
        obey: Whether the answer obeys whatever the customer's text demands.
        model: Name of the model in the answer.
        reasoning_tokens: Tokens that the model thought; they count against the output limit.
        retry_after_s: Seconds that the client is told to wait.
        retry_form: How it is told: ``Retry-After`` in whole seconds or as an HTTP date,
            ``retry-after-ms``, or not at all.
        status: HTTP status of a server error.
        seconds: How long a hang or a trickle lasts before the connection is closed.
        text: Words of a refusal.
        category: What the content filter found.
        severity: How much of it; a jailbreak is detected or not and has none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: dict[str, Any] | None = None
    content: str | None = None
    respond: Response | None = None
    fault: Fault | None = None
    latency_ms: Latency | None = None
    obey: bool | None = None
    model: str | None = None
    reasoning_tokens: int = Field(default=0, ge=0)
    retry_after_s: float = Field(default=1, ge=0, le=86_400)
    retry_form: Literal["seconds", "http_date", "ms", "none"] = "seconds"
    status: int = Field(default=500, ge=500, le=599)
    seconds: float = Field(default=60, gt=0, le=600)
    text: str = "I'm sorry, but I can't help with that."
    category: Literal["hate", "self_harm", "sexual", "violence", "jailbreak"] = "violence"
    severity: Literal["low", "medium", "high"] = "medium"

    @model_validator(mode="after")
    def _settings_fit_the_fault(self) -> Self:
        everywhere = {"fault", "latency_ms", "obey", "model", "reasoning_tokens"}
        allowed = everywhere | (_SETTINGS_OF.get(self.fault, frozenset()) if self.fault else set())
        kinds = {"answer", "content", "respond"} & self.model_fields_set
        if self.fault in _ANSWERS or not self.fault:
            allowed |= kinds
        if surplus := sorted(self.model_fields_set - allowed):
            name = f"fault {self.fault!r}" if self.fault else "a rule without a fault"
            raise ValueError(f"{name} does not take {', '.join(surplus)}")
        if len(kinds) > 1:
            raise ValueError(f"choose one of {', '.join(sorted(kinds))}")
        return self


class When(BaseModel):
    """Which requests a rule is for: all conditions hold. Without any, all requests.

    Attributes:
        deployment: The deployment, or the model of a plain ``/v1`` request.
        agent: Part of the schema's name, as in ``sentiment``; where the request has no schema,
            words of its system message's first line. Case, spaces and underscores do not count.
        text: Words of the user messages; case does not count.
        calls: Which of the requests that fit the rest, counted from 1: ``2``, ``[1, 3]``,
            ``"2-4"``, ``"3-"``.
        probability: Share of those, 0 to 1, drawn with the script's seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    deployment: str | None = None
    agent: str | None = None
    text: str | None = None
    calls: range | frozenset[int] | None = None
    probability: float | None = Field(default=None, ge=0, le=1)

    @field_validator("calls", mode="plain")
    @classmethod
    def _read_calls(cls, given: Any) -> range | frozenset[int]:
        numbers = [given] if isinstance(given, int) else given
        if isinstance(numbers, list) and all(type(n) is int and n > 0 for n in numbers):
            return frozenset(numbers)
        first, dash, last = str(given).partition("-")
        if isinstance(given, str) and dash and first.isdecimal() and (last or "1").isdecimal():
            return range(int(first), int(last or 10**9) + 1)
        raise ValueError('a number from 1, a list of numbers, or a range such as "2-4" or "3-"')


class Rule(BaseModel):
    """One rule; the first that matches a request decides.

    Attributes:
        name: For the emulator's own output.
        when: Which requests.
        then: What happens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    when: When = When()
    then: Then = Then()


class Script(BaseModel):
    """The whole script.

    Attributes:
        seed: For probabilities and ranges of latency.
        latency_ms: Milliseconds before every answer, or the two ends of a range.
        keys: Keys that are taken; without any, every key is.
        deployments: Deployments that exist, with their model; without any, every name does and
            is its own model.
        structured_output: False for an endpoint that has no ``json_schema`` response format.
        context_tokens: Tokens of prompt that a model takes.
        obey: Whether every answer obeys whatever the customer's text demands.
        rules: In order; the first match decides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    latency_ms: Latency = 0
    keys: frozenset[str] = Field(default=frozenset(), repr=False)
    deployments: dict[str, str] = {}
    structured_output: bool = True
    context_tokens: int = Field(default=272_000, gt=0)
    obey: bool = False
    rules: tuple[Rule, ...] = ()

    @field_validator("deployments", mode="before")
    @classmethod
    def _names_alone(cls, given: Any) -> Any:
        return {name: name for name in given} if isinstance(given, list) else given


def read_script(given: Any, source: str = "script") -> Script:
    """A script from what its YAML or JSON holds; nothing at all is an empty script.

    Args:
        given: The parsed document.
        source: How to call it in errors.

    Raises:
        ScriptError: A setting is unknown or has a wrong value.
    """
    try:
        return Script.model_validate({} if given is None else given)
    except ValidationError as error:
        problems = (
            f"{source}: {'.'.join(map(str, problem['loc'])) or 'the document'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_context=False)
        )
        raise ScriptError("\n".join(problems)) from None


def load_script(path: Path) -> Script:
    """A script from a YAML or JSON file.

    Raises:
        ScriptError: The file cannot be read, is no YAML, or is no script.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScriptError(f"{path}: not UTF-8") from None
    except yaml.YAMLError as error:
        raise ScriptError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    return read_script(document, str(path))
