"""A service on loopback that carries out the actions of an OpenAPI document, and keeps a ledger.

    python -m devkit.actions --document actions.json --ledger actions.jsonl --port 0

Each action becomes a line of the ledger file; a key that comes again meets its own line, also after
a restart. The document says what is taken: paths, and JSON schemas of the bodies.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from jsonschema import Draft202012Validator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devkit.emulator.server import address, listen, server

_MAX_BYTES = 1024 * 1024
_MAX_KEY = 255


@dataclass(frozen=True)
class Entry:
    """An action that was carried out.

    Attributes:
        at: UTC, ISO 8601.
        key: its idempotency key.
        path: the endpoint.
        body: what was asked for.
    """

    number: int
    at: str
    key: str
    path: str
    body: dict[str, Any]


class Ledger:
    """What was carried out, in a file of JSON lines.

    Args:
        file: made if missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries = read_ledger(file)
        self._by_key = {entry.key: entry for entry in self._entries}

    @property
    def entries(self) -> list[Entry]:
        """In the order in which they were carried out."""
        return list(self._entries)

    def known(self, key: str) -> Entry | None:
        """What was carried out under a key."""
        return self._by_key.get(key)

    def add(self, key: str, path: str, body: dict[str, Any]) -> Entry:
        """Carries an action out: a line in the file, before anybody is told."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(len(self._entries) + 1, now, key, path, body)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
        self._entries.append(entry)
        self._by_key[key] = entry
        return entry


def read_ledger(file: Path) -> list[Entry]:
    """The entries of a ledger file; none without a file, and not a line that is half-written."""
    if not file.exists():
        return []
    entries: list[Entry] = []
    for line in file.read_text(encoding="utf-8").split("\n"):
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return entries


def make_app(document: dict[str, Any], ledger: Ledger) -> Starlette:
    """The service of a document."""
    # Not async: no request is begun before the one before it is in the ledger.
    routes = [
        Route("/openapi.json", lambda _: JSONResponse(document)),
        Route("/ledger", lambda _: JSONResponse([asdict(e) for e in ledger.entries])),
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            endpoint = _Endpoint(Draft202012Validator(schema), ledger)
            routes.append(Route(path, endpoint.take, methods=[method.upper()]))
    return Starlette(routes=routes)


class _Endpoint:
    def __init__(self, validator: Draft202012Validator, ledger: Ledger) -> None:
        self._validator = validator
        self._ledger = ledger

    async def take(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key", "")
        if not (0 < len(key) <= _MAX_KEY):
            return _problem(400, "Idempotency-Key is missing, or longer than 255 characters")
        raw = await request.body()
        try:
            body = json.loads(raw) if len(raw) <= _MAX_BYTES else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return _problem(400, "the body is no JSON object of at most 1 MiB")
        problems = [_said(error) for error in self._validator.iter_errors(body)]
        if problems:
            return _problem(422, "; ".join(problems))
        # From here on nothing waits, so that of two equal requests one comes first.
        known, path = self._ledger.known(key), request.url.path
        if known is None:
            return JSONResponse(asdict(self._ledger.add(key, path, body)), 201)
        if (known.path, known.body) != (path, body):
            return _problem(422, "this key came before with another action")
        return JSONResponse(asdict(known), 200)


def _said(error: Any) -> str:
    where = ".".join(str(step) for step in error.absolute_path) or "body"
    return f"{where}: {error.message}"[:300]


def _problem(status: int, detail: str) -> Response:
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def serve(document: dict[str, Any], ledger: Path, port: int) -> int:
    """Serves until SIGTERM or Ctrl-C; 0 after a stop, 1 without a port."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        listening = listen(port)
    except OSError as error:
        print(f"Port {port} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    print(f"Actions ready on {address(listening)}", flush=True)
    server(make_app(document, Ledger(ledger))).run([listening])
    return 0


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m devkit.actions", description=__doc__)
    parser.add_argument("--document", type=Path, required=True, help="OpenAPI document, JSON")
    parser.add_argument("--ledger", type=Path, required=True, help="file of JSON lines")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 for any free one")
    given = parser.parse_args()
    return serve(json.loads(given.document.read_text(encoding="utf-8")), given.ledger, given.port)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
