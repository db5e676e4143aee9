"""The ports: everything the protocol needs from outside, as small as it needs it.

Each has a real adapter and a memory twin in ``shared.adapters``; one contract suite runs both.
Every method may raise RetryableError when the other side cannot be reached for now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from shared.domain.budget import DaySpend
from shared.domain.case import IndexEntry, Status, SupportCase, Wake
from shared.domain.desk import Desk
from shared.domain.digest import Digest, FiledDigest
from shared.domain.gathering import Gathering
from shared.domain.journal import JournalEntry
from shared.domain.nudge import Nudge
from shared.domain.partition import Partition
from shared.domain.rows import Row, StageRow
from shared.domain.stage import (
    ChatMessage,
    EffectRequest,
    PlannedStage,
    Sentiment,
    StageResult,
    Usage,
)
from shared.errors import PermanentError


class CaseStore(Protocol):
    """The table of cases: one partition a case, single-row writes guarded by ETags."""

    async def read(self, case_id: str) -> Partition:
        """Every row of a case in one query; an empty partition for an unknown case."""

    async def insert(self, case_id: str, row: Row) -> str:
        """Write a new row and return its ETag.

        Raises:
            ConflictError: The row exists, perhaps because our own answer was lost.
        """

    async def replace(self, case_id: str, row: Row, etag: str) -> str:
        """Write a row over the version that ``etag`` names and return the new ETag.

        Raises:
            ConflictError: The row changed since, perhaps by ourselves with a lost answer.
        """


class CaseIndex(Protocol):
    """Listings and the open mark: a cache of folds, in partitions of status and desk."""

    async def put(self, entry: IndexEntry) -> None:
        """Write an entry into its facet, over an older one of the same case."""

    async def remove(self, entry: IndexEntry, facets: Sequence[Status]) -> None:
        """Delete the case's entry from each of these facets; absent ones are fine.

        In the ``open`` facet only the entry of the same ``mark`` is deleted: what another message
        or act announced stays.
        """

    async def page(
        self,
        desks: Sequence[str],
        statuses: Sequence[Status],
        sentiment: Sentiment | None,
        before: str | None,
        limit: int,
        *,
        unfinished: bool = False,
        waiting: bool = False,
    ) -> tuple[list[IndexEntry], str | None]:
        """Newest first: up to ``limit`` entries older than the cursor, and the next cursor.

        ``unfinished`` leaves only those with a ``reason``, ``waiting`` those in which an action
        waits for a yes, or for a person to carry it out. Reads only the partitions of the named
        desks and statuses, from the cursor on.

        Raises:
            RequestError: The cursor is not one of ours.
        """

    async def open_entries(self, limit: int, after: IndexEntry | None = None) -> list[IndexEntry]:
        """Up to ``limit`` entries of the ``open`` facet over all desks, those behind ``after``.

        A case may have several, one for each message or act that is not settled yet.
        """

    async def wake(self, wake: Wake) -> None:
        """Keep a wake; the same one twice is one. A case may have several."""

    async def wakes(self, until: datetime, limit: int, after: Wake | None = None) -> list[Wake]:
        """Up to ``limit`` wakes whose time is ``until`` or earlier, earliest first, over all desks.

        Those behind ``after``, if it is given. Later ones cost nothing.
        """

    async def forget(self, wake: Wake) -> None:
        """Delete a wake; an absent one is fine."""


class Journal(Protocol):
    """What happened at each desk, by time, and the digests that were made of it: a cache too."""

    async def record(self, entry: JournalEntry) -> None:
        """Keep a happening in its desk's journal; the same one twice is one."""

    async def recorded(
        self,
        desk: str,
        start: datetime,
        end: datetime,
        limit: int,
        after: JournalEntry | None = None,
    ) -> list[JournalEntry]:
        """Up to ``limit`` happenings from ``start`` on and before ``end``, in order of time.

        Those behind ``after``, if it is given. Times count in milliseconds.
        """

    async def file(self, digest: FiledDigest) -> None:
        """Keep a sealed digest in the desk's list, over an older entry of the same window."""

    async def filed(self, desk: str, limit: int, *, unfinished: bool = False) -> list[FiledDigest]:
        """Up to ``limit`` digests of a desk, that of the latest window first.

        ``unfinished`` leaves only those with a channel that failed.
        """


class Customers(Protocol):
    """Which case of a customer was the first at a desk."""

    async def first(self, desk: str, customer: str, case_id: str) -> str:
        """The customer's first case: this one, unless one is kept already.

        Args:
            customer: A keyed hash; no name or address.
        """


class Nudges(Protocol):
    """The queues: one a stage, and one for effects."""

    async def send(self, nudge: Nudge, delay: float = 0.0) -> None:
        """Put a message on the nudge's queue, visible after ``delay`` seconds."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A queue message that nobody could make sense of, kept for a person.

    Attributes:
        body: The message as received, cut to 16,000 characters; hostile text.
        at: UTC.
    """

    id: str
    queue: str
    reason: str
    body: str
    at: datetime


class Quarantine(Protocol):
    """Where messages go that are no nudge or name nothing that exists. Nothing is dropped."""

    async def put(self, item: Quarantined) -> None:
        """Keep a message, over an older one of the same id."""

    async def entries(self, limit: int) -> list[Quarantined]:
        """Up to ``limit`` kept messages, newest first."""


class Spending(Protocol):
    """What desks used of the model, day by day: one row each, guarded by its ETag."""

    async def read(self, desk: str, day: str) -> tuple[DaySpend, str | None]:
        """A day of a desk with its ETag; zeros and None when nothing was counted yet."""

    async def write(self, spend: DaySpend, etag: str | None) -> None:
        """Write a day over the version that ``etag`` names; None: there must be none.

        Raises:
            ConflictError: It changed since, perhaps by ourselves with a lost answer.
        """


class Texts(Protocol):
    """Blobs for texts that are too long for a table property."""

    async def put(self, name: str, text: str) -> None:
        """Store a text, over an older one of the same name."""

    async def get(self, name: str) -> str:
        """Read a text.

        Raises:
            PermanentError: ``text_missing``, there is no such blob.
        """

    async def delete(self, name: str) -> None:
        """Forget a text; an unknown one is fine."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of the model.

    Attributes:
        stage: Whose call it is; settings choose deployment, effort and limits by it.
        messages: System message first; it is static, customer text is only in user messages.
        output_name: Name of the answer's schema.
        output_schema: JSON schema of the answer, constraint-free as strict mode requires.
        timeout: Seconds after which the call is given up.
    """

    stage: str
    messages: tuple[ChatMessage, ...]
    output_name: str
    output_schema: dict[str, Any]
    timeout: float


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the model wrote, unvalidated, with what it cost."""

    text: str
    usage: Usage
    model: str
    request_id: str
    latency_ms: int
    demo: bool = False


#: Code of the error for calls that were not made: the model did not answer lately.
RESTING = "model_resting"


class ModelClient(Protocol):
    """A chat model that answers by a schema."""

    async def complete(self, call: ModelCall) -> ModelAnswer:
        """Call the model once.

        Raises:
            RetryableError: 429, 5xx, timeout, dropped connection, wrong key or deployment;
                ``RESTING`` when nothing was called because it did not answer lately.
            PermanentError: Refusal, content filter, truncated answer.
        """

    def most(self, call: ModelCall) -> Usage:
        """The most that a call can use: never less than what ``complete`` reports for it.

        ``cost`` is None when there is no price for it.
        """

    def pause(self, stage: str) -> float:
        """Seconds for which this stage should not call, because it would be told ``RESTING``."""


@dataclass(frozen=True, slots=True)
class EffectCall:
    """One attempt at an effect.

    Attributes:
        idempotency_key: The same for every attempt, and unlike that of any other effect.
        about: The case as of the effect's turn, a digest, or the list of a round.
    """

    idempotency_key: str
    request: EffectRequest
    about: SupportCase | Digest | Gathering
    desk: Desk

    @property
    def case(self) -> SupportCase:
        """The case.

        Raises:
            PermanentError: ``not_about_a_case``, the sink cannot tell of a digest or a list.
        """
        if isinstance(self.about, SupportCase):
            return self.about
        raise PermanentError("not_about_a_case")


class Sink(Protocol):
    """Carries out one kind of effect.

    Attributes:
        kind: What a second attempt may do after one whose answer was lost. ``keyed``: the receiver
            honours our idempotency key, send again. ``queryable``: look our key up first.
            ``unkeyed``: never; a person decides.
        window: How long the receiver remembers a key; seconds. 0 for a queryable one that never
            forgets, and for unkeyed ones.
    """

    @property
    def kind(self) -> Literal["keyed", "queryable", "unkeyed"]: ...

    @property
    def window(self) -> float: ...

    async def send(self, call: EffectCall) -> str:
        """Carry it out and return the receipt.

        Raises:
            RetryableError: It surely did not happen; later it may.
            UncertainError: It may have happened.
            PermanentError: It surely did not happen and never will.
        """

    async def find(self, call: EffectCall) -> str | None:
        """The receipt of an earlier attempt, for ``queryable`` sinks; None when there was none.

        Raises:
            RetryableError: The receiver cannot say now.
        """


class Clock(Protocol):
    """Time, so that tests and the simulator can move it."""

    def now(self) -> datetime:
        """The time in UTC."""


class StageAgent(Protocol):
    """What the runner knows of an agent: ``agents.base.Agent`` is one."""

    @property
    def plan(self) -> PlannedStage:
        """Its place in the flow."""

    @property
    def prompt_hash(self) -> str:
        """Changes whenever its instructions or its answer's schema change."""

    @property
    def output_name(self) -> str:
        """Name of its answer's schema."""

    def output_schema(self, desk: Desk) -> dict[str, Any]:
        """JSON schema of its answer, strict and constraint-free."""

    def conversation(self, case: SupportCase, desk: Desk) -> tuple[ChatMessage, ...]:
        """The static system message, then the user message with what the model may see."""

    def parse(self, text: str) -> Any:
        """The validated answer.

        Raises:
            ValueError: What is wrong with it, worded for the model, which is told once.
        """

    def objections(self, case: SupportCase, desk: Desk, output: Any) -> tuple[str, ...]:
        """The rules that a valid answer breaks, worded for the model, which is told once. Pure."""

    def apply(self, case: SupportCase, desk: Desk, output: Any) -> StageResult:
        """What the answer sets and asks for, after policy. Pure."""

    def instead(
        self, case: SupportCase, desk: Desk, output: Any, objections: tuple[str, ...]
    ) -> StageResult:
        """What is used when the answer breaks rules after the re-ask too. Pure.

        Raises:
            PermanentError: Nothing can be: a person has to look.
        """


@runtime_checkable
class PlainStage(Protocol):
    """A stage that asks no model, run under the same claims, leases and retries."""

    @property
    def plan(self) -> PlannedStage:
        """Its place in the flow."""

    async def work(self, view: Partition, row: StageRow, desk: Desk) -> StageResult:
        """Does it once; ``row`` is the claimed row.

        Raises:
            RetryableError: Later, by a fresh message.
            PermanentError: A person has to look.
        """
