"""What must be true of a case, as people write it in a desk file and as code can check it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from shared.domain.stage import Risk, Sentiment, Urgency
from shared.domain.written import Part

if TYPE_CHECKING:
    from shared.domain.case import SupportCase


class Condition(Part):
    """Holds when all that is given holds.

    Attributes:
        sentiment: The customer's mood.
        urgency: One of these.
        risks: At least one of these was found, by the model or in the text itself.
        without_risks: None of these was found.
        wants_human: Whether the customer asked for a person.
    """

    sentiment: Sentiment | None = None
    urgency: Annotated[tuple[Urgency, ...], Field(max_length=4)] = ()
    risks: Annotated[tuple[Risk, ...], Field(max_length=6)] = ()
    without_risks: Annotated[tuple[Risk, ...], Field(max_length=6)] = ()
    wants_human: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if self == Condition.model_construct():
            raise ValueError("empty; give at least one of its fields, or remove it")
        if both := set(self.risks) & set(self.without_risks):
            raise ValueError(f"{min(both)} is in risks and in without_risks")
        return self

    def unmet(self, case: SupportCase) -> str:
        """What of it does not hold, in words; empty when it holds."""
        return "; ".join(self._unmet(case))

    def _unmet(self, case: SupportCase) -> Iterable[str]:
        found = {*case.risks, *case.signals}
        if self.sentiment and case.sentiment != self.sentiment:
            yield f"sentiment is not {self.sentiment}"
        if self.urgency and case.urgency not in self.urgency:
            yield f"urgency is not {' or '.join(self.urgency)}"
        if self.risks and not found.intersection(self.risks):
            yield f"no risk of {' or '.join(self.risks)}"
        if present := found.intersection(self.without_risks):
            yield f"risk: {', '.join(sorted(present))}"
        if self.wants_human is not None and case.wants_human != self.wants_human:
            yield (
                "the customer asks for no person"
                if self.wants_human
                else "the customer asks for a person"
            )
