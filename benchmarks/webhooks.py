"""How fast webhooks are answered, and whether each message becomes one turn of one case.

    .frontdesk/venv/bin/python -m benchmarks.webhooks [--deliveries 1000] [--rate 3]

Deliveries of eight vendors come at a rate, whether or not the ones before are answered: 5 % come
twice, 2 % are forged, some second messages come before the first, and times of signatures differ
by minutes. Tickets are worked on and written into meanwhile. Host, Azurite on disk, emulator, the
vendors' stand-ins and this process share the machine. A delivery's time runs from the moment at
which it was due. Prints JSON, and exits with 1 when a message is lost, doubled or let in without
right.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from benchmarks.pipeline import ROOT, emulator
from devkit.azurite import Azurite
from devkit.crm import counterpart_of
from devkit.crm.counterpart import Counterpart, Sent
from devkit.crm.stand_in import VendorApi
from devkit.processes import start
from devkit.setup import MODEL_SETTINGS

#: HubSpot's stand-in has one thread, whatever the ticket.
VENDORS = (
    "chatwoot",
    "dynamics365",
    "freshdesk",
    "intercom",
    "salesforce",
    "servicenow",
    "standard",
    "zendesk",
)
_DESK = "hotel"
_DUPLICATES, _FORGED, _FOLLOWED_UP, _OVERTAKEN = 0.05, 0.02, 0.4, 0.3
#: Seconds that signatures' times are off; five minutes are allowed.
_OFF = (-200.0, 100.0)
_TEXTS = ("My room is dirty and nobody came.", "Thank you, lovely stay!")
_LIMIT = 600.0
_ACCEPTED = (200, 202)
#: Seconds until a delivery that failed is made again.
_PAUSES = (2.0, 10.0, 30.0)


@dataclass
class Planned:
    """One delivery that is to be made.

    Attributes:
        what: ``genuine``, ``duplicate`` or ``forged``.
        mark: What stands in the message, and in no other.
        sign: Makes the delivery, signed now.
        status: Of the last answer; 0 without one.
        seconds: From the moment at which it was due to its first answer.
        errors: Answers with 5xx, and missing ones; then it was delivered again.
    """

    vendor: str
    what: str
    ticket: str
    mark: str
    sign: Callable[[], Sent]
    status: int = 0
    seconds: float = 0.0
    errors: int = 0


@dataclass
class Vendors:
    """The stand-ins, and the secrets of their webhooks."""

    apis: dict[str, VendorApi]
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Settings of the host."""
        found: dict[str, str] = {}
        for vendor, api in self.apis.items():
            api.keeps_tokens = True
            self.secrets[vendor] = counterpart_of(vendor).new_secret()
            found |= api.settings(_DESK, self.secrets[vendor])
        return {f"FRONTDESK_CRM_{name}": value for name, value in found.items()}

    def ticket(self, vendor: str, off: float, secret: str = "") -> Counterpart[Any]:
        """A new ticket, whose deliveries are signed by a clock that is off by so many seconds."""
        kind, api = counterpart_of(vendor), self.apis[vendor]
        settings = {**api.credentials, "SECRET": secret or self.secrets[vendor]}
        if secret:
            # Forgers' tickets are in no CRM.
            api = kind.api_type()
        made = kind(api, settings, f"/api/webhooks/{_DESK}/{vendor}", kind.new_ticket())
        setattr(made, "now", lambda: datetime.now(UTC) + timedelta(seconds=off))  # noqa: B010
        return made


def plan(vendors: Vendors, deliveries: int, seed: int) -> list[Planned]:
    """Deliveries in the order in which they are made."""
    dice = Random(seed)
    genuine: list[Planned] = []
    forged: list[Planned] = []
    twice, alien = (max(1, round(share * deliveries)) for share in (_DUPLICATES, _FORGED))
    fresh = deliveries - twice - alien
    while len(genuine) < fresh:
        vendor = VENDORS[len(genuine) % len(VENDORS)]
        ticket = vendors.ticket(vendor, dice.uniform(*_OFF))
        said = [_said(ticket, "genuine", f"[m{len(genuine)}-1]", dice, first=True)]
        if dice.random() < _FOLLOWED_UP and len(genuine) + 2 <= fresh:
            said.append(_said(ticket, "genuine", f"[m{len(genuine)}-2]", dice, first=False))
        if dice.random() < _OVERTAKEN:
            said.reverse()
        genuine += said
    for number in range(alien):
        vendor = VENDORS[number % len(VENDORS)]
        wrong = counterpart_of(vendor).new_secret()
        ticket = vendors.ticket(vendor, 0.0, wrong)
        forged.append(_said(ticket, "forged", f"[f{number}]", dice, first=True))
    planned = list(genuine)
    for one in [*dice.sample(genuine, twice), *forged]:
        again = Planned(one.vendor, "duplicate", one.ticket, one.mark, one.sign)
        added = again if one.what == "genuine" else one
        after = planned.index(one) + 1 if one.what == "genuine" else 0
        planned.insert(dice.randint(after, len(planned)), added)
    return planned


def _said(ticket: Counterpart[Any], what: str, mark: str, dice: Random, *, first: bool) -> Planned:
    text = f"{mark} {dice.choice(_TEXTS)}"
    sent = ticket.opened(text) if first else ticket.replied(text)
    return Planned(ticket.vendor, what, ticket.ticket, mark, lambda: ticket.signed(sent.body))


@contextlib.asynccontextmanager
async def stack(folder: Path) -> AsyncIterator[tuple[str, Vendors]]:
    """The host's address over a stack of its own, and the vendors that it knows."""
    async with contextlib.AsyncExitStack() as all_:
        vendors = Vendors({vendor: counterpart_of(vendor).api_type() for vendor in VENDORS})
        for api in vendors.apis.values():
            await all_.enter_async_context(api)
        azurite = Azurite(folder / "data", folder / "azurite.log")
        storage = await asyncio.to_thread(azurite.start)
        all_.push_async_callback(asyncio.to_thread, storage.stop)
        await asyncio.to_thread(azurite.wait_ready)
        url = all_.enter_context(emulator(0))
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            **dict.fromkeys(MODEL_SETTINGS, " "),
            **vendors.environment,
            "AzureWebJobsStorage": azurite.connection_string,
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": "k",
            "OPENAI_MODEL": "m",
            "FRONTDESK_LOG_LEVEL": "WARNING",
            "FRONTDESK_STATE": str(folder / "state"),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "devkit.host", "--app", str(ROOT), "--port", "0"]
        host = start("host", command, log=folder / "host.log", environment=environment, folder=ROOT)
        all_.push_async_callback(asyncio.to_thread, host.stop)
        found = await asyncio.to_thread(host.wait_for_line, r"Host ready on (http://\S+)", 90.0)
        yield found[1], vendors


async def measure(deliveries: int, rate: float, seed: int) -> dict[str, Any]:
    """Makes the deliveries, waits until all cases are at rest, and judges them."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-webhooks-") as name:
        async with stack(Path(name)) as (url, vendors), aiohttp.ClientSession(url) as client:
            planned = plan(vendors, deliveries, seed)
            # The first request of a host that has just started loads the app.
            async with client.get("/api/cases") as answer:
                await answer.read()
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number, one in enumerate(planned):
                    due = began + number / rate
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    group.create_task(_make(client, one, due))
            took = time.perf_counter() - began
            cases = await _settled(client)
    report = judge(planned, cases)
    offered = f"{deliveries} deliveries, {rate:g} a second, of {len(VENDORS)} vendors"
    return {"offered": offered, "seconds": round(took, 1), **report}


async def _make(client: aiohttp.ClientSession, one: Planned, due: float) -> None:
    """Delivers, and again like a vendor while the answer is a failure."""
    path = f"/api/webhooks/{_DESK}/{one.vendor}"
    for pause in _PAUSES:
        one.status, sent = 0, one.sign()
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with client.post(
                path, data=sent.body, headers=dict(sent.headers), params=dict(sent.query)
            ) as answer:
                await answer.read()
                one.status = answer.status
        one.seconds = one.seconds or time.perf_counter() - due
        if 0 < one.status < 500:
            return
        one.errors += 1
        await asyncio.sleep(pause)


async def _settled(client: aiohttp.ClientSession) -> list[dict[str, Any]]:
    """Every case, once none is at work."""
    until = time.monotonic() + _LIMIT
    while True:
        listed = await _listed(client)
        if all(case["status"] not in ("open", "working") for case in listed):
            break
        if time.monotonic() > until:
            raise TimeoutError("cases are still at work")
        await asyncio.sleep(1.0)
    return [await _got(client, f"/api/cases/{entry['case_id']}") for entry in listed]


async def _listed(client: aiohttp.ClientSession) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = {"limit": "100"}
    while True:
        page = await _got(client, "/api/cases", **query)
        found += page["cases"]
        if not page["next"]:
            return found
        query["cursor"] = page["next"]


async def _got(client: aiohttp.ClientSession, path: str, **query: str) -> dict[str, Any]:
    """What stands there, as soon as a busy host says it."""
    until = time.monotonic() + _LIMIT
    while time.monotonic() < until:
        async with client.get(path, params=query) as answer:
            if answer.status == 200:
                said: dict[str, Any] = await answer.json()
                return said
        await asyncio.sleep(1.0)
    raise TimeoutError(path)


def judge(planned: list[Planned], cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of each vendor and of all, and in ``wrong`` whatever should not be."""
    wrong: list[str] = []
    made: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        channel = case["channel"]
        made[channel["source"], channel["external_id"]].append(case)
    tickets = {(one.vendor, one.ticket) for one in planned if one.what == "genuine"}
    wrong += [f"{which} is {len(made[which])} cases" for which in tickets if len(made[which]) != 1]
    wrong += [f"a case of nobody's ticket: {which}" for which in made.keys() - tickets]
    for one in planned:
        expected = (401,) if one.what == "forged" else _ACCEPTED
        if one.status not in expected:
            wrong.append(f"{one.what} {one.mark} of {one.vendor} was answered with {one.status}")
        turns = [
            turn
            for case in made[one.vendor, one.ticket]
            for turn in case["turns"]
            if one.mark in turn["text"]
        ]
        if len(turns) != (0 if one.what == "forged" else 1):
            wrong.append(f"{one.what} {one.mark} of {one.vendor} is in {len(turns)} turns")
    by_vendor = {
        vendor: _figures([one for one in planned if one.vendor == vendor], made)
        for vendor in VENDORS
    }
    return {"vendors": by_vendor, "total": _figures(planned, made), "wrong": wrong}


def _figures(
    planned: list[Planned], made: Mapping[tuple[str, str], list[dict[str, Any]]]
) -> dict[str, Any]:
    what = Counter(one.what for one in planned)
    times = sorted(one.seconds * 1000 for one in planned)
    tickets = {(one.vendor, one.ticket) for one in planned if one.what != "forged"}
    forged = {(one.vendor, one.ticket) for one in planned if one.what == "forged"}
    return {
        "messages": what["genuine"],
        "tickets": len(tickets),
        "cases": sum(len(made.get(which, ())) for which in tickets),
        "duplicates": what["duplicate"],
        "forged": what["forged"],
        "cases_of_forged": sum(len(made.get(which, ())) for which in forged),
        "errors": sum(one.errors for one in planned),
        **{f"p{share}_ms": round(_percentile(times, share)) for share in (50, 95, 99)},
    }


def _percentile(times: list[float], share: int) -> float:
    return times[min(len(times) - 1, len(times) * share // 100)] if times else 0.0


def main() -> int:
    """Measures, and prints the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--deliveries", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=3.0, help="deliveries a second")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report = asyncio.run(measure(given.deliveries, given.rate, given.seed))
    print(json.dumps(report, indent=2))
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
