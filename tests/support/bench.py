"""What tests that every vendor passes need of one: its API, and deliveries as it makes them."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any, ClassVar, Generic, TypeVar

from shared.adapters.clocks import ManualClock
from shared.domain.outbound import mark_of
from tests.support.vendor_api import VendorApi

Api = TypeVar("Api", bound=VendorApi)
TOKEN = "a-token-of-thirty-two-characters"


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery: its body, headers and query."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


class Bench(ABC, Generic[Api]):
    """One vendor's stand-in with one ticket.

    Attributes:
        api: The stand-in; its settings are the desk's.
        secret: The webhook's.
        ticket: Its id, as the vendor's connector says it.
        accepted: Status of the answer to a delivery that was taken in.
        priority: The ticket's priority when a case is urgent; None where the vendor has none.
        tagged: Whether the vendor has tags.
        drafts: Whether it has drafts.
        shows_html: Whether it shows what is written as HTML, so that it has to be escaped.
        malformed: Bodies that a sender with the secret gets a 400 for.
        clock: The world's.
    """

    vendor: ClassVar[str]
    ticket: ClassVar[str]
    secret: ClassVar[str] = TOKEN
    accepted: ClassVar[int] = 202
    priority: ClassVar[object] = None
    tagged: ClassVar[bool] = False
    drafts: ClassVar[bool] = False
    shows_html: ClassVar[bool] = True
    malformed: ClassVar[tuple[bytes, ...]]

    def __init__(self, api: Api) -> None:
        self.api = api
        self.clock = ManualClock()

    def signed(self, body: bytes) -> Sent:
        """A delivery with its proof; vendors that sign nothing send a token."""
        return Sent(body, {"x-frontdesk-token": self.secret, "content-type": "application/json"})

    def forged(self, sent: Sent) -> list[Sent]:
        """Deliveries that are not the vendor's."""
        return [
            replace(sent, headers={}, query={}),
            replace(sent, headers={**sent.headers, "x-frontdesk-token": self.secret[:-1]}),
            replace(sent, headers={}, query={"code": self.secret + "x"}),
        ]

    def receipt(self, key: str) -> str:
        """What the stand-in's ledger holds of an effect with that key."""
        return mark_of(key)

    @abstractmethod
    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        """A customer opens the ticket."""

    @abstractmethod
    def replied(self, text: str) -> Sent:
        """A customer writes into it again."""

    @abstractmethod
    def answered(self, text: str) -> Sent:
        """A colleague answers in it."""

    @abstractmethod
    def returned(self) -> list[Sent]:
        """Everything that Frontdesk wrote into it, as the vendor tells of it."""

    @abstractmethod
    def written(self) -> list[tuple[str, str]]:
        """What Frontdesk wrote into it: ``public``, ``note`` or ``draft``, and the text."""

    @abstractmethod
    def labels(self) -> tuple[set[str], object]:
        """The ticket's tags and priority."""

    def json(self, body: Any) -> Sent:
        """A delivery of JSON."""
        return self.signed(json.dumps(body).encode())


def seen(html: str) -> str:
    """What stands in the HTML that a stand-in was given."""
    return unescape(re.sub(r"<[^>]*>", "", html.replace("<br>", "\n")))
