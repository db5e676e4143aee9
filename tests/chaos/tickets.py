"""Customers who write in a CRM: every vendor's webhooks come, and its stand-in is written into.

Deliveries come late, twice, in another order and forged, some of them never, and what was written
into a ticket is told of as the vendor would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random
from typing import Any, Self
from urllib.parse import urlencode

from devkit.crm.counterpart import Sent
from devkit.crm.stand_in import Fault
from shared.adapters.clocks import SystemClock
from shared.adapters.crm_connectors import vendor_class
from tests.chaos.evidence import Books, Words, token
from tests.chaos.wire import Answer, Request, Wire
from tests.support.bench import Bench
from tests.support.benches import BENCHES

#: Replies are public at the first and notes at the second; most tickets are the first's.
_DESKS = ("garage", "garage", "hotel")
_TEXTS = (
    "My room is dirty and nobody came.",
    "Thank you for the lovely stay!",
    "I was charged twice and want my money back.",
    "At what time do you open tomorrow?",
)
_REDELIVERED, _FORGED, _LOST, _TOLD = 0.1, 0.1, 0.2, 0.3
_FOLLOWED_UP, _OVERTAKEN = 0.4, 0.3
#: HubSpot's stand-in has one thread, whatever the ticket.
_VENDORS = tuple(sorted(BENCHES.keys() - {"hubspot"}))
#: Vendors whose stand-ins keep the times by which a poll finds what a webhook lost.
_POLLED = ("chatwoot",)


class Tickets:
    """All vendors, and the customers who write in them.

    Args:
        seed: Of who does what.
        wire: To the hosts.
        public_url: What vendors know the hosts by.
        fault: Makes what goes wrong with a request to a vendor; None when nothing does.

    Attributes:
        words: What customers wrote and a vendor told of, or a poll has to find.
        case_ids: Cases that deliveries opened or went to, where the answer names them.
        forged: Tickets of which nothing but forged deliveries came.
        redelivered: Deliveries that came a second time.
        refused: Forged deliveries that were refused.
        lost: Deliveries that never came.
        opened: Tickets with a delivery that was answered, or lost.
    """

    def __init__(
        self, seed: int, wire: Wire, public_url: str, fault: Callable[[], Fault] | None
    ) -> None:
        self.words: list[Words] = []
        self.case_ids: set[str] = set()
        self.forged: set[str] = set()
        self.redelivered = self.refused = self.lost = self.opened = 0
        self._seed = seed
        self._wire = wire
        self._public_url = public_url
        # Each desk has an account of its own: a poll looks into all of it.
        self._apis = {
            (vendor, desk): BENCHES[vendor].api_type()
            for vendor in _VENDORS
            for desk in sorted(set(_DESKS))
        }
        self._benches: dict[str, Bench[Any]] = {}
        for api in self._apis.values():
            api.keeps_tokens = True
            api.fault = fault

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for api in self._apis.values():
                await stack.enter_async_context(api)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def environment(self) -> dict[str, str]:
        """Settings of the hosts."""
        found: dict[str, str] = {}
        for (vendor, desk), api in self._apis.items():
            found |= api.settings(desk, BENCHES[vendor].webhook_secret)
        return {f"FRONTDESK_CRM_{name}": value for name, value in found.items()}

    @property
    def polled(self) -> set[str]:
        """The marks of the polls that have to find what was lost."""
        return {f"{desk} {vendor}" for desk in _DESKS for vendor in _POLLED}

    def calm_down(self) -> None:
        """From here on nothing fails."""
        for api in self._apis.values():
            api.fault = None

    def books(self) -> dict[str, Books]:
        """What each vendor says was written into its tickets."""
        return {vendor: self._booked(vendor) for vendor in _VENDORS}

    async def visit(self, number: int) -> None:
        """One customer opens a ticket, and may write into it again."""
        dice = Random(f"{self._seed} ticket {number}")
        vendor, desk = dice.choice(_VENDORS), dice.choice(_DESKS)
        bench = self._bench(vendor, desk, self._apis[vendor, desk])
        deliveries = [self._written(bench, desk, number, 1, dice, bench.opened)]
        if dice.random() < _FOLLOWED_UP:
            deliveries.append(self._written(bench, desk, number, 2, dice, bench.replied))
        if dice.random() < _OVERTAKEN:
            deliveries.reverse()
        if dice.random() < _FORGED:
            await self._forge(vendor, desk, number, dice)
        for earlier, sent in enumerate(deliveries):
            if vendor in _POLLED and dice.random() < _LOST:
                self.lost += 1
                self.opened += not earlier
                continue
            await self._deliver(bench, sent, dice)
            self.opened += not earlier
            if dice.random() < _REDELIVERED:
                await asyncio.sleep(dice.uniform(0.0, 2.0))
                self.redelivered += 1
                await self._deliver(bench, sent, dice)
            await asyncio.sleep(dice.uniform(0.0, 2.0))
        if dice.random() < _TOLD:
            await asyncio.sleep(dice.uniform(0.0, 6.0))
            for sent in bench.returned()[-2:]:
                await self._deliver(bench, sent, dice)

    def _bench(self, vendor: str, desk: str, api: Any) -> Bench[Any]:
        bench = BENCHES[vendor](api)
        bench.clock = SystemClock()
        bench.ticket = bench.new_ticket()
        bench.address = f"{self._public_url}/api/webhooks/{desk}/{vendor}"
        self._benches.setdefault(bench.ticket, bench)
        return bench

    def _written(
        self,
        bench: Bench[Any],
        desk: str,
        number: int,
        turn: int,
        dice: Random,
        write: Callable[[str], Sent],
    ) -> Sent:
        text = f"{token(number, turn)} {dice.choice(_TEXTS)}"
        self.words.append(Words(bench.vendor, desk, bench.ticket, text))
        return write(text)

    async def _deliver(self, bench: Bench[Any], sent: Sent, dice: Random) -> None:
        answer = await self._send(bench, lambda: bench.signed(sent.body), dice)
        if answer.status != bench.accepted:
            self._trouble(bench, answer)
        elif answer.body.startswith(b'{"cases"'):
            self.case_ids |= set(answer.json["cases"])

    async def _forge(self, vendor: str, desk: str, number: int, dice: Random) -> None:
        """Deliveries of a ticket of the vendor's, none of them by the vendor."""
        bench = self._bench(vendor, desk, BENCHES[vendor].api_type())
        self.forged.add(bench.ticket)
        sent = bench.opened(f"{token(number, 99)} {_TEXTS[0]}")
        forged = bench.forged(sent)
        for one in dice.sample(forged, min(2, len(forged))):
            answer = await self._send(bench, lambda one=one: one, dice)  # type: ignore[misc]
            if answer.status != 401:
                self._trouble(bench, answer)
            self.refused += 1

    async def _send(self, bench: Bench[Any], make: Callable[[], Sent], dice: Random) -> Answer:
        path = bench.address.removeprefix(self._public_url)

        def request() -> Request:
            sent = make()
            query = f"?{urlencode(sent.query)}" if sent.query else ""
            return Request(path + query, sent.body, sent.headers)

        return await self._wire.send(request, dice)

    def _trouble(self, bench: Bench[Any], answer: Answer) -> None:
        self._wire.troubles.append(
            f"a delivery of {bench.vendor} {bench.ticket} was answered with {answer.status}: "
            f"{answer.body[:200]!r}"
        )

    def _booked(self, vendor: str) -> Books:
        apis = [api for (name, _), api in self._apis.items() if name == vendor]
        benches = [one for one in self._benches.values() if one.api in apis]
        # The labels of Standard Webhooks are events of no ticket in particular.
        tagged = BENCHES[vendor].tagged and vendor != "standard"
        return Books(
            kind=vendor_class(vendor).kind,
            ledger=[receipt for api in apis for receipt in api.ledger],
            receipt=BENCHES[vendor](apis[0]).receipt,
            untagged={
                one.ticket for one in benches if tagged and "frontdesk" not in one.labels()[0]
            },
        )
