"""What the ticket systems of all vendors have in common; a vendor's file adds what is its own."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from shared.adapters.backends import setting_name
from shared.adapters.crm_api import Api, Headers, Pass
from shared.adapters.crm_vendor import Access, part
from shared.errors import FrontdeskError, PermanentError, RetryableError, UncertainError

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.ports.tickets import Ticket, TicketSystem

PREFIX = "FRONTDESK_TICKETS_"
#: Seconds that a vendor may go on working on a request that we have given up.
_UNSEEN = 60.0
#: Answers that trying again does not change.
_REFUSALS = frozenset({400, 402, 403, 404, 405, 410, 413, 415, 422})
_ACCESS = frozenset({"crm_access_refused", "crm_token_refused"})
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,39}")


class VendorTickets(ABC):
    """One vendor's ticket system for one desk. The port is TicketSystem.

    Attributes:
        name: As desk files say it.
        settings: What can be set, by the last part of the name, with a line for people.
        needs: Those without which nothing works.
        form: What a queue looks like, and an example.
        queued: Whether every ticket needs a queue.
        base: Where the API is when the setting ``URL`` does not say.

    Args:
        total: Seconds until one request is given up.
        attempt: Seconds until all requests of an attempt are; an effect's has 20.
    """

    name: ClassVar[str]
    settings: ClassVar[Mapping[str, str]]
    needs: ClassVar[tuple[str, ...]]
    form: ClassVar[tuple[re.Pattern[str], str]]
    queued: ClassVar[bool] = False
    base: ClassVar[str | None] = None

    def __init__(self, access: Access, *, total: float = 15.0, attempt: float = 19.0) -> None:
        self.access = access
        self._attempt = attempt
        self.api = Api(
            access,
            self.authorization(),
            base=None if access.values.get("URL") else self.base,
            refusal=self._refusal,
            total=total,
        )

    @classmethod
    def system(cls, around: Around, desk: str) -> TicketSystem:
        """The system, as the desk is known to it."""
        return cls(cls.access_of(around, desk))

    @classmethod
    def missing(cls, around: Around, desk: str, queue: str) -> str:
        """Why no ticket can be made for this desk; empty when one can."""
        return cls.lacks(cls.access_of(around, desk), queue)

    @classmethod
    def access_of(cls, around: Around, desk: str) -> Access:
        """The desk's own settings, all of them, or those for all desks.

        Never some of each: a secret of one account would go to the address of another.
        """
        every = f"{cls.name.upper()}_"
        values: dict[str, str] = {}
        for prefix in (f"{setting_name(desk)}_{every}", every):
            named = {prefix + name: name for name in cls.settings}
            values = {named[name]: said for name, said in around.tickets.items() if name in named}
            if values:
                break
        return Access(PREFIX + prefix, values, development=around.development)

    @classmethod
    def lacks(cls, access: Access, queue: str) -> str:
        """Why it cannot be used with these settings; empty when it can."""
        for name in cls.needs:
            if not access.values.get(name, "").strip():
                return f"set {access.prefix}{name}"
        found = queue or access.values.get("QUEUE", "")
        if not found and cls.queued:
            return f"no queue: set {access.prefix}QUEUE, such as {cls.form[1]}"
        where = "queue" if queue else f"{access.prefix}QUEUE"
        why = cls.queue_problem(found)
        return f"{where}: {why}" if why else ""

    @classmethod
    def queue_problem(cls, queue: str) -> str:
        """What is wrong with a queue; empty when nothing is, or there is none."""
        pattern, example = cls.form
        return f"must be such as {example}" if queue and not pattern.fullmatch(queue) else ""

    @abstractmethod
    def authorization(self) -> Headers | Pass:
        """What names us."""

    @abstractmethod
    async def look_up(self, ticket: Ticket, queue: str) -> str | None:
        """As ``find``; what it cannot trust, it raises."""

    @abstractmethod
    async def make(self, ticket: Ticket, queue: str) -> str:
        """As ``create``."""

    @abstractmethod
    async def look(self, queue: str) -> str:
        """As ``check``."""

    async def find(self, ticket: Ticket) -> str | None:
        with self._told():
            try:
                async with asyncio.timeout(self._attempt):
                    return await self.look_up(ticket, self._queue(ticket.queue))
            except TimeoutError:
                raise RetryableError("ticket_lookup_too_long") from None

    async def create(self, ticket: Ticket) -> str:
        with self._told():
            try:
                async with asyncio.timeout(self._attempt):
                    return await self.make(ticket, self._queue(ticket.queue))
            except TimeoutError:
                raise UncertainError("answer_lost", "TimeoutError") from None

    async def check(self, queue: str) -> str:
        with self._told():
            return await self.look(self._queue(queue))

    def named_in(self, said: Any) -> set[str]:
        """The fields that a refusal names; its words may be a customer's and are never kept."""
        del said
        return set()

    def _queue(self, wanted: str) -> str:
        if why := self.lacks(self.access, wanted):
            raise PermanentError("ticket_system_not_configured", why)
        return wanted or self.access.values.get("QUEUE", "")

    def _refusal(self, status: int, said: Any) -> FrontdeskError | None:
        if status not in _REFUSALS:
            return None
        fields = sorted(name for name in self.named_in(said) if _FIELD.fullmatch(name))
        about = f", about {', '.join(fields)}" if fields else ""
        return RefusedTicketError(f"HTTP {status}{about}", frozenset(fields))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Says of failures that they are a ticket system's, and what of them a person mends."""
        try:
            yield
        except RetryableError as error:
            if error.code in _ACCESS:
                why = f"{error.detail}: look at the settings {self.access.prefix}…"
                raise PermanentError("ticket_access_refused", why) from None
            code = error.code.replace("crm_", "ticket_system_")
            raise RetryableError(code, error.retry_after, error.detail) from None
        except UncertainError as error:
            code = error.code.replace("crm_", "ticket_system_")
            raise UncertainError(code, error.detail, max(error.unseen, _UNSEEN)) from None


class RefusedTicketError(PermanentError):
    """The vendor refuses what we asked for; nothing came of it.

    Attributes:
        fields: Those that it named.
    """

    def __init__(self, detail: str, fields: frozenset[str]) -> None:
        super().__init__("ticket_refused", detail)
        self.fields = fields


def number_and_address(number: object, address: str) -> str:
    """The receipt of a ticket.

    Raises:
        UncertainError: The vendor took it and did not say its number; a look-up will.
    """
    if not number:
        raise UncertainError("ticket_number_unknown")
    return f"{number} {address}"


def rows_of(rows: Any) -> list[Any]:
    """What a look-up found, when it is a list.

    Raises:
        RetryableError: It is none, and so no word that nothing is there.
    """
    if not isinstance(rows, list):
        raise RetryableError("ticket_lookup_unreliable", detail="the answer holds no list")
    return rows


def only_match(rows: Any, field: str, value: str) -> Any:
    """The row with that value, of an answer to a question for nothing else; None for an empty one.

    Raises:
        RetryableError: There are rows and none is ours: the vendor did not heed the question, and
            nobody knows what it would have found.
    """
    found = rows_of(rows)
    ours = [row for row in found if part(row, field) == value]
    if found and not ours:
        raise RetryableError("ticket_lookup_unreliable", detail="it answered with other tickets")
    return ours[0] if ours else None


def names_in(said: Any) -> set[str]:
    """The names of an object's fields; none of anything else."""
    return set(said) if isinstance(said, dict) else set()
