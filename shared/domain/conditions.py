"""What must be true of a case, as people write it in a desk file and as code can check it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.domain.plain_text import fold_text
from shared.domain.stage import Risk, Sentiment, Urgency
from shared.domain.written import Part

if TYPE_CHECKING:
    from shared.domain.case import SupportCase


#: From here on scripts have no spaces between words, so a word may stand inside others.
_UNSPACED = "\u2e80"


def _word(text: str) -> str:
    if not re.search(r"\w", _folded(text)):
        raise ValueError(f"{text[:60]!r} has no letter or digit; write a word such as refund")
    return text


Word = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=60),
    AfterValidator(_word),
]


class Condition(Part):
    """Holds when all that is given holds.

    Attributes:
        sentiment: The customer's mood.
        urgency: One of these.
        risks: At least one of these was found, by the model or in the text itself.
        without_risks: None of these was found.
        wants_human: Whether the customer asked for a person.
        words: At least one of these stands in the message, whatever its case and accents; ``*`` at
            the end of one stands for any ending.
        writes_again: Whether the case has an earlier message of the customer.
        repeat_customer: Whether the customer is known to have had a case at this desk before.
    """

    sentiment: Sentiment | None = None
    urgency: Annotated[tuple[Urgency, ...], Field(max_length=4)] = ()
    risks: Annotated[tuple[Risk, ...], Field(max_length=6)] = ()
    without_risks: Annotated[tuple[Risk, ...], Field(max_length=6)] = ()
    wants_human: bool | None = None
    words: Annotated[tuple[Word, ...], Field(max_length=50)] = ()
    writes_again: bool | None = None
    repeat_customer: bool | None = None

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
        if self.words and not _mentions(case.customer_query, self.words):
            yield f"none of the words {', '.join(self.words)}"
        if self.writes_again is not None and case.writes_again != self.writes_again:
            yield "the first message" if self.writes_again else "not the first message"
        if self.repeat_customer is not None and case.repeat_customer != self.repeat_customer:
            yield (
                "no earlier case of the customer is known"
                if self.repeat_customer
                else "the customer has had a case before"
            )

    def excludes(self, other: Condition) -> str:
        """What of two conditions can never hold together; empty when nothing is known to."""
        if self.sentiment and other.sentiment and self.sentiment != other.sentiment:
            return "sentiment"
        if self.urgency and other.urgency and not set(self.urgency) & set(other.urgency):
            return "urgency"
        for field in ("wants_human", "repeat_customer"):
            if {getattr(self, field), getattr(other, field)} == {True, False}:
                return field
        pairs = ((self.risks, other.without_risks), (other.risks, self.without_risks))
        return "risks" if any(some and set(some) <= set(none) for some, none in pairs) else ""


def _mentions(text: str, words: Iterable[str]) -> bool:
    folded = _folded(text)
    return any(_pattern(word).search(folded) for word in words)


def _folded(text: str) -> str:
    return " ".join(fold_text(text).split())


@lru_cache(maxsize=1024)
def _pattern(word: str) -> re.Pattern[str]:
    plain = _folded(word.removesuffix("*"))
    apart = plain < _UNSPACED
    before = r"(?<!\w)" if apart else ""
    after = "" if word.endswith("*") or not apart else r"(?!\w)"
    return re.compile(f"{before}{re.escape(plain)}{after}")
