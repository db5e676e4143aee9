"""What a desk does by itself when a message is of a certain kind: the rules of its file. Pure.

A rule looks at what the sentiment agent and policy found. What it proposes goes the way of what the
model proposes: the same catalogue, the same caps, the same yes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, get_args

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from shared.domain.catalogue import check_arguments
from shared.domain.conditions import Condition
from shared.domain.desk_action import CatalogueAction
from shared.domain.hours import Duration
from shared.domain.language import read_language
from shared.domain.stage import Reacted, Urgency
from shared.domain.written import Language, Line, Name, Part, misfit, reject_twice

if TYPE_CHECKING:
    from shared.domain.case import SupportCase

URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
#: These make a case one for people.
PRESSING: frozenset[Urgency] = frozenset({"high", "critical"})


def _tag(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,39}", text) or text.startswith("frontdesk"):
        raise ValueError(
            f"{text[:60]!r} is not a tag; use small letters, digits and _, 40 characters at most, "
            "and do not begin it with frontdesk"
        )
    return text


Tag = Annotated[str, AfterValidator(_tag)]


class Proposing(Part):
    """An action that a rule proposes.

    Attributes:
        action: Its name in the desk's catalogue.
        arguments: All that it needs; the message adds nothing.
    """

    action: Name
    arguments: dict[str, str | int | float | bool] = Field(default={})


class Consequence(Part):
    """What follows when a rule applies.

    Attributes:
        priority: The urgency that the case has at least.
        tags: What the ticket is sorted by, where the CRM has tags.
        propose: Actions of the catalogue.
        tell: Names under ``tell`` of those who get a message.
        ask_for_review: The customer is thanked and asked for a review, later and once.
    """

    priority: Urgency | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=10)] = ()
    propose: Annotated[tuple[Proposing, ...], Field(max_length=3)] = ()
    tell: Annotated[tuple[Line, ...], Field(max_length=5)] = ()
    ask_for_review: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Consequence:
        if self == Consequence.model_construct():
            raise ValueError("empty; give at least one of its fields")
        return self


class Reaction(Part):
    """One rule.

    Attributes:
        name: What the trace calls it.
        when: All of it has to hold.
    """

    name: Name
    when: Condition
    then: Consequence
    _where: str = PrivateAttr(default="")

    @property
    def where(self) -> str:
        """Its file and line; empty when it came from no file."""
        return self._where

    def standing_at(self, where: str) -> None:
        """Remembers file and line: said once, by whoever read the file."""
        self._where = where

    @model_validator(mode="after")
    def _can_do_something(self) -> Reaction:
        lowest = self.then.priority
        if lowest and self.when.urgency:
            given = min(map(URGENCIES.index, self.when.urgency))
            if given >= URGENCIES.index(lowest):
                raise misfit("raises nothing: the urgency is no lower anyway", "then", "priority")
        if self.then.ask_for_review and (why := self._never_calm()):
            raise misfit(
                f"a case that goes to a person is never asked for a review: {why}",
                "then", "ask_for_review",
            )  # fmt: skip
        return self

    def _never_calm(self) -> str:
        """Why every case that it applies to is one for people; empty when not."""
        when = self.when
        if when.sentiment != "Positive":
            return "add sentiment: Positive to when"
        if when.wants_human or when.risks or (when.urgency and PRESSING.issuperset(when.urgency)):
            return "remove wants_human, risks or the urgency from when"
        return "then.priority makes it one" if self.then.priority in PRESSING else ""


class ReviewText(Part):
    """How a customer is thanked and asked for a review in one language.

    Attributes:
        text: Sent as it is; no model has a word in it.
    """

    language: Language
    text: Line


class Review(Part):
    """How the desk asks for reviews.

    Attributes:
        after: How long after the answer, at all hours.
        texts: By language; the first is for all others.
    """

    after: Duration = "2h"
    texts: Annotated[tuple[ReviewText, ...], Field(min_length=1, max_length=20)]

    @field_validator("texts")
    @classmethod
    def _languages_differ(cls, value: tuple[ReviewText, ...]) -> tuple[ReviewText, ...]:
        reject_twice("text", [text.language for text in value])
        return value

    def text_for(self, message: str) -> str:
        """The text in the language of a message."""
        language = read_language(message).code
        found = (text.text for text in self.texts if text.language == language)
        return next(found, self.texts[0].text)


def check_reaction(
    reaction: Reaction, actions: Sequence[CatalogueAction], told: Sequence[str], *, reviews: bool
) -> None:
    """Refuses a rule that does not fit its desk.

    Args:
        actions: The desk's catalogue.
        told: Names of those who can be told.
        reviews: Whether the desk says how it asks for reviews.

    Raises:
        PydanticCustomError: What is wrong, with the way to it from the rule.
    """
    for number, proposing in enumerate(reaction.then.propose):
        at = ("then", "propose", number)
        known = next((action for action in actions if action.name == proposing.action), None)
        if known is None:
            names = ", ".join(action.name for action in actions)
            raise misfit(f"no action of this desk; there are: {names}", *at, "action")
        if problems := check_arguments(known, proposing.arguments)[1]:
            raise misfit("; ".join(problems), *at, "arguments")
        _check_it_can_apply(reaction, known, at)
    for number, name in enumerate(reaction.then.tell):
        if name not in told:
            names = ", ".join(told) or "nobody"
            reason = f"nobody of that name under tell; there are: {names}"
            raise misfit(reason, "then", "tell", number)
    if reaction.then.ask_for_review and not reviews:
        raise misfit("add review: with its texts to the desk first", "then", "ask_for_review")


def _check_it_can_apply(
    reaction: Reaction, known: CatalogueAction, at: tuple[str | int, ...]
) -> None:
    field = known.only_if.excludes(reaction.when) if known.only_if else ""
    if field and (field != "urgency" or reaction.then.priority is None):
        reason = f"never applies: its only_if and this rule's when differ in {field}"
        raise misfit(reason, *at, "action")
    if reaction.then.ask_for_review and known.approval != "auto":
        reason = f"waits for approval: {known.approval}, and such a case is asked for no review"
        raise misfit(reason, *at, "action")


@dataclass(frozen=True, slots=True)
class Reactions:
    """All that follows for one message.

    Attributes:
        urgency: Not lower than the judged one.
        raised_by: Names of the rules that raised it.
        tell: Names of those who get a message, each once.
        lines: What each rule did, for the trace.
    """

    urgency: Urgency
    raised_by: tuple[str, ...]
    tags: tuple[str, ...]
    propose: tuple[tuple[str, Proposing], ...]
    tell: tuple[str, ...]
    review: bool
    lines: tuple[Reacted, ...]


def react(rules: Iterable[Reaction], case: SupportCase) -> Reactions:
    """What the rules come to. Each sees the case as it was judged, and none what another did.

    Args:
        case: With what sentiment agent and policy found.
    """
    applied = [rule for rule in rules if not rule.when.unmet(case)]
    urgency = case.urgency or "normal"
    asked = [rule.then.priority for rule in applied if rule.then.priority]
    highest = max([urgency, *asked], key=URGENCIES.index)
    return Reactions(
        urgency=highest,
        raised_by=tuple(
            r.name for r in applied if r.then.priority == highest and highest != urgency
        ),
        tags=tuple(dict.fromkeys(tag for rule in applied for tag in rule.then.tags)),
        propose=tuple((rule.name, wish) for rule in applied for wish in rule.then.propose),
        tell=tuple(dict.fromkeys(name for rule in applied for name in rule.then.tell)),
        review=any(rule.then.ask_for_review for rule in applied),
        lines=tuple(
            Reacted(name=rule.name, where=rule.where, did=tuple(_did(rule.then)))
            for rule in applied
        ),
    )


def _did(then: Consequence) -> Iterable[str]:
    if then.priority:
        yield f"priority at least {then.priority}"
    if then.tags:
        yield f"tags {', '.join(then.tags)}"
    if then.propose:
        yield f"proposes {', '.join(wish.action for wish in then.propose)}"
    if then.tell:
        yield f"tells {', '.join(then.tell)}"
    if then.ask_for_review:
        yield "asks for a review, unless a person is needed"
