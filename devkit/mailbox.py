"""A mail server on loopback that keeps what it gets and delivers nothing.

    python -m devkit.mailbox --port 0 --folder mails

Each mail becomes a file, `00001.eml` and so on, and a line of output. The files are the ledger: a
Message-ID that is there twice was taken twice. Tests use the class and have it fail on purpose.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from aiosmtpd.smtp import SMTP, Envelope, Session
from anyio.from_thread import start_blocking_portal

_MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one mail.

    Attributes:
        at: the command whose answer it is; `DATA` is the answer to the mail's last line.
        answer: what to say instead, such as `451 busy`; empty to cut the connection.
        keep: keep the mail all the same, as a server does whose answer is lost.
        delay: seconds to wait before the answer or the cut.
    """

    at: Literal["MAIL", "RCPT", "DATA"] = "DATA"
    answer: str = ""
    keep: bool = False
    delay: float = 0.0


class Mailbox:
    """The server, in the running event loop.

    Args:
        folder: where mails are kept; made if missing.
        port: on 127.0.0.1; 0 for any free one.
        on_mail: called with recipients and subject of each mail that is kept.

    Attributes:
        url: the server's address, such as `smtp://127.0.0.1:2525`, once it listens.
        faults: for the next mails, in their order; None for one that goes well.
        refused: what to answer to single recipients, by address.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        on_mail: Callable[[str, str], None] | None = None,
    ) -> None:
        self.url = ""
        self.faults: deque[Fault | None] = deque()
        self.refused: dict[str, str] = {}
        self._folder = folder
        self._port = port
        self._on_mail = on_mail or (lambda _to, _subject: None)
        self._server: asyncio.Server | None = None
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, "127.0.0.1", self._port)
        self.url = f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            for connection in self._connections:
                _cut(connection)
            await asyncio.sleep(0)  # in which the cut connections end

    def _connection(self) -> SMTP:
        connection = self._smtp()
        self._connections.add(connection)
        return connection

    def _smtp(self) -> SMTP:
        return SMTP(_Handler(self), hostname="localhost", data_size_limit=_MAX_BYTES)

    def keep(self, content: bytes, recipients: list[str]) -> None:
        """Writes a mail into the folder, whole or not at all."""
        number = len(mails(self._folder)) + 1
        while (path := self._folder / f"{number:05}.eml").exists():
            number += 1
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.rename(path)
        subject = str(_headers(path)["Subject"] or "no subject")
        self._on_mail(", ".join(recipients), subject)


@contextmanager
def serving(folder: Path, on_mail: Callable[[str, str], None] | None = None) -> Iterator[str]:
    """Runs a mailbox in a thread for as long as the block runs, and gives its URL.

    Args:
        folder: where mails are kept.
        on_mail: called from that thread with recipients and subject of each mail.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Mailbox(folder, on_mail=on_mail)) as mailbox,
    ):
        yield mailbox.url


def mails(folder: Path) -> list[Path]:
    """The kept mails, oldest first."""
    return sorted(folder.glob("*.eml"))


def ledger(folder: Path) -> list[str]:
    """The Message-IDs of the kept mails, oldest first."""
    # A long one is folded: its line begins with a space.
    return [str(_headers(path)["Message-ID"] or "").strip() for path in mails(folder)]


def _headers(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return BytesHeaderParser(EmailMessage, policy=policy.default).parse(file)


class _Handler:
    """What aiosmtpd asks about the mails of one connection."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._fault: Fault | None = None

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        faults = self._mailbox.faults
        self._fault = faults.popleft() if faults else None
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._answer("MAIL", server, "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self._mailbox.refused:
            return self._mailbox.refused[address]
        said = await self._answer("RCPT", server, "250 OK")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return said

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        failing = self._fault is not None and self._fault.at == "DATA"
        if not failing or (self._fault and self._fault.keep):
            self._mailbox.keep(envelope.original_content or b"", envelope.rcpt_tos)
        return await self._answer("DATA", server, "250 kept")

    async def _answer(self, at: str, server: SMTP, well: str) -> str:
        if self._fault is None or self._fault.at != at:
            return well
        await asyncio.sleep(self._fault.delay)
        if not self._fault.answer:
            _cut(server)
        return self._fault.answer or "421 cut"


def _cut(connection: SMTP) -> None:
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()


def _show(to: str, subject: str) -> None:
    line = f"Mail to {to}: {subject}"
    # A subject may hold what a terminal would obey.
    print("".join(c if c.isprintable() else " " for c in line), flush=True)


async def _serve(folder: Path, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Mailbox(folder, port, _show) as mailbox:
        print(f"Mailbox ready on {mailbox.url}", flush=True)
        await stop.wait()


def main(arguments: list[str]) -> int:
    """Serves until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m devkit.mailbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 for any free one")
    parser.add_argument("--folder", type=Path, default=Path("mails"), help="where mails are kept")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(given.folder, given.port))
    except (OSError, OverflowError) as error:
        sys.stderr.write(
            f"mailbox: cannot listen on port {given.port}, or use {given.folder}: {error}\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
