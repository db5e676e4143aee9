"""What every vendor's counterpart can do: open a ticket, write into it, show what came of it."""

from __future__ import annotations

import json
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any, ClassVar, Generic, TypeVar

from devkit.crm.stand_in import VendorApi

Api = TypeVar("Api", bound=VendorApi)


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery: its body, headers and query."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


class Counterpart(ABC, Generic[Api]):
    """One vendor with one ticket: its stand-in, and the deliveries that it makes.

    Args:
        api: The stand-in; one that does not run only keeps what the deliveries are about.
        settings: What the desk has for this vendor, by the last part of the name: ``SECRET``, and
            what deliveries say of the account.
        address: Public address of the webhook, without a query.
        ticket: Its id, as the vendor's connector says it.

    Attributes:
        api_type: The stand-in's class.
        thin: Whether a delivery only tells that there are words, which are then fetched.
        shows_html: Whether the vendor shows what is written as HTML, so that it has to be escaped.
    """

    vendor: ClassVar[str]
    api_type: ClassVar[type[VendorApi]]
    thin: ClassVar[bool] = False
    shows_html: ClassVar[bool] = True

    def __init__(self, api: Api, settings: Mapping[str, str], address: str, ticket: str) -> None:
        self.api = api
        self.settings = settings
        self.address = address
        self.ticket = ticket

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    @property
    def secret(self) -> str:
        """The webhook's; the new one while it is changed."""
        return self.settings["SECRET"].split()[0]

    @staticmethod
    def new_secret() -> str:
        """A secret that nobody knows."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def new_ticket() -> str:
        """The id of a ticket that nobody has."""
        return str(secrets.randbelow(10**8) + 9 * 10**8)

    def signed(self, body: bytes) -> Sent:
        """A delivery with its proof; vendors that sign nothing send a token."""
        return Sent(body, {"x-frontdesk-token": self.secret, "content-type": "application/json"})

    def json(self, body: Any) -> Sent:
        """A delivery of JSON."""
        return self.signed(json.dumps(body).encode())

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

    def stand(self) -> str | None:
        """Whom the ticket waits for: ``waiting``: the customer, ``open``: us; None: no such."""
        return None


def seen(html: str) -> str:
    """What stands in the HTML that a stand-in was given."""
    return unescape(re.sub(r"<[^>]*>", "", html.replace("<br>", "\n")))
