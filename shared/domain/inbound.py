"""What a CRM tells us, in one form for all vendors. Pure.

A ticket is one case: its case id follows from desk, vendor and ticket id, so that a customer's next
message finds its case, even when it arrives before the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.domain.stage import Record

#: Bytes of UTF-8 that are kept of one message.
MAX_BYTES = 256 * 1024
#: What a ticket's first message is called where the vendor keeps it as the ticket's description.
OPENING = "first"
_ID_CHARS = 200
#: Letters and digits by which a mail is known for the one that a ticket was made of.
_ALIKE = 200

Kind = Literal["new", "follow_up", "echo", "ignored"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call of a webhook as it came, before anything of it is believed.

    Attributes:
        url: The public address that it was sent to, query included: some vendors sign it.
        headers: By names in small letters.
        body: The bytes as received: signatures are over these.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a vendor wants to hear when a delivery was taken in.

    Attributes:
        body: None for our own JSON.
    """

    status: int = 202
    body: str | None = None
    content_type: str = "application/json"


class InboundMessage(Record):
    """One event of a delivery.

    Attributes:
        event: The vendor's name for it; counted, never acted upon.
        kind: ``new`` and ``follow_up`` are a customer's words; both go to the ticket's case.
            ``echo``: we wrote it. ``ignored``: nothing for us, such as a colleague's answer.
        ticket_id: The vendor's id of the ticket or conversation.
        delivery_id: The same for every delivery of the same words, and for a poll that finds them:
            the vendor's id of the message where it has one, else that of the event.
        text: The customer's words, plain; empty when there are none.
        fetch: What the connector fetches the words by, when they did not come along.
        customer: The vendor's id of who wrote, or a mail address; empty when it does not say.
    """

    event: str
    kind: Kind
    ticket_id: str = ""
    delivery_id: str = ""
    text: str = ""
    fetch: str | None = None
    customer: str = ""

    @property
    def from_customer(self) -> bool:
        """Whether a customer wrote something."""
        return self.kind in ("new", "follow_up")


class CustomerWords(Record):
    """A customer's message as a connector fetched it.

    Attributes:
        id: What ``InboundMessage.delivery_id`` would be.
        customer: As in ``InboundMessage``.
    """

    id: str
    text: str
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a poll found.

    Attributes:
        mark: Where the next poll begins, in the connector's own form.
    """

    messages: tuple[InboundMessage, ...]
    mark: str


def usable_id(value: object) -> str:
    """A vendor's id as text; empty for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return text if text.isprintable() and len(text) <= _ID_CHARS else ""


def readable(text: str) -> str:
    """A customer's words as they can be stored: valid Unicode without NUL, 256 KiB at most.

    A webhook is not refused for them: its sender could do nothing about it.
    """
    clean = text.replace("\x00", "").encode(errors="replace")
    return clean[:MAX_BYTES].decode(errors="ignore").strip()


def conversation(
    subject: str, text: str, later: Sequence[CustomerWords], customer: str = ""
) -> list[CustomerWords]:
    """All that a customer wrote: what the ticket began with, then the later messages.

    Where tickets are made of mails, the first mail is often kept as the ticket's description and as
    a message. It counts once, as ``OPENING``, whichever of the two an event was about.

    Args:
        text: The ticket's description.
        later: The customer's messages, oldest first.
        customer: Whose ticket it is, as in ``InboundMessage``.
    """
    first, rest = text, list(later)
    if rest and _alike(text, rest[0].text):
        first = max(text, rest.pop(0).text, key=len)
    if not first.strip() and rest:
        return rest
    opening = with_subject(subject, first)
    return [CustomerWords(id=OPENING, text=opening, customer=customer), *rest]


def _alike(one: str, other: str) -> bool:
    texts = ["".join(filter(str.isalnum, text.casefold()))[:_ALIKE] for text in (one, other)]
    return bool(texts[0]) and texts[0] == texts[1]


def with_subject(subject: str, text: str) -> str:
    """A ticket's first message with its subject, unless the text begins with it anyway."""
    subject, text = subject.strip(), text.strip()
    if not subject or text.casefold().startswith(subject.casefold()):
        return text
    return f"{subject}\n\n{text}" if text else subject
