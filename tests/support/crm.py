"""CRMs for tests: deliveries signed as vendors sign them, and a vendor who sends thin ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import azure.functions as func

from devkit.crm import standard as vendor
from entrypoints import webhooks
from entrypoints.http_protocol import answering
from shared.domain.inbound import (
    Acknowledgement,
    Changes,
    CustomerWords,
    Delivery,
    InboundMessage,
)
from shared.domain.outbound import Labels, Post, Stand
from shared.errors import FrontdeskError, UnverifiedError
from tests.support.benches import StandardBench
from tests.support.world import World

STANDARD_SECRET = StandardBench.webhook_secret
MakeWorld = Callable[..., World]
_HANDLER = answering(webhooks.receive_webhook)


async def deliver(
    vendor: str, body: bytes, headers: Mapping[str, str], desk: str = "hotel", **query: str
) -> tuple[func.HttpResponse, Any]:
    """One call of the webhook's function: its answer, and that as JSON when it is."""
    request = func.HttpRequest(
        method="POST",
        url=f"http://127.0.0.1:7071/api/webhooks/{desk}/{vendor}",
        body=body,
        headers=dict(headers),
        params=query,
        route_params={"desk": desk, "vendor": vendor},
    )
    response = await _HANDLER(request)
    raw = response.get_body()
    return response, json.loads(raw) if "json" in (response.mimetype or "") else raw


def standard(
    data: Mapping[str, object],
    at: datetime,
    *,
    event: str = "ticket.created",
    name: str = "msg-1",
    secret: str = STANDARD_SECRET,
) -> tuple[bytes, dict[str, str]]:
    """A Standard Webhooks delivery."""
    return vendor.signed(vendor.event(data, at, event), at, name, secret)


def signed(
    body: bytes, at: datetime, name: str = "msg-1", secret: str = STANDARD_SECRET
) -> tuple[bytes, dict[str, str]]:
    """Any body, signed as Standard Webhooks are."""
    return vendor.signed(body, at, name, secret)


@dataclass
class ThinVendor:
    """A vendor who only says that something happened; its tickets are a dictionary.

    Attributes:
        tickets: Messages by ticket id: the message's id, its author, its text.
        posts: What was written, in order; a key that is there twice was written twice.
        troubles: Raised by the next calls of its API, in their order.
        calls: The names of its API's calls.
        customer: Who wrote whatever is fetched.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "queryable"
    window: float = 0.0
    drafts: bool = False
    polls: bool = False
    tickets: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    troubles: list[FrontdeskError] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    customer: str = ""

    def verify(self, delivery: Delivery, now: datetime) -> None:
        if delivery.headers.get("x-token") != "right":
            raise UnverifiedError("wrong token")

    def read(self, delivery: Delivery) -> Sequence[InboundMessage]:
        return [InboundMessage.model_validate(event) for event in json.loads(delivery.body)]

    def acknowledgement(self, delivery: Delivery) -> Acknowledgement:
        return Acknowledgement(status=200, body="<Ack>true</Ack>", content_type="text/xml")

    async def fetch(self, ticket_id: str, what: str) -> Sequence[CustomerWords]:
        self._call("fetch")
        said = self.tickets.get(ticket_id, [])
        return [
            CustomerWords(id=name, text=text, customer=self.customer)
            for name, who, text in said
            if who == "customer"
        ]

    async def post(self, post: Post) -> str:
        self._call("post")
        self.posts.append(post)
        return f"comment {len(self.posts)}"

    async def find(self, ticket_id: str, key: str) -> str | None:
        self._call("find")
        return next((f"comment {n}" for n, p in enumerate(self.posts, 1) if p.key == key), None)

    async def label(self, labels: Labels) -> str:
        self._call("label")
        self.labels.append(labels)
        return "labels"

    async def stand(self, ticket_id: str, status: Stand, key: str) -> str:
        self._call("stand")
        return status

    async def changed_since(self, mark: str | None, now: datetime) -> Changes:
        self._call("changed_since")
        return Changes((), now.isoformat())

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.troubles:
            raise self.troubles.pop(0)


def thin(*events: Mapping[str, object], token: str = "right") -> tuple[bytes, dict[str, str]]:
    """A delivery of the thin vendor."""
    return json.dumps(events).encode(), {"x-token": token}
