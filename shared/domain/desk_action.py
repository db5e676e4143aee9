"""An action of a desk's catalogue, as people write it in the desk file."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.domain.conditions import Condition
from shared.domain.stage import Approval
from shared.domain.written import Limit, Line, Name, Part, misfit, reject_twice

#: The backend of actions that people carry out themselves.
BY_HAND = "manual"


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


class Money(Part):
    """How much of one argument may go out.

    Attributes:
        argument: Which argument is the amount.
        automatic: The most that goes out in one case without a yes; for ``approval: auto``.
        most: More than this never goes out, whoever says yes.
    """

    argument: Name
    automatic: Annotated[Limit, Field(ge=0)] = 0
    most: Annotated[Limit, Field(gt=0)]


class Backend(BaseModel):
    """What carries an action out.

    Attributes:
        type: Name of a backend; the other fields are that backend's own.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Name = BY_HAND

    @property
    def options(self) -> dict[str, Any]:
        """What the desk file says besides the type."""
        return dict(self.model_extra or {})


class CatalogueAction(Part):
    """An action that the escalation agent may propose at this desk.

    Attributes:
        description: What it does, for the model and for people.
        when: When it fits, for the model.
        approval: ``auto`` may be carried out at once, ``human`` and ``management`` wait for a yes.
        only_if: What must be true of the case; a proposal is refused otherwise.
        ask_if: What makes an action wait for a yes that is ``auto`` otherwise.
        money: Which argument is an amount of money, and its caps.
        backend: What carries it out; a type alone, or a type with its fields.
    """

    name: Name
    description: Line
    when: Line
    arguments: Annotated[tuple[Argument, ...], Field(max_length=10)] = ()
    approval: Approval = "human"
    only_if: Condition | None = None
    ask_if: Condition | None = None
    money: Money | None = None
    backend: Backend = Backend()

    @field_validator("backend", mode="before")
    @classmethod
    def _type_alone(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value

    @field_validator("arguments")
    @classmethod
    def _argument_names_differ(cls, value: tuple[Argument, ...]) -> tuple[Argument, ...]:
        reject_twice("argument", [argument.name for argument in value])
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> CatalogueAction:
        if self.ask_if is not None and self.approval != "auto":
            raise misfit("is for approval: auto; this action asks every time", "ask_if")
        if self.money is not None:
            self._check_money(self.money)
        return self

    def argument(self, name: str) -> Argument | None:
        """The argument of that name."""
        return next((argument for argument in self.arguments if argument.name == name), None)

    def _check_money(self, money: Money) -> None:
        amount = self.argument(money.argument)
        if amount is None:
            known = ", ".join(argument.name for argument in self.arguments) or "none"
            raise misfit(f"no argument of this action; there are: {known}", "money", "argument")
        if amount.type not in ("number", "integer"):
            raise misfit("must be an argument of type number or integer", "money", "argument")
        if amount.minimum is None or amount.minimum < 0:
            raise misfit(
                f"give the argument {amount.name} a minimum of 0 or more", "money", "argument"
            )
        if money.automatic > money.most:
            raise misfit("is greater than most", "money", "automatic")
        if (money.automatic > 0) != (self.approval == "auto"):
            reason = (
                "needs money.automatic: the most that goes out in one case without a yes"
                if self.approval == "auto"
                else "has no use for money.automatic; only auto goes out without a yes"
            )
            raise misfit(reason, "approval")
