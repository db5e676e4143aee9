from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devkit.processes import ProcessError, start

TALKS = "print('ready at 12345', flush=True); import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {TALKS}"
PARENT = """
import os, sys, time
from pathlib import Path
from devkit.processes import start
child = start("Child", [sys.executable, "-c", {child!r}], log=Path({log!r}))
child.wait_for_line("ready", 20)
{end}
"""


def wait_until(done: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_child_is_ready_when_its_line_appears(tmp_path: Path) -> None:
    child = start("Child", [sys.executable, "-c", TALKS], log=tmp_path / "child.log")

    assert child.wait_for_line(r"ready at (\d+)", 20)[1] == "12345"
    assert child.exit_code is None
    assert child.stop() == 128 + signal.SIGTERM


def test_child_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    script = "print('no such table'); raise SystemExit(3)"
    child = start("Child", [sys.executable, "-c", script], log=tmp_path / "child.log")

    with pytest.raises(ProcessError, match=r"(?s)Child ended with exit code 3.*no such table"):
        child.wait_for_line("ready", 20)


def test_child_that_is_not_ready_in_time_is_reported(tmp_path: Path) -> None:
    child = start("Child", [sys.executable, "-c", TALKS], log=tmp_path / "child.log")

    with pytest.raises(ProcessError, match=r"was not ready after 0\.1 s"):
        child.wait_for_line("never", 0.1)
    child.stop()


def test_program_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    child = start("Child", [tmp_path / "nothing"], log=tmp_path / "child.log")

    with pytest.raises(ProcessError, match="nothing does not start: No such file"):
        child.wait_for_line("ready", 20)


def test_child_deaf_to_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    child = start("Child", [sys.executable, "-c", DEAF], log=tmp_path / "child.log", grace=0.2)
    child.wait_for_line("ready", 20)

    assert child.stop() == 128 + signal.SIGKILL


@pytest.mark.parametrize(
    "end",
    [
        "sys.exit()",
        "os._exit(0)",
        "os.kill(os.getpid(), 15)",
        "os.kill(os.getpid(), 9)",
        "os.kill(os.getpid(), 2)",
    ],
)
def test_child_ends_however_its_parent_ends(tmp_path: Path, end: str) -> None:
    child = f"import os; print(os.getpid(), flush=True); {TALKS}"
    log = tmp_path / "child.log"
    script = PARENT.format(child=child, log=str(log), end=end)

    subprocess.run([sys.executable, "-c", script], timeout=30, check=False, stderr=-3)

    pid = int(log.read_text().split()[0])
    wait_until(lambda: not alive(pid))


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time; sleep = 'import time; time.sleep(60)';"
        "print(subprocess.Popen([sys.executable, '-c', sleep]).pid, 'ready', flush=True);"
        "time.sleep(60)"
    )
    child = start("Child", [sys.executable, "-c", script], log=tmp_path / "child.log")
    child.wait_for_line("ready", 20)
    grandchild = int(child.log.read_text().split()[0])

    child.stop()

    wait_until(lambda: not alive(grandchild))
