"""Mail over SMTP.

No mail server remembers what it took, so mails are unkeyed: when the answer to a mail's last line
is lost, a person decides.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

from shared.adapters.mail import headers, recipients
from shared.errors import ConfigError, PermanentError, RetryableError, UncertainError
from shared.telemetry import logger

if TYPE_CHECKING:
    from shared.ports import Clock

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


class SmtpMailer:
    """Hands mails in over SMTP.

    Args:
        server: Where.
        sender: Who they come from.
        clock: They carry its time.
        total: Seconds until an attempt is given up.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "unkeyed"
    window = 0.0

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

    async def find(self, key: str) -> str | None:
        """Never asked: mail servers cannot be queried."""
        return None

    async def greet(self) -> str:
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
        mail["To"] = recipients(to)
        mail["Subject"] = subject
        mail["Date"] = self._clock.now()
        for name, value in headers(self._sender, key, thread).items():
            mail[name] = value
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
