"""Sink ``email``: mails a desk's people over SMTP.

No mail server remembers what it took, so this sink is unkeyed: when the answer to a mail's last
line is lost, a person decides. The Message-ID is made of the idempotency key, so that a person can
search for it, and most mail programs show a mail that came twice once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

from shared.domain.digest import Digest
from shared.domain.digest_letter import digest_letter
from shared.domain.gathering import Gathering
from shared.domain.letter_text import Letter, where_to_look
from shared.domain.letters import escalation_letter
from shared.domain.notices import gathered_notice, notice_letter
from shared.errors import ConfigError, PermanentError, RetryableError, UncertainError
from shared.telemetry import logger

if TYPE_CHECKING:
    from shared.domain.approval_links import ApprovalLinks
    from shared.ports import Clock, EffectCall

_SETTING = "FRONTDESK_SMTP_URL"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_GOODBYE = 2.0  # seconds
_log = logger("email")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in.

    Attributes:
        tls: TLS from the first byte (port 465).
        starttls: Nothing is sent unless the server changes to TLS.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool = False

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads ``smtp://user:password@host:587`` or ``smtps://…``.

        ``smtp`` asks for STARTTLS, except on loopback; ``?starttls=off`` turns that off.

        Raises:
            ConfigError: What is wrong; never repeats the URL, which holds a password.
        """
        try:
            found = urlsplit(url)
            port, options = (
                found.port,
                dict(parse_qsl(found.query, strict_parsing=bool(found.query))),
            )
        except ValueError:
            raise _misset("is not a URL; is its port a number?") from None
        if found.scheme not in ("smtp", "smtps") or not found.hostname:
            raise _misset("must begin with smtp:// or smtps:// and a host")
        if found.path not in ("", "/") or found.fragment:
            raise _misset("ends after the port; write %2F and %23 for / and # in a password")
        tls = found.scheme == "smtps"
        wanted = options.pop(
            "starttls", "off" if tls or found.hostname in _LOOPBACK else "required"
        )
        if options or wanted not in ("required", "off"):
            raise _misset("takes starttls=required or starttls=off, and no other option")
        if tls and wanted == "required":
            raise _misset("is smtps, which has TLS from the start; leave starttls out")
        return cls(
            host=found.hostname,
            port=port or (465 if tls else 587),
            user=unquote(found.username) if found.username else None,
            password=unquote(found.password) if found.password else None,
            tls=tls,
            starttls=wanted == "required",
        )


def _misset(problem: str) -> ConfigError:
    return ConfigError(f"{_SETTING}: {problem}. Example: smtp://user:password@mail.example.com:587")


def parse_sender(text: str) -> Address:
    """Reads ``Frontdesk <frontdesk@example.com>``, or an address alone.

    Raises:
        ConfigError: It is missing or no address.
    """
    name, spec = parseaddr(text if text.isprintable() else "")
    try:
        return _address(spec, name)
    except ValueError:
        raise ConfigError(
            "FRONTDESK_MAIL_FROM: set it to the address that mail comes from, such as "
            "Frontdesk <frontdesk@example.com>"
        ) from None


class Mailer:
    """Hands mails in.

    Args:
        server: Where.
        sender: Who they come from.
        clock: They carry its time.
        total: Seconds until an attempt is given up.
    """

    def __init__(
        self, server: MailServer, sender: Address, clock: Clock, *, total: float = 20.0
    ) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._total = total

    async def deliver(
        self, key: str, to: Sequence[str], subject: str, text: str, html: str = "", *, thread: str
    ) -> str:
        """Hands one mail in and returns its receipt.

        Args:
            key: The idempotency key; the Message-ID is made of it.
            html: The HTML part; none when empty.
            thread: What the mail belongs to, for mail programs that show threads.

        Raises:
            RetryableError: It surely was not taken; later it may be.
            UncertainError: It may have been taken.
            PermanentError: It never will be.
        """
        mail = self._mail(key, to, subject, thread)
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        data, client = mail.as_bytes(), self._client()
        begun = False
        try:
            async with asyncio.timeout(self._total):
                await client.connect()
                await client.mail(self._sender.addr_spec)
                refused = await _offer(client, to)
                begun = True
                said = await client.data(data)
        except aiosmtplib.SMTPResponseException as error:
            raise _verdict(error, begun=begun) from None
        except (aiosmtplib.SMTPException, OSError) as error:  # TimeoutError is an OSError
            raise _lost(error, begun=begun) from None
        else:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_GOODBYE)
            return _receipt(mail["Message-ID"], said.message, refused)
        finally:
            client.close()

    async def greet(self) -> str:
        """Connects as for a mail, and sends none; says where.

        Raises:
            RetryableError: The server cannot be reached, or not now.
            PermanentError: It does not take us.
        """
        client = self._client()
        try:
            async with asyncio.timeout(self._total):
                await client.connect()
        except aiosmtplib.SMTPResponseException as error:
            raise _verdict(error, begun=False) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _lost(error, begun=False) from None
        else:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_GOODBYE)
            return f"{self._server.host} takes connections"
        finally:
            client.close()

    def _mail(self, key: str, to: Sequence[str], subject: str, thread: str) -> EmailMessage:
        # 7bit: what is sent does not depend on what the server can do.
        mail = EmailMessage(policy=SMTP_POLICY.clone(cte_type="7bit"))
        mail["From"] = self._sender
        try:
            mail["To"] = [_address(address) for address in to]
        except ValueError:
            raise PermanentError("address_refused", "an address that mail cannot carry") from None
        mail["Subject"] = subject
        mail["Date"] = self._clock.now()
        mail["Message-ID"] = f"<{_token(key)}@{self._sender.domain}>"
        mail["References"] = f"<{_token(thread)}@{self._sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        return mail

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            # Otherwise the client asks DNS for this machine's name, which may take seconds.
            local_hostname=self._sender.domain,
            timeout=self._total,
        )


class EmailSink:
    """Mails a desk's people.

    Args:
        mailer: Hands the mails in.
        public_url: Where people reach the HTTP API, or empty: the mail then names a command.
        clock: Links in mails end by its time.
        links: Make the links by which readers decide on actions.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "unkeyed"
    window = 0.0

    def __init__(self, mailer: Mailer, public_url: str, clock: Clock, links: ApprovalLinks) -> None:
        self._mailer = mailer
        self._public_url = public_url.rstrip("/")
        self._clock = clock
        self._links = links

    async def send(self, call: EffectCall) -> str:
        letter, thread = self._letter(call)
        return await self._mailer.deliver(
            call.idempotency_key,
            call.request.to,
            letter.subject,
            letter.text,
            letter.html,
            thread=thread,
        )

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: mail servers cannot be queried."""
        return None

    def _letter(self, call: EffectCall) -> tuple[Letter, str]:
        """What to say, and the name of the thread that it belongs to."""
        if isinstance(call.about, Digest):
            return digest_letter(call.about, self._look), f"digest-{call.desk.name}"
        if isinstance(call.about, Gathering):
            return notice_letter(gathered_notice(call.about, self._look)), call.desk.name
        case = call.about
        decide = self._links.for_readers(case, call.desk, call.request.to, self._clock.now())
        look = self._look(case.case_id)
        return escalation_letter(case, call.desk, look, decide, call.request.about), case.case_id

    def _look(self, case_id: str) -> str:
        return where_to_look(self._public_url, case_id)


class UnsentMail:
    """The ``email`` sink of an installation without a mail server.

    Its effects are done at once and their receipts say that nothing was sent. An escalated case
    shows in every listing all the same, and is no failure.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "keyed"
    window = 1e9

    async def send(self, call: EffectCall) -> str:
        return f"not sent: no mail server is configured, see {_SETTING}"

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: sending again does no harm."""
        return None


def _address(spec: str, name: str = "") -> Address:
    """An address of ASCII characters that no header can misread.

    Raises:
        ValueError: It is none.
    """
    try:
        found = Address(display_name=name, addr_spec=spec)
    except (HeaderParseError, IndexError) as error:  # IndexError: the standard library's own bug
        raise ValueError(spec) from error
    if not (spec.isascii() and spec.isprintable() and found.username and found.domain):
        raise ValueError(spec)
    return found


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", text)


async def _offer(client: aiosmtplib.SMTP, to: Sequence[str]) -> list[str]:
    """Names the recipients and returns those that the server does not take.

    Raises:
        SMTPRecipientRefused: It takes none; the refusal that may pass, if there is one.
    """
    errors: list[aiosmtplib.SMTPRecipientRefused] = []
    for address in to:
        try:
            await client.rcpt(address)
        except aiosmtplib.SMTPRecipientRefused as error:
            errors.append(error)
    if len(errors) == len(to):
        raise min(errors, key=lambda error: error.code)
    return [f"{error.recipient} ({error.code})" for error in errors]


def _verdict(
    error: aiosmtplib.SMTPResponseException, *, begun: bool
) -> RetryableError | UncertainError | PermanentError:
    # What a server says of a mail's content may quote the customer.
    said = "" if begun else _one_line(error.message)
    detail = f"{type(error).__name__} {error.code} {said}".rstrip()
    if 400 <= error.code < 500:
        return RetryableError("mail_deferred", detail=detail)
    if 500 <= error.code < 600:
        return PermanentError("mail_refused", detail)
    return _lost(error, begun=begun)


def _lost(error: Exception, *, begun: bool) -> RetryableError | UncertainError:
    if begun:
        return UncertainError("answer_lost", type(error).__name__)
    detail = f"{type(error).__name__}: {_one_line(str(error))}"
    return RetryableError("mail_server_unreachable", detail=detail)


def _one_line(said: str) -> str:
    return " ".join(re.sub(r"[^ -~]", " ", said).split())[:120]


def _receipt(message_id: str, said: str, refused: Sequence[str]) -> str:
    if refused:
        # The others have it: a second mail to all for the sake of one would be worse.
        _log.warning("mail not taken for some recipients", extra={"message_id": message_id})
    missing = f"; not taken for {', '.join(refused)}" if refused else ""
    return f"{message_id} {_one_line(said)}{missing}"
