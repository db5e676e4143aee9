"""A Frontdesk made of an HTTP server, cases to put into it, and ways to run the command."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from entrypoints.cli.__main__ import main
from shared.domain.case import IndexEntry, StageView, SupportCase, Turn
from shared.domain.inbound import Delivery
from shared.domain.stage import StageError, Usage

ROOT = Path(__file__).resolve().parents[3]
CASE_ID = "3f2a9c1b-1111-4222-8333-444455556666"
RECEIVED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PROBLEM = "application/problem+json"
CaseMaker = Callable[..., SupportCase]


@dataclass
class FakeFrontdesk:
    """Answers as the API does.

    Attributes:
        cases: Answers to GET of a case, one after the other; the last one stays.
        refusals: Problems with which the next POSTs are answered.
        posted: Bodies of the POSTs; ``keys`` their idempotency keys.
        listings: Query strings of the listings that were asked for.
        parked: What GET /api/parked lists; ``failed`` are its channels of digests.
        waiting: What GET /api/approvals lists.
        acts: Paths and bodies of acts, decisions on actions included.
        replays: What the next replays answer: names, or a problem.
        quarantine: What is in quarantine.
        budgets: Desks as GET /api/budget has them.
        delivered: What came to webhooks; ``answers`` are for the next ones.
    """

    server: HTTPServer
    cases: list[SupportCase] = field(default_factory=list)
    entries: list[IndexEntry] = field(default_factory=list)
    refusals: list[tuple[int, str, str]] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    listings: list[dict[str, str]] = field(default_factory=list)
    parked: list[IndexEntry] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    waiting: list[IndexEntry] = field(default_factory=list)
    acts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    replays: list[tuple[int, str, str] | list[str]] = field(default_factory=list)
    quarantine: list[dict[str, str]] = field(default_factory=list)
    budgets: list[dict[str, Any]] = field(default_factory=list)
    delivered: list[Delivery] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        answer = self.server.expect_request
        health = {"status": "ok", "demo": True}
        answer("/api/health").respond_with_json(health)
        names = [{"name": name, "title": name} for name in ("bank", "hotel")]
        answer("/api/desks").respond_with_json({"desks": names})
        answer("/api/cases", method="POST").respond_with_handler(self._post)
        answer("/api/cases", method="GET").respond_with_handler(self._list)
        answer(f"/api/cases/{CASE_ID}").respond_with_handler(self._case)
        answer(f"/api/cases/{CASE_ID}/messages", method="POST").respond_with_handler(self._post)
        answer(re.compile(r"/api/cases/.*/(cancel|resolve)")).respond_with_handler(self._act)
        answer(re.compile(r"/api/cases/.*/replay")).respond_with_handler(self._replay)
        answer(re.compile(r"/api/cases/.*/actions/.*")).respond_with_handler(self._decide)
        answer("/api/approvals").respond_with_handler(self._approvals)
        answer(re.compile(r"/api/digests/hotel/.*")).respond_with_handler(self._digest_act)
        answer("/api/digests/hotel").respond_with_handler(self._digest)
        answer("/api/parked").respond_with_handler(self._parked)
        answer("/api/budget").respond_with_handler(self._budget)
        answer(re.compile("/api/webhooks/.*")).respond_with_handler(self._webhook)
        answer("/api/quarantine").respond_with_handler(self._quarantine)

    @property
    def url(self) -> str:
        return self.server.url_for("").rstrip("/")

    @property
    def asked(self) -> str:
        """The customer's message of the only POST."""
        (body,) = self.posted
        return str(body["customer_query"])

    def _post(self, request: Request) -> Response:
        self.keys.append(request.headers["Idempotency-Key"])
        if self.refusals:
            return problem(*self.refusals.pop(0))
        self.posted.append(request.get_json())
        link = f"/api/cases/{CASE_ID}"
        said = {"case_id": CASE_ID, "status": "open", "links": {"self": link}}
        return answer_json(said, 202)

    def _case(self, request: Request) -> Response:
        case = self.cases.pop(0) if len(self.cases) > 1 else self.cases[0]
        return answer_json(case.model_dump(mode="json"))

    def _list(self, request: Request) -> Response:
        self.listings.append(dict(request.args))
        return page_of(self.entries, request)

    def _parked(self, request: Request) -> Response:
        page = page_of(self.parked, request).get_json()
        first = "cursor" not in request.args
        return answer_json({**page, "digests": self.failed if first else []})

    def _digest(self, request: Request) -> Response:
        effects = [
            {"key": "email", "state": "done", "receipt": "<1@x> kept", "reason": ""},
            {"key": "slack", "state": "refused", "receipt": "", "reason": "receiver_gone"},
        ]
        at, who = "2026-03-29T07:00:00Z", {"by": "ana", "reason": "address"}
        acts = [{"act": "replay", "at": at, "effects": ["slack"], **who}]
        letter = {"subject": "S", "text": "Said.", "html": ""}
        return answer_json({"digest": {}, "effects": effects, "acts": acts, "letter": letter})

    def _digest_act(self, request: Request) -> Response:
        said = request.get_json()
        self.acts.append((request.path, said))
        if self.refusals:
            return problem(*self.refusals.pop(0))
        again = said.get("channels") or ["slack"]
        return answer_json({"desk": "hotel", "window": said["window"], "replayed": again}, 202)

    def _act(self, request: Request) -> Response:
        self.acts.append((request.path, request.get_json()))
        if self.refusals:
            return problem(*self.refusals.pop(0))
        return answer_json({"case_id": CASE_ID, "status": "done"}, 202)

    def _decide(self, request: Request) -> Response:
        self.acts.append((request.path, request.get_json()))
        if self.refusals:
            return problem(*self.refusals.pop(0))
        name = request.path.split("/")[-2]
        state = "to_do" if name == "offer_room" else "under_way"
        action = {"id": f"{name}-1-0", "name": name, "state": state}
        return answer_json({"case_id": CASE_ID, "action": action}, 202)

    def _approvals(self, request: Request) -> Response:
        return page_of(self.waiting, request)

    def _replay(self, request: Request) -> Response:
        self.acts.append((request.path, request.get_json()))
        become = self.replays.pop(0) if self.replays else ["1:sentiment"]
        if isinstance(become, tuple):
            return problem(*become)
        return answer_json({"case_id": CASE_ID, "replayed": become}, 202)

    def _budget(self, request: Request) -> Response:
        return answer_json({"day": request.args.get("day", "today"), "desks": self.budgets})

    def _webhook(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = dict(request.args)
        self.delivered.append(Delivery(request.base_url, headers, request.data, query))
        if self.answers:
            return self.answers.pop(0)
        return answer_json({"cases": [CASE_ID], "counts": {"accepted": 1}}, 202)

    def _quarantine(self, request: Request) -> Response:
        return answer_json({"messages": self.quarantine[: int(request.args["limit"])]})


def page_of(entries: list[IndexEntry], request: Request) -> Response:
    limit, start = int(request.args.get("limit", 20)), int(request.args.get("cursor", 0))
    page = entries[start : start + limit]
    more = str(start + limit) if len(entries) > start + limit else None
    return answer_json({"cases": [e.model_dump(mode="json") for e in page], "next": more})


def answer_json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")


def problem(status: int, title: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(json.dumps(body), status, mimetype=PROBLEM, headers={"Retry-After": "0"})


@pytest.fixture
def frontdesk(httpserver: HTTPServer) -> FakeFrontdesk:
    return FakeFrontdesk(httpserver)


@pytest.fixture
def stage() -> Callable[..., StageView]:
    """A stage's view in a state, as far as that state goes."""

    def make(name: str, state: str, **more: Any) -> StageView:
        claimed = RECEIVED + timedelta(seconds=1)
        fields: dict[str, Any] = {"turn": 1, "stage": name, "role": f"{name} agent"}
        fields |= {"objective": "", "state": state}
        if state == "working":
            lease = datetime.now(UTC) + timedelta(minutes=3)
            fields |= {"claimed_at": claimed, "due_at": lease, "attempts": 1}
        elif state == "finished":
            usage = Usage(calls=1, prompt_tokens=300, completion_tokens=12)
            fields |= {"claimed_at": claimed, "finished_at": claimed + timedelta(seconds=1.25)}
            fields |= {"attempts": 1, "usage": usage}
        elif state == "error":
            error = StageError(code="content_filter", detail="the provider refused")
            fields |= {"claimed_at": claimed, "attempts": 3, "error": error}
        return StageView.model_validate(fields | more)

    return make


@pytest.fixture
def make_case(stage: Callable[..., StageView]) -> CaseMaker:
    """A finished hotel case, with other values for any of its fields."""

    def make(**changes: Any) -> SupportCase:
        text = changes.get("customer_query", "My room is dirty.")
        fields: dict[str, Any] = {
            "case_id": CASE_ID,
            "support_context": "A hotel.",
            "customer_query": text,
            "support_response": "We are sorry about your room.",
            "sentiment": "Negative",
            "urgency": "high",
            "created_at": RECEIVED,
            "updated_at": RECEIVED + timedelta(seconds=3),
            "desk": "hotel",
            "status": "escalated",
            "turns": (Turn(turn=1, text=text, received_at=RECEIVED),),
            "stages": (stage("customer_query", "finished"), stage("sentiment", "finished")),
            "usage": Usage(calls=2, prompt_tokens=600, completion_tokens=24),
        }
        return SupportCase.model_validate(fields | changes)

    return make


@pytest.fixture
def make_entry() -> Callable[..., IndexEntry]:
    """A case as listings have it; its id begins with the number in eight hex digits."""

    def make(number: int, **changes: Any) -> IndexEntry:
        fields: dict[str, Any] = {
            "case_id": f"{number:08x}-1111-4222-8333-444455556666",
            "desk": "hotel",
            "status": "answered",
            "sentiment": "Positive",
            "urgency": "low",
            "subject": "Thank you for the lovely stay",
            "created_at": RECEIVED,
            "updated_at": RECEIVED,
        }
        return IndexEntry.model_validate(fields | changes)

    return make


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Cli:
    """Runs the command in this process, where nothing is a terminal."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._patch = patch

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Ended:
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(list(arguments))
        out, err = self._capsys.readouterr()
        return Ended(code, out, err)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("FRONTDESK_STATE", str(tmp_path))
    for name in ("FRONTDESK_URL", "FRONTDESK_KEY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Cli(capsys, monkeypatch)


class OnTerminal:
    """The command in a process of its own; stdin and stderr are a terminal, stdout a file."""

    def __init__(self, arguments: list[str], url: str, out: Path, **environ: str) -> None:
        self._terminal, slave = pty.openpty()
        self._out = out
        self._bytes = b""
        self._past = 0
        with out.open("wb") as stdout:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "entrypoints.cli", *arguments],
                stdin=slave,
                stdout=stdout,
                stderr=slave,
                cwd=out.parent,
                start_new_session=True,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(ROOT),
                    "FRONTDESK_URL": url,
                    "LC_ALL": "C.UTF-8",
                    "TERM": "xterm",
                    **environ,
                },
            )
        os.close(slave)

    @property
    def seen(self) -> str:
        """What has appeared on the terminal so far."""
        return self._bytes.decode("utf-8", "replace")

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def paste(self, text: str) -> None:
        """Paste as terminals do: marked as a paste where the program has asked for that."""
        marked = self.seen.rfind("\x1b[?2004h") > self.seen.rfind("\x1b[?2004l")
        self.type(f"\x1b[200~{text}\x1b[201~" if marked else text)

    def wait_for(self, text: str, seconds: float = 15.0) -> None:
        """Read until the text has appeared, after what was waited for before."""
        deadline = time.monotonic() + seconds
        while (at := self.seen.find(text, self._past)) < 0:
            assert self._read(deadline - time.monotonic()), f"no {text!r} in {self.seen!r}"
        self._past = at + len(text)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        """Read to the end and return the exit code, what stdout holds and what was seen."""
        while self._read(15.0):
            pass
        code = self.process.wait(15)
        return Ended(code, self._out.read_text("utf-8"), self.seen)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._terminal)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, seconds))
        try:
            read = os.read(self._terminal, 65536) if ready else b""
        except OSError:  # Linux says EIO when the other end is closed
            read = b""
        self._bytes += read
        return bool(read)


@pytest.fixture
def on_terminal(frontdesk: FakeFrontdesk, tmp_path: Path) -> Iterator[Callable[..., OnTerminal]]:
    started: list[OnTerminal] = []

    def start(*arguments: str, **environ: str) -> OnTerminal:
        out = tmp_path / f"stdout-{len(started)}"
        started.append(OnTerminal(list(arguments), frontdesk.url, out, **environ))
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()
