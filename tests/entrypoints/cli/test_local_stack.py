"""When a local stack is started, what is said about it, and that it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from devkit import stack as devkit_stack
from entrypoints.cli import local

OnStep = Callable[[str, str, float], None]


class FakeStack:
    """Stands where devkit's stack stands; the API is that of the fake Frontdesk."""

    api = ""
    failure = ""
    made: ClassVar[list[dict[str, Any]]] = []
    running = 0

    def __init__(self, **options: Any) -> None:
        self.made.append(options)
        self.url = self.api
        self.mails = Path("mails")
        self.on_mail: Callable[[str, str], None] = print
        self._on_step: OnStep = options["on_step"]

    def __enter__(self) -> Self:
        self._on_step("Azurite", "starting", 0.0)
        if self.failure:
            self._on_step("Azurite", "failed", 60.0)
            raise devkit_stack.StackError(self.failure)
        self._on_step("Azurite", "ready", 1.25)
        type(self).running += 1
        self.on_mail("duty@hotel.example", "Room 12")
        return self

    def __exit__(self, *_: object) -> None:
        type(self).running -= 1
        self._on_step("Azurite", "stopped", 0.5)

    def wait(self) -> None:
        self.on_mail("duty@hotel.example", "Room \x1b[2J12")
        raise KeyboardInterrupt


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, frontdesk: Any) -> type[FakeStack]:
    monkeypatch.setattr(devkit_stack, "Stack", FakeStack)
    monkeypatch.setattr(FakeStack, "api", frontdesk.url)
    monkeypatch.setattr(FakeStack, "made", [])
    monkeypatch.setattr(FakeStack, "failure", "")
    return FakeStack


def test_ask_starts_a_stack_when_none_answers_and_stops_it(
    cli: Any, frontdesk: Any, make_case: Any, stack: type[FakeStack], free_port: int
) -> None:
    frontdesk.cases = [make_case()]

    ended = cli("ask", "--port", str(free_port), "--desk", "hotel", "Hi")

    assert ended.code == 0
    assert len(stack.made) == 1
    assert stack.made[0]["port"] == free_port
    assert stack.made[0]["work"]
    assert stack.running == 0
    assert ended.err.startswith("  ✓ Azurite       ready      1.2 s\n")
    assert ended.err.endswith(
        "mail to duty@hotel.example: kept in mails, not sent\nstopping the local stack\n"
    )


@pytest.mark.parametrize("verb", ["cases", "parked", "quarantine"])
def test_looking_starts_a_stack_that_does_not_work_and_that_nobody_finds(
    cli: Any, frontdesk: Any, stack: type[FakeStack], free_port: int, verb: str
) -> None:
    assert cli(verb, "--port", str(free_port)).code == 0
    assert (stack.made[0]["work"], stack.made[0]["port"]) == (False, 0)


def test_a_replay_without_a_stack_says_when_it_runs(
    cli: Any, stack: type[FakeStack], make_case: Any, free_port: int
) -> None:
    ended = cli("replay", make_case().case_id, "--port", str(free_port))

    assert ended.code == 0
    assert ended.err.endswith("begins when one does (./frontdesk run)\n")
    assert not stack.made[0]["work"]


def test_nothing_is_started_where_a_frontdesk_answers(
    cli: Any, frontdesk: Any, stack: type[FakeStack], httpserver: Any
) -> None:
    ended = cli("cases", "--port", str(httpserver.port))

    assert ended.code == 0
    assert stack.made == []


def test_nothing_is_started_for_bad_usage(cli: Any, stack: type[FakeStack], free_port: int) -> None:
    port = ["--port", str(free_port)]

    assert "bank, default, hotel" in cli("ask", *port, "--desk", "hotell", "Hi").err
    assert "is empty" in cli("ask", *port, "--desk", "hotel", " ").err
    assert stack.made == []


def test_a_stack_that_does_not_start_is_said_in_full(
    cli: Any, stack: type[FakeStack], free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "failure", "Azurite ended. a.log ends with:\n    no \x1b[2J room")

    ended = cli("ask", "--port", str(free_port), "--desk", "hotel", "Hi")

    assert ended.code == 1
    assert ended.err == (
        "  ✗ Azurite       failed    60.0 s\n"
        "frontdesk ask: Azurite ended. a.log ends with:\n"
        "    no <U+001B>[2J room\n"
    )


@pytest.mark.parametrize(("status", "said"), [(404, "in use by something else"), (503, "not well")])
def test_a_port_with_something_else_on_it_is_said(
    cli: Any, httpserver: Any, stack: type[FakeStack], status: int, said: str
) -> None:
    httpserver.clear()
    httpserver.expect_request("/api/health").respond_with_data("", status=status)

    ended = cli("cases", "--port", str(httpserver.port))

    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert said in ended.err
    assert stack.made == []


def test_a_failure_inside_our_own_host_names_its_log(
    cli: Any,
    httpserver: Any,
    stack: type[FakeStack],
    free_port: int,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRONTDESK_STATE", str(tmp_path))
    httpserver.clear()
    httpserver.expect_request("/api/cases").respond_with_data("", status=500)

    ended = cli("cases", "--port", str(free_port))

    assert ended.code == 1
    assert f"{tmp_path}/logs/host.log says why" in ended.err

    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "host.log").write_text(
        "2026-11-29 04:13:33,721 ERROR frontdesk.http not configured problem=desks/a.yaml:1: x\n"
        "desks/a.yaml:4: y\n2026-11-29 04:13:33,721 INFO devkit.host invocation\n"
    )
    ended = cli("cases", "--port", str(free_port))

    assert "frontdesk cases: desks/a.yaml:1: x\ndesks/a.yaml:4: y\n" in ended.err


def test_run_says_where_everything_is_and_stops_on_ctrl_c(
    cli: Any,
    stack: type[FakeStack],
    frontdesk: Any,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRONTDESK_STATE", str(tmp_path))

    ended = cli("run", "--port", "7080", "--host", "devkit", "--watch")

    assert ended.code == 0
    assert (stack.made[0]["port"], stack.made[0]["host"], stack.made[0]["watch"]) == (
        7080,
        "devkit",
        True,
    )
    for expected in (
        f"Frontdesk listens on {frontdesk.url}",
        f"data   {tmp_path}/data",
        f"logs   {tmp_path}/logs",
        f"curl {frontdesk.url}/api/cases -H",
    ):
        assert expected in ended.out
    assert "mail to duty@hotel.example: Room <U+001B>[2J12  kept in mails" in ended.err
    assert "Azurite       stopped    0.5 s" in ended.err
    assert stack.running == 0


def test_the_desks_of_this_checkout_are_known_without_a_stack() -> None:
    from entrypoints.cli.question import local_desks

    assert {"bank", "hotel", "restaurant"} <= set(local_desks())
    assert local.DEFAULT_PORT == devkit_stack.DEFAULT_PORT
