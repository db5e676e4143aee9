"""What a digest says: counts of its window, and what waits for a person when it is made. Pure.

Bounded whatever happened: lists name the first few cases and count the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.domain.digest_windows import window_id
from shared.domain.stage import Record, Urgency, Usage

#: Cases that a list names; the others are counted.
MOST_NAMED = 10
#: How the names of their partitions begin.
DIGESTS = "digest:"


class Counts(Record):
    """What happened in a window.

    Attributes:
        messages: That came to rest in it, answered or not.
        answered: Of these, without a person.
        escalated: Turns that went to a person in it.
        held_back: Replies that the guard held back.
        failures: How often what went wrong, by code, the most frequent first.
        usage: What the agents used.
    """

    messages: int = 0
    answered: int = 0
    escalated: int = 0
    resolved: int = 0
    cancelled: int = 0
    at_risk: int = 0
    breached: int = 0
    held_back: int = 0
    parked: int = 0
    failures: dict[str, int] = Field(default={})
    usage: Usage = Usage()

    @property
    def nothing(self) -> bool:
        """True when nothing at all happened."""
        return self == Counts()


class NamedCase(Record):
    """A case as a digest names it.

    Attributes:
        since: UTC; of what the list is about, such as when it escalated or when it is due.
        what: In words of a model or a customer: hostile.
        why: In words of our own, or of the model where it proposes something.
    """

    case_id: str
    since: datetime
    urgency: Urgency | None = None
    what: str = ""
    why: str = ""


class Named(Record):
    """The first cases of a list, and how many there are."""

    total: int = 0
    first: tuple[NamedCase, ...] = ()


class FailedChannel(Record):
    """A channel that did not get a digest, or may not have.

    Attributes:
        end: Of the digest's window, UTC.
        channel: ``email``, ``slack``, ``teams``, or ``copy`` for the one in Blob storage.
        state: ``uncertain`` when it may have got it all the same.
        reason: Why, as a short code.
        at: UTC; when it failed for good.
    """

    desk: str
    end: datetime
    channel: str
    state: Literal["refused", "uncertain"]
    reason: str
    at: datetime

    @property
    def window(self) -> str:
        """Name of the digest's window."""
        return window_id(self.end)


class Digest(Record):
    """All that one digest says.

    Attributes:
        title: The desk's.
        start: Of the window, UTC.
        end: Of the window, UTC.
        made_at: UTC.
        before: Counts of the window before, when there was one.
        escalated: Turns that went to a person in the window, the most urgent first.
        waiting: Cases with actions that wait for a yes, the oldest first.
        to_do: Cases with actions that a person is to carry out by hand, the oldest first.
        breached: Cases whose running target is missed, the longest first.
        at_risk: Cases whose running target is in danger, the next first.
        parked: Cases that could not be finished, the oldest first.
        undelivered: Channels of earlier digests that failed in the window, the latest digest first.
        backlog: Cases that wait for a person.
        unread: More cases wait than were looked at.
        demo: A demonstration model wrote some of it.
    """

    desk: str
    title: str
    time_zone: str
    start: datetime
    end: datetime
    made_at: datetime
    counts: Counts = Counts()
    before: Counts | None = None
    escalated: Named = Named()
    waiting: Named = Named()
    to_do: Named = Named()
    breached: Named = Named()
    at_risk: Named = Named()
    parked: Named = Named()
    undelivered: tuple[FailedChannel, ...] = ()
    backlog: int = 0
    unread: bool = False
    demo: bool = False

    @property
    def nothing(self) -> bool:
        """True when there is nothing to report."""
        waits = self.backlog or self.to_do.total or self.unread or self.undelivered
        return self.counts.nothing and not waits


class FiledDigest(Record):
    """A sealed digest as listings show it.

    Attributes:
        failed: The channels that need a person.
    """

    desk: str
    start: datetime
    end: datetime
    sealed_at: datetime
    counts: Counts
    failed: tuple[FailedChannel, ...] = ()


def agreement_id(desk: str, start: datetime) -> str:
    """Name of the partition that says where the window ends that begins there."""
    return f"window:{desk}:{window_id(start)}"


def digest_id(desk: str, window: str) -> str:
    """Name of the partition of one digest, and so part of its effects' keys."""
    return f"{DIGESTS}{desk}:{window}"
