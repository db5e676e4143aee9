"""The command against real parts: storage, host and app; only the model's words are scripted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from devkit.setup import layout

ROOT = Path(__file__).resolve().parents[3]
REPLY = "We are sorry about the state of your room."
ANSWERS = {
    "customer_query": {"reply": REPLY, "language": "en"},
    "sentiment": {"mood": "unhappy", "urgency": "high", "wants": "person", "risks": []},
    "escalation": {
        "actions": [],
        "needs_upper_management_attention": False,
        "summary": "Guest in room 12 wants it cleaned.",
    },
}


def scripted(request: Request) -> Response:
    schema = request.get_json()["response_format"]["json_schema"]["name"]
    message = {"role": "assistant", "content": json.dumps(ANSWERS[schema])}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    return Response(json.dumps(body), mimetype="application/json")


@pytest.fixture
def command(httpserver: HTTPServer, tmp_path: Path, free_port: int) -> Callable[..., Any]:
    """Starts the command with a state folder of its own, on a port of its own."""
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(scripted)
    azurite = os.environ.get("FRONTDESK_AZURITE") or str(layout().azurite)
    state = tmp_path / "state"
    state.mkdir()
    (state / "bin").symlink_to(layout().node.parent)  # Node.js, where PATH has none
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FRONTDESK_STATE": str(state),
        "FRONTDESK_AZURITE": azurite,
        "OPENAI_BASE_URL": httpserver.url_for("/v1"),
        "OPENAI_API_KEY": "scripted",
        "OPENAI_MODEL": "scripted",
    }

    program = [sys.executable, "-P", "-m", "entrypoints.cli"]

    def start(verb: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*program, verb, "--port", str(free_port), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environ,
        )

    return start


def test_ask_brings_up_what_it_needs_and_leaves_nothing(
    command: Callable[..., Any], tmp_path: Path, free_port: int
) -> None:
    ask = command("ask", "--desk", "hotel", "--json", "Room 12 is dirty. A manager, please!")
    out, err = ask.communicate(timeout=60)

    assert ask.returncode == 0, err
    case = json.loads(out)
    assert case["status"] == "escalated"
    assert case["support_response"] == REPLY
    assert "Azurite       ready" in err
    assert_gone(str(tmp_path), f"--port {free_port}")


def test_run_serves_ask_and_show_until_sigterm(
    command: Callable[..., Any], tmp_path: Path, free_port: int
) -> None:
    run = command("run", "--host", "devkit")
    line = ""
    while "Ctrl-C" not in line:
        line = run.stdout.readline()
        assert line, run.stderr.read()
    try:
        said, err = command("ask", "--scene", "A hotel.", "Filthy!").communicate(timeout=30)
        assert REPLY in said, err
        assert "Azurite" not in err
        shown, err = command("show", "last", "--trace").communicate(timeout=30)
        assert "Summary: Guest in room 12 wants it cleaned." in shown, err
    finally:
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=40)

    assert run.returncode == 0
    assert "stopped" in err
    assert_gone(str(tmp_path), f"--port {free_port}")


def test_looking_and_replaying_without_a_stack_run_nothing(
    command: Callable[..., Any], httpserver: HTTPServer
) -> None:
    def done(verb: str, *arguments: str) -> str:
        process = command(verb, *arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return str(out)

    case_id = json.loads(done("ask", "--desk", "hotel", "--json", "Room 12 is dirty."))["case_id"]
    calls = len(httpserver.log)

    assert "1:sentiment, 1:escalation" in done("replay", "last", "--stage", "sentiment")
    waiting = json.loads(done("show", case_id, "--json"))
    states = {stage["stage"]: stage["state"] for stage in waiting["stages"]}
    assert states == {"customer_query": "finished", "sentiment": "waiting", "escalation": "waiting"}
    assert len(httpserver.log) == calls

    case = json.loads(done("message", case_id, "--json", "Still dirty."))
    assert [turn["text"] for turn in case["turns"]] == ["Room 12 is dirty.", "Still dirty."]
    assert {stage["state"] for stage in case["stages"]} == {"finished"}
    assert len(httpserver.log) == calls + 5


def test_two_at_once_share_a_stack(
    command: Callable[..., Any], tmp_path: Path, free_port: int
) -> None:
    both = [command("ask", "--desk", "hotel", "Room 12 is dirty.") for _ in range(2)]

    ended = [process.communicate(timeout=90) for process in both]

    assert [process.returncode for process in both] == [0, 0], ended
    assert all(REPLY in out for out, _ in ended)
    assert sum("Azurite       ready" in err for _, err in ended) == 1
    assert_gone(str(tmp_path), f"--port {free_port}")


def test_a_vendors_delivery_goes_the_whole_round_with_nothing_set(
    command: Callable[..., Any], tmp_path: Path, free_port: int
) -> None:
    arguments = ("send", "zendesk", "--desk", "hotel", "--event", "reply", "--twice")
    out, err = command("webhook", *arguments, "--text", "Room 12 is dirty.").communicate(timeout=60)

    assert "a stand-in of its API on http://127.0.0.1:" in err
    assert [line.split()[0] for line in out.splitlines() if " ms  " in line] == ["202"] * 3, out
    assert "a duplicate: known already, nothing changes" in out
    _, _, written = out.partition("Written back into ticket")
    assert written.count("Suggested reply, not sent to the customer") == 2, out + err
    assert REPLY in written
    assert "Guest in room 12 wants it cleaned." in written
    assert "tags  frontdesk, frontdesk_escalated" in written
    assert_gone(str(tmp_path), f"--port {free_port}")


def assert_gone(*words: str) -> None:
    """No process has one of the words on its command line, or soon none will."""
    left: list[str] = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = [line for line in command_lines() if any(word in line for word in words)]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"still running: {left}")


def command_lines() -> list[str]:
    """The command line of every process; a small machine may have no ``ps``."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(process.read_text(errors="replace").replace("\0", " "))
    if not found:
        every = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        found = every.stdout.splitlines()
    return found
