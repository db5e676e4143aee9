"""Sinks ``slack`` and ``teams``: messages in a desk's channel, by incoming webhooks.

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
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from shared.adapters.guarded_http import GuardedHttp
from shared.domain.digest import Digest
from shared.domain.digest_letter import digest_notice
from shared.domain.gathering import Gathering
from shared.domain.letter_text import where_to_look
from shared.domain.letters import case_notice
from shared.domain.notices import Block, Item, Notice, gathered_notice
from shared.domain.written import is_host_name
from shared.errors import ConfigError, PermanentError

if TYPE_CHECKING:
    from shared.domain.approval_links import ApprovalLinks
    from shared.ports import Clock, EffectCall

SLACK_BLOCKS = 50
SLACK_SECTION = 3000
SLACK_HEADER = 150
TEAMS_BYTES = 28 * 1024
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

    def of(self, desk: str, room: str | None = None) -> str:
        """The address of a desk's room, else of the desk.

        Raises:
            PermanentError: ``channel_not_configured``.
        """
        name = desk.upper().replace("-", "_")
        own = f"{name}_{room.upper().replace('-', '_')}" if room else name
        found = self._by_desk.get(own) or self._by_desk.get(name) or self._everyone
        if not found:
            raise PermanentError(
                "channel_not_configured", f"set {self._setting}_{own}, then send it again"
            )
        return found


def _usable(address: str, *, development: bool) -> bool:
    found = _ADDRESS.fullmatch(address)
    if not found:
        return False
    scheme, host = found[1].lower(), found[2].lower()
    return (development and host in _LOOPBACK) or (scheme == "https" and is_host_name(host))


class ChannelSink:
    """Posts to one kind of channel: digests, cases that need somebody, and lists of such.

    Args:
        what: Which.
        public_url: Where people reach this app; empty for commands instead of links.
        clock: Links end by its time.
        links: Make the links by which readers decide on actions.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "unkeyed"
    window = 0.0

    def __init__(
        self,
        what: Literal["slack", "teams"],
        addresses: WebhookAddresses,
        public_url: str,
        clock: Clock,
        links: ApprovalLinks,
    ) -> None:
        self._message = slack_message if what == "slack" else teams_message
        self._addresses = addresses
        self._public_url = public_url
        self._clock = clock
        self._links = links
        self._http = GuardedHttp()

    async def send(self, call: EffectCall) -> str:
        body = json.dumps(self._message(self._notice(call))).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "Frontdesk"}
        # A digest is addressed to its desk, everything else to somebody under ``tell``.
        rooms = (contact.room for contact in call.desk.tell if contact.name in call.request.to)
        address = self._addresses.of(call.desk.name, next(rooms, None))
        return f"HTTP {await self._http.send('POST', address, body, headers)}"

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: webhooks cannot be queried."""
        return None

    def _notice(self, call: EffectCall) -> Notice:
        about = call.about
        if isinstance(about, Digest):
            return digest_notice(about, self._look)
        if isinstance(about, Gathering):
            return gathered_notice(about, self._look)
        decide = self._links.for_readers(about, call.desk, call.request.to, self._clock.now())
        return case_notice(about, call.desk, self._look(about.case_id), decide, call.request.about)

    def _look(self, case_id: str) -> str:
        return where_to_look(self._public_url, case_id)


def slack_message(notice: Notice) -> dict[str, Any]:
    """The message for Slack, within its limits."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(notice.subject[:SLACK_HEADER])},
        {"type": "context", "elements": [_plain(notice.opening[:SLACK_SECTION])]},
    ]
    if said := "\n".join(notice.lines):
        blocks.append({"type": "section", "text": _plain(said[:SLACK_SECTION])})
    notes = [{"type": "context", "elements": [_plain(note)]} for note in notice.notes]
    room = SLACK_BLOCKS - len(blocks)
    rest = [*_slack(notice, _apart), *notes]
    if len(rest) > room:
        rest = [*_slack(notice, _packed), *notes]
    if len(rest) > room:
        cut = {"type": "context", "elements": [_plain(_cut(notice))]}
        rest = [*rest[: room - 1], cut]
    return {"text": _escaped(notice.subject), "blocks": [*blocks, *rest]}


_Blocks = Iterable[dict[str, Any]]


def _slack(notice: Notice, form: Callable[[Block], _Blocks]) -> _Blocks:
    for block in notice.blocks:
        yield {"type": "section", "text": {"type": "mrkdwn", "text": f"*{block.heading}*"}}
        yield from form(block)
        if block.more:
            yield {"type": "context", "elements": [_plain(block.more)]}


def _apart(block: Block) -> _Blocks:
    """Each item for itself, with a button."""
    for number, item in enumerate(block.items):
        lines = [item.text, item.about, "" if _is_url(item.where) else item.where]
        section = {"type": "section", "text": _plain(_joined(lines)[:SLACK_SECTION])}
        if _is_url(item.where):
            button = {"type": "button", "text": _plain(item.what), "url": item.where}
            section["accessory"] = button | {"action_id": f"open-{block.heading[:40]}-{number}"}
        yield section


def _packed(block: Block) -> _Blocks:
    """As many items in one section as there is room for."""
    packed = ""
    for item in block.items:
        said = f"\u2022 {_joined([item.text, item.about, item.where])}"[:SLACK_SECTION]
        if packed and len(packed) + 1 + len(said) > SLACK_SECTION:
            yield {"type": "section", "text": _plain(packed)}
            packed = ""
        packed = f"{packed}\n{said}" if packed else said
    yield {"type": "section", "text": _plain(packed)}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(filter(None, lines))


def _is_url(where: str) -> bool:
    return where.startswith(("https://", "http://"))


def _cut(notice: Notice) -> str:
    return f"Cut: {notice.rest}"


def teams_message(notice: Notice) -> dict[str, Any]:
    """The message for a Teams Workflows webhook, within its limit."""
    body: list[dict[str, Any]] = [
        _text(notice.subject, weight="Bolder", size="Large"),
        _text(notice.opening, isSubtle=True),
        *(_text(line) for line in notice.lines),
    ]
    for block in notice.blocks:
        body.append(_text(block.heading, weight="Bolder"))
        for item in block.items:
            body += _teams_item(item)
        if block.more:
            body.append(_text(block.more, isSubtle=True))
    body += [_text(note) for note in notice.notes]
    whole = _card(body)
    while len(json.dumps(whole)) > TEAMS_BYTES:
        body = [*body[: (len(body) - 1) * 3 // 4], _text(_cut(notice))]
        whole = _card(body)
    return whole


def _teams_item(item: Item) -> _Blocks:
    yield _text(item.text)
    if item.about:
        yield _text(item.about, isSubtle=True)
    if _is_url(item.where):
        link = {"type": "Action.OpenUrl", "title": item.what, "url": item.where}
        yield {"type": "ActionSet", "actions": [link]}
    elif item.where:
        yield _text(item.where, fontType="Monospace")


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
