"""Several commands, one local stack: who starts it, who waits, who stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from entrypoints.cli import sharing
from entrypoints.cli.exits import CliError
from entrypoints.cli.sharing import Place, place


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def first(tmp_path: Path, said: list[str]) -> Iterator[Place]:
    with place(tmp_path, said.append) as mine:
        yield mine


@pytest.fixture
def second(tmp_path: Path, said: list[str]) -> Iterator[Place]:
    with place(tmp_path, said.append) as mine:
        yield mine


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def test_the_second_waits_for_the_first_to_start_the_stack_and_uses_it(
    first: Place, second: Place, pool: ThreadPoolExecutor
) -> None:
    up = threading.Event()
    assert not first.enter(up.is_set)

    entered = pool.submit(second.enter, up.is_set)
    up.set()
    with first.shared(wait=False):
        assert entered.result(5)


def test_one_that_gives_up_starting_leaves_it_to_the_next(tmp_path: Path, first: Place) -> None:
    with place(tmp_path, print) as failing:
        assert not failing.enter(lambda: False)

    assert not first.enter(lambda: False)


def test_the_owner_stays_until_the_others_have_finished(
    first: Place, tmp_path: Path, said: list[str], pool: ThreadPoolExecutor
) -> None:
    assert not first.enter(lambda: False)
    up = threading.Event()

    def use() -> None:
        with place(tmp_path, print) as user:
            assert user.enter(lambda: True)
            up.set()
            while not said:
                time.sleep(0.01)
            said.append("finished")

    with first.shared():
        used = pool.submit(use)
        assert up.wait(5)
    used.result(5)

    assert "another frontdesk command uses this stack" in said[0]
    assert said[-1] == "finished"


def test_a_command_that_is_interrupted_does_not_wait(first: Place, second: Place) -> None:
    def interrupted() -> None:
        with first.shared():
            assert second.enter(lambda: True)
            raise KeyboardInterrupt

    first.enter(lambda: False)

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_waiting_for_others_ends(
    first: Place, second: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_LEAVE_SECONDS", 0.2)
    first.enter(lambda: False)

    with first.shared():
        assert second.enter(lambda: True)


def test_a_stack_that_does_not_answer_here_is_said(
    first: Place, second: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_ABSENT_SECONDS", 0.2)
    first.enter(lambda: False)

    with first.shared(wait=False), pytest.raises(CliError, match="does not answer on this port"):
        second.enter(lambda: False)


def test_a_start_that_never_ends_is_said(
    first: Place, second: Place, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_START_SECONDS", 0.3)
    monkeypatch.setattr(sharing, "_PATIENCE_SECONDS", 0.1)
    first.enter(lambda: False)

    with pytest.raises(CliError, match=r"kept the local stack for 0.3 s; stop it"):
        second.enter(lambda: False)
    assert said == ["waiting for another frontdesk command that has the local stack"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CliError, match="FRONTDESK_STATE"), place(tmp_path / "file", print):
        pass
