"""Backends in desk files: mistakes are told with their line, what is missing goes to people."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from shared.adapters import backends
from shared.adapters.backends import Around
from shared.adapters.clocks import SystemClock
from shared.adapters.desk_files import load_desks
from shared.domain.desk import Desk
from shared.errors import ConfigError

HEAD = """\
name: default
title: Shop
scene: A shop.
service_hosts: [pms.example.com]
actions:
  - name: clean
    description: Cleans.
    when: Dirty.
    arguments:
      - name: room
        description: Room
      - name: note
        description: Note
        required: false
      - name: amount
        type: number
        description: Amount
        minimum: 0
"""

TICKET = "    backend: {type: ticket, system: jira, "
HTTP = "    backend:\n      type: http\n      "


def load(folder: Path, tail: str, around: Around | None = None) -> Desk:
    (folder / "default.yaml").write_text(HEAD + tail, "utf-8")
    (desk,) = load_desks(folder, around).every
    return desk


def test_every_backend_has_a_module_and_a_description() -> None:
    assert set(backends.names()) >= {"http", "manual"}
    assert all(backends.load(name).options.model_config["extra"] == "forbid" or name == "manual"
               for name in backends.names())  # fmt: skip


@pytest.mark.parametrize(
    ("tail", "line", "reason"),
    [
        ("    backend: {type: ticket, system: trello}\n", 19, "system: 'trello' is not one of"),
        ("    backend: {type: ticket, labels: [A b]}\n", 19, "labels[0]: 'A b' is not a name"),
        ("    backend: {type: ticket, priority: p1}\n", 19, "priority: 'p1' is not one of"),
        ("    backend: {type: ticket, queue: OPS}\n", 19, "queue: the ledger has no queues"),
        (TICKET + "queue: ops}\n", 19, "queue: must be such as OPS, the key of a project"),
        ("escalation: {ticket: trello}\n", 19, "ticket.system: 'trello' is not one of"),
        ("escalation:\n  ticket: {system: github, queue: x}\n", 20, "ticket.queue: must be such"),
        ("escalation:\n  ticket: {quue: X}\n", 20, "unknown field; did you mean queue"),
        ("escalation: {tickt: jira}\n", 19, "unknown field; did you mean ticket"),
        ("    backend: htp\n", 19, "backend: 'htp' is not one of"),
        ("    backend: {type: soap}\n", 19, "backend: 'soap' is not one of"),
        (HTTP + "pth: /x\n", 21, "pth: unknown field; did you mean path?"),
        (HTTP + "method: GET\n", 21, "method: 'GET' is not one of"),
        (HTTP + "path: /a/{rom}\n", 21, "{rom} is no argument"),
        (HTTP + "path: /a/{note}\n", 21, "{note} may be missing"),
        (HTTP + "path: rooms\n", 21, "must begin with /"),
        (HTTP + "path: /a/{\n", 21, "a { stands alone"),
        (HTTP + 'body: {a: ["{x}"]}\n', 21, "{x} is no argument"),
        (HTTP + "url: https://evil.example.com/x\n", 21, "service_hosts"),
        (HTTP + "url: http://pms.example.com/x\n", 21, "must begin with https"),
        (HTTP + 'url: "https://{room}.example.com/"\n', 21, "without a gap"),
        (HTTP + "expect: [404]\n", 21, "expect[0]: must be at most 299"),
        (HTTP + "secret: No Name\n", 21, "is not a name"),
        ("    approval: auto\n    money: {argument: amount, most: 5}\n", 19, "approval: needs"),
        ("    money: {argument: amont, most: 5}\n", 19, "money.argument: no argument"),
        ("    money: {argument: room, most: 5}\n", 19, "must be an argument of type number"),
        ("    money: {argument: amount, most: 5, automatic: 9}\n", 19, "is greater than most"),
        ("    ask_if: {urgency: [high]}\n", 19, "ask_if: is for approval: auto"),
        ("    only_if: {}\n", 19, "only_if: empty"),
        ("    only_if: {risks: [fire]}\n", 19, "only_if.risks[0]: 'fire' is not one of"),
        ("approvals: {remind_after: 9h}\n", 19, "escalate_after: must be more than remind"),
        ("    backend: manual\n    bakend: http\n", 20, "unknown field; did you mean backend?"),
        ("    backend:\n      type: manual\n      url: x\n", 21, "unknown field"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, tail: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        load(tmp_path, tail)
    (said,) = str(wrong.value).splitlines()
    assert said.startswith(f"{tmp_path.name}/default.yaml:{line}: ")
    assert reason in said


def test_two_actions_of_one_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r":19: actions\[1\].name: 'clean' is taken, see line 6"):
        load(tmp_path, "  - name: clean\n    description: Again.\n    when: Dirty.\n")


@pytest.mark.parametrize(
    ("around", "why"),
    [
        ({}, "no address: set FRONTDESK_ACTIONS_URL or FRONTDESK_ACTIONS_URL_DEFAULT"),
        ({"addresses": {"": "http://pms.example.com"}}, "must begin with https://"),
        ({"addresses": {"": "https://evil.example.com"}}, "service_hosts"),
        ({"addresses": {"": "http://localhost:9"}}, "must begin with https://"),
        ({"addresses": {"DEFAULT": "https://pms.example.com"}}, "set FRONTDESK_ACTION_SECRET_PMS"),
    ],
)
def test_what_a_backend_lacks_here_leaves_the_action_to_people_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, around: dict[str, Any], why: str
) -> None:
    tail = "    backend: {type: http, secret: pms}\n"
    with caplog.at_level(logging.WARNING):
        desk = load(tmp_path, tail, Around(SystemClock(), **around))
    assert desk.actions[0].backend.type == "manual"
    (record,) = [
        r for r in caplog.records if r.getMessage() == "left to people: it lacks a setting"
    ]
    assert vars(record)["where"] == f"{tmp_path.name}/default.yaml:19"
    assert why in vars(record)["why"]


def test_a_ticket_that_cannot_be_opened_is_told_with_its_line_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tail = "    backend: {type: ticket, system: github}\n"
    tail += "escalation:\n  ticket: {system: jira}\n"
    wanted = {"JIRA_URL": "https://x.example.com", "JIRA_EMAIL": "e", "JIRA_TOKEN": "t"}
    with caplog.at_level(logging.WARNING):
        desk = load(tmp_path, tail, Around(SystemClock(), tickets=wanted))
    assert (desk.actions[0].backend.type, desk.escalation.ticket) == ("manual", None)
    said = {vars(r)["where"].rpartition(":")[2]: vars(r)["why"] for r in caplog.records}
    assert said["19"] == "actions[0].backend: set FRONTDESK_TICKETS_GITHUB_TOKEN"
    assert said["21"].startswith("escalation.ticket: no queue: set FRONTDESK_TICKETS_JIRA_QUEUE")
    (tmp_path / "default.yaml").unlink()
    complete = load(
        tmp_path, tail.replace("jira}", "jira, queue: OPS}"), Around(SystemClock(), tickets=wanted)
    )
    assert complete.escalation.ticket is not None
    assert complete.escalation.opens(2)[0].to == ("jira",)


def test_what_is_complete_is_kept(tmp_path: Path) -> None:
    around = Around(SystemClock(), {"": "http://127.0.0.1:7072"}, {"PMS": "s"}, development=True)
    desk = load(tmp_path, "    backend: {type: http, secret: pms}\n", around)
    assert desk.actions[0].backend.type == "http"
    assert desk.actions[0].backend.options == {"secret": "pms"}
