"""What a reader of our mails finds in them."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

_SIGNATURE = 43


@dataclass(frozen=True, slots=True)
class DecisionLink:
    """A link to a decision on an action.

    Attributes:
        path: What follows the public address.
        action: Its id.
    """

    path: str
    case_id: str
    action: str


def decision_links(mail: Path, public_url: str) -> list[DecisionLink]:
    """The links of a kept mail, in the order in which they stand there."""
    body = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("html",))
    assert body is not None
    page = html.unescape(str(body.get_content()))
    paths = re.findall(rf'href="{re.escape(public_url)}(/api/decide/[^"]+)"', page)
    return [_read(path) for path in paths]


def _read(path: str) -> DecisionLink:
    said = path.rpartition("/")[2][_SIGNATURE:]
    case_id, action, *_ = json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    return DecisionLink(path, case_id, action)
