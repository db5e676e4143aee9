"""What the connectors of all vendors have in common; a vendor's file adds what is its own."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from shared.domain.inbound import (
    Acknowledgement,
    Changes,
    CustomerWords,
    Delivery,
    InboundMessage,
)
from shared.domain.outbound import Labels, Post, Stand
from shared.errors import ConfigError, PermanentError, RequestError


@dataclass(frozen=True, slots=True)
class Access:
    """What is configured for one desk and vendor.

    Attributes:
        values: By the last part of the setting's name, such as ``SECRET``.
        prefix: The first part, ``FRONTDESK_CRM_HOTEL_ZENDESK_``.
        development: Whether plain http to loopback is allowed.
    """

    prefix: str
    values: Mapping[str, str] = field(repr=False)
    development: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The webhook's secrets: the new and the old with a space between while one is changed."""
        return tuple(self.values.get("SECRET", "").split())

    def need(self, name: str) -> str:
        """A setting that what is asked for cannot do without.

        Raises:
            PermanentError: ``connector_not_configured``, it is not set.
        """
        value = self.values.get(name, "").strip()
        if not value:
            raise PermanentError(
                "connector_not_configured", f"set {self.prefix}{name}, then replay"
            )
        return value

    def misset(self, name: str, why: str) -> ConfigError:
        """The error for a setting of no use; never repeats its value."""
        return ConfigError(f"{self.prefix}{name}: {why}")


class VendorConnector(ABC):
    """One vendor's CRM for one desk. The port ``Connector`` says what each method is for.

    Attributes:
        settings: What can be set, by the last part of the name, with a line for people.
        needs: Those without which its webhook answers 404.
        writes: Those that reading and writing tickets needs; any one of the sets is enough.
        paste: Where in the vendor's screens the webhook's address goes.
        query: What stands behind the address there.
        poll_needs: Settings without which a vendor that could be polled is not.
    """

    settings: ClassVar[Mapping[str, str]]
    needs: ClassVar[tuple[str, ...]] = ("SECRET",)
    writes: ClassVar[tuple[tuple[str, ...], ...]]
    paste: ClassVar[str]
    query: ClassVar[str] = ""
    poll_needs: ClassVar[tuple[str, ...]] = ()
    kind: Literal["keyed", "queryable", "unkeyed"] = "queryable"
    window: float = 0.0
    drafts: bool = False
    polls: bool = False

    def __init__(self, access: Access) -> None:
        self.access = access

    @abstractmethod
    def verify(self, delivery: Delivery, now: datetime) -> None:
        """Raises UnverifiedError unless the vendor sent it."""

    @abstractmethod
    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        """The events of a verified delivery."""

    def acknowledgement(self, delivery: Delivery) -> Acknowledgement:
        """Our own JSON: most vendors read only the status."""
        return Acknowledgement()

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        """For vendors whose deliveries are whole, there is nothing to fetch."""
        raise PermanentError("nothing_to_fetch")

    @abstractmethod
    async def post(self, post: Post) -> str:
        """Writes into a ticket."""

    async def find(self, ticket_id: str, key: str) -> str | None:
        """Never asked of keyed vendors."""
        return None

    @abstractmethod
    async def label(self, labels: Labels) -> str:
        """Sets tags and priority."""

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        """For vendors whose tickets have no status of that meaning."""
        return "nothing: this CRM has no status for it"

    async def changed_since(self, mark: str | None, now: datetime) -> Changes:
        """Only of vendors that are polled."""
        return Changes((), mark or "")


def json_of(delivery: Delivery) -> Any:
    """The delivery's body as JSON.

    Raises:
        RequestError: 400, with where it goes wrong and nothing of what it holds.
    """
    try:
        return json.loads(delivery.body.decode())
    except UnicodeDecodeError as error:
        raise RequestError(400, "Not UTF-8", f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise RequestError(400, "Not JSON", f"not valid JSON at {where}") from None
    except (RecursionError, ValueError):
        raise RequestError(400, "Not JSON", "nested too deeply, or a number too long") from None


def part(value: Any, *path: str) -> Any:
    """Something deep in a body; None where the body does not have it."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def first_of(value: Any, *path: str) -> Any:
    """The first of the list at the end of such a path; None for an empty one or anything else."""
    found = part(value, *path)
    return found[0] if isinstance(found, list) and found else None


def text_of(value: Any) -> str:
    """A text in a body; empty for anything else."""
    return value if isinstance(value, str) else ""


def higher(order: Sequence[object], wanted: object, present: object) -> bool:
    """Whether a priority is above the present one, lowest first.

    One of the customer's own, which is in no order, is left as it is.
    """
    return present is None or (present in order and order.index(wanted) > order.index(present))


def not_theirs(what: str) -> RequestError:
    """The error for a body that is JSON and not what the vendor sends."""
    return RequestError(400, "Not this vendor's", what)
