"""``actions check``: a line for whatever a desk file names, with its place; nothing is done."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import textwrap
from pathlib import Path
from typing import Any

import pytest

from devkit import setup
from devkit.crm.stand_in import Fault
from devkit.mailbox import Mailbox, mails
from entrypoints.cli.actions_check import check
from entrypoints.cli.exits import DONE, FAILED, UsageError
from entrypoints.cli.terminal import Screen, Terminal
from tests.support.acs import SENDER, CommunicationServices
from tests.support.service import Service
from tests.support.ticket_trackers import JiraTickets

DESK = """\
name: default
title: Shop
scene: A shop.
service_hosts: [pms.example.com]
actions:
  - name: clean
    description: Cleans.
    when: Dirty.
    backend: http
  - name: write
    description: Writes.
    when: Wanted.
    backend: {type: email, to: [a@example.com], subject: x, text: x}
  - name: repair
    description: Repairs.
    when: Broken.
    backend: {type: ticket, system: jira}
  - name: note
    description: Notes.
    when: Wanted.
    backend: ticket
  - name: call
    description: Calls.
    when: Wanted.
escalation:
  ticket: {system: jira, queue: FIN}
"""
ROOM = "{name: room, description: Room, type: txt}"
LINES = {"clean": 9, "write": 13, "repair": 17, "note": 21, "escalation": 26}


@pytest.fixture
def desks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of desk files, and nothing set."""
    monkeypatch.setattr(setup, "local_settings", dict)
    for name in (*setup.MAIL_SETTINGS, "FRONTDESK_ACTIONS_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "desks"
    folder.mkdir()
    (folder / "default.yaml").write_text(DESK, "utf-8")
    return folder


def a_screen(out: io.StringIO) -> Screen:
    def raw(text: str) -> None:
        out.write(text)

    return Screen(Terminal(out, {}), Terminal(io.StringIO(), {}), raw)


async def run(desks: Path, *names: str) -> tuple[int, str]:
    """The exit code and what was printed; beside the stand-ins, which need the loop."""
    out = io.StringIO()
    screen = a_screen(out)
    code = await asyncio.to_thread(check, names, screen, as_json=False, folder=desks)
    return code, out.getvalue()


def lines_of(said: str) -> dict[str, str]:
    """What was found, by action; each line begins with its place."""
    found: dict[str, str] = {}
    for line in said.splitlines():
        where, _, rest = line.partition(" ")
        if where.startswith("desks/"):
            action = rest.split()[0]
            assert where == f"desks/default.yaml:{LINES[action]}"
            found[action] = " ".join(rest.split()[1:])
    return found


async def test_what_can_be_reached_is_said_and_nothing_is_carried_out(
    desks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desks / "default.yaml").write_text(DESK.replace("FIN", "OPS"), "utf-8")
    async with Service() as service, Mailbox(tmp_path / "mails") as mailbox, JiraTickets() as jira:
        monkeypatch.setenv("FRONTDESK_ACTIONS_URL", service.url)
        monkeypatch.setenv("FRONTDESK_SMTP_URL", mailbox.url)
        monkeypatch.setenv("FRONTDESK_MAIL_FROM", "frontdesk@example.com")
        for name, value in {"URL": jira.url, "QUEUE": "OPS", **jira.credentials}.items():
            monkeypatch.setenv(f"FRONTDESK_TICKETS_JIRA_{name}", value)
        code, said = await run(desks)

        assert (code, lines_of(said)) == (
            DONE,
            {
                "clean": f"http + {service.url.partition('//')[2]} takes connections",
                "write": "email + 127.0.0.1 takes connections",
                "repair": "ticket + jira may create issues in OPS",
                "note": "ticket + ledger beside the cases",
                "escalation": "ticket + jira may create issues in OPS",
            },
        )
        assert "all that they name can be reached" in said
        assert service.requests == []
        assert mails(tmp_path / "mails") == []
        assert set(jira.requests) == {"GET /rest/api/3/mypermissions"}


async def test_azure_communication_services_is_asked_whether_it_knows_us(
    desks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with CommunicationServices() as service:
        monkeypatch.setenv("FRONTDESK_ACS_CONNECTION_STRING", service.connection_string)
        monkeypatch.setenv("FRONTDESK_MAIL_FROM", SENDER)
        found = lines_of((await run(desks))[1])
    assert found["write"] == "email + 127.0.0.1 takes our credentials"
    assert service.mails == []


async def test_what_refuses_us_or_is_not_there_is_said(
    desks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        there = f"127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("FRONTDESK_ACTIONS_URL", f"http://{there}")
        monkeypatch.setenv("FRONTDESK_SMTP_URL", f"smtp://{there}")
        monkeypatch.setenv("FRONTDESK_MAIL_FROM", "frontdesk@example.com")
        async with JiraTickets() as jira:
            secret = {"TOKEN": "mistyped-token"}
            values = {"URL": jira.url, "QUEUE": "OPS", **jira.credentials}
            for name, value in (values | secret).items():
                monkeypatch.setenv(f"FRONTDESK_TICKETS_JIRA_{name}", value)
            code, said = await run(desks)
            found = lines_of(said)
            assert code == FAILED
            assert f"receiver_unreachable: ConnectionRefusedError, {there}" in found["clean"]
            assert "unreachable" in found["write"]
            refused = "ticket x ticket_access_refused: HTTP 401: look at the settings"
            assert found["repair"].startswith(refused)
            assert "mistyped-token" not in said
            assert "4 of 5 cannot be carried out" in said
            assert "starts a stand-in" not in said, "there is an address"

            monkeypatch.setenv("FRONTDESK_TICKETS_JIRA_TOKEN", "secret")
            found = lines_of((await run(desks))[1])
            assert found["repair"] == "ticket + jira may create issues in OPS"
            assert "HTTP 404" in found["escalation"], "there is no project FIN"
            jira.faults.extend([Fault(429, {"Retry-After": "9"})] * 2)
            assert "ticket_system_rate_limited" in lines_of((await run(desks))[1])["repair"]


async def test_what_is_not_set_is_named(desks: Path) -> None:
    code, said = await run(desks)
    found = lines_of(said)
    assert code == FAILED
    assert found["clean"].endswith("set FRONTDESK_ACTIONS_URL or FRONTDESK_ACTIONS_URL_DEFAULT")
    assert found["write"].endswith("set FRONTDESK_SMTP_URL or FRONTDESK_ACS_ENDPOINT")
    assert found["repair"].endswith("set FRONTDESK_TICKETS_JIRA_URL")
    assert found["escalation"].endswith("set FRONTDESK_TICKETS_JIRA_URL")
    assert found["note"] == "ticket + ledger beside the cases"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: write", "name: clean", "10: actions[1].name: 'clean' is taken, see line 6"),
        ("backend: http", "backend: htp", "9: actions[0].backend: 'htp' is not one of"),
        ("system: jira}", "system: trello}", "17: actions[2].backend.system: 'trello' is not"),
        ("Dirty.", f"Dirty.\n    arguments: [{ROOM}]", "9: actions[0].arguments[0].type: 'txt'"),
    ],
)  # fmt: skip
async def test_mistakes_in_a_catalogue_are_told_with_their_lines(
    desks: Path, old: str, new: str, problem: str
) -> None:
    (desks / "default.yaml").write_text(DESK.replace(old, new, 1), "utf-8")
    code, said = await run(desks)
    assert code == FAILED
    assert said.startswith(f"x desks/default.yaml:{problem}")


async def test_a_setting_of_no_use_is_told(desks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_SMTP_URL", "ftp://secret-password@x")
    code, said = await run(desks)
    assert code == FAILED
    assert said.startswith("x FRONTDESK_SMTP_URL: must begin with")
    assert "secret-password" not in said


async def test_one_desk_can_be_checked_and_an_unknown_one_is_refused(desks: Path) -> None:
    other = textwrap.dedent(DESK).replace("name: default", "name: garage", 1)
    (desks / "garage.yaml").write_text(other, "utf-8")
    _, said = await run(desks, "garage")
    assert "desks/garage.yaml:9" in said
    assert "desks/default.yaml" not in said
    with pytest.raises(UsageError, match="no desk hotel: there are default, garage"):
        await run(desks, "hotel")


def test_json_is_a_list_of_what_was_found(desks: Path) -> None:
    out = io.StringIO()
    check(["default"], a_screen(out), as_json=True, folder=desks)
    said: list[dict[str, Any]] = json.loads(out.getvalue())
    assert [(one["what"], one["by"], one["fine"]) for one in said] == [
        ("clean", "http", False), ("write", "email", False), ("repair", "ticket", False),
        ("note", "ticket", True), ("escalation", "ticket", False),
    ]  # fmt: skip
