"""What tests that every vendor passes expect of one, besides what its counterpart can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from devkit.crm.counterpart import Api, Counterpart, Sent
from shared.adapters.clocks import ManualClock
from shared.domain.outbound import mark_of
from shared.ports import Clock

TOKEN = "a-token-of-thirty-two-characters"


class Bench(Counterpart[Api]):
    """One vendor's counterpart with one ticket and a clock.

    Attributes:
        sample: The ticket's id.
        webhook_secret: The webhook's.
        accepted: Status of the answer to a delivery that was taken in.
        priority: The ticket's priority when a case is urgent; None where the vendor has none.
        tagged: Whether the vendor has tags.
        own_tags: Those that the ticket had before.
        drafts: Whether it has drafts.
        stands: Whether a ticket can wait for its customer.
        malformed: Bodies that a sender with the secret gets a 400 for.
        clock: The world's.
    """

    sample: ClassVar[str]
    webhook_secret: ClassVar[str] = TOKEN
    accepted: ClassVar[int] = 202
    priority: ClassVar[object] = None
    tagged: ClassVar[bool] = False
    own_tags: ClassVar[frozenset[str]] = frozenset({"vip"})
    drafts: ClassVar[bool] = False
    stands: ClassVar[bool] = False
    malformed: ClassVar[tuple[bytes, ...]]

    def __init__(self, api: Api) -> None:
        self.clock: Clock = ManualClock()
        self.off = timedelta()
        super().__init__(
            api,
            {**api.credentials, "SECRET": self.webhook_secret},
            f"http://127.0.0.1:7071/api/webhooks/hotel/{self.vendor}",
            self.sample,
        )

    def now(self) -> datetime:
        return self.clock.now() + self.off

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

    def _without(self, sent: Sent, *names: str) -> list[Sent]:
        """The delivery without one of these headers, and with another body."""
        lacking = [{k: v for k, v in sent.headers.items() if k != name} for name in names]
        return [
            *(replace(sent, headers=headers) for headers in lacking),
            replace(sent, body=sent.body + b" "),
        ]

    def _at(self, seconds: float, body: bytes) -> Sent:
        """The body signed at another time than now."""
        self.off = timedelta(seconds=seconds)
        sent = self.signed(body)
        self.off = timedelta()
        return sent
