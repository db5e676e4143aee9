"""The stack on real parts: Azurite and the local host, with a toy app in place of ours."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from devkit.azurite import Azurite
from devkit.setup import ROOT
from devkit.stack import Stack, StackError

MODEL = "http://127.0.0.1:9/v1"
APP = """
import json, os
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps({"status": "ok", **os.environ}))
"""
KEEPS_UP = """
import signal, sys
from pathlib import Path
from devkit.stack import Stack
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
options = {{"port": 0, "host": "devkit", "model_url": "http://127.0.0.1:9/v1"}}
with Stack(Path({app!r}), state=Path({state!r}), **options) as stack:
    print(stack.url, flush=True)
    stack.wait()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function_app.py").write_text(APP)
    (folder / "host.json").write_text('{"version": "2.0"}')
    sample = {"Values": {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}}
    (folder / "local.settings.json").write_text(json.dumps(sample))
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AzureWebJobsStorage", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def stack_of(app: Path, state: Path, **options: Any) -> Stack:
    options = {"port": 0, "host": "devkit", "model_url": MODEL, **options}
    return Stack(app, state=state, **options)


def environment_of_the_app(url: str) -> dict[str, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", "/api/health")
    answer: dict[str, str] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ports_of(seen: dict[str, str]) -> list[int]:
    parts = dict(part.split("=", 1) for part in seen["AzureWebJobsStorage"].split(";") if part)
    return [urlsplit(parts[f"{name}Endpoint"]).port or 0 for name in ("Blob", "Queue", "Table")]


def test_app_gets_storage_and_model_and_all_of_it_stops(app: Path, state: Path) -> None:
    steps: list[tuple[str, str]] = []

    with stack_of(app, state, on_step=lambda name, now, _: steps.append((name, now))) as stack:
        seen = environment_of_the_app(stack.url)
        port = urlsplit(stack.url).port or 0
        assert Stack.running(port)

    assert seen["OPENAI_BASE_URL"] == MODEL
    assert all(not answers(port) for port in [port, *ports_of(seen)])
    assert not Stack.running(port)
    assert steps == [
        ("Azurite", "starting"),
        ("Azurite", "ready"),
        ("Host", "starting"),
        ("Host", "ready"),
        ("Host", "stopped"),
        ("Azurite", "stopped"),
    ]


def test_configured_storage_is_used_and_a_given_model_wins_over_a_configured_one(
    app: Path, state: Path, azurite: Azurite
) -> None:
    values = {
        "AzureWebJobsStorage": azurite.connection_string,
        "AZURE_OPENAI_ENDPOINT": "https://configured.example",
    }
    (app / "local.settings.json").write_text(json.dumps({"Values": values}))

    with stack_of(app, state) as stack:
        seen = environment_of_the_app(stack.url)

    assert seen["AzureWebJobsStorage"] == azurite.connection_string
    assert seen["OPENAI_BASE_URL"] == MODEL
    assert not seen["AZURE_OPENAI_ENDPOINT"].strip()
    assert not (state / "data").exists()


def test_a_stack_that_only_answers_promises_what_one_that_works_has(app: Path, state: Path) -> None:
    looking = stack_of(app, state, work=False)
    looking.actions = ["nothing", "is", "started"]

    with looking as stack:
        seen = environment_of_the_app(stack.url)

    assert seen["FRONTDESK_ACTIONS_URL"] == "http://127.0.0.1:9"
    assert seen["FRONTDESK_SMTP_URL"] == "smtp://127.0.0.1:9"
    assert seen["FRONTDESK_MAIL_FROM"]


def test_port_of_another_program_is_named_before_anything_starts(app: Path, state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StackError, match=f"another program already answers on port {port}"):
            stack_of(app, state, port=port).__enter__()

    assert not state.exists()


def test_app_that_cannot_be_loaded_shows_why_and_leaves_nothing(app: Path, state: Path) -> None:
    (app / "function_app.py").write_text("import a_module_that_is_not_there\n")

    with pytest.raises(StackError, match="a_module_that_is_not_there"):
        stack_of(app, state).__enter__()

    with Azurite(state / "data", patience=0):
        pass  # the folder is free again


def test_core_tools_that_are_not_there_are_missed_by_name(
    app: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(StackError, match="`func`, is not on PATH"):
        stack_of(app, state, host="func").__enter__()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_the_stack_is_ended(
    app: Path, state: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPS_UP.format(app=str(app), state=str(state))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    seen = environment_of_the_app(url)

    process.send_signal(number)
    process.communicate(timeout=30)

    deadline = time.monotonic() + 20
    while any(answers(port) for port in [urlsplit(url).port or 0, *ports_of(seen)]):
        assert time.monotonic() < deadline, "a part still answers"
        time.sleep(0.05)


def test_part_that_dies_ends_the_wait_with_its_log(
    app: Path, state: Path, azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", azurite.connection_string)
    source = APP.replace("return", "os._exit(7)\n    return")
    (app / "function_app.py").write_text(source)

    with stack_of(app, state) as stack:
        with pytest.raises((OSError, http.client.HTTPException)):
            environment_of_the_app(stack.url)
        with pytest.raises(StackError, match=r"(?s)Host ended with exit code 7.*host\.log"):
            stack.wait()
