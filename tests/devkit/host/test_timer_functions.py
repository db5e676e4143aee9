"""Timer functions: schedules, past due, overlap and what is remembered."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devkit.host.timer_trigger import parse_schedule

MONDAY = datetime(2026, 11, 23, 8, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 */5 * * * *", "2026-11-23T08:35:00+00:00"),
        ("*/10 * * * * *", "2026-11-23T08:30:20+00:00"),
        ("30 8 * * *", "2026-11-24T08:30:00+00:00"),
        ("0 0 9 * * MON-FRI", "2026-11-23T09:00:00+00:00"),
        ("0 0 9 * * 1", "2026-11-23T09:00:00+00:00"),
        ("0 0 0 13 * FRI", "2027-08-13T00:00:00+00:00"),
        ("0 0 0 1 jan *", "2027-01-01T00:00:00+00:00"),
        ("00:01:30", "2026-11-23T08:31:45+00:00"),
        ("1.00:00:00", "2026-11-24T08:30:15+00:00"),
    ],
)
def test_schedules_are_ncrontab_or_a_time_span(schedule: str, expected: str) -> None:
    assert parse_schedule(schedule)(MONDAY).isoformat() == expected


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "every hour",
        "* * * *",
        "0 0 0 0 * * *",
        "61 * * * * *",
        "0 0 0 30 2 *",
        "@daily",
        "0 0 L * *",
        "00:00:00",
    ],
)
def test_other_schedules_are_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match="is not a schedule"):
        parse_schedule(schedule)


TICKER = """
    import azure.functions as func

    app = func.FunctionApp()
    seen = []

    @app.timer_trigger("timer", "%EVERY%", run_on_startup=RUN_ON_STARTUP, use_monitor=USE_MONITOR)
    async def tick(timer: func.TimerRequest) -> None:
        seen.append(timer)
"""


@pytest.fixture
def ticker(write_app: Callable[..., Path]) -> Callable[..., Path]:
    def write(schedule: str, *, run_on_startup: bool = False, use_monitor: Any = None) -> Path:
        source = TICKER.replace("RUN_ON_STARTUP", str(run_on_startup))
        return write_app(
            source.replace("USE_MONITOR", str(use_monitor)), settings={"EVERY": schedule}
        )

    return write


def stored(app_dir: Path) -> Path:
    return app_dir / ".frontdesk" / "timers" / "tick.json"


def remember(app_dir: Path, last: datetime, following: datetime) -> None:
    stored(app_dir).parent.mkdir(parents=True)
    status = {"Last": last, "Next": following, "LastUpdated": last}
    stored(app_dir).write_text(json.dumps({k: v.isoformat() for k, v in status.items()}))


async def test_a_timer_fires_again_and_again_on_its_schedule(
    ticker: Callable[..., Path], hosting: Callable[..., Any], eventually: Any
) -> None:
    async with hosting(ticker("00:00:00.2")) as running:
        await eventually(lambda: len(running.app.seen) == 3)

    assert not running.app.seen[0].past_due
    assert running.app.seen[0].schedule_status == {}


async def test_under_a_minute_nothing_is_remembered(
    ticker: Callable[..., Path], hosting: Callable[..., Any], eventually: Any
) -> None:
    app_dir = ticker("* * * * * *")
    async with hosting(app_dir) as running:
        await eventually(lambda: running.app.seen)

    assert not stored(app_dir).exists()


async def test_a_new_timer_waits_and_its_next_time_is_stored(
    ticker: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    app_dir = ticker("0 0 * * * *")
    async with hosting(app_dir) as running:
        await asyncio.sleep(0.1)
        assert running.app.seen == []

    status = json.loads(stored(app_dir).read_text())
    assert status["Last"] is None
    assert datetime.fromisoformat(status["Next"]).minute == 0


async def test_run_on_startup_fires_at_once_and_is_not_past_due(
    ticker: Callable[..., Path], hosting: Callable[..., Any], eventually: Any
) -> None:
    async with hosting(ticker("0 0 * * * *", run_on_startup=True)) as running:
        await eventually(lambda: running.app.seen)

        assert not running.app.seen[0].past_due
        assert running.app.seen[0].schedule_status["Next"]


async def test_missed_occurrences_fire_once_and_past_due(
    ticker: Callable[..., Path], hosting: Callable[..., Any], eventually: Any
) -> None:
    app_dir = ticker("0 0 * * * *")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    remember(app_dir, last=hour - timedelta(hours=5), following=hour - timedelta(hours=4))

    async with hosting(app_dir) as running:
        await eventually(lambda: running.app.seen)
        await asyncio.sleep(0.1)

        assert [request.past_due for request in running.app.seen] == [True]
    assert datetime.fromisoformat(json.loads(stored(app_dir).read_text())["Next"]) > hour


async def test_an_edited_schedule_is_not_taken_for_a_missed_one(
    ticker: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    app_dir = ticker("0 0 * * * *")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    remember(app_dir, last=hour - timedelta(days=2), following=hour - timedelta(days=1))

    async with hosting(app_dir) as running:
        await asyncio.sleep(0.1)
        assert running.app.seen == []
    assert datetime.fromisoformat(json.loads(stored(app_dir).read_text())["Next"]) > hour


async def test_unreadable_state_is_replaced(
    ticker: Callable[..., Path], hosting: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    app_dir = ticker("0 0 * * * *")
    stored(app_dir).parent.mkdir(parents=True)
    stored(app_dir).write_text("{")

    async with hosting(app_dir):
        await asyncio.sleep(0.05)

    assert json.loads(stored(app_dir).read_text())["Next"]
    assert any("unreadable" in record.message for record in caplog.records)


async def test_runs_of_one_timer_never_overlap(
    write_app: Callable[..., Path], hosting: Callable[..., Any], eventually: Any
) -> None:
    source = """
        import asyncio
        import azure.functions as func

        app = func.FunctionApp()
        running = most = ended = 0

        @app.timer_trigger("timer", "00:00:00.05")
        async def tick(timer: func.TimerRequest) -> None:
            global running, most, ended
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.15)
            running -= 1
            ended += 1
    """
    async with hosting(write_app(source)) as running:
        by_hand = await running.send("POST", "/admin/functions/tick", data=b"{}")
        await eventually(lambda: running.app.ended >= 3)

    assert by_hand == (202, "")
    assert running.app.most == 1


async def test_a_failing_timer_goes_on(
    write_app: Callable[..., Path],
    hosting: Callable[..., Any],
    eventually: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = """
        import azure.functions as func

        app = func.FunctionApp()
        tries = 0

        @app.timer_trigger("timer", "00:00:00.05")
        def tick(timer: func.TimerRequest) -> None:
            global tries
            tries += 1
            raise RuntimeError("no luck")
    """
    with caplog.at_level(logging.CRITICAL, logger="devkit.host"):
        async with hosting(write_app(source)) as running:
            await eventually(lambda: running.app.tries >= 3)
