"""Sink ``email``: mails a desk's people, by whichever mailer is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shared.adapters.mail import Mailer, MailSink
from shared.domain.digest import Digest
from shared.domain.digest_letter import digest_letter
from shared.domain.gathering import Gathering
from shared.domain.letter_text import Letter, where_to_look
from shared.domain.letters import escalation_letter
from shared.domain.notices import gathered_notice, notice_letter

if TYPE_CHECKING:
    from shared.domain.approval_links import ApprovalLinks
    from shared.ports import Clock, EffectCall


class EmailSink(MailSink):
    """Mails a desk's people.

    Args:
        mailer: Hands the mails in.
        public_url: Where people reach the HTTP API, or empty: the mail then names a command.
        clock: Links in mails end by its time.
        links: Make the links by which readers decide on actions.
    """

    def __init__(self, mailer: Mailer, public_url: str, clock: Clock, links: ApprovalLinks) -> None:
        super().__init__(mailer)
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
    """The ``email`` sink of an installation that has no way to send mail.

    Its effects are done at once and their receipts say that nothing was sent. An escalated case
    shows in every listing all the same, and is no failure.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "keyed"
    window = 1e9

    async def send(self, call: EffectCall) -> str:
        return "not sent: no way to send mail is configured, see docs/effects.md"

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: sending again does no harm."""
        return None
