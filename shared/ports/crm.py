"""The ports of CRMs: one vendor's side of a desk, and what webhooks and polls have to remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.domain.inbound import (
    Acknowledgement,
    Changes,
    CustomerWords,
    Delivery,
    InboundMessage,
)
from shared.domain.outbound import Labels, Post, Stand


class Connector(Protocol):
    """One vendor's CRM for one desk: its webhooks in, our words out.

    The methods up to ``acknowledgement`` are pure and quick: they run before the answer. The others
    raise as a Sink does: RetryableError, UncertainError, PermanentError.

    Attributes:
        kind: What a second write may do after one whose answer was lost, as for a Sink.
        window: How long a keyed vendor remembers a key; seconds.
        drafts: Whether ``post`` can leave a draft.
        polls: Whether ``changed_since`` has to find what the vendor's webhooks lose.
    """

    kind: Literal["keyed", "queryable", "unkeyed"]
    window: float
    drafts: bool
    polls: bool

    def verify(self, delivery: Delivery, now: datetime) -> None:
        """Whether the vendor sent it: over the raw bytes, in constant time, within the window.

        Raises:
            UnverifiedError: With the reason for the log.
        """

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        """The events of a verified delivery.

        Raises:
            RequestError: 400, it is not what this vendor sends.
        """

    def acknowledgement(self, delivery: Delivery) -> Acknowledgement:
        """What to answer once all of it was taken in."""

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        """The customer's messages that ``InboundMessage.fetch`` names, oldest first."""

    async def post(self, post: Post) -> str:
        """Writes into a ticket and returns the receipt."""

    async def find(self, ticket_id: str, key: str) -> str | None:
        """The receipt of what was written with this key; None when nothing was."""

    async def label(self, labels: Labels) -> str:
        """Sets tags and priority, as far as the vendor has them, and returns the receipt."""

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        """Has a ticket wait for its customer, or be open again, and returns the receipt.

        Only from open to waiting and back: what is solved, closed or kept for another reason is
        left alone. Setting it twice is the same as once.
        """

    async def changed_since(self, mark: str | None, now: datetime) -> Changes:
        """The customers' messages since a mark; without one, since shortly before ``now``."""


class Connectors(Protocol):
    """The connectors that are configured, by desk and vendor."""

    def get(self, desk: str, vendor: str) -> Connector | None:
        """A desk's connector; None when there is no such vendor or the desk has no secret for it.

        Raises:
            ConfigError: Its settings are of no use; says which.
        """

    def polled(self) -> Sequence[tuple[str, str]]:
        """Desk and vendor of every connector that has to be polled."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A delivery with so many events that they are taken in after its answer.

    Attributes:
        id: The same for the same delivery.
        at: UTC.
    """

    id: str
    desk: str
    vendor: str
    at: datetime


class Inbox(Protocol):
    """What webhooks and polls have to remember."""

    async def put(self, batch: Batch) -> None:
        """Keeps a batch until it is done, over an older one of the same id."""

    async def get(self, batch_id: str) -> Batch | None:
        """A batch that is not done."""

    async def waiting(self, limit: int) -> list[Batch]:
        """Up to ``limit`` batches that are not done."""

    async def done(self, batch_id: str) -> None:
        """Forgets a batch; an unknown one is fine."""

    async def mark(self, name: str) -> str | None:
        """Where a poll has got to."""

    async def set_mark(self, name: str, mark: str) -> None:
        """Says where a poll has got to."""
