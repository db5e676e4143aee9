"""What carries actions out, and its ledgers.

``actions serve``'s service stands behind a door that fails by the seed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

import aiohttp
from aiohttp import web

from devkit.actions import read_ledger
from devkit.loopback import LoopbackServer
from devkit.processes import Child, start
from devkit.setup import ROOT
from shared.domain.desk import Desk
from shared.domain.service_document import service_document
from shared.ports.tickets import TicketLedger
from tests.chaos.evidence import Carried
from tests.support.service import Fault

_START_LIMIT = 60.0


class ActionService(LoopbackServer):
    """A process that takes what the desks' catalogues allow, and what stands before it.

    Args:
        folder: For its ledger, its document and its log.
        faults: For the next requests, in their order.
    """

    route: ClassVar[tuple[str, str]] = ("POST", "/{path:.*}")

    def __init__(self, folder: Path, desks: Iterable[Desk], faults: Iterable[Fault]) -> None:
        self.faults = deque(faults)
        self._ledger = folder / "actions.jsonl"
        self._document = folder / "actions.json"
        self._document.write_text(json.dumps(service_document(desks)))
        self._log = folder / "actions.log"
        self._child: Child | None = None
        self._behind = ""

    async def __aenter__(self) -> Self:
        command = [sys.executable, "-m", "devkit.actions", "--port", "0"]
        command += ["--document", str(self._document), "--ledger", str(self._ledger)]
        self._child = start("actions", command, log=self._log, folder=ROOT)
        ready = await asyncio.to_thread(
            self._child.wait_for_line, r"Actions ready on (http://\S+)", _START_LIMIT
        )
        self._behind = ready[1]
        self._session = aiohttp.ClientSession()
        return await super().__aenter__()

    async def __aexit__(self, *about: object) -> None:
        await super().__aexit__(*about)
        await self._session.close()
        if self._child:
            await asyncio.to_thread(self._child.stop)

    def carried(self) -> list[Carried]:
        """What its ledger holds."""
        return [
            Carried(
                sink="action-http",
                key=entry.key,
                at=datetime.fromisoformat(entry.at),
                name=entry.path.rpartition("/")[2],
                arguments=entry.body["arguments"],
            )
            for entry in read_ledger(self._ledger)
        ]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        """Passes a request on, unless its fault keeps it back; then the answer, or none."""
        body = await request.read()
        fault = self.faults.popleft() if self.faults else Fault(keep=True, status=0)
        status, said = fault.status, b""
        if fault.keep:
            headers = {"Content-Type": "application/json"}
            if key := request.headers.get("Idempotency-Key"):
                headers["Idempotency-Key"] = key
            url = self._behind + request.path
            async with self._session.post(url, data=body, headers=headers) as answer:
                said = await answer.read()
                status = status or answer.status
        await asyncio.sleep(fault.hang)
        if fault.cut and request.transport is not None:
            request.transport.abort()
        return web.Response(
            body=said, status=status or 503, headers=fault.headers, content_type="application/json"
        )


def read_calls(file: Path) -> list[Carried]:
    """What ``tests/chaos/functions.py`` carried out; a line that was cut off never happened."""
    found = []
    for line in file.read_text().splitlines() if file.exists() else ():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        found.append(
            Carried(
                sink="action-python",
                key=said["key"],
                at=datetime.fromtimestamp(said["at"], UTC),
                name="call_driver",
                arguments=said["arguments"],
            )
        )
    return found


async def read_tickets(ledger: TicketLedger) -> list[Carried]:
    """What became a ticket; only the garage's orders do."""
    return [
        Carried(
            sink="action-ticket",
            key=ticket.reference,
            at=ticket.at,
            name="order_part",
            arguments={"part": ticket.text.partition("\n")[0].removeprefix("part: ")},
        )
        for ticket in await ledger.entries("garage", 100_000)
    ]
