"""The hotel and the restaurant: proposed, approved by mail link and at the terminal, done once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from devkit.actions import read_ledger
from devkit.azurite import Azurite
from devkit.emulator import Emulator
from devkit.mailbox import mails, serving
from tests.support.letters import decision_links
from tests.support.running_host import ROOT, RunningHost

PUBLIC = "https://desk.example.com"
_LIMIT = 60.0


def proposed(name: str, **arguments: str) -> dict[str, Any]:
    given = [{"name": key, "value": value} for key, value in arguments.items()]
    return {"name": name, "arguments": given, "reason": "the guest says so"}


HOTEL = (
    proposed("send_housekeeping", room="12", request="clean the room"),
    proposed("refund_guest", reason="two hours without a room", amount="40"),
    proposed("refund_guest", reason="the whole stay", amount="4000"),
    proposed("wire_money", to="somebody"),
)
RESTAURANT = (
    proposed("redo_dish", table="7", dish="steak", wish="medium rare"),
    proposed("correct_bill", reason="steak was raw", amount="28"),
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    rules = [
        {
            "when": {"agent": "escalation", "text": scene},
            "then": {"answer": {"actions": list(actions)}},
        }
        for scene, actions in (("Harbour Lane", HOTEL), ("Ember Street", RESTAURANT))
    ]
    with Emulator({"rules": rules}) as running:
        yield running


class Service:
    """``./frontdesk actions serve`` for both desks, as a process of its own."""

    def __init__(self, state: Path) -> None:
        self.ledger = state / "actions.jsonl"
        self._environment = {**os.environ, "FRONTDESK_STATE": str(state)}
        self.process = self._start()
        self.url = self._ready()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "entrypoints.cli", "actions", "serve"]
        return subprocess.Popen(
            [*command, "hotel", "restaurant"],
            cwd=ROOT,
            env={**self._environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ready(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Actions ready on "), line
        return line.removeprefix("Actions ready on ").strip()

    def done(self, case_id: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            (entry.path, entry.body["arguments"])
            for entry in read_ledger(self.ledger)
            if entry.body["case_id"] == case_id
        ]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("state"))
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.wait(20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mails")


@pytest.fixture(scope="module")
def host(
    azurite: Azurite, emulator: Emulator, service: Service, folder: Path
) -> Iterator[RunningHost]:
    with (
        serving(folder, None) as mailbox,
        RunningHost(
            azurite.connection_string,
            f"{emulator.url}/v1",
            FRONTDESK_TABLE_PREFIX="acting",
            FRONTDESK_ACTIONS_URL=service.url,
            FRONTDESK_SMTP_URL=mailbox,
            FRONTDESK_MAIL_FROM="Frontdesk <frontdesk@desk.example.com>",
            FRONTDESK_PUBLIC_URL=PUBLIC,
            AZURE_FUNCTIONS_ENVIRONMENT="Development",
        ) as running,
    ):
        yield running


def opened(host: RunningHost, desk: str, text: str) -> dict[str, Any]:
    _, _, said = host.call("POST", "/api/cases", {"desk": desk, "customer_query": text})
    return reached(host, said["case_id"], {"waiting", "done"})


def reached(host: RunningHost, case_id: str, states: set[str]) -> dict[str, Any]:
    """The case once all its actions are in these states and its mails are sent."""
    until = time.monotonic() + _LIMIT
    while True:
        _, _, case = host.call("GET", f"/api/cases/{case_id}")
        mailed = [e for e in case["effects"] if e["sink"] == "email" and not e["due_at"]]
        now = {action["state"] for action in case["actions"]}
        if now and now <= states and any(e["state"] == "done" for e in mailed):
            return dict(case)
        assert time.monotonic() < until, json.dumps(case, indent=2)[:4000]
        time.sleep(0.3)


def links(folder: Path, case_id: str) -> list[str]:
    """The paths of the links to decisions in a case's mails."""
    links = [link for mail in mails(folder) for link in decision_links(mail, PUBLIC)]
    return [link.path for link in links if link.case_id == case_id]


def page_of(host: RunningHost, path: str, **form: str) -> tuple[int, str, Any]:
    data = urlencode(form).encode() if form else None
    try:
        with urllib.request.urlopen(host.url + path, data, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def states(case: dict[str, Any]) -> dict[str, str]:
    return {action["name"]: action["state"] for action in case["actions"]}


def test_the_hotel_by_the_link_in_the_mail(
    host: RunningHost, service: Service, folder: Path
) -> None:
    case = opened(host, "hotel", "My room 12 is dirty, and nobody came for two hours.")
    case_id = case["case_id"]
    cleaned = (
        "/desks/hotel/actions/send_housekeeping",
        {"room": "12", "request": "clean the room"},
    )
    assert service.done(case_id) == [cleaned]
    assert states(case) == {"send_housekeeping": "done", "refund_guest": "waiting"}
    assert {d["name"]: d["why"] for d in case["dropped_actions"]} == {
        "refund_guest": "amount: more than 300",
        "wire_money": "not in the desk's catalogue",
    }

    (link,) = links(folder, case_id)
    for _ in range(3):
        status, page, headers = page_of(host, link)
        assert (status, headers["Referrer-Policy"]) == (200, "no-referrer")
        assert "two hours without a room" in page
    assert states(host.call("GET", f"/api/cases/{case_id}")[2])["refund_guest"] == "waiting"
    assert page_of(host, link[:-3] + "AAA")[0] == 404

    status, page, _ = page_of(host, link, decision="approve", by="Ana", reason="she is right")
    assert (status, "Approved: refund_guest" in page) == (200, True)
    case = reached(host, case_id, {"done"})
    refund = next(a for a in case["actions"] if a["name"] == "refund_guest")
    assert (refund["decided_by"], refund["via"], refund["receipt"]) == (
        "Ana", "link in a mail", "HTTP 201"
    )  # fmt: skip
    status, page, _ = page_of(host, link, decision="reject", by="Bob")
    assert (status, "approved by Ana" in page) == (409, True)

    given = {"reason": "two hours without a room", "amount": 40.0}
    assert service.done(case_id) == [cleaned, ("/desks/hotel/actions/refund_guest", given)]


def test_the_restaurant_at_the_terminal(host: RunningHost, service: Service) -> None:
    case = opened(host, "restaurant", "My steak is raw, and you charged me for it.")
    case_id = case["case_id"]
    assert states(case) == {"redo_dish": "done", "correct_bill": "waiting"}

    command = [sys.executable, "-m", "entrypoints.cli"]
    more = ["--reason", "it was raw", "--by", "maria", "--url", host.url]
    for _ in range(2):
        said = subprocess.run(
            [*command, "approve", case_id, "correct_bill", *more],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (said.returncode, said.stdout) == (0, f"case {case_id}  correct_bill  approved\n")
    case = reached(host, case_id, {"done"})
    bill = next(a for a in case["actions"] if a["name"] == "correct_bill")
    assert (bill["decided_by"], bill["decided_why"]) == ("maria", "it was raw")
    assert [path for path, _ in service.done(case_id)] == [
        "/desks/restaurant/actions/redo_dish",
        "/desks/restaurant/actions/correct_bill",
    ]
    said = subprocess.run(
        [*command, "reject", case_id, "correct_bill", *more],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (said.returncode, "Already decided" in said.stderr) == (1, True)
