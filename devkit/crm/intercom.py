"""Intercom: signed notifications, and the part of its REST API that we use.

Written from https://developers.intercom.com/docs/references/webhooks/webhook-models and
https://developers.intercom.com/docs/references/rest-api/api.intercom.io (conversations, tickets,
tags).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from devkit.crm import counterpart
from devkit.crm.counterpart import Sent, seen
from devkit.crm.stand_in import RefusedError, VendorApi, insist, only

CUSTOMER, COLLEAGUE = {"type": "user", "id": "5ee3d4"}, {"type": "admin", "id": "991267"}


class IntercomApi(VendorApi):
    """Conversations and tickets by the end of their addresses, such as ``tickets/1``."""

    vendor = "intercom"
    credentials: ClassVar[Mapping[str, str]] = {"TOKEN": "access-token", "ADMIN": "991267"}

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, str] = {"1": "frontdesk"}

    def say(self, name: str, body: str, author: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """Adds a part."""
        thing = self.things[name]
        said = thing["parts"]
        name = f"60{self.numbers_from + len(said)}"
        part = {"id": name, "part_type": "comment", "body": body, "author": author}
        said.append({**part, **more})
        result: dict[str, Any] = said[-1]
        return result

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        insist(re.fullmatch(r"2\.\d+", request.headers["Intercom-Version"]), "which version?")
        return request.headers.get("Authorization") == "Bearer access-token"

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        if path == "/tags":
            return self._tags(method, body)
        found = re.fullmatch(r"/((conversation|ticket)s/\d+)(/reply|/tags)?", path)
        thing = self.things.get(found[1]) if found else None
        if found is None or thing is None:
            raise RefusedError(404, "not_found")
        match method, found[3]:
            case "GET", None:
                parts = {f"{found[2]}_parts": thing["parts"]}
                return {**thing["fields"], f"{found[2]}_parts": parts}
            case "POST", "/reply":
                return self._reply(found[1], only(body, "type", "admin_id", "message_type", "body"))
            case "POST", "/tags":
                tag = only(body, "id", "admin_id")
                if tag["id"] not in self.tags or tag["admin_id"] != "991267":
                    raise RefusedError(404, "tag_not_found")
                thing["tags"].add(self.tags[tag["id"]])
                return {"id": tag["id"]}
        raise RefusedError(405, "method not allowed")

    def _tags(self, method: str, body: Any) -> Any:
        if method == "POST":
            self.tags[str(len(self.tags) + 1)] = only(body, "name")["name"]
            return {"type": "tag", "id": str(len(self.tags)), "name": body["name"]}
        return {"type": "list", "data": [{"id": k, "name": v} for k, v in self.tags.items()]}

    def _reply(self, name: str, reply: dict[str, Any]) -> Any:
        if reply["type"] != "admin" or reply["message_type"] not in ("comment", "note"):
            raise RefusedError(422, "parameter_invalid")
        author = {"type": "admin", "id": reply["admin_id"]}
        said = self.say(name, reply["body"], author, part_type=reply["message_type"])
        self.note_mark(reply["body"])
        return {"type": "conversation", "id": said["id"]}


class Counterpart(counterpart.Counterpart[IntercomApi]):
    """A conversation of the messenger."""

    vendor = "intercom"
    api_type = IntercomApi

    def signed(self, body: bytes) -> Sent:
        digest = hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest()
        return Sent(body, {"x-hub-signature": f"sha1={digest}", "content-type": "application/json"})

    def opened(self, text: str, subject: str = "Room 4") -> Sent:
        source = {"id": "1", "subject": f"<p>{subject}</p>", "body": f"<p>{text}</p>",
            "author": CUSTOMER}  # fmt: skip
        fields = {"type": "conversation", "id": self.ticket, "source": source}
        name = f"conversations/{self.ticket}"
        self.api.things[name] = {"fields": fields, "parts": [], "tags": set()}
        return self.notification("conversation.user.created", fields)

    def replied(self, text: str) -> Sent:
        said = self.api.say(f"conversations/{self.ticket}", f"<p>{text}</p>", CUSTOMER)
        return self._about("conversation.user.replied", said)

    def answered(self, text: str) -> Sent:
        said = self.api.say(f"conversations/{self.ticket}", f"<p>{text}</p>", COLLEAGUE)
        return self._about("conversation.admin.replied", said)

    def returned(self) -> list[Sent]:
        topics = {"comment": "conversation.admin.replied", "note": "conversation.admin.noted"}
        return [self._about(topics[said["part_type"]], said) for said in self._ours()]

    def written(self) -> list[tuple[str, str]]:
        how = {"comment": "public", "note": "note"}
        return [(how[said["part_type"]], said["body"]) for said in self._ours()]

    def labels(self) -> tuple[set[str], object]:
        return {"vip", *self.api.things[f"conversations/{self.ticket}"]["tags"]}, None

    def notification(self, topic: str, item: Any, **more: Any) -> Sent:
        """What their app sends about a topic."""
        name = hashlib.sha256(repr((topic, item)).encode()).hexdigest()
        data = {"type": "notification_event_data", "item": item}
        return self.json(
            {
                "type": "notification_event",
                "app_id": "iynax7cx",
                "id": f"notif_{name[:12]}",
                "topic": topic,
                "data": data,
                "delivery_attempts": 1,
                **more,
            }
        )

    def _about(self, topic: str, said: Any) -> Sent:
        item = self.api.things[f"conversations/{self.ticket}"]["fields"]
        return self.notification(
            topic, item | {"conversation_parts": {"conversation_parts": [said]}}
        )

    def _ours(self) -> list[dict[str, Any]]:
        said = self.api.things[f"conversations/{self.ticket}"]["parts"]
        return [one for one in said if "[fd-" in seen(one["body"])]
