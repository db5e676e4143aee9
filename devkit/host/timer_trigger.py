"""Fires one timer function on its schedule, as the real timer extension does.

Source: TimerListener and ScheduleMonitor in Azure/azure-webjobs-sdk-extensions. Schedules are
in UTC, as on Linux plans. The real monitor is a blob; here it is a file, which a person can
read and which needs no blob endpoint.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter
from croniter import CroniterError, croniter

from devkit.host.app import HostedFunction
from devkit.host.invocation import Invoke
from devkit.host.settings import time_span

logger = logging.getLogger("devkit.host")

_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec sun mon tue wed thu fri sat"
_NCRONTAB = re.compile(rf"(?:[\d*/,\-\s]|\b(?:{_NAMES.replace(' ', '|')})\b)+", re.IGNORECASE)
_LONGEST_SLEEP_S = 30.0

Next = Callable[[datetime], datetime]


def parse_schedule(text: str) -> Next:
    """A function from a UTC time to the occurrence after it.

    Args:
        text: NCRONTAB of 5 or 6 fields (with 6, seconds come first; a day of the month AND a
            weekday must both match), or a time span such as "00:01:00".

    Raises:
        ValueError: it is neither.
    """
    span = time_span(text)
    if span:
        return lambda after: after + timedelta(seconds=span)

    def occurrence(after: datetime) -> datetime:
        found: datetime = croniter(
            text, after, second_at_beginning=True, day_or=False, ret_type=datetime
        ).get_next()
        return found

    if len(text.split()) in (5, 6) and _NCRONTAB.fullmatch(text):
        with contextlib.suppress(CroniterError):
            occurrence(datetime.now(UTC))
            return occurrence
    raise ValueError(
        f'{text!r} is not a schedule; write NCRONTAB such as "0 */5 * * * *" '
        'or a time span such as "00:05:00"'
    )


@dataclass(frozen=True)
class TimerStatus:
    """When a timer fired last (None for never), is due next, and when that was worked out."""

    last: datetime | None
    next: datetime
    updated: datetime


class ScheduleMonitor:
    """Remembers a timer's status across restarts, so that a missed occurrence is noticed.

    Args:
        path: the file, {"Last": …, "Next": …, "LastUpdated": …} in ISO 8601; made on first use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> TimerStatus | None:
        """The stored status; None if there is none or it cannot be read."""
        try:
            stored = json.loads(self._path.read_text())
            last = stored["Last"]
            return TimerStatus(
                last=datetime.fromisoformat(last) if last else None,
                next=datetime.fromisoformat(stored["Next"]),
                updated=datetime.fromisoformat(stored["LastUpdated"]),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            logger.warning("timer state is unreadable, starting anew", extra={"file": self._path})
            return None

    def write(self, status: TimerStatus) -> None:
        """Store the status in one step."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(_as_json(status)))
        draft.replace(self._path)


class TimerListener:
    """The trigger of one function.

    Args:
        function: what to invoke.
        schedule: its occurrences.
        monitor: where its status is kept; None to forget it at the end.
        invoke: runs the function.
        run_on_startup: whether to fire once at the start.
    """

    def __init__(
        self,
        function: HostedFunction,
        schedule: Next,
        monitor: ScheduleMonitor | None,
        invoke: Invoke,
        *,
        run_on_startup: bool,
    ) -> None:
        self._function = function
        self._schedule = schedule
        self._monitor = monitor
        self._run_on_startup = run_on_startup
        self._invoke = invoke
        self._status: TimerStatus | None = None
        self._running = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to wait for occurrences."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self, grace: float) -> None:
        """Fire no more; give a running invocation `grace` seconds, then cancel it."""
        self._stopping.set()
        if self._loop:
            await asyncio.wait({self._loop}, timeout=grace)
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def fire(self, *, past_due: bool = False) -> None:
        """Invoke the function; a second call waits for the first, so runs never overlap."""
        async with self._running:
            await self._invoke(self._function, lambda: self._request(past_due=past_due))

    async def _run(self) -> None:
        status, past_due = self._begin(datetime.now(UTC))
        self._status = status
        immediate = past_due or self._run_on_startup
        while immediate or await self._wait_until(status.next):
            fired_at = datetime.now(UTC)
            await self.fire(past_due=past_due)
            # A clock that ticks a little early must not make the same occurrence due again.
            base = fired_at if immediate else max(fired_at, status.next)
            status = TimerStatus(base, self._schedule(base), base)
            self._status = status
            if self._monitor:
                self._monitor.write(status)
            immediate = past_due = False

    def _begin(self, now: datetime) -> tuple[TimerStatus, bool]:
        """The status to go on from, and whether an occurrence was missed."""
        status = self._monitor.read() if self._monitor else None
        if status:
            base = status.last or status.updated
            expected = self._schedule(base)
            if expected == status.next:
                return status, now > status.next
            # The schedule was edited: its new occurrence in the past is not one that was missed.
            base = now if now > expected else base
            status = TimerStatus(None, self._schedule(base), base)
        else:
            status = TimerStatus(None, self._schedule(now), now)
        if self._monitor:
            self._monitor.write(status)
        return status, False

    async def _wait_until(self, moment: datetime) -> bool:
        """Sleep by the wall clock, which may jump or pause with the laptop; False when stopped."""
        while not self._stopping.is_set():
            left = (moment - datetime.now(UTC)).total_seconds()
            if left <= 0:
                return True
            try:
                async with asyncio.timeout(min(left, _LONGEST_SLEEP_S)):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        return False

    def _request(self, *, past_due: bool) -> Any:
        status = _as_json(self._status) if self._status and self._monitor else None
        info = {
            "IsPastDue": past_due,
            "ScheduleStatus": status,
            "Schedule": {"AdjustForDST": True},
        }
        return TimerRequestConverter.decode(Datum(json.dumps(info), "json"), trigger_metadata=None)


def is_under_a_minute(schedule: Next) -> bool:
    """Whether two occurrences are under a minute apart; the real host then keeps no status."""
    first = schedule(datetime.now(UTC))
    return schedule(first) - first < timedelta(minutes=1)


def _as_json(status: TimerStatus) -> dict[str, str | None]:
    return {
        "Last": status.last.isoformat() if status.last else None,
        "Next": status.next.isoformat(),
        "LastUpdated": status.updated.isoformat(),
    }
