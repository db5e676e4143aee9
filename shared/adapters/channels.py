"""Sinks ``slack`` and ``teams``: digests in a desk's channel, by incoming webhooks.

Neither service remembers a key, so both are unkeyed. Addresses are secrets and come from settings.

Slack: at most 50 blocks, 3,000 characters a section, 150 a header; text that is not ours is
``plain_text``, in which nothing is a mention or a link.
https://docs.slack.dev/reference/block-kit/blocks

Teams: a Workflows webhook takes a message with one Adaptive Card, about 28 KB in all; text that is
not ours stands in TextRuns, which know no Markdown.
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from shared.adapters.guarded_http import GuardedHttp
from shared.domain.digest import Digest
from shared.domain.digest_letter import (
    Section,
    figures,
    more,
    notes,
    period,
    said_of,
    sections,
    subject_of,
)
from shared.domain.letters import where_to_look
from shared.domain.written import is_host_name
from shared.errors import ConfigError, PermanentError

if TYPE_CHECKING:
    from shared.ports import EffectCall

SLACK_BLOCKS = 50
SLACK_SECTION = 3000
SLACK_HEADER = 150
TEAMS_BYTES = 28 * 1024
_CUT = "Cut: the mail and the stored copy have all of it."
_ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+)(?::([0-9]{1,5}))?(/[!-~]*)?", re.IGNORECASE)
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})


class WebhookAddresses:
    """Where a desk's channel is: its own address, else everyone's.

    Args:
        setting: Name of the setting, without a desk.
        everyone: Address for desks without their own; may be empty.
        by_desk: The same by a desk's name in capitals, ``-`` written as ``_``.

    Raises:
        ConfigError: An address is not https, or no plain URL; it is never repeated.
    """

    def __init__(
        self, setting: str, everyone: str, by_desk: Mapping[str, str], *, development: bool
    ) -> None:
        self._setting = setting
        self._everyone = everyone
        self._by_desk = by_desk
        for name, address in (("", everyone), *by_desk.items()):
            if address and not _usable(address, development=development):
                where = f"{setting}_{name}" if name else setting
                raise ConfigError(f"{where}: must be the channel's webhook, a plain https:// URL")

    def of(self, desk: str) -> str:
        """The address of a desk.

        Raises:
            PermanentError: ``channel_not_configured``.
        """
        name = desk.upper().replace("-", "_")
        found = self._by_desk.get(name) or self._everyone
        if not found:
            raise PermanentError(
                "channel_not_configured", f"set {self._setting}_{name}, then send it again"
            )
        return found


def _usable(address: str, *, development: bool) -> bool:
    found = _ADDRESS.fullmatch(address)
    if not found:
        return False
    scheme, host = found[1].lower(), found[2].lower()
    return (development and host in _LOOPBACK) or (scheme == "https" and is_host_name(host))


class ChannelSink:
    """Posts digests to one kind of channel.

    Args:
        what: Which.
        public_url: Where people reach this app; empty for commands instead of links.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "unkeyed"
    window = 0.0

    def __init__(
        self,
        what: Literal["slack", "teams"],
        addresses: WebhookAddresses,
        public_url: str,
    ) -> None:
        self._message = slack_message if what == "slack" else teams_message
        self._addresses = addresses
        self._public_url = public_url
        self._http = GuardedHttp()

    async def send(self, call: EffectCall) -> str:
        if not isinstance(call.about, Digest):
            raise PermanentError("not_a_digest")
        body = json.dumps(self._message(call.about, self._public_url)).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "Frontdesk"}
        address = self._addresses.of(call.desk.name)
        return f"HTTP {await self._http.send('POST', address, body, headers)}"

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: webhooks cannot be queried."""
        return None


def slack_message(digest: Digest, public_url: str) -> dict[str, Any]:
    """The message for Slack, within its limits."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(subject_of(digest)[:SLACK_HEADER])},
        {"type": "context", "elements": [_plain(period(digest))]},
    ]
    if counted := "\n".join(_counted(digest)):
        blocks.append({"type": "section", "text": _plain(counted[:SLACK_SECTION])})
    rest = [block for section in sections(digest) for block in _slack(section, digest, public_url)]
    rest += [{"type": "context", "elements": [_plain(note)]} for note in notes(digest)]
    room = SLACK_BLOCKS - len(blocks)
    if len(rest) > room:
        rest = [*rest[: room - 1], {"type": "context", "elements": [_plain(_CUT)]}]
    return {"text": _escaped(subject_of(digest)), "blocks": [*blocks, *rest]}


def _slack(section: Section, digest: Digest, public_url: str) -> Iterable[dict[str, Any]]:
    yield {"type": "section", "text": {"type": "mrkdwn", "text": f"*{_heading(section)}*"}}
    for case in section.named.first:
        what, about = said_of(case, section, digest)
        where = where_to_look(public_url, case.case_id)
        block: dict[str, Any] = {
            "type": "section",
            "text": _plain(f"{what}\n{about}"[:SLACK_SECTION]),
        }
        if public_url:
            button = {"type": "button", "text": _plain("Open"), "url": where}
            block["accessory"] = button | {"action_id": f"open-{case.case_id}"}
        else:
            block["text"] = _plain(f"{what}\n{about}\n{where}"[:SLACK_SECTION])
        yield block
    if left := more(section):
        yield {"type": "context", "elements": [_plain(left)]}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _heading(section: Section) -> str:
    return f"{section.heading} ({section.named.total:,})"


def _counted(digest: Digest) -> Iterable[str]:
    for figure in figures(digest):
        yield f"{figure.name}: {figure.value}{f' ({figure.change})' if figure.change else ''}"
    if digest.nothing:
        yield "Nothing to report: nobody wrote, and nobody waits."


def teams_message(digest: Digest, public_url: str) -> dict[str, Any]:
    """The message for a Teams Workflows webhook, within its limit."""
    body: list[dict[str, Any]] = [
        _text(subject_of(digest), weight="Bolder", size="Large"),
        _text(period(digest), isSubtle=True),
        *(_text(line) for line in _counted(digest)),
    ]
    for section in sections(digest):
        body.append(_text(_heading(section), weight="Bolder"))
        for case in section.named.first:
            what, about = said_of(case, section, digest)
            where = where_to_look(public_url, case.case_id)
            body += [_text(what), _text(about, isSubtle=True)]
            if public_url:
                link = {"type": "Action.OpenUrl", "title": "Open", "url": where}
                body.append({"type": "ActionSet", "actions": [link]})
            else:
                body.append(_text(where, fontType="Monospace"))
        if left := more(section):
            body.append(_text(left, isSubtle=True))
    body += [_text(note) for note in notes(digest)]
    whole = _card(body)
    while len(json.dumps(whole)) > TEAMS_BYTES:
        body = [*body[: len(body) * 3 // 4], _text(_CUT)]
        whole = _card(body)
    return whole


def _text(text: str, **style: Any) -> dict[str, Any]:
    """A paragraph in which nothing is Markdown."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _card(body: list[dict[str, Any]]) -> dict[str, Any]:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {
        "type": "message",
        "attachments": [{"contentType": kind, "contentUrl": None, "content": card}],
    }
