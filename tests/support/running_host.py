"""The local host as a process of its own, with the app in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
_READY = "Host ready on "
_LIMIT = 60.0


class RunningHost:
    """``python -m devkit.host`` on a free port, stopped on leaving.

    Args:
        storage: Connection string.
        model_url: OpenAI-compatible base URL.
        app: Folder of function_app.py.
    """

    def __init__(self, storage: str, model_url: str, app: Path = ROOT, **environment: str) -> None:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115, closed on leaving
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environment = kept | {
            "PYTHONPATH": str(ROOT),
            "AzureWebJobsStorage": storage,
            "OPENAI_BASE_URL": model_url,
            "OPENAI_API_KEY": "test",
            "OPENAI_MODEL": "test",
            **environment,
        }
        self._app = app
        self.url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "devkit.host", "--app", str(self._app), "--port", "0"]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith(_READY), self.log()
        self.url = line.removeprefix(_READY).strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._log.close()

    def log(self) -> str:
        """What the host wrote to stderr so far."""
        self._log.seek(0)
        return self._log.read()

    def call(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Message, Any]:
        """Status, headers and JSON body of one request; ``body`` may be bytes or JSON."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raw = error.read()
            return error.code, error.headers, json.loads(raw) if raw else None

    def open(self, text: str, **fields: Any) -> str:
        """Opens a case and returns its id."""
        body = {"desk": "hotel", "customer_query": text, **fields}
        status, _, said = self.call("POST", "/api/cases", body)
        assert status == 202, said
        return str(said["case_id"])

    def case(self, case_id: str) -> dict[str, Any]:
        """The case as it is now."""
        status, _, said = self.call("GET", f"/api/cases/{case_id}")
        assert status == 200, said
        found: dict[str, Any] = said
        return found

    def settled(self, case_id: str, limit: float = _LIMIT) -> dict[str, Any]:
        """The case when nothing is left to do."""
        until = time.monotonic() + limit
        while True:
            case = self.case(case_id)
            effects = [effect for effect in case["effects"] if not effect["dormant"]]
            if not any(part["due_at"] for part in [*case["stages"], *effects]):
                return case
            assert time.monotonic() < until, (case["stages"], self.log()[-3000:])
            time.sleep(0.05)
