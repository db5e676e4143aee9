"""Backends ``email``, ``ticket`` and ``python``: what they do with an action."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from devkit.mailbox import Mailbox, mails
from shared.adapters import backends
from shared.adapters.backends import Around, Shape, python
from shared.adapters.backends.email import EmailActions
from shared.adapters.backends.python import Call, PythonActions, load_functions
from shared.adapters.backends.ticket import TicketActions
from shared.adapters.clocks import ManualClock
from shared.adapters.mail import parse_sender
from shared.adapters.memory import MemoryTickets
from shared.adapters.smtp import MailServer, SmtpMailer
from shared.domain.desk_action import CatalogueAction
from shared.domain.stage import Action, EffectRequest
from shared.errors import ConfigError, PermanentError, UncertainError
from shared.ports import EffectCall
from tests.support.effect_calls import CASE_ID, a_case, a_desk

KEY = f"{CASE_ID}-action-repair-1-0"
SHAPE = Shape("hotel", "repair", {"room": True, "fault": False})


def a_call(type_: str, options: dict[str, Any], **arguments: Any) -> EffectCall:
    given = arguments or {"room": "12", "fault": "lamp"}
    known = CatalogueAction.model_validate(
        {
            "name": "repair",
            "description": "Repairs.",
            "when": "Broken.",
            "arguments": tuple({"name": n, "description": n} for n in SHAPE.arguments),
            "backend": {"type": type_, **options},
        }
    )
    action = Action(id="repair-1-0", name="repair", arguments=given, reason="it is dark")
    request = EffectRequest(
        key="action-repair-1-0", sink=f"action-{type_}", to=(), turn=1, action=action
    )
    return EffectCall(KEY, request, a_case(), a_desk(actions=(known,)))


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with Mailbox(tmp_path / "mails") as running:
        yield running


def problems(name: str, options: dict[str, Any]) -> dict[str, str]:
    backend = backends.load(name)
    return dict(backend.problems(backend.options.model_validate(options), SHAPE))


async def test_a_mail_goes_to_the_desk_files_addresses_with_the_arguments_in_it(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    sender = parse_sender("Frontdesk <frontdesk@desk.example.com>")
    mailer = SmtpMailer(MailServer.parse(mailbox.url), sender, ManualClock())
    options = {
        "to": ("repairs@hotel.example.com",),
        "subject": "Room {room}: {fault}",
        "text": "Please look at {fault} in {room}. {{Thanks}}",
    }
    evil = "12\r\nBcc: all@example.com\x1b\u202e"
    receipt = await EmailActions(mailer).send(a_call("email", options, room=evil, fault="lamp"))

    (path,) = mails(tmp_path / "mails")
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert receipt.startswith(f"<{KEY}@desk.example.com>")
    assert mail["To"] == "repairs@hotel.example.com"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Room 12 Bcc: all@example.com : lamp"
    said = str(mail.get_content())
    assert said.startswith("Please look at lamp in 12")
    assert "{Thanks}" in said
    assert f"Case {CASE_ID}, desk hotel, action repair-1-0." in said


def test_mistakes_in_texts_are_told() -> None:
    said = {"to": ("a@example.com",), "subject": "{rom}", "text": "{"}
    assert problems("email", said).keys() == {"subject", "text"}
    assert problems("ticket", {"title": "{rom}", "system": "paper"}).keys() == {"title", "system"}
    assert problems("ticket", {"title": "{room}", "text": "{fault} {case_id}"}) == {}


async def test_a_ticket_is_made_once_and_says_where_it_came_from() -> None:
    ledger = MemoryTickets()
    sink = TicketActions(Around(ManualClock(), ledger=ledger))
    call = a_call("ticket", {"title": "Repair in {room}"})
    assert await sink.find(call) is None
    number = await sink.send(call)

    (ticket,) = await ledger.entries("hotel", 10)
    assert number.startswith("T-")
    assert await sink.find(call) == number
    assert (ticket.reference, ticket.title, ticket.case_id) == (KEY, "Repair in 12", CASE_ID)
    assert ticket.text == (
        f"room: 12\nfault: lamp\n\nWhy: it is dark\n\n"
        f"Case {CASE_ID}, desk hotel, action repair-1-0."
    )


async def test_a_function_gets_the_action_and_gives_the_receipt() -> None:
    seen: list[Call] = []

    def plain(call: Call) -> str:
        seen.append(call)
        return "booked"

    assert await PythonActions({"f": plain}).send(a_call("python", {"function": "f"})) == "booked"
    assert seen == [Call(KEY, {"room": "12", "fault": "lamp"}, CASE_ID, 1, "hotel")]


async def test_a_function_that_is_slow_may_have_done_it_and_one_that_is_gone_has_not() -> None:
    async def slow(_: Call) -> str:
        await asyncio.sleep(5)
        return ""

    def stuck(_: Call) -> str:
        time.sleep(0.3)
        return ""

    for function in (slow, stuck):
        sink = PythonActions({"f": function}, seconds=0.05)
        with pytest.raises(UncertainError):
            await sink.send(a_call("python", {"function": "f"}))
    with pytest.raises(PermanentError) as gone:
        await PythonActions({}).send(a_call("python", {"function": "f"}))
    assert gone.value.code == "function_missing"


def test_only_what_the_named_modules_register_can_be_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(python, "_registered", {})
    (tmp_path / "own_actions_of_a_test.py").write_text(
        "from shared.adapters.backends.python import action\n"
        "@action('taxi')\n"
        "def taxi(call): return 'ok'\n"
    )
    found = load_functions("own_actions_of_a_test")
    monkeypatch.delitem(sys.modules, "own_actions_of_a_test")
    assert set(found) == {"taxi"}
    backend = backends.load("python")
    around = Around(ManualClock(), functions=found)
    for name, why in (("taxi", ""), ("system", "no function system in the modules of")):
        said = backend.options.model_validate({"function": name})
        assert backend.missing(said, SHAPE, around).startswith(why)
    with pytest.raises(ConfigError, match="cannot be imported"):
        load_functions("no_such_module")
    with pytest.raises(ConfigError, match="two functions"):
        python.action("taxi")(lambda _: "")


def test_without_a_mail_server_mails_are_left_to_people() -> None:
    backend = backends.load("email")
    said = backend.options.model_validate({"to": ("a@example.com",), "subject": "x", "text": "x"})
    assert "FRONTDESK_SMTP_URL" in backend.missing(said, SHAPE, Around(ManualClock()))
    assert "action-email" not in backends.sinks(Around(ManualClock()))
