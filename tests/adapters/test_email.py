from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from devkit.mailbox import Fault, Mailbox, _Handler, ledger, mails
from shared.adapters.clocks import ManualClock
from shared.adapters.email import EmailSink, UnsentMail
from shared.adapters.mail import parse_sender
from shared.adapters.smtp import MailServer, SmtpMailer
from shared.domain.approval_links import ApprovalLinks
from shared.errors import ConfigError, PermanentError, RetryableError, UncertainError
from tests.support.certificates import localhost_tls
from tests.support.effect_calls import CASE_ID, KEY, a_call, a_case, a_desk

DUTY, BOSS = "duty@hotel.example.com", "boss@hotel.example.com"
MESSAGE_ID = f"<{KEY}@desk.example.com>"


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with Mailbox(tmp_path / "mails") as running:
        yield running


def a_sink(url: str, *, public_url: str = "", total: float = 5.0) -> EmailSink:
    sender = parse_sender("Frontdesk <frontdesk@desk.example.com>")
    links = ApprovalLinks(b"s" * 32, public_url)
    mailer = SmtpMailer(MailServer.parse(url), sender, ManualClock(), total=total)
    return EmailSink(mailer, public_url, ManualClock(), links)


def kept(folder: Path) -> list[EmailMessage]:
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in mails(folder)]


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


async def test_a_mail_says_what_happened_and_what_is_asked(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    receipt = await a_sink(mailbox.url).send(a_call(DUTY, BOSS))

    [mail] = kept(tmp_path / "mails")
    assert receipt == f"{MESSAGE_ID} kept"
    assert mail["From"] == "Frontdesk <frontdesk@desk.example.com>"
    assert mail["To"] == f"{DUTY}, {BOSS}"
    assert mail["Subject"] == ("[Harbour Lane Hotel] high: Room 4 is dirty and was charged twice.")
    assert mail["Message-ID"] == MESSAGE_ID
    assert mail["References"] == f"<{CASE_ID}@desk.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert str(mail["Date"]) == "Thu, 01 Jan 2026 00:00:00 +0000"
    for kind in ("plain", "html"):
        said = part(mail, kind)
        assert "charged twice" in said
        assert f"./frontdesk show {CASE_ID}" in said
    assert mails(tmp_path / "mails")[0].read_bytes().isascii()


async def test_links_decide_where_the_public_address_is_known_and_commands_elsewhere(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    await a_sink(mailbox.url, public_url="https://desk.example.com").send(a_call(DUTY))
    await a_sink(mailbox.url).send(a_call(DUTY))

    linked, plain = kept(tmp_path / "mails")
    assert "https://desk.example.com/api/decide/" in part(linked, "plain")
    assert '<a href="https://desk.example.com/api/decide/' in part(linked, "html")
    assert f"./frontdesk approve {CASE_ID} refund-1-0" in part(plain, "plain")


async def test_a_reminder_says_that_nobody_has_answered(mailbox: Mailbox, tmp_path: Path) -> None:
    call = a_call(DUTY)
    about = replace(call, request=call.request.model_copy(update={"about": "unanswered"}))
    await a_sink(mailbox.url).send(about)

    (mail,) = kept(tmp_path / "mails")
    assert mail["Subject"].startswith("[Harbour Lane Hotel] no answer yet: high: ")
    assert "nobody has answered, so this comes to management" in part(mail, "plain")


async def test_a_second_attempt_carries_the_same_message_id(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    for _ in range(2):
        await a_sink(mailbox.url).send(a_call(DUTY))

    assert ledger(tmp_path / "mails") == [MESSAGE_ID, MESSAGE_ID]


async def test_with_a_public_url_the_mail_links_to_the_case(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    await a_sink(mailbox.url, public_url="https://desk.example.com/").send(a_call(DUTY))

    [mail] = kept(tmp_path / "mails")
    assert f'href="https://desk.example.com/api/cases/{CASE_ID}"' in part(mail, "html")


async def test_hostile_words_reach_no_header(mailbox: Mailbox, tmp_path: Path) -> None:
    attack = "Hi\r\nBcc: all@evil.example\r\n\r\n<b>\u202ebody\x00 =?utf-8?q?x?="
    case = a_case(summary=attack, customer_query=f"{attack}\n.\nMAIL FROM:<x@evil.example>")

    await a_sink(mailbox.url).send(a_call(DUTY, case=case, desk=a_desk(title="H\nX-Evil: 1")))

    [mail] = kept(tmp_path / "mails")
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert str(mail["Subject"]).startswith("[H X-Evil: 1] high: Hi Bcc: all@evil.example <b>body")
    assert "MAIL FROM:<x@evil.example>" in part(mail, "plain")
    assert len(mail.defects) == 0


async def test_other_scripts_arrive_whole(mailbox: Mailbox, tmp_path: Path) -> None:
    case = a_case(summary="客室が汚い。Grüße 👩‍🔧", customer_query="غرفتي متسخة")

    await a_sink(mailbox.url).send(a_call(DUTY, case=case))

    [mail] = kept(tmp_path / "mails")
    assert "客室が汚い。Grüße 👩‍🔧" in mail["Subject"]
    assert "غرفتي متسخة" in part(mail, "plain")


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ("451 busy", RetryableError, "mail_deferred"),
        ("421 going down", RetryableError, "mail_deferred"),
        ("550 no", PermanentError, "mail_refused"),
        ("552 too much", PermanentError, "mail_refused"),
    ],
)
async def test_a_refusal_is_no_doubt(
    mailbox: Mailbox, tmp_path: Path, at: Any, answer: str, error: type[Exception], code: str
) -> None:
    mailbox.faults.append(Fault(at, answer))

    with pytest.raises(error, match=f"{code}: SMTP.* {answer[:3]}"):
        await a_sink(mailbox.url).send(a_call(DUTY))

    assert ledger(tmp_path / "mails") == []


async def test_a_servers_reason_is_kept_unless_it_may_quote_the_mail(mailbox: Mailbox) -> None:
    mailbox.faults += [Fault("RCPT", "550 relay denied"), Fault("DATA", "554 spam: my room")]

    with pytest.raises(PermanentError, match=r"SMTPRecipientRefused 550 relay denied$"):
        await a_sink(mailbox.url).send(a_call(DUTY))
    with pytest.raises(PermanentError, match=r"SMTPDataError 554$"):
        await a_sink(mailbox.url).send(a_call(DUTY))


@pytest.mark.parametrize("at", ["MAIL", "RCPT"])
async def test_a_connection_lost_before_the_mail_is_no_doubt(
    mailbox: Mailbox, tmp_path: Path, at: Any
) -> None:
    mailbox.faults.append(Fault(at))

    with pytest.raises(RetryableError, match="mail_server_unreachable"):
        await a_sink(mailbox.url).send(a_call(DUTY))

    assert ledger(tmp_path / "mails") == []


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("delay", [0.0, 30.0])
async def test_an_answer_lost_after_the_mail_is_uncertain(
    mailbox: Mailbox, tmp_path: Path, keep: bool, delay: float
) -> None:
    mailbox.faults.append(Fault(keep=keep, delay=delay))

    with pytest.raises(UncertainError, match="answer_lost"):
        await a_sink(mailbox.url, total=1.0 if delay else 5.0).send(a_call(DUTY))

    assert ledger(tmp_path / "mails") == ([MESSAGE_ID] if keep else [])


async def test_what_follows_the_answer_changes_nothing(tmp_path: Path) -> None:
    class Rude(_Handler):
        async def handle_QUIT(  # noqa: N802
            self, server: SMTP, session: Session, envelope: Envelope
        ) -> str:
            raise RuntimeError

    class RudeMailbox(Mailbox):
        def _smtp(self) -> SMTP:
            return SMTP(Rude(self), hostname="localhost")

    async with RudeMailbox(tmp_path) as mailbox:
        assert await a_sink(mailbox.url).send(a_call(DUTY)) == f"{MESSAGE_ID} kept"


async def test_a_closed_port_has_surely_not_taken_it(free_port: int) -> None:
    with pytest.raises(RetryableError, match="mail_server_unreachable: SMTPConnectError"):
        await a_sink(f"smtp://127.0.0.1:{free_port}").send(a_call(DUTY))


async def test_a_server_that_says_nothing_has_surely_not_taken_it() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RetryableError, match="mail_server_unreachable"):
            await a_sink(f"smtp://127.0.0.1:{port}", total=0.3).send(a_call(DUTY))
        await left.wait()


async def test_who_is_refused_is_in_the_receipt_and_the_others_get_it(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    mailbox.refused[BOSS] = "550 no such user"

    receipt = await a_sink(mailbox.url).send(a_call(DUTY, BOSS))

    assert receipt == f"{MESSAGE_ID} kept; not taken for {BOSS} (550)"
    assert ledger(tmp_path / "mails") == [MESSAGE_ID]


@pytest.mark.parametrize(
    ("of_boss", "error"), [("550 no such user", PermanentError), ("451 full", RetryableError)]
)
async def test_if_all_are_refused_one_that_may_pass_decides(
    mailbox: Mailbox, of_boss: str, error: type[Exception]
) -> None:
    mailbox.refused |= {DUTY: "550 no such user", BOSS: of_boss}

    with pytest.raises(error, match="SMTPRecipientRefused"):
        await a_sink(mailbox.url).send(a_call(DUTY, BOSS))


async def test_an_address_that_a_header_could_misread_is_refused(mailbox: Mailbox) -> None:
    for to in ("a,b@x.example", "jörg@x.example", "a@x.example>\nBcc: b@x.example", "", "a b@c.de"):
        with pytest.raises(PermanentError, match="address_refused"):
            await a_sink(mailbox.url).send(a_call(to))


@pytest.mark.parametrize("url", ["{}?starttls=required", "smtps{}"])
async def test_without_the_tls_that_is_asked_for_nothing_is_sent(
    mailbox: Mailbox, tmp_path: Path, url: str
) -> None:
    plain = mailbox.url
    url = url.format(plain if url.startswith("{}") else plain.removeprefix("smtp"))

    with pytest.raises(RetryableError, match="mail_server_unreachable"):
        await a_sink(url, total=1.0).send(a_call(DUTY))

    assert ledger(tmp_path / "mails") == []


async def test_login_over_starttls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = localhost_tls(tmp_path)
    mails_folder = tmp_path / "mails"
    async with Guarded(mails_folder, context) as mailbox:
        host = mailbox.url.removeprefix("smtp://").replace("127.0.0.1", "localhost")
        right = f"smtp://clerk:p%40ss@{host}?starttls=required"
        with pytest.raises(RetryableError, match="CERTIFICATE_VERIFY_FAILED"):
            await a_sink(right).send(a_call(DUTY))

        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with pytest.raises(PermanentError, match="mail_refused: SMTPAuthenticationError 535"):
            await a_sink(right.replace("p%40ss", "wrong")).send(a_call(DUTY))
        assert ledger(mails_folder) == []

        await a_sink(right).send(a_call(DUTY))
        assert ledger(mails_folder) == [MESSAGE_ID]


class Guarded(Mailbox):
    """A mailbox that takes mail only over TLS and from one user."""

    def __init__(self, folder: Path, context: ssl.SSLContext) -> None:
        super().__init__(folder)
        self._context = context

    def _smtp(self) -> SMTP:
        return SMTP(
            _Handler(self),
            hostname="localhost",
            tls_context=self._context,
            require_starttls=True,
            auth_required=True,
            authenticator=self._login,
        )

    @staticmethod
    def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> Any:
        right = LoginPassword(b"clerk", b"p@ss")
        return AuthResult(success=given == right, handled=False)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer("mail.example.com", 587, starttls=True)),
        ("smtp://127.0.0.1:2525", MailServer("127.0.0.1", 2525)),
        ("smtp://[::1]:2525", MailServer("::1", 2525)),
        ("smtp://mail.example.com:25?starttls=off", MailServer("mail.example.com", 25)),
        ("smtps://mail.example.com", MailServer("mail.example.com", 465, tls=True)),
        (
            "smtp://me%40x.example:a%2Fb@mail.example.com/",
            MailServer("mail.example.com", 587, "me@x.example", "a/b", starttls=True),
        ),
    ],
)
def test_a_mail_servers_url(url: str, server: MailServer) -> None:
    assert MailServer.parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com:587",
        "http://u:hush@mail.example.com",
        "smtp://",
        "smtp://u:hush@mail.example.com:port",
        "smtp://u:hu/sh@mail.example.com",
        "smtp://u:hush@mail.example.com?starttls=maybe",
        "smtp://u:hush@mail.example.com?tls=on",
        "smtps://u:hush@mail.example.com?starttls=required",
    ],
)
def test_a_wrong_url_stops_the_start_and_its_password_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^FRONTDESK_SMTP_URL: ") as stopped:
        MailServer.parse(url)

    assert "hu" not in str(stopped.value)


def test_the_password_is_in_no_repr() -> None:
    assert "hush" not in repr(MailServer.parse("smtp://u:hush@mail.example.com"))


@pytest.mark.parametrize(
    "sender", ["", "Frontdesk", "a@b@c", "Front\ndesk <a@x.example>\nBcc: b@y"]
)
def test_a_sender_that_is_no_address_stops_the_start(sender: str) -> None:
    with pytest.raises(ConfigError, match="FRONTDESK_MAIL_FROM"):
        parse_sender(sender)


async def test_without_a_mail_server_the_receipt_says_that_nothing_was_sent() -> None:
    assert (await UnsentMail().send(a_call(DUTY))).startswith("not sent: no way to send mail")
