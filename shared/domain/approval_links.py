"""Links by which somebody decides on one action without any other key. Pure.

A link says which action of which case it is for, whose yes it carries, and until when; HMAC-SHA256
with a key of its own keeps it from being made or changed by others. What it is used for is decided
once (`Acts.decide`), so no link does anything twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.case import ActionState, ActionView, SupportCase
from shared.domain.desk import Desk
from shared.domain.hours import read_duration
from shared.domain.stage import Approval
from shared.domain.telling import people
from shared.errors import RequestError

_OPEN: tuple[ActionState, ...] = ("waiting", "to_do")
_SIGNATURE = 43  # characters of 32 bytes in base64
_PURPOSE = b"frontdesk: links to decisions on actions, 1"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link is for.

    Attributes:
        level: Whose yes it carries: ``human`` or ``management``, which stands for both.
        until: UTC.
    """

    case_id: str
    action: str
    level: Approval
    until: datetime

    def covers(self, approval: Approval) -> bool:
        """Whether a yes of this level is enough."""
        return self.level == "management" or approval != "management"


class ApprovalLinks:
    """Makes and reads links.

    Args:
        secret: The installation's secret; the links have a key derived from it.
        public_url: Where people reach Frontdesk; empty when nobody said.
    """

    def __init__(self, secret: bytes, public_url: str) -> None:
        self._key = hmac.new(secret, _PURPOSE, hashlib.sha256).digest()
        self._base = public_url.rstrip("/")

    def for_readers(
        self, case: SupportCase, desk: Desk, to: Sequence[str], now: datetime
    ) -> dict[str, str]:
        """Where these readers decide on the case's actions, by id: links, or commands.

        A link can be used by whoever has it, so what needs management is linked only in what goes
        to management alone.
        """
        level: Approval = "human"
        if set(to) <= set(people(desk, "management")):
            level = "management"
        until = now + read_duration(desk.approvals.links_for)
        found: dict[str, str] = {}
        for action in case.actions:
            claim = Claim(case.case_id, action.id, level, until)
            if action.state in _OPEN and claim.covers(action.approval):
                found[action.id] = self._link(claim) if self._base else _command(case, action)
        return found

    def _link(self, claim: Claim) -> str:
        return f"{self._base}/api/decide/{self.token(claim)}"

    def token(self, claim: Claim) -> str:
        """The signed claim, of characters that are safe in a path."""
        until = int(claim.until.timestamp())
        fields = [claim.case_id, claim.action, claim.level, until]
        said = _encode(json.dumps(fields, separators=(",", ":")).encode())
        return self._signature(said) + said

    def read(self, token: str, now: datetime) -> Claim:
        """The claim of a link.

        Raises:
            RequestError: 404 it was not made by us or changed since, 410 its time is over.
        """
        signature, said = token[:_SIGNATURE], token[_SIGNATURE:]
        if not token.isascii() or not hmac.compare_digest(signature, self._signature(said)):
            raise RequestError(
                404,
                "This link is not valid",
                "It may have been cut off on its way. Open it from the mail once more.",
            )
        case_id, action, level, until = json.loads(_decode(said))
        claim = Claim(case_id, action, level, datetime.fromtimestamp(until, UTC))
        if claim.until <= now:
            raise RequestError(
                410,
                "This link has expired",
                f"Use the command ./frontdesk approve {case_id} {action}, or reject, or done.",
            )
        return claim

    def _signature(self, said: str) -> str:
        return _encode(hmac.new(self._key, said.encode(), hashlib.sha256).digest())


def _command(case: SupportCase, action: ActionView) -> str:
    verb = "done" if action.state == "to_do" else "approve"
    return f"./frontdesk {verb} {case.case_id} {action.id}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
