"""Backend ``email``: a mail to addresses that the desk file names; no argument is an address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from shared.adapters.action_texts import action_of, gap_problems, gap_values
from shared.adapters.backends import Around, Backend, Shape
from shared.adapters.mail import MailSink
from shared.domain.letter_text import visible
from shared.domain.templates import fill
from shared.domain.written import Email, Line, Part, Text
from shared.errors import PermanentError

if TYPE_CHECKING:
    from shared.ports import EffectCall

_SUBJECT_CHARS = 150
_TEXT_CHARS = 10_000


class Options(Part):
    """What is written to whom.

    Attributes:
        subject: With gaps for arguments.
        text: With gaps for arguments.
    """

    to: Annotated[tuple[Email, ...], Field(min_length=1, max_length=5)]
    subject: Line
    text: Text


class EmailBackend(Backend):
    """The backend."""

    options = Options

    def problems(self, said: Options, shape: Shape) -> Iterable[tuple[str, str]]:
        """What is wrong with the texts."""
        for field in ("subject", "text"):
            yield from gap_problems(field, getattr(said, field), shape, whole=False)

    def missing(self, said: Options, shape: Shape, around: Around) -> str:
        """Why no mail can be sent here."""
        del said, shape
        settings = "set FRONTDESK_SMTP_URL or FRONTDESK_ACS_ENDPOINT"
        return "" if around.mailer else f"no way to send mail: {settings}"

    async def reach(self, said: Options, shape: Shape, around: Around) -> str:
        """Whoever takes mails knows us."""
        del said, shape
        if around.mailer is None:
            raise PermanentError("no_mailer")
        return await around.mailer.greet()

    def sink(self, around: Around) -> EmailActions | None:
        """What sends the mails; None where nothing can."""
        return EmailActions(around.mailer) if around.mailer else None


class EmailActions(MailSink):
    """Sink ``action-email``."""

    async def send(self, call: EffectCall) -> str:
        action, known = action_of(call)
        said = Options.model_validate(known.backend.options)
        values = gap_values(call, action)
        subject = visible(fill(said.subject, values), _SUBJECT_CHARS)
        text = visible(fill(said.text, values), _TEXT_CHARS)
        footer = f"Case {call.case.case_id}, desk {call.desk.name}, action {action.id}."
        return await self._mailer.deliver(
            call.idempotency_key,
            said.to,
            " ".join(subject.split()),
            f"{text}\n\n{footer}\n",
            thread=call.case.case_id,
        )


BACKEND = EmailBackend()
