"""Frontdesk's local stack as one context manager: Azurite, a model if none is configured, the host.

    with Stack(on_step=print) as stack:
        print(stack.url)
        stack.wait()

SIGTERM must reach the caller as an exception, as Ctrl-C does, for the stop to be orderly. If the
caller dies all the same, the parts still end: see devkit/processes.py.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

from devkit.azurite import Azurite, AzuriteError
from devkit.processes import Child, ProcessError, start
from devkit.setup import (
    MAIL_SETTINGS,
    MODEL_SETTINGS,
    ROOT,
    Layout,
    SetupError,
    configured,
    configured_model,
    layout,
    local_settings,
)

DEFAULT_PORT = 7071
NOBODY = "127.0.0.1:9"  # where none listens: the app wants an address all the same
NO_MODEL = f"http://{NOBODY}/v1"
ACTIONS_LIMIT = 30.0  # seconds to read the desk files; 1 s is usual
_SENDER = "Frontdesk <frontdesk@localhost>"
_ACTIONS, _PUBLIC = "FRONTDESK_ACTIONS_URL", "FRONTDESK_PUBLIC_URL"
MODEL_LIMIT = 120.0  # seconds to load the model; 2 s is usual
HOST_LIMIT = 90.0  # seconds for the host to load the app; 2 s is usual, `func` takes ten
# Seconds between SIGTERM and SIGKILL: the host lets invocations end for 10 s, and with --watch
# waits 15 s for the process that it supervises.
HOST_GRACE = 20.0

State = Literal["starting", "ready", "failed", "stopped"]
OnStep = Callable[[str, State, float], None]
OnMail = Callable[[str, str], None]


class StackError(Exception):
    """The stack cannot start, or a part of it ended. The message says what to do, or why."""


class Stack:
    """Starts what is missing on entering, stops all of it on leaving.

    Storage and model that are configured, in the environment or in local.settings.json, are used
    instead of Azurite and the local model.

    Args:
        app: folder of function_app.py.
        port: where the host listens on 127.0.0.1; 0 for any free one, with devkit's host only.
        host: `func` for Core Tools, `devkit` for ours, `auto` for Core Tools where installed.
        model_url: an OpenAI-compatible base URL to use whatever is configured.
        watch: start the app anew when its files change; devkit's host only.
        work: False for a stack that only answers HTTP: no queue is polled, no timer fires, no
            model is started; devkit's host only.
        state: where data and logs are kept; FRONTDESK_STATE or `.frontdesk` when None.
        on_step: called with a part's name, its state, and the seconds that it took.

    Attributes:
        url: where the host listens.
        mails: folder of the mails that the app sends, unless it has a server that delivers them.
        on_mail: called from a thread with recipients and subject of each of them.
        actions: command of a service that carries out actions and says where it is ready; set
            before entering, it is started unless one is configured.
        settings: set before entering, they win over those that are configured.
    """

    def __init__(
        self,
        app: Path = ROOT,
        *,
        port: int = DEFAULT_PORT,
        host: Literal["auto", "func", "devkit"] = "auto",
        model_url: str | None = None,
        watch: bool = False,
        work: bool = True,
        state: Path | None = None,
        on_step: OnStep | None = None,
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._app = app.resolve()
        self._port = port
        self._host = host
        self._model_url = model_url if work else NO_MODEL
        self._watch = watch
        self._work = work
        self._where = Layout(state.resolve()) if state else layout()
        self._on_step = on_step or (lambda _name, _state, _seconds: None)
        self.mails = self._where.state / "mails"
        self.on_mail: OnMail | None = None
        self.actions: Sequence[str] = ()
        self.settings: Mapping[str, str] = {}
        self._mailbox = contextlib.ExitStack()
        self._started: dict[str, float] = {}
        self._children: list[Child] = []

    @staticmethod
    def running(port: int = DEFAULT_PORT) -> bool:
        """Whether a Frontdesk answers on this port, healthy or not."""
        status, body = _get(port, "/api/health")
        return status in (200, 503) and "status" in body

    def wait(self) -> NoReturn:
        """Waits for as long as every part runs.

        Raises:
            StackError: a part ended by itself.
        """
        while True:
            for child in self._children:
                if child.exit_code is not None:
                    raise StackError(str(child.failure(f"ended with exit code {child.exit_code}")))
            time.sleep(0.2)

    def stop(self) -> None:
        """Stops the host, then what it uses. Data is kept. Harmless when nothing runs."""
        try:
            while self._children:
                child, began = self._children[-1], time.monotonic()
                ran = child.exit_code is None
                child.stop()
                self._children.remove(child)
                if ran:
                    self._on_step(child.name, "stopped", time.monotonic() - began)
        finally:
            # A second Ctrl-C lands here: no more waiting, the supervisors end what is left.
            for child in self._children:
                child.release()
            self._mailbox.close()

    def __enter__(self) -> Self:
        try:
            self._start()
        except (ProcessError, AzuriteError, SetupError) as error:
            self.stop()
            raise StackError(str(error)) from None
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        settings = local_settings(self._app)
        command = self._host_command()
        self._check_port()
        azurite = None if _storage_configured(settings) else self._start_azurite()
        local_model = None
        if self._model_url is None and configured_model(settings) is None:
            local_model = self._start_model()

        wanted = self.actions and self._work and not configured(settings, _ACTIONS)
        actions = self._start_actions() if wanted else None

        added: dict[str, str] = {}
        if not self._work:
            added["FRONTDESK_HOST_HTTP_ONLY"] = "1"  # see devkit/host/app.py
            added |= self._promised(settings)
        elif not configured(settings, *MAIL_SETTINGS):
            added |= self._start_mailbox()
        if azurite:
            with self._getting_ready("Azurite"):
                azurite.wait_ready()
            added["AzureWebJobsStorage"] = azurite.connection_string
        if local_model:
            with self._getting_ready("Local model"):
                added |= local_model_settings(model_url(local_model))
            # It answers two calls at once. More would wait inside their timeouts, give up and
            # come back; as queue messages they wait for nothing.
            for name, value in (("batchSize", "1"), ("newBatchThreshold", "0")):
                added[f"AzureFunctionsJobHost__extensions__queues__{name}"] = value
        elif self._model_url:
            added |= _model_at(self._model_url)
        added |= self._reached(actions, settings)

        environment = {**os.environ, **added, **self.settings, "PYTHONUNBUFFERED": "1"}
        self._begin("Host")
        with self._getting_ready("Host"):
            self._start_host(command, environment)

    def _start_azurite(self) -> Azurite:
        self._begin("Azurite")
        azurite = Azurite(self._where.data, self._where.logs / "azurite.log")
        self._children.append(azurite.start())
        return azurite

    def _start_model(self) -> Child:
        self._begin("Local model")
        child = start_model(self._where.logs / "model.log")
        self._children.append(child)
        return child

    def _start_actions(self) -> Child:
        self._begin("Actions")
        child = start(
            "Actions",
            list(self.actions),
            log=self._where.logs / "actions.log",
            environment={**os.environ, "PYTHONUNBUFFERED": "1"},
            folder=ROOT,
        )
        self._children.append(child)
        return child

    def _reached(self, actions: Child | None, settings: Mapping[str, str]) -> dict[str, str]:
        """Where actions are carried out, and where people reach the app."""
        found: dict[str, str] = {}
        if actions:
            with self._getting_ready("Actions"):
                ready = actions.wait_for_line(r"Actions ready on (http://\S+)", ACTIONS_LIMIT)
            found[_ACTIONS] = ready[1]
        if self._port and not configured(settings, _PUBLIC):
            found[_PUBLIC] = self.url
        return found

    def _start_mailbox(self) -> dict[str, str]:
        from devkit.mailbox import serving

        url = self._mailbox.enter_context(serving(self.mails, self.on_mail))
        return {"FRONTDESK_SMTP_URL": url, "FRONTDESK_MAIL_FROM": _SENDER}

    def _promised(self, settings: Mapping[str, str]) -> dict[str, str]:
        """What a stack that works will have: a yes settles by it who carries an action out."""
        found: dict[str, str] = {}
        if self.actions and not configured(settings, _ACTIONS):
            found[_ACTIONS] = f"http://{NOBODY}"
        if not configured(settings, *MAIL_SETTINGS):
            found |= {"FRONTDESK_SMTP_URL": f"smtp://{NOBODY}", "FRONTDESK_MAIL_FROM": _SENDER}
        return found

    def _host_command(self) -> list[str]:
        func = shutil.which("func") if self._host in ("auto", "func") else None
        if func and self._work and not self._watch and self._port != 0:
            return [func, "start", "--port", str(self._port)]
        if self._host == "func":
            raise StackError(
                "Azure Functions Core Tools, `func`, is not on PATH, or was asked for --watch, "
                "port 0 or no work, which it does not know. Leave the choice of the host to "
                "Frontdesk."
            )
        watch = ["--watch"] if self._watch else []
        command = [sys.executable, "-m", "devkit.host", "--app", str(self._app)]
        return [*command, "--port", str(self._port), *watch]

    def _start_host(self, command: list[str], environment: dict[str, str]) -> None:
        core_tools = command[0] != sys.executable
        # Not PYTHONPATH: the worker has the app's folder last on sys.path, and so has our host.
        environment.pop("PYTHONPATH", None)
        if core_tools:
            # func starts the worker with the `python` of the active environment.
            environment["VIRTUAL_ENV"] = sys.prefix
            environment["PATH"] = f"{sys.prefix}/bin{os.pathsep}{environment.get('PATH', '')}"
            environment.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
        host = start(
            "Host",
            command,
            log=self._where.logs / "host.log",
            environment=environment,
            folder=self._app if core_tools else ROOT,
            grace=HOST_GRACE,
        )
        self._children.append(host)
        if core_tools:
            host.wait_until(self._host_runs, HOST_LIMIT)
        else:
            self.url = host.wait_for_line(r"Host ready on (http://\S+)", HOST_LIMIT)[1]

    def _host_runs(self) -> bool:
        return _get(self._port, "/admin/host/status")[1].get("state") == "Running"

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self._port))
            except OSError:
                what = "a Frontdesk" if self.running(self._port) else "another program"
                raise StackError(
                    f"{what} already answers on port {self._port}. Stop it, or choose a port with "
                    "--port."
                ) from None

    def _begin(self, name: str) -> None:
        self._started[name] = time.monotonic()
        self._on_step(name, "starting", 0.0)

    @contextlib.contextmanager
    def _getting_ready(self, name: str) -> Iterator[None]:
        state: State = "failed"
        try:
            yield
            state = "ready"
        finally:
            self._on_step(name, state, time.monotonic() - self._started[name])


def start_model(log: Path, *options: str) -> Child:
    """Starts the local model on a free port; `model_url` waits for it."""
    return start(
        "Local model",
        [sys.executable, "-m", "devkit.local_model", "--port", "0", *options],
        log=log,
        environment={**os.environ, "PYTHONUNBUFFERED": "1"},
        folder=ROOT,
    )


def model_url(model: Child) -> str:
    """Where a started model answers, once it does.

    Raises:
        ProcessError: it ended, or was not ready in time.
    """
    return model.wait_for_line(r"Model ready on (http://\S+)", MODEL_LIMIT)[1]


def local_model_settings(url: str) -> dict[str, str]:
    """Settings with which the app uses the local model, whatever else is configured."""
    return _model_at(url) | {"FRONTDESK_MODEL_QUALITY": "demo"}


def _storage_configured(settings: Mapping[str, str]) -> bool:
    known = {**settings, **{name: value for name, value in os.environ.items() if value.strip()}}
    # The sample's "UseDevelopmentStorage=true" means an Azurite on the usual ports; ours chooses
    # free ones, and the SDKs for Python do not know that form.
    whole = known.get("AzureWebJobsStorage", "").replace(" ", "").lower().rstrip(";")
    identity = any(name.startswith("AzureWebJobsStorage__") for name in known)
    return identity or whole not in ("", "usedevelopmentstorage=true")


def _model_at(url: str) -> dict[str, str]:
    # A blank is "not set" to the app, yet keeps local.settings.json from setting it.
    others = dict.fromkeys(MODEL_SETTINGS, " ")
    ours = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "local"}
    return {**others, **ours, "OPENAI_MODEL": "smollm2-135m-instruct"}


def _get(port: int, path: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = json.loads(response.read(65536))
    except (OSError, http.client.HTTPException, ValueError):
        return 0, {}
    finally:
        connection.close()
    return response.status, body if isinstance(body, dict) else {}
