"""The hosts of a chaos run: started, killed with SIGKILL, started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Self

from devkit.processes import Child, start
from devkit.setup import ROOT

_START_LIMIT = 90.0
_TIMERS = ("sweep", "poll", "digests")


class Hosts:
    """Host processes on ports of their own.

    Args:
        count: How many.
        environment: Settings of all of them.
        folder: For their logs and state.
        note: Called with what happens.

    Attributes:
        kills: How many were killed so far.
        fell: Hosts that ended by themselves, in words.
    """

    def __init__(
        self,
        count: int,
        environment: Mapping[str, str],
        folder: Path,
        note: Callable[[str], None],
    ) -> None:
        self.kills = 0
        self.fell: list[str] = []
        self._environment = {**os.environ, **environment}
        # The worker has the app's folder last on sys.path, and so has our host.
        self._environment.pop("PYTHONPATH", None)
        self._folder = folder
        self._note = note
        self._children: list[Child | None] = [None] * count
        self._urls = [""] * count
        self._lives = [0] * count
        self._starting: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(self._start(number) for number in range(len(self._urls))))
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._starting, return_exceptions=True)
        running = [child for child in self._children if child]
        await asyncio.gather(*(asyncio.to_thread(child.stop) for child in running))

    @property
    def with_timers(self) -> str:
        """Address of the host that has the timers; empty while it does not run."""
        return self._urls[0]

    @property
    def ready(self) -> list[str]:
        """Addresses of the hosts that have started."""
        return [url for url in self._urls if url]

    def look(self) -> None:
        """Notes hosts that ended without having been killed, and failures to start one."""
        for number, child in enumerate(self._children):
            if child and self._urls[number] and child.exit_code is not None:
                self.fell.append(f"{child.name} ended by itself with {child.exit_code}")
                self._again(number)

    def kill(self, random: Random) -> None:
        """Kills one of the hosts that run, if any, and has it started again.

        Raises:
            RuntimeError: None runs, and none is starting.
        """
        running = [n for n, url in enumerate(self._urls) if url]
        if not running and not self._starting:
            raise RuntimeError(f"no host runs any more: {'; '.join(self.fell)}")
        if not running:
            return
        number = random.choice(running)
        os.kill(int(self._pid_file(number).read_text()), signal.SIGKILL)
        self.kills += 1
        self._note(f"killed host {number + 1}")
        self._again(number)

    async def all_ready(self) -> None:
        """Waits until every host runs.

        Raises:
            ProcessError: One does not start.
        """
        while self._starting:
            done, _ = await asyncio.wait(self._starting)
            for task in done:
                task.result()

    def _again(self, number: int) -> None:
        self._urls[number] = ""
        task = asyncio.create_task(self._start(number))
        self._starting.add(task)
        task.add_done_callback(self._started)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        if not task.cancelled() and task.exception():
            self.fell.append(f"a host did not start: {task.exception()}")

    async def _start(self, number: int) -> None:
        before = self._children[number]
        if before:
            await asyncio.to_thread(before.wait_until, lambda: before.exit_code, 10.0)
        self._lives[number] += 1
        # Azure runs a timer in one instance at a time.
        idle = _TIMERS if number else ()
        timers = {f"AzureWebJobs.{name}.Disabled": "true" for name in idle}
        name = f"host-{number + 1}"
        child = start(
            name,
            [sys.executable, ROOT / "tests/chaos/host_program.py", "--app", ROOT, "--port", "0"],
            log=self._folder / f"{name}-life-{self._lives[number]}.log",
            environment={
                **self._environment,
                **timers,
                "PYTHONUNBUFFERED": "1",
                "CHAOS_PID_FILE": str(self._pid_file(number)),
                # Each host keeps its timers' state by itself, as if on a machine of its own.
                "FRONTDESK_STATE": str(self._folder / name),
            },
            folder=self._folder,
        )
        self._children[number] = child
        found = await asyncio.to_thread(
            child.wait_for_line, r"Host ready on (http://\S+)", _START_LIMIT
        )
        self._urls[number] = found[1]

    def _pid_file(self, number: int) -> Path:
        return self._folder / f"host-{number + 1}.pid"
