"""A desk: one business with its scene, its facts and the actions it allows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.domain.stage import Approval

#: The desk whose catalogue serves scenes that a caller describes in free text.
DEFAULT_DESK = "default"

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


# Narrower than the standard: what every mail server and every header takes as it is.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: The last label is never a number: 0x7f.1 and 127.1 are addresses to some resolvers.
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{0,58}}[a-z0-9])")


def is_host_name(text: str) -> bool:
    """True for a full DNS name in small ASCII letters; False for addresses and short names."""
    return len(text) <= 253 and _HOST_NAME.fullmatch(text) is not None


def is_storable(text: str) -> bool:
    """False for control characters and half surrogates, which tables and mails refuse."""
    return not _UNSTORABLE.search(text)


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a control character; take it out")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", text):
        raise ValueError(
            f"{text[:60]!r} is not a name; use small letters, digits, - and _, "
            "a letter first, 40 characters at most"
        )
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text) or len(text) > 254:
        raise ValueError(f"{text[:60]!r} is not an e-mail address")
    return text


def _callback_host(text: str) -> str:
    host, _, port = text.partition(":")
    named = is_host_name(host.removeprefix("*."))
    if not named or (":" in text and not re.fullmatch(r"[1-9][0-9]{0,4}", port)):
        raise ValueError(
            f"{text[:60]!r} is not a host; write it in small letters without https:// and path, "
            "such as crm.example.com, *.example.com or crm.example.com:8443"
        )
    return text


Name = Annotated[str, AfterValidator(_name)]
CallbackHost = Annotated[str, AfterValidator(_callback_host)]
Email = Annotated[str, AfterValidator(_email)]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    AfterValidator(_storable),
]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=400),
    AfterValidator(_storable),
]
Limit = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    """Base of what people write in desk files: a misspelt field is an error, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Argument(_Part):
    """One argument of an action.

    Attributes:
        type: ``text``, ``number``, ``integer`` or ``boolean``.
        choices: The only values allowed, for ``text``.
        max_length: Characters, for ``text``.
        minimum: Least value, for numbers.
        maximum: Greatest value, for numbers.
    """

    name: Name
    type: Literal["text", "number", "integer", "boolean"] = "text"
    description: Line
    required: bool = True
    choices: tuple[Line, ...] = ()
    max_length: Annotated[int, Field(ge=1, le=2000)] = 200
    minimum: Limit | None = None
    maximum: Limit | None = None

    @model_validator(mode="after")
    def _limits_fit(self) -> Argument:
        if wrong := "; ".join(self._contradictions()):
            raise ValueError(wrong)
        return self

    def _contradictions(self) -> Iterable[str]:
        given = self.model_fields_set
        if self.type != "text" and given & {"choices", "max_length"}:
            yield "choices and max_length are for arguments of type text"
        if self.type in ("text", "boolean") and given & {"minimum", "maximum"}:
            yield "minimum and maximum are for numbers and integers"
        if len({choice.casefold() for choice in self.choices}) < len(self.choices):
            yield "two choices are the same"
        if any(len(choice) > self.max_length for choice in self.choices):
            yield "a choice is longer than max_length"
        if self.minimum is not None and self.maximum is not None:
            if self.minimum > self.maximum:
                yield "minimum is greater than maximum"
            elif self.type == "integer" and ceil(self.minimum) > floor(self.maximum):
                yield "no whole number lies between minimum and maximum"


class CatalogueAction(_Part):
    """An action that the escalation agent may propose at this desk.

    Attributes:
        description: What it does, for the model and for people.
        when: When it fits, for the model.
        approval: ``auto`` may be carried out at once, ``human`` and ``management`` wait for a yes.
    """

    name: Name
    description: Line
    when: Line
    arguments: Annotated[tuple[Argument, ...], Field(max_length=10)] = ()
    approval: Approval = "human"

    @field_validator("arguments")
    @classmethod
    def _argument_names_differ(cls, value: tuple[Argument, ...]) -> tuple[Argument, ...]:
        _reject_twice("argument", [argument.name for argument in value])
        return value


class Contact(_Part):
    """Somebody who is told.

    Attributes:
        about: ``escalated`` for every escalation, ``management`` only for those that need
            upper management.
    """

    name: Line
    email: Email
    about: Literal["escalated", "management"] = "escalated"


class Desk(_Part):
    """One business: what its agents know and may do.

    Attributes:
        scene: What the business is and who the agents speak for; the case's support_context.
        tone: How replies sound.
        facts: The only statements about the business that a reply may make.
        may_ask: Whether the immediate reply may ask questions.
        tell: Who is told of escalations.
        callback_hosts: Hosts that replies may be posted to, exact or ``*.`` and a parent, with
            ``:port`` for any other than 443. Empty: no callbacks.
    """

    name: Name
    title: Line
    scene: Text
    tone: Line = "Polite, warm and brief."
    facts: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    may_ask: bool = False
    actions: Annotated[tuple[CatalogueAction, ...], Field(min_length=1, max_length=30)]
    tell: Annotated[tuple[Contact, ...], Field(max_length=20)] = ()
    callback_hosts: Annotated[tuple[CallbackHost, ...], Field(max_length=20)] = ()

    @field_validator("actions")
    @classmethod
    def _action_names_differ(
        cls, value: tuple[CatalogueAction, ...]
    ) -> tuple[CatalogueAction, ...]:
        _reject_twice("action", [action.name for action in value])
        return value

    @property
    def version(self) -> str:
        """Twelve hex digits that change with anything that the desk says."""
        said = self.model_dump_json(exclude_defaults=True)
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def action(self, name: str) -> CatalogueAction | None:
        """The catalogue's action of that name."""
        return next((action for action in self.actions if action.name == name), None)


@dataclass(frozen=True)
class Desks:
    """Every desk of this installation.

    Raises:
        ValueError: The default desk is missing, or two desks have one name.
    """

    every: tuple[Desk, ...]

    def __post_init__(self) -> None:
        _reject_twice("desk", list(self.names))
        if DEFAULT_DESK not in self.names:
            raise ValueError(f"there is no desk named {DEFAULT_DESK}")

    @property
    def names(self) -> tuple[str, ...]:
        """In alphabetical order."""
        return tuple(sorted(desk.name for desk in self.every))

    def get(self, name: str) -> Desk | None:
        """The desk of that name."""
        return next((desk for desk in self.every if desk.name == name), None)

    def free(self, scene: str) -> Desk:
        """The default desk, speaking for the business that a caller describes.

        Raises:
            ValueError: The scene is empty, too long or holds control characters; says which.
        """
        default = next(desk for desk in self.every if desk.name == DEFAULT_DESK)
        try:
            return Desk.model_validate({**dict(default), "scene": scene})
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"]
            raise ValueError(f"scene: {said.removeprefix('Value error, ')}") from None


def _reject_twice(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PydanticCustomError(
            "named_twice", "{what} named twice: {names}", {"what": what, "names": ", ".join(twice)}
        )
