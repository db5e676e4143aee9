"""The stored rows. A case is the sum of its rows, and every row has one writer.

| row key                           | model       | written by             |
|-----------------------------------|-------------|------------------------|
| ``case``                          | ReceivedRow | intake, insert-only    |
| ``m|{turn}``                      | MessageRow  | intake, insert-only    |
| ``s|{turn}|{stage}|{generation}`` | StageRow    | that stage, ETag-fenced |
| ``e|{key}|{generation}``          | EffectRow   | the effect's consumer, ETag-fenced |
| ``x|{n}``                         | ActRow      | entrypoints, insert-only |
| ``t|{turn}|{target}|{state}``     | TargetRow   | the sweep, insert-only |

The partition of a digest has a ``digest`` row (DigestRow, insert-only) instead of a case, and the
rows of its effects and of acts on it. Where its window ends is agreed on before, in the ``window``
row (WindowRow, insert-only) of a partition that is named after the window's start. That of a round
has ``g|{n}`` rows (GatheredRow, insert-only, without gaps): who is the first to write a number has
it, and after the one that closes the list comes no other.

All times are UTC.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.domain.digest import Digest
from shared.domain.stage import (
    Action,
    Answer,
    ChatMessage,
    DroppedAction,
    EffectRequest,
    PlannedStage,
    Record,
    Risk,
    Round,
    Secret,
    Severity,
    StageError,
    StageEvent,
    Target,
    TargetState,
    Urgency,
    Usage,
    Writes,
)

SCHEMA_VERSION = 1

ActKind = Literal["cancel", "resolve", "replay", "approve", "reject", "done"]


class Channel(Record):
    """Where a case came from and where its answers go.

    Attributes:
        source: The connector or entry point, such as ``api``, ``cli`` or ``zendesk``.
        external_id: The case's id over there, such as a ticket number.
        reply_address: Where replies go, such as a callback URL.
        connected: It came by a verified webhook of the vendor ``source``: what we write goes back
            to the ticket ``external_id``. No caller of the API can say so.
    """

    source: str = "api"
    external_id: str | None = None
    reply_address: str | None = None
    connected: bool = False


class Due(Record):
    """When a target is in danger and when it is missed: UTC, past the desk's hours."""

    at_risk: datetime
    breached: datetime


class ReceivedRow(Record):
    """What was received first: which desk, which scene, from where.

    Attributes:
        repeat_customer: Another case of the customer came before, as far as the delivery names him.
    """

    kind: Literal["case"] = "case"
    schema_version: int = SCHEMA_VERSION
    desk: str
    scene: str
    channel: Channel
    created_at: datetime
    repeat_customer: bool = False

    @property
    def key(self) -> str:
        return "case"


class MessageRow(Record):
    """One customer message and the plan of the turn that it starts.

    Attributes:
        text: The message, masked, or its first 16 KiB when ``blob`` is set.
        blob: Name of the blob that holds the whole message.
        size: Bytes of the whole masked message in UTF-8.
        fingerprint: Keyed SHA-256 of the request as received; tells a redelivery from a clash of
            keys. Keyed, because who knows the masked text could guess a PIN from a plain one.
        delivery_id: What the sender calls this delivery; the same id is the same message.
        fetch: What the connector fetches the text by, when it did not come along.
        elsewhere: The ticket's messages that its earlier cases hold, which take no more.
        held: Why a person has to look before any agent does, as a short code; empty otherwise.
        signals: Risks that policy code found in the whole text, without any model.
        masked: What was masked before the message was stored, each kind once.
        targets: When the desk's targets are due, by urgency, should this message open a stretch
            of work. Pinned, so that a later change of the desk file never moves what was promised.
    """

    kind: Literal["message"] = "message"
    turn: int
    text: str
    blob: str | None = None
    size: int
    fingerprint: str
    delivery_id: str | None = None
    fetch: str | None = None
    elsewhere: tuple[str, ...] = ()
    held: str = ""
    received_at: datetime
    plan: tuple[PlannedStage, ...]
    signals: tuple[Risk, ...] = ()
    asks_for_human: bool = False
    masked: tuple[Secret, ...] = ()
    targets: dict[Urgency, dict[Target, Due]] = Field(default={})

    @property
    def key(self) -> str:
        return f"m|{self.turn:04d}"


class StageRow(Record):
    """One stage of one turn: who works on it, what was asked, what came back.

    Attributes:
        generation: 0 for the first run; each replay by an operator adds one.
        epoch: Counts the claims; a commit is valid only for the epoch that it claimed.
        owner: Token of the worker that holds the claim.
        lease_until: UTC; until then nobody else may claim a row in state ``working``.
        not_before: UTC; a ``deferred`` row is due again from then on.
        attempts: Claims so far in this generation.
        spent: What earlier attempts of this generation used.
        reserved: The most that the claim's calls can use, until it is known what they did use.
        presumed: The most that calls can have used whose answers were lost, in this generation.
    """

    kind: Literal["stage"] = "stage"
    turn: int
    stage: str
    generation: int = 0
    state: Literal["working", "deferred", "finished", "parked"]
    epoch: int
    owner: str
    lease_until: datetime
    not_before: datetime | None = None
    attempts: int
    claimed_at: datetime
    finished_at: datetime | None = None
    prompt_hash: str = ""
    messages: tuple[ChatMessage, ...] = ()
    answer: Answer | None = None
    spent: Usage = Usage()
    reserved: Usage = Usage()
    presumed: Usage = Usage()
    writes: Writes = Writes()
    actions: tuple[Action, ...] = ()
    dropped: tuple[DroppedAction, ...] = ()
    effects: tuple[EffectRequest, ...] = ()
    error: StageError | None = None
    events: tuple[StageEvent, ...] = ()

    @property
    def key(self) -> str:
        return stage_key(self.turn, self.stage, self.generation)

    @property
    def usage(self) -> Usage:
        """What all attempts of this generation used."""
        return self.spent + (self.answer.usage if self.answer else Usage())

    @property
    def counted(self) -> Usage:
        """What counts against budgets: never less than what was truly used."""
        return self.usage + self.presumed + self.reserved


class EffectRow(Record):
    """One effect: begun, then done, refused or uncertain.

    Attributes:
        state: ``attempting`` while it may be under way, ``deferred`` when it surely has not
            happened and is due again at ``not_before``. The others are at rest: ``done``,
            ``refused`` (the sink will never take it) and ``uncertain`` (it may have happened; only
            a person may decide to try again).
        generation: 0 at first; a person's replay adds one. The idempotency key stays the same.
        ambiguous: An earlier attempt may have happened, so only the same key may be sent again.
        first_at: UTC of the first attempt; a receiver honours the key for a while from then on.
        receipt: What the sink answered, such as a message id.
        gathered: Listed in a round's message instead of being sent by itself.
    """

    kind: Literal["effect"] = "effect"
    request: EffectRequest
    generation: int = 0
    state: Literal["attempting", "deferred", "done", "uncertain", "refused"]
    epoch: int
    owner: str
    lease_until: datetime
    not_before: datetime | None = None
    attempts: int
    ambiguous: bool = False
    first_at: datetime
    claimed_at: datetime
    finished_at: datetime | None = None
    receipt: str = ""
    gathered: bool = False
    error: StageError | None = None
    events: tuple[StageEvent, ...] = ()

    @property
    def key(self) -> str:
        return effect_key(self.request.key, self.generation)


class ActRow(Record):
    """One act of a person: cancel a case, resolve it, replay stages or effects, decide on actions.

    Attributes:
        act: ``done`` says that a person has carried out an action by hand.
        via: How it came when not by name and key, such as by a link in a mail.
        turn: The latest turn when the act was done; a resolve covers all up to it.
        stages: Replayed stages, each as ``turn:stage``.
        effects: Keys of replayed effects.
        action: Id of the action that was approved, rejected or done.
        asks: The effects that the act asks for: an approved action as it was shown.
        fetched: Of a cancel, the turns whose words were there by then. Words that a fetch under way
            brings later are not the case's but those of the ticket's next one. None in rows of
            before, when all were.
    """

    kind: Literal["act"] = "act"
    n: int
    act: ActKind
    by: str
    at: datetime
    reason: str = ""
    via: str = ""
    turn: int = 0
    stages: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    action: str = ""
    asks: tuple[EffectRequest, ...] = ()
    fetched: tuple[int, ...] | None = None

    @property
    def key(self) -> str:
        return f"x|{self.n:04d}"


class TargetRow(Record):
    """That a target of the desk came into danger or was missed, and who is told of it.

    Attributes:
        turn: The message that the target runs from.
        at: UTC; when the sweep saw it.
        due: UTC; when the target was or will be missed.
    """

    kind: Literal["target"] = "target"
    turn: int
    target: Target
    state: TargetState
    at: datetime
    due: datetime
    effects: tuple[EffectRequest, ...] = ()

    @property
    def key(self) -> str:
        return f"t|{self.turn:04d}|{self.target}|{self.state}"


class DigestRow(Record):
    """A sealed digest, with all that it says and who gets it."""

    kind: Literal["digest"] = "digest"
    digest: Digest
    effects: tuple[EffectRequest, ...] = ()

    @property
    def key(self) -> str:
        return "digest"


class WindowRow(Record):
    """Where the window of a desk's digest ends that begins at ``start``: the first word counts."""

    kind: Literal["window"] = "window"
    start: datetime
    end: datetime

    @property
    def key(self) -> str:
        return "window"


class Member(Record):
    """A message that is in a round's list.

    Attributes:
        effect: Its key in its case.
        what: What the case is about, masked and cut, in words of a model or a customer: hostile.
        why: Why somebody is told, in words of our own.
    """

    case_id: str
    effect: str
    generation: int
    severity: Severity
    what: str = ""
    why: str = ""


class GatheredRow(Record):
    """One number of a round's list.

    Attributes:
        round: Unset when the list is closed before anybody was in it.
        member: Whose it is; unset for the one that closes the list.
        at: UTC; when it was written.
        asked: The member's own message, whose recipient and sink are those of the round.
        effects: What the closing asks for: the message with the list.
    """

    kind: Literal["gathered"] = "gathered"
    n: int
    desk: str
    round: Round | None = None
    member: Member | None = None
    at: datetime
    asked: EffectRequest | None = None
    effects: tuple[EffectRequest, ...] = ()

    @property
    def key(self) -> str:
        return f"g|{self.n:04d}"


Row = (
    ReceivedRow
    | MessageRow
    | StageRow
    | EffectRow
    | ActRow
    | TargetRow
    | DigestRow
    | WindowRow
    | GatheredRow
)
ROWS: TypeAdapter[Row] = TypeAdapter(Annotated[Row, Field(discriminator="kind")])


def opened_at(row: MessageRow | ActRow) -> datetime:
    """When a message came or an act was done, UTC."""
    return row.received_at if isinstance(row, MessageRow) else row.at


def mark_of(row_key: str) -> str:
    """What an open mark calls the row that it announces; row keys of marks have no ``|``."""
    return row_key.replace("|", "")


@lru_cache(maxsize=4096)
def stage_key(turn: int, stage: str, generation: int) -> str:
    """Row key of a stage; sorts by turn, then stage, then generation."""
    return f"s|{turn:04d}|{stage}|{generation:03d}"


@lru_cache(maxsize=4096)
def effect_key(key: str, generation: int) -> str:
    """Row key of an effect."""
    return f"e|{key}|{generation:03d}"
