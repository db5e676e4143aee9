"""An action of a desk's catalogue, as people write it in the desk file."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from shared.domain.stage import Approval
from shared.domain.written import Limit, Line, Name, Part, reject_twice


class Argument(Part):
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


class CatalogueAction(Part):
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
        reject_twice("argument", [argument.name for argument in value])
        return value
