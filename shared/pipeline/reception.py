"""Takes a webhook's delivery in: verified first, then read, stored and queued. Nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.desk import Desk, Desks
from shared.domain.inbound import Acknowledgement, Delivery, InboundMessage
from shared.errors import RequestError, UnverifiedError
from shared.pipeline.intake import Intake
from shared.ports import Clock
from shared.ports.crm import Connectors
from shared.telemetry import logger

_log = logger("webhooks")


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery.

    Attributes:
        acknowledgement: What the vendor wants to hear.
        cases: The cases that its messages went to, in their order.
        counts: Messages by ``accepted``, ``redelivered``, ``echo``, ``ignored``.
    """

    acknowledgement: Acknowledgement
    cases: tuple[str, ...]
    counts: Counter[str]


class Reception:
    """The one way in for everything that a CRM sends, or that a poll finds in it."""

    def __init__(self, intake: Intake, connectors: Connectors, desks: Desks, clock: Clock) -> None:
        self._intake = intake
        self._connectors = connectors
        self._desks = desks
        self._clock = clock

    async def take(self, desk_name: str, vendor: str, delivery: Delivery) -> Received:
        """Takes one delivery in.

        Raises:
            RequestError: 404 nothing is configured here, 401 not verified, 400 not readable.
            RetryableError: Storage is down; whatever is missing comes with the next delivery.
        """
        desk = self._desks.get(desk_name)
        connector = self._connectors.get(desk_name, vendor) if desk else None
        if desk is None or connector is None:
            raise RequestError(404, "No such webhook", "This desk has no secret for this vendor.")
        where = {"desk": desk_name, "vendor": vendor}
        try:
            connector.verify(delivery, self._clock.now())
        except UnverifiedError as error:
            _log.warning("webhook refused", extra={**where, "reason": error.reason})
            raise RequestError(401, "Not verified", "The signature is missing or wrong.") from None
        try:
            messages = connector.read(delivery)
        except RequestError as error:
            _log.warning("webhook not readable", extra={**where, "reason": error.detail})
            raise
        counts: Counter[str] = Counter()
        cases = await self.feed(desk, vendor, messages, counts)
        _log.info("webhook taken in", extra={**where, "counts": dict(counts)})
        return Received(connector.acknowledgement(delivery), tuple(cases), counts)

    async def feed(
        self, desk: Desk, vendor: str, messages: Sequence[InboundMessage], counts: Counter[str]
    ) -> list[str]:
        """Takes messages in; says to which cases they went."""
        cases: list[str] = []
        for message in messages:
            if not message.from_customer:
                counts[message.kind] += 1
                _log.info(
                    "event ignored",
                    extra={"desk": desk.name, "vendor": vendor, "event": message.event[:80]},
                )
                continue
            accepted = await self._intake.receive(desk, vendor, message)
            counts["redelivered" if accepted.redelivered else "accepted"] += 1
            cases.append(accepted.case_id)
        return cases
