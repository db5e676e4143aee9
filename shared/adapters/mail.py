"""Handing mail in, whichever way it goes: what mailers promise, what their mails have in common.

The Message-ID is made of the idempotency key, so that a person can search for it, and most mail
programs show a mail that came twice once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from typing import TYPE_CHECKING, Literal, Protocol

from shared.errors import ConfigError, PermanentError

if TYPE_CHECKING:
    from shared.ports import EffectCall


class Mailer(Protocol):
    """Hands mails in.

    Attributes:
        kind: As a sink's: what may be done after a mail whose answer was lost.
        window: As a sink's.
    """

    @property
    def kind(self) -> Literal["keyed", "queryable", "unkeyed"]: ...

    @property
    def window(self) -> float: ...

    async def deliver(
        self, key: str, to: Sequence[str], subject: str, text: str, html: str = "", *, thread: str
    ) -> str:
        """Hands one mail in and returns its receipt.

        Args:
            key: The idempotency key.
            html: The HTML part; none when empty.
            thread: What the mail belongs to, for mail programs that show threads.

        Raises:
            RetryableError: It surely was not taken; later it may be.
            UncertainError: It may have been taken.
            PermanentError: It never will be.
        """

    async def find(self, key: str) -> str | None:
        """The receipt of a mail of that key, where mails can be looked up; None for none.

        Raises:
            RetryableError: Nobody can say now.
            PermanentError: It was taken, and will not arrive.
        """

    async def greet(self) -> str:
        """Goes as far as can be without sending a mail; says whom it met.

        Raises:
            RetryableError: They cannot be reached, or not now.
            PermanentError: They do not take us.
        """


class MailSink:
    """A sink that mails: it promises what its mailer does."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    @property
    def kind(self) -> Literal["keyed", "queryable", "unkeyed"]:
        """As its mailer's."""
        return self._mailer.kind

    @property
    def window(self) -> float:
        """As its mailer's."""
        return self._mailer.window

    async def find(self, call: EffectCall) -> str | None:
        return await self._mailer.find(call.idempotency_key)


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


def recipients(to: Sequence[str]) -> list[Address]:
    """Who a mail is for.

    Raises:
        PermanentError: ``address_refused``, one is no address that every header takes.
    """
    try:
        return [_address(spec) for spec in to]
    except ValueError:
        raise PermanentError("address_refused", "an address that mail cannot carry") from None


def headers(sender: Address, key: str, thread: str) -> dict[str, str]:
    """The headers that say which mail it is, what it belongs to, and that no person wrote it."""
    return {
        "Message-ID": f"<{_token(key)}@{sender.domain}>",
        "References": f"<{_token(thread)}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
    }


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
