"""What a stage is made of: its place in the plan, what it was asked, what it answered and set."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Sentiment = Literal["Positive", "Negative"]
Urgency = Literal["low", "normal", "high", "critical"]
Risk = Literal["safety", "legal", "fraud", "privacy", "media", "harassment"]
Approval = Literal["auto", "human", "management"]
#: What a message to the desk's people is about.
Subject = Literal["case", "reminder", "unanswered", "undone", "reaction"]
#: How much it matters that somebody hears of something.
Severity = Literal["normal", "high", "critical"]
#: What is masked in a customer's text before anything is stored.
Secret = Literal["card number", "IBAN", "national id", "password", "key"]
#: What a desk promises: a first reply, and an end. Each is at risk before it is breached.
Target = Literal["first_reply", "resolution"]
TargetState = Literal["at_risk", "breached"]


class Record(BaseModel):
    """Base of everything stored: immutable, and tolerant of fields that a newer version added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PlannedStage(Record):
    """One stage of a turn's plan, pinned when the message arrives.

    Pinned, so that a later change of PIPELINE never alters what an old case still has to do.

    Attributes:
        after: Stages that must be finished or skipped before this one starts.
        only_if: Name of a boolean in Writes; when a finished stage set it to False and none set
            it to True, this stage is skipped. Unset means the stage runs: doubt goes to a person.
    """

    stage: str
    role: str
    objective: str
    after: tuple[str, ...] = ()
    only_if: str | None = None


class ChatMessage(Record):
    """One message of a stage's conversation with the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Usage(Record):
    """What the model calls of a stage or a case used, in tokens and calls.

    Attributes:
        cached_tokens: The part of prompt_tokens that the provider served from its prompt cache.
        reasoning_tokens: The part of completion_tokens that the model spent on thinking.
        cost: In the currency of the price table; None when no price is known for the model.
    """

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = None

    @property
    def tokens(self) -> int:
        """Of prompts and answers; cached and reasoning tokens are parts of these."""
        return self.prompt_tokens + self.completion_tokens

    def within(self, other: Usage) -> bool:
        """Whether it is no more than another, in tokens and in money."""
        return self.tokens <= other.tokens and (self.cost or 0.0) <= (other.cost or 0.0)

    def __add__(self, other: Usage) -> Usage:
        costs = [c for c in (self.cost, other.cost) if c is not None]
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cost=sum(costs) if costs else None,
        )


class Action(Record):
    """An action from the desk's catalogue that the escalation agent proposed and policy kept.

    Attributes:
        id: Unique in its case: the same turn, name and arguments have the same id, whichever run
            of the stage proposes them.
        arguments: Values by argument name, checked against the catalogue.
        reason: Why the model proposed it.
        reaction: Name of the desk's rule that proposes it; empty when the model does.
        approval: Who has to say yes before it may be carried out.
        verdict: ``execute``: it is carried out at once. ``ask``: it waits for a yes.
        rule: Why policy decided so.
        backend: The type of what carries it out.
    """

    id: str = ""
    name: str
    arguments: dict[str, str | int | float | bool] = {}
    reason: str = ""
    reaction: str = ""
    approval: Approval = "human"
    verdict: Literal["execute", "ask"] = "ask"
    rule: str = ""
    backend: str = "manual"


class DroppedAction(Record):
    """An action that the model proposed and policy refused, kept so that people can see it.

    Attributes:
        arguments: Those that satisfy the catalogue.
    """

    name: str
    why: str
    arguments: dict[str, str | int | float | bool] = {}


class Fetched(Record):
    """A customer's words that did not come along with the webhook and were fetched.

    Attributes:
        text: The words, or their first 16 KiB when ``blob`` is set.
        blob: Name of the blob that holds them all.
        ids: The vendor's ids of the messages that they came in.
        signals: Risks that policy code found in the whole text, without any model.
        masked: What was masked before the words were stored, each kind once.
        nothing: Why there is nothing to do in this turn: what was announced had been taken in
            before, or is no customer's. Empty when there is.
        repeat_customer: Another case of the customer came before, as far as the words name him.
    """

    text: str = ""
    blob: str | None = None
    ids: tuple[str, ...] = ()
    signals: tuple[Risk, ...] = ()
    asks_for_human: bool = False
    masked: tuple[Secret, ...] = ()
    nothing: str = ""
    repeat_customer: bool = False


class Reacted(Record):
    """A rule of the desk file that applied.

    Attributes:
        where: Its file and line; empty when the desk came from no file.
        did: What followed from it, one line each.
    """

    name: str
    where: str = ""
    did: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """All of it on one line."""
        where = f" ({self.where})" if self.where else ""
        return f"{self.name}{where}: {'; '.join(self.did)}"


class Writes(Record):
    """The fields of SupportCase that a stage sets. None means: not mine to say."""

    fetched: Fetched | None = None
    support_response: str | None = None
    reply_held_back: bool | None = None
    sentiment: Sentiment | None = None
    urgency: Urgency | None = None
    wants_human: bool | None = None
    risks: tuple[Risk, ...] | None = None
    language: str | None = None
    should_escalate: bool | None = None
    escalated: bool | None = None
    needs_upper_management_attention: bool | None = None
    summary: str | None = None
    tags: tuple[str, ...] | None = None
    reactions: tuple[Reacted, ...] | None = None
    decision: tuple[str, ...] = ()


class Round(Record):
    """Messages to one recipient that become one, which lists them, at the end of a time.

    Attributes:
        id: Name of its partition.
        who: The recipient's name under ``tell``.
        end: UTC; then the list is closed and sent.
        free: So many go out by themselves.
        why: ``quiet``: nothing is to come before the end. ``flood``: too much came.
    """

    id: str
    desk: str
    who: str
    end: datetime
    free: int = 0
    why: Literal["quiet", "flood"]


class EffectRequest(Record):
    """One act on the outside world that a stage asks for; carried out at most once.

    Attributes:
        key: Unique in its case and stable over replays, such as ``reply-1``.
        sink: Which sink carries it out, such as ``callback`` or ``email``.
        to: Addresses in the sink's own form.
        turn: The turn that it belongs to.
        action: What is to be carried out, as it was decided on.
        about: What a message is about; sinks word it accordingly.
        not_before: UTC; it is due from then on. Unset: at once.
        awaits: Ids of actions; unless one of them still waits for a yes, or to be done by hand if
            it is about ``undone``, it is not begun.
        text: What a customer is sent, when it is neither the reply nor a note.
        while_answered: Not begun unless the case is answered, and nobody has written since.
        severity: Of a message to the desk's people.
        round: Where it may be listed instead of being sent by itself.
        instead_of: Keys of effects; it is begun when one of them failed for good, else never.
    """

    key: str
    sink: str
    to: tuple[str, ...]
    turn: int
    action: Action | None = None
    about: Subject = "case"
    not_before: datetime | None = None
    awaits: tuple[str, ...] = ()
    text: str = ""
    while_answered: bool = False
    severity: Severity = "normal"
    round: Round | None = None
    instead_of: tuple[str, ...] = ()

    @property
    def beside(self) -> bool:
        """True for what no promise to the customer waits for."""
        return self.while_answered or self.about == "reaction"


class StageResult(Record):
    """What an agent's ``apply`` returns: what it sets and what it asks for."""

    writes: Writes = Writes()
    actions: tuple[Action, ...] = ()
    dropped: tuple[DroppedAction, ...] = ()
    effects: tuple[EffectRequest, ...] = ()


class StageEvent(Record):
    """One step in a stage's or effect's life, kept in its row so that the trace has no gaps.

    Attributes:
        at: UTC.
        epoch: The claim that this belongs to; the first is 1.
    """

    at: datetime
    epoch: int
    event: Literal["claimed", "deferred", "finished", "parked", "done", "uncertain", "refused"]
    detail: str = ""


class StageError(Record):
    """Why a stage was deferred or parked. For operators; never shown to a customer."""

    code: str
    detail: str = ""


class Answer(Record):
    """The model's side of a finished or failed stage.

    Attributes:
        text: What the model wrote, unchanged.
        output: The validated structured answer as JSON; None when it could not be used.
        latency_ms: Milliseconds over all calls of the stage.
        demo: True when a demonstration model wrote it; shown wherever its words are shown.
    """

    text: str
    output: dict[str, Any] | None = None
    model: str = ""
    request_id: str = ""
    latency_ms: int = 0
    usage: Usage = Usage()
    demo: bool = False
