"""Stand-ins of Slack's and Teams' incoming webhooks: they refuse what the services would refuse."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from aiohttp import web

from devkit.loopback import LoopbackServer


class Wrong(Exception):  # noqa: N818
    """What the service would say."""


def _need(holds: object, why: str) -> None:
    if not holds:
        raise Wrong(why)


def slack(raw: bytes) -> tuple[int, str]:
    """What Slack answers: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""
    message = json.loads(raw)
    _need(set(message) <= {"text", "blocks"} and message.get("text"), "invalid_payload")
    blocks = message["blocks"]
    _need(0 < len(blocks) <= 50, "invalid_blocks: number")
    for block in blocks:
        match block["type"]:
            case "header":
                _slack_text(block["text"], 150, {"plain_text"})
            case "section":
                _slack_text(block["text"], 3000, {"plain_text", "mrkdwn"})
                if accessory := block.get("accessory"):
                    _need(accessory["type"] == "button", "invalid_blocks: accessory")
                    _slack_text(accessory["text"], 75, {"plain_text"})
                    _need(accessory["url"].startswith("https://"), "invalid_blocks: url")
                    _need(len(accessory["url"]) <= 3000, "invalid_blocks: url")
                    _need(0 < len(accessory["action_id"]) <= 255, "invalid_blocks: action_id")
            case "context":
                _need(1 <= len(block["elements"]) <= 10, "invalid_blocks: elements")
                for element in block["elements"]:
                    _slack_text(element, 3000, {"plain_text", "mrkdwn"})
            case other:
                raise Wrong(f"invalid_blocks: {other}")
    return 200, "ok"


def _slack_text(text: dict[str, Any], most: int, kinds: set[str]) -> None:
    _need(text["type"] in kinds, "invalid_blocks: type")
    _need(1 <= len(text["text"]) <= most, "invalid_blocks: length")
    _need("emoji" not in text or text["type"] == "plain_text", "invalid_blocks: emoji")


def teams(raw: bytes) -> tuple[int, str]:
    """What a Workflows webhook answers; the card's schema is that of Adaptive Cards 1.4."""
    _need(len(raw) <= 28 * 1024, "RequestEntityTooLarge")
    message = json.loads(raw)
    _need(message["type"] == "message" and len(message["attachments"]) == 1, "BadRequest")
    [attachment] = message["attachments"]
    _need(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "BadRequest")
    card = attachment["content"]
    _need((card["type"], card["version"]) == ("AdaptiveCard", "1.4"), "BadRequest: card")
    _need(card["body"], "BadRequest: empty")
    for element in card["body"]:
        match element["type"]:
            case "RichTextBlock":
                _need(element["inlines"], "BadRequest: inlines")
                for run in element["inlines"]:
                    _need(run["type"] == "TextRun" and run["text"], "BadRequest: TextRun")
            case "ActionSet":
                for action in element["actions"]:
                    _need(action["type"] == "Action.OpenUrl" and action["title"], "BadRequest")
                    _need(action["url"].startswith("https://"), "BadRequest: url")
            case other:
                raise Wrong(f"BadRequest: {other}")
    return 202, ""


class ChannelStandIn(LoopbackServer):
    """One webhook on loopback.

    Attributes:
        faults: Statuses with headers for the next requests, instead of an answer.
        taken: Messages that the service would have shown.
        refused: What it would have said.
    """

    route: ClassVar[tuple[str, str]] = ("POST", "/hook/secret")
    path: ClassVar[str] = "/hook/secret"

    def __init__(self, rule: Callable[[bytes], tuple[int, str]]) -> None:
        self.faults: deque[tuple[int, dict[str, str]]] = deque()
        self.taken: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self._rule = rule

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if self.faults:
            status, headers = self.faults.popleft()
            return web.Response(status=status, headers=headers)
        if request.content_type != "application/json":
            self.refused.append("content type")
            return web.Response(status=400)
        try:
            status, said = self._rule(raw)
        except (Wrong, KeyError, ValueError) as error:
            self.refused.append(repr(error))
            return web.Response(status=400, text=repr(error))
        self.taken.append(json.loads(raw))
        return web.Response(status=status, text=said)
