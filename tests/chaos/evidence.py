"""What a run leaves behind, and all that the verdict is drawn from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.case import IndexEntry
from shared.domain.partition import Partition
from shared.domain.rows import MessageRow
from shared.pipeline.limits import Limits

_TOKEN = re.compile(r"\[chaos (\d+)-(\d+)\]")


def token(number: int, turn: int) -> str:
    """What marks a customer's message, so that a model call tells which turn it is for."""
    return f"[chaos {number}-{turn}]"


def tokens_in(text: str) -> list[tuple[int, int]]:
    """Number and turn of each mark in a text."""
    return [(int(number), int(turn)) for number, turn in _TOKEN.findall(text)]


@dataclass(frozen=True, slots=True)
class Promise:
    """A message that was answered with 202: from then on it must not be lost."""

    number: int
    case_id: str
    delivery_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One model call as the model saw it.

    Attributes:
        at: When it came, seconds of the epoch.
        number: Whose message, and which ``turn``, by the mark in it.
        status: HTTP status of the answer; 0 without one.
        rule: The fault, if it met one.
        again: Whether it asks again after a malformed answer.
    """

    at: float
    number: int
    turn: int
    stage: str
    status: int
    rule: str = ""
    again: bool = False

    @property
    def paid(self) -> bool:
        """Whether a provider would bill it: it answered, whatever became of the answer."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Reply:
    """One callback as the receiver saw it."""

    id: str
    case_id: str
    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Carried:
    """An action that was carried out, by the ledger of what carries it out.

    Attributes:
        sink: Of its effect, such as ``action-http``.
        key: Idempotency key; a key that is there twice was carried out twice.
        at: UTC, by the ledger's clock.
    """

    sink: str
    key: str
    at: datetime
    name: str
    arguments: Mapping[str, object]

    @property
    def case_id(self) -> str:
        """Whose it is."""
        return self.key.partition("-action-")[0]

    @property
    def id(self) -> str:
        """The action's id in its case."""
        return self.key.partition("-action-")[2]


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's yes or no that was accepted.

    Attributes:
        act: ``approve`` or ``reject``.
        by_link: It came by a link in a mail.
    """

    case_id: str
    action: str
    act: str
    by_link: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What a customer wrote into a ticket: from then on it must reach exactly one turn."""

    vendor: str
    desk: str
    ticket: str
    text: str


@dataclass(frozen=True, slots=True)
class Books:
    """What a vendor says was written into its tickets.

    Attributes:
        kind: What the vendor does with a key that comes again, as a sink's.
        ledger: Receipts, in their order.
        receipt: Makes the receipt of an idempotency key.
        untagged: Tickets without our tags, where the vendor has tags.
    """

    kind: str
    ledger: list[str]
    receipt: Callable[[str], str]
    untagged: set[str] = field(default_factory=set)


@dataclass
class Evidence:
    """Rows and ledgers at rest.

    Attributes:
        limits: The protocol's times that the hosts worked by.
        calm: Nothing failed and nothing was killed.
        cases: Every partition of the table, by case id.
        promises: What was accepted.
        cancelled: Cases whose cancel was accepted.
        unanswered: Cases with an act that was refused after an attempt whose answer was lost.
        applied: Ids of callbacks that the receiver applied, deduplicated by id.
        replies: Every callback that arrived.
        mails: Idempotency keys of the mails that were taken.
        carried: Actions that were carried out, by the ledgers of what carries them out.
        words: What customers wrote in CRMs.
        books: What was written into tickets, by vendor.
        forged: Tickets of which only forged deliveries came.
        refused: How many of those were refused.
        decisions: What people decided on actions and was accepted.
        listed: Facet and entry of every row of the index.
        quarantined: Bodies in quarantine.
        garbage: What the run put into queues that is no nudge, by queue.
        left: Messages left in each queue; in poison queues only visible ones.
        texts: Whole texts of messages that are kept in blobs.
        troubles: What went wrong while it ran, in words.
    """

    limits: Limits
    calm: bool = False
    cases: dict[str, Partition] = field(default_factory=dict)
    promises: list[Promise] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    books: dict[str, Books] = field(default_factory=dict)
    forged: set[str] = field(default_factory=set)
    refused: int = 0
    decisions: list[Decision] = field(default_factory=list)
    listed: list[tuple[str, IndexEntry]] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    garbage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def said(self, view: Partition, message: MessageRow) -> str:
        """The whole text of a message, fetched or in a blob as it may be."""
        row = view.said(message)
        return self.texts.get(row.blob, "") if row.blob else row.text
