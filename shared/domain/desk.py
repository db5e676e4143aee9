"""A desk: one business with its scene, its facts and the actions it allows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.approvals import Approvals
from shared.domain.budget import Budget
from shared.domain.contacts import Contact, Flood, Timetable, Window, check_contacts
from shared.domain.desk_action import CatalogueAction
from shared.domain.desk_ticket import Escalation
from shared.domain.digest_windows import DigestPlan
from shared.domain.hours import Hours, TimeZone, read_duration, takes_over_a_year
from shared.domain.promises import Promise, due_times
from shared.domain.reactions import Reaction, Review, check_reaction
from shared.domain.rows import Due
from shared.domain.stage import Target, Urgency
from shared.domain.written import (
    CallbackHost,
    Language,
    Line,
    Name,
    Part,
    Text,
    misfit,
    reject_twice,
)

#: The desk whose catalogue serves scenes that a caller describes in free text.
DEFAULT_DESK = "default"


class Acknowledgement(Part):
    """What a customer is told in one language when no reply of a model may be sent.

    Attributes:
        language: ISO 639-1.
        text: Sent as it is: no model has a word in it.
    """

    language: Language
    text: Line


class CrmRules(Part):
    """What Frontdesk writes into the desk's CRM.

    Attributes:
        reply: ``public``: the customer gets the reply. ``note``: colleagues see it as an internal
            note. ``draft``: it waits for a colleague to send it, where the vendor has drafts.
        note: Whether the assessment is written as an internal note.
        labels: Whether tags and priority are set.
        status: Whether a ticket is set to wait for the customer once its public reply is there and
            nobody is needed, and back to open when somebody is.
        turns_alone: Messages of one ticket that are answered before a person has to look: what
            ends a conversation with another automaton.
    """

    reply: Literal["public", "note", "draft"] = "note"
    note: bool = True
    labels: bool = True
    status: bool = False
    turns_alone: Annotated[int, Field(ge=1, le=50)] = 10


class Desk(Part):
    """One business: what its agents know and may do.

    Attributes:
        scene: What the business is and who the agents speak for; the case's support_context.
        tone: How replies sound.
        facts: The only statements about the business that a reply may make.
        may_ask: Whether the immediate reply may ask questions.
        max_reply_chars: The longest immediate reply, in characters.
        acknowledgements: What is sent instead of a reply that breaks these rules, by language.
        time_zone: Of all its times, as the IANA list names it.
        hours: When people work; without it always.
        sla: What it promises, by urgency.
        digest: When its people get a summary; without it never.
        tell: Who is told of escalations.
        windows: Named hours that the entries under ``tell`` may use.
        flood: When messages to one recipient become one; without it never.
        reactions: What it does by itself when a message is of a certain kind.
        review: How it asks for reviews.
        approvals: How long people have to say yes or no.
        service_hosts: Hosts that actions may be sent to, written as in ``callback_hosts``.
        callback_hosts: Hosts that replies may be posted to, exact or ``*.`` and a parent, with
            ``:port`` for any other than 443. Empty: no callbacks.
        escalation: Whether an escalation opens a ticket.
        crm: What is written into the desk's CRM.
        budget: How much its agents may use the model; replaces the general limits one by one.
    """

    name: Name
    title: Line
    scene: Text
    tone: Line = "Polite, warm and brief."
    facts: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    may_ask: bool = False
    max_reply_chars: Annotated[int, Field(ge=100, le=4000)] = 800
    acknowledgements: Annotated[tuple[Acknowledgement, ...], Field(max_length=20)] = ()
    actions: Annotated[tuple[CatalogueAction, ...], Field(min_length=1, max_length=30)]
    time_zone: TimeZone = "UTC"
    hours: Hours | None = None
    sla: Annotated[tuple[Promise, ...], Field(max_length=4)] = ()
    digest: DigestPlan | None = None
    tell: Annotated[tuple[Contact, ...], Field(max_length=20)] = ()
    windows: Annotated[tuple[Window, ...], Field(max_length=10)] = ()
    flood: Flood | None = None
    reactions: Annotated[tuple[Reaction, ...], Field(max_length=30)] = ()
    review: Review | None = None
    approvals: Approvals = Approvals()
    service_hosts: Annotated[tuple[CallbackHost, ...], Field(max_length=20)] = ()
    callback_hosts: Annotated[tuple[CallbackHost, ...], Field(max_length=20)] = ()
    escalation: Escalation = Escalation()
    crm: CrmRules = CrmRules()
    budget: Budget = Budget()

    @field_validator("actions")
    @classmethod
    def _action_names_differ(
        cls, value: tuple[CatalogueAction, ...]
    ) -> tuple[CatalogueAction, ...]:
        reject_twice("action", [action.name for action in value])
        return value

    @field_validator("acknowledgements")
    @classmethod
    def _languages_differ(cls, value: tuple[Acknowledgement, ...]) -> tuple[Acknowledgement, ...]:
        reject_twice("acknowledgement", [text.language for text in value])
        return value

    @field_validator("sla")
    @classmethod
    def _promises_can_be_kept(
        cls, value: tuple[Promise, ...], info: ValidationInfo
    ) -> tuple[Promise, ...]:
        reject_twice("urgency", [promise.urgency for promise in value])
        for promise in value:
            for target, amount in promise.amounts:
                if takes_over_a_year(amount, promise.hours_of(info.data.get("hours"))):
                    raise ValueError(
                        f"{target} for urgency {promise.urgency} takes more than a year of the "
                        "desk's hours; shorten it, or add around_the_clock: true"
                    )
        return value

    @model_validator(mode="after")
    def _answers_can_be_due(self) -> Desk:
        if takes_over_a_year(read_duration(self.approvals.escalate_after), self.working_hours):
            raise misfit(
                "takes more than a year of the desk's hours; shorten it, or add "
                "around_the_clock: true", "approvals", "escalate_after",
            )  # fmt: skip
        return self

    @model_validator(mode="after")
    def _people_can_be_told(self) -> Desk:
        reject_twice("window", [window.name for window in self.windows])
        check_contacts(self.tell, self.windows, self.hours)
        return self

    @model_validator(mode="after")
    def _reactions_fit(self) -> Desk:
        reject_twice("reaction", [reaction.name for reaction in self.reactions])
        told = [contact.name for contact in self.tell]
        for number, reaction in enumerate(self.reactions):
            try:
                check_reaction(reaction, self.actions, told, reviews=self.review is not None)
            except PydanticCustomError as error:
                at = (error.context or {}).get("at", ())
                raise misfit(error.message(), "reactions", number, *at) from None
        return self

    @property
    def working_hours(self) -> Hours:
        """The hours in which people are expected to answer."""
        return self.approvals.hours_of(self.hours)

    @property
    def timetable(self) -> Timetable:
        """Its hours and windows."""
        return Timetable(self.hours, self.windows, self.time_zone)

    @property
    def version(self) -> str:
        """Twelve hex digits that change with anything that the desk says."""
        said = self.model_dump_json(exclude_defaults=True)
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def due_times(self, at: datetime) -> dict[Urgency, dict[Target, Due]]:
        """When what it promises is due for a message that came then, UTC, by urgency."""
        return due_times(self.sla, self.hours, self.time_zone, at)

    @property
    def asks_for_repeats(self) -> bool:
        """Whether a rule asks if the customer has had a case before: only then it is looked up."""
        conditions = [rule.when for rule in self.reactions]
        conditions += [c for a in self.actions for c in (a.only_if, a.ask_if) if c]
        return any(condition.repeat_customer is not None for condition in conditions)

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
        reject_twice("desk", list(self.names))
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
