from __future__ import annotations

import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from devkit.mailbox import ledger, mails, main, serving
from devkit.processes import Child, start

ROOT = Path(__file__).parents[2]


def a_mail(message_id: str = "<1@x>", subject: str = "Hello") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@x.example", "b@x.example", subject
    mail["Message-ID"] = message_id
    mail.set_content("Hello\n.\nbye")
    return mail


def a_mailbox(folder: Path, log: Path) -> Child:
    command = [sys.executable, "-m", "devkit.mailbox", "--port", "0", "--folder", str(folder)]
    return start("Mailbox", command, log=log, folder=ROOT)


def port_of(child: Child) -> int:
    return int(child.wait_for_line(r"Mailbox ready on smtp://127\.0\.0\.1:(\d+)\n", 20)[1])


def test_mails_are_kept_and_shown_and_survive_a_restart(tmp_path: Path) -> None:
    folder, log = tmp_path / "mails", tmp_path / "log"
    first = a_mailbox(folder, log)
    with smtplib.SMTP("127.0.0.1", port_of(first)) as client:
        client.send_message(a_mail("<1@x>", "Grüße"), to_addrs=["b@x.example", "c@x.example"])
        client.send_message(a_mail("<2@x>", "=?utf-8?q?red=1B[31m?="))
    shown = first.wait_for_line(r"(?s)Mail to .*Mail to .*\n", 10)[0]
    assert first.stop() == 0

    second = a_mailbox(folder, tmp_path / "log2")
    with smtplib.SMTP("127.0.0.1", port_of(second)) as client:
        client.send_message(a_mail("<1@x>"))
    second.stop()

    assert shown == "Mail to b@x.example, c@x.example: Grüße\nMail to b@x.example: red [31m\n"
    assert [path.name for path in mails(folder)] == ["00001.eml", "00002.eml", "00003.eml"]
    assert ledger(folder) == ["<1@x>", "<2@x>", "<1@x>"]
    assert mails(folder)[2].read_bytes().endswith(b"\r\nHello\r\n.\r\nbye\r\n")
    assert not list(folder.glob("*.part"))


def test_a_long_message_id_is_read_as_it_was_sent(tmp_path: Path) -> None:
    long = f"<{'a' * 90}@x>"
    (tmp_path / "00001.eml").write_bytes(f"Message-ID:\r\n {long}\r\n\r\nHello".encode())
    assert ledger(tmp_path) == [long]


def test_a_mail_taken_away_by_hand_never_makes_another_overwritten(tmp_path: Path) -> None:
    child = a_mailbox(tmp_path, tmp_path / "log")
    with smtplib.SMTP("127.0.0.1", port_of(child)) as client:
        for number in (1, 2):
            client.send_message(a_mail(f"<{number}@x>"))
        mails(tmp_path)[0].unlink()
        client.send_message(a_mail("<3@x>"))
    child.stop()

    assert ledger(tmp_path) == ["<2@x>", "<3@x>"]


def test_a_port_in_use_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = a_mailbox(tmp_path, tmp_path / "log")

    assert main(["--port", str(port_of(child)), "--folder", str(tmp_path)]) == 1

    child.stop()
    assert "mailbox: cannot listen on port" in capsys.readouterr().err


def test_it_serves_from_a_thread_and_ends_with_clients_still_there(tmp_path: Path) -> None:
    shown: list[tuple[str, str]] = []

    with serving(tmp_path, lambda to, subject: shown.append((to, subject))) as url:
        client = smtplib.SMTP("127.0.0.1", int(url.rpartition(":")[2]))
        client.send_message(a_mail())

    assert shown == [("b@x.example", "Hello")]
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.noop()
    client.close()
