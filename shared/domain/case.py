"""SupportCase: the aggregate as everyone outside sees it. Folded from rows, never stored whole."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field, field_validator

from shared.domain.rows import Channel
from shared.domain.stage import (
    Action,
    ChatMessage,
    DroppedAction,
    Reacted,
    Record,
    Risk,
    Secret,
    Sentiment,
    StageError,
    Target,
    TargetState,
    Urgency,
    Usage,
)

Status = Literal[
    "open", "working", "answered", "waiting_customer", "escalated", "resolved", "cancelled"
]
EffectPhase = Literal["waiting", "attempting", "deferred", "done", "refused", "uncertain", "moot"]
ActionState = Literal[
    "waiting", "under_way", "to_do", "done", "rejected", "refused", "uncertain", "superseded",
    "lapsed",
]  # fmt: skip
Standing = Literal["running", "at_risk", "breached", "met"]
AgentState = Literal["waiting", "working", "error", "finished", "skipped"]


class Turn(Record):
    """One customer message.

    Attributes:
        truncated: True when ``text`` holds only the first part of a long message.
        reply_held_back: The model's reply broke a rule, and ``response`` is the desk's own text.
        masked: What was masked in the message before it was stored.
    """

    turn: int
    text: str
    truncated: bool = False
    received_at: datetime
    response: str | None = None
    reply_held_back: bool = False
    masked: tuple[Secret, ...] = ()


class StageView(Record):
    """One agent's step as people see it.

    Attributes:
        messages: The agent's memory: what it was told and what it said.
        output: Its validated structured answer.
        latency_ms: Milliseconds spent waiting for the model.
        due_at: UTC from which it may run (again); None when nothing is left to do.
        demo: True when a demonstration model wrote the answer.
    """

    turn: int
    stage: str
    role: str
    objective: str
    state: AgentState
    generation: int = 0
    attempts: int = 0
    after: tuple[str, ...] = ()
    due_at: datetime | None = None
    claimed_at: datetime | None = None
    finished_at: datetime | None = None
    error: StageError | None = None
    model: str = ""
    request_id: str = ""
    prompt_hash: str = ""
    latency_ms: int = 0
    usage: Usage = Usage()
    demo: bool = False
    output: dict[str, Any] | None = None
    messages: tuple[ChatMessage, ...] = ()


class EffectView(Record):
    """One act on the outside world as people see it.

    Attributes:
        state: ``uncertain``: it may have happened, a person has to look. ``refused``: it did not.
            ``moot``: what it was to be about is decided.
        dormant: It waits for its hour, such as a reminder: nothing else is waiting for it.
        awaits: Ids of the actions that it asks for a yes to.
        receipt: What the receiver answered, such as a message id.
    """

    key: str
    sink: str
    to: tuple[str, ...]
    turn: int
    state: EffectPhase
    attempts: int = 0
    due_at: datetime | None = None
    dormant: bool = False
    awaits: tuple[str, ...] = ()
    finished_at: datetime | None = None
    receipt: str = ""
    error: StageError | None = None


class TargetView(Record):
    """One promise of the desk and how the case stands towards it.

    Attributes:
        turn: The message that it runs from.
        standing: ``running``, ``at_risk`` and ``breached`` as the sweep has found it, until it is
            stopped; then ``met`` or ``breached``.
        due_at: UTC; when it is missed.
        stopped_at: UTC; when it was met, or at last done.
    """

    turn: int
    target: Target
    urgency: Urgency
    standing: Standing
    due_at: datetime
    stopped_at: datetime | None = None


class ActionView(Action):
    """One proposed action as people see it.

    Attributes:
        state: ``waiting`` for somebody's yes; ``under_way``: its backend has it or will; ``to_do``:
            a person carries it out by hand; ``refused``: it did not happen; ``uncertain``: it may
            have; ``superseded``: the stage ran again and proposes it no more; ``lapsed``: the case
            was cancelled or resolved before.
        asked_at: UTC since when it is there.
        decided_by: Who said yes or no; empty when nobody was asked.
        via: How the decision came, such as by a link in a mail.
        receipt: What its backend answered.
    """

    turn: int
    state: ActionState
    asked_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    decided_why: str = ""
    via: str = ""
    receipt: str = ""
    error: StageError | None = None


class TraceEvent(Record):
    """One thing that happened to the case, in order of time.

    Attributes:
        who: A stage's name, an effect's key, ``sla``, ``customer`` or the person who acted.
    """

    at: datetime
    who: str
    event: str
    detail: str = ""


class SupportCase(Record):
    """A customer's message and everything that became of it.

    The fields up to ``supported_actions`` are the original idea's. Errors never appear in
    ``support_response``: what the customer reads and what operators read are separate fields.

    Attributes:
        support_context: The scene: the desk's own, or free text.
        status_reason: Why the case has its status, for people; empty when plain.
        decision: The rules that policy code applied, one line each.
        wants_human: The customer asked for a person.
        repeat_customer: The customer has had a case at this desk before; only at desks whose rules
            ask, and where it is known who the customer is.
        reply_held_back: The model's reply broke a rule, and the customer got the desk's own
            acknowledgement; ``decision`` says why.
        actions: Of all turns, the earlier first.
        tags: What rules of the desk file call the latest message.
        reactions: The rules that applied to it.
        as_of: UTC; when a stage looks at it. Unset when anybody else does.
    """

    case_id: str
    support_context: str
    customer_query: str
    support_response: str | None = None
    sentiment: Sentiment | None = None
    should_escalate: bool = False
    escalated: bool = False
    needs_upper_management_attention: bool = False
    created_at: datetime
    updated_at: datetime
    trace: tuple[TraceEvent, ...] = ()
    supported_actions: tuple[str, ...] = ()

    desk: str
    status: Status = "open"
    status_reason: str = ""
    urgency: Urgency | None = None
    risks: tuple[Risk, ...] = ()
    signals: tuple[Risk, ...] = ()
    asks_for_human: bool = False
    wants_human: bool = False
    repeat_customer: bool = False
    reply_held_back: bool = False
    language: str | None = None
    summary: str | None = None
    decision: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    reactions: tuple[Reacted, ...] = ()
    channel: Channel = Channel()
    turns: tuple[Turn, ...] = ()
    stages: tuple[StageView, ...] = ()
    actions: tuple[ActionView, ...] = ()
    dropped_actions: tuple[DroppedAction, ...] = ()
    effects: tuple[EffectView, ...] = ()
    targets: tuple[TargetView, ...] = ()
    usage: Usage = Usage()
    demo: bool = False
    as_of: datetime | None = Field(default=None, exclude=True)

    @property
    def now(self) -> datetime:
        """UTC; when it is looked at, or last changed."""
        return self.as_of or self.updated_at

    @property
    def writes_again(self) -> bool:
        """Whether the customer had written before."""
        return sum(bool(turn.text) for turn in self.turns) > 1


class IndexEntry(Record):
    """A case as listings show it. A cache of the fold: never the truth.

    Attributes:
        reason: Why a person is needed when something could not be finished; empty otherwise.
        sla: How the running targets stand at worst; empty when none is in danger.
        due_at: UTC; when the next of the running targets is missed.
        waiting: Names of the actions that wait for a yes.
        to_do: Names of the actions that a person is to carry out by hand.
        to_do_since: UTC; since when the oldest of these is to be done.
        version: Grows with each message and act; of two entries of one case the newer counts.
        mark: In the open facet, the message or act that the entry announces, such as ``m0001``:
            each has an entry of its own, which goes when that row is seen in a settled case.
    """

    case_id: str
    desk: str
    status: Status
    sentiment: Sentiment | None = None
    urgency: Urgency | None = None
    subject: str = ""
    reason: str = ""
    sla: TargetState | Literal[""] = ""
    due_at: datetime | None = None
    waiting: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    to_do_since: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    mark: str = ""

    @property
    def facet(self) -> Status:
        """The index partition that this entry rests in; everything in motion rests in ``open``."""
        return "open" if self.status == "working" else self.status


class Wake(Record):
    """That a sweep is to look at a case again from a time on, and not before.

    A hint, as all of the index: whoever is woken asks the case's rows what is due.

    Attributes:
        at: UTC, in whole milliseconds.
    """

    case_id: str
    at: datetime

    @field_validator("at")
    @classmethod
    def _in_milliseconds(cls, value: datetime) -> datetime:
        """Rounded up: nothing may be woken before it is due."""
        return value + timedelta(microseconds=-value.microsecond % 1000)
