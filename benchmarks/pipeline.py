"""How long a case takes and what it costs in storage calls: the real host, Azurite, the emulator.

    .frontdesk/venv/bin/python -m benchmarks.pipeline [--cases 200] [--in-flight 100]

Azurite on disk, the emulator and this process (host, app and load) share the machine. Prints JSON;
ratios between its figures carry over to other machines, seconds do not.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from devkit.azurite import Azurite

ROOT = Path(__file__).resolve().parent.parent
MODEL_MS = 300
NEGATIVE, POSITIVE = "My room is dirty and nobody came.", "Thank you, lovely stay!"
_LIMIT = 300.0

calls: collections.Counter[str] = collections.Counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--in-flight", type=int, default=100)
    parser.add_argument("--model-ms", type=int, help="one part of it only, in this process")
    arguments = parser.parse_args()
    if arguments.model_ms is None:
        # A process can index a function app once.
        for latency in (MODEL_MS, 0):
            command = [sys.executable, "-m", "benchmarks.pipeline", *sys.argv[1:]]
            subprocess.run([*command, "--model-ms", str(latency)], cwd=ROOT, check=True)
        return
    count_storage_calls()
    with (
        tempfile.TemporaryDirectory() as folder,
        Azurite(Path(folder)) as azurite,
        emulator(arguments.model_ms) as url,
    ):
        os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_MODEL": "m", "OPENAI_API_KEY": "k"}
        os.environ["AzureWebJobsStorage"] = azurite.connection_string
        os.environ["FRONTDESK_LOG_LEVEL"] = "WARNING"
        found = asyncio.run(measure(arguments.model_ms, arguments.cases, arguments.in_flight))
    print(json.dumps(found, indent=2))


def count_storage_calls() -> None:
    """Counts every request that leaves through the SDKs, by service and method."""
    send = AioHttpTransport.send

    async def counted(self: Any, request: Any, **more: Any) -> Any:
        path = re.sub(r"\(.*", "", request.url.split("?")[0])
        kind = "queue" if "/messages" in path else "table"
        calls[f"{kind} {request.method}"] += 1
        return await send(self, request, **more)

    AioHttpTransport.send = counted


@contextlib.contextmanager
def emulator(latency: int) -> Iterator[str]:
    """The emulator as a process of its own; its /v1 address."""
    command = [sys.executable, "-m", "devkit.emulator", "--port", "0", "--latency-ms", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1] + "/v1"
    finally:
        process.terminate()
        process.wait(10)


async def measure(latency: int, cases: int, in_flight: int) -> dict[str, Any]:
    from devkit.host.server import LocalHost

    logging.getLogger("devkit.host").setLevel(logging.WARNING)
    async with LocalHost(ROOT, port=0) as host, aiohttp.ClientSession(host.url) as client:
        await one(client, POSITIVE)
        if latency:
            return {
                f"idle, {latency} ms a call": {
                    "negative": await idle(client, NEGATIVE, 2 * latency),
                    "positive": await idle(client, POSITIVE, latency),
                }
            }
        return {
            f"{in_flight} in flight, 0 ms a call": {
                "negative": await busy(client, NEGATIVE, cases, in_flight),
                "positive": await busy(client, POSITIVE, cases, in_flight),
            }
        }


async def idle(client: aiohttp.ClientSession, text: str, model_ms: int) -> dict[str, Any]:
    """Cases one after the other: milliseconds from their arrival to their last row."""
    took = []
    for _ in range(15):
        await asyncio.sleep(0.3)
        took.append(duration(await one(client, text)))
    return {
        "median_ms": round(statistics.median(took)),
        "slowest_ms": round(max(took)),
        "above_model_ms": round(statistics.median(took) - model_ms),
    }


async def busy(
    client: aiohttp.ClientSession, text: str, cases: int, in_flight: int
) -> dict[str, Any]:
    """Many at once: cases a second, and storage calls a case with the host's polling apart."""
    gate = asyncio.Semaphore(in_flight)

    async def guarded() -> None:
        async with gate:
            await one(client, text, poll=0.5)

    calls.clear()
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(guarded() for _ in range(cases)))
    seconds = time.perf_counter() - began
    return {
        "cases_per_second": round(cases / seconds, 1),
        "own_cpu_ms_per_case": round((time.process_time() - cpu) / cases * 1000, 1),
        "calls_per_case": {name: round(n / cases, 2) for name, n in sorted(calls.items())},
    }


async def one(client: aiohttp.ClientSession, text: str, poll: float = 0.05) -> dict[str, Any]:
    """Opens a case and waits until it is settled."""
    async with client.post("/api/cases", json={"desk": "hotel", "customer_query": text}) as answer:
        path = (await answer.json())["links"]["self"]
    until = time.monotonic() + _LIMIT
    while time.monotonic() < until:
        await asyncio.sleep(poll)
        async with client.get(path) as answer:
            calls["table GET"] -= 1  # this one is ours, not the protocol's
            case: dict[str, Any] = await answer.json()
        effects = [effect for effect in case["effects"] if not effect["dormant"]]
        if not any(part["due_at"] for part in [*case["stages"], *effects]):
            return case
    raise TimeoutError(path)


def duration(case: dict[str, Any]) -> float:
    """Milliseconds from arrival to the last stage's end."""
    ends = [s["finished_at"] for s in case["stages"] if s["finished_at"]]
    began = datetime.fromisoformat(case["created_at"])
    return (max(map(datetime.fromisoformat, ends)) - began).total_seconds() * 1000


if __name__ == "__main__":
    main()
