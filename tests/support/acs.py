"""A stand-in of Azure Communication Services' e-mail: it refuses what the service would refuse.

Requests: https://learn.microsoft.com/rest/api/communication/email/email/send
Signature: https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from jsonschema import Draft202012Validator

from devkit.crm.stand_in import Fault
from devkit.loopback import LoopbackServer

KEY = base64.b64encode(b"the access key of the stand-in....").decode()
TOKEN = "entra"
SENDER = "frontdesk@desk.example.com"
_VERSIONS = {"2023-03-31", "2025-09-01"}
_ADDRESS = {
    "type": "object",
    "required": ["address"],
    "properties": {
        "address": {"type": "string", "pattern": r"^[^@\s<>,]+@[^@\s<>,]+$"},
        "displayName": {"type": "string"},
    },
    "additionalProperties": False,
}
_ADDRESSES = {"type": "array", "minItems": 1, "items": _ADDRESS}
_LINE = {"type": "string", "pattern": r"^[^\r\n]*$"}
_TEXT = {"type": "string", "minLength": 1}
#: By specification/communication/data-plane/Email/stable/2025-09-01 of Azure/azure-rest-api-specs.
_MESSAGE = Draft202012Validator(
    {
        "type": "object",
        "required": ["senderAddress", "content", "recipients"],
        "properties": {
            "senderAddress": {"type": "string"},
            "content": {
                "type": "object",
                "required": ["subject"],
                "properties": {"subject": _LINE, "plainText": _TEXT, "html": _TEXT},
                "anyOf": [{"required": ["plainText"]}, {"required": ["html"]}],
                "additionalProperties": False,
            },
            "recipients": {
                "type": "object",
                "required": ["to"],
                "properties": {"to": _ADDRESSES, "cc": _ADDRESSES, "bcc": _ADDRESSES},
                "additionalProperties": False,
            },
            "headers": {"type": "object", "additionalProperties": _LINE},
            "replyTo": _ADDRESSES,
            "attachments": {"type": "array"},
            "userEngagementTrackingDisabled": {"type": "boolean"},
        },
        "additionalProperties": False,
    }
)


class Refused(Exception):  # noqa: N818
    """What the service would say."""

    def __init__(self, status: int, code: str, why: str = "") -> None:
        super().__init__(why or code)
        self.status = status
        self.code = code


class CommunicationServices(LoopbackServer):
    """One resource with a verified domain.

    Attributes:
        faults: For the next requests, in their order.
        forgets_ids: Whether an id that was there makes another mail, which no page rules out.
        mails: Every mail that was taken, in order.
        ledger: The Message-IDs of those.
        statuses: What became of operations, by their ids.
        requests: Method and path of all that were let in, in order.
        refused: Why others were not.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.faults: deque[Fault] = deque()
        self.forgets_ids = False
        self.mails: list[dict[str, Any]] = []
        self.statuses: dict[str, str] = {}
        self.requests: list[str] = []
        self.refused: list[str] = []
        self._bodies: dict[str, bytes] = {}
        self._now = now

    @property
    def connection_string(self) -> str:
        """As the portal shows it."""
        return f"endpoint={self.url}/;accesskey={KEY}"

    @property
    def ledger(self) -> list[str]:
        return [mail["headers"]["Message-ID"] for mail in self.mails]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault = self.faults.popleft() if self.faults else Fault(keep=True)
        try:
            self._authorise(request, raw)
            self.requests.append(f"{request.method} {request.path}")
            answer = self._answer(request, raw) if fault.keep else web.Response()
        except Refused as refused:
            self.refused.append(str(refused))
            answer = _error(refused.status, refused.code)
        answer.enable_compression()  # for whoever asks for it
        if fault.hang:
            await asyncio.sleep(60)
        if fault.cut and request.transport is not None:
            request.transport.abort()
        if fault.status != 200:
            return _error(fault.status, f"Code{fault.status}", fault.headers)
        return answer

    def _authorise(self, request: web.Request, raw: bytes) -> None:
        said = request.headers.get("Authorization", "")
        if said == f"Bearer {TOKEN}":
            return
        date = request.headers.get("x-ms-date", "")
        digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
        to_sign = f"{request.method}\n{request.raw_path}\n{date};{request.host};{digest}"
        right = hmac.digest(base64.b64decode(KEY), to_sign.encode(), "sha256")
        signature = base64.b64encode(right).decode()
        scheme = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
        if request.headers.get("x-ms-content-sha256") != digest:
            raise Refused(401, "Denied", "content hash")
        if said != scheme + signature:
            raise Refused(401, "Denied", "signature")
        if abs(parsedate_to_datetime(date) - self._now()) > timedelta(minutes=5):
            raise Refused(401, "Denied", "date")

    def _answer(self, request: web.Request, raw: bytes) -> web.Response:
        if dict(request.query).get("api-version") not in _VERSIONS or len(request.query) != 1:
            raise Refused(400, "UnsupportedApiVersion")
        route = (request.method, request.path)
        if route == ("POST", "/emails:send"):
            return self._send(request, raw)
        folder, _, operation = request.path.rpartition("/")
        if (request.method, folder) == ("GET", "/emails/operations"):
            if operation not in self.statuses:
                raise Refused(404, "NotFound", "no such operation")
            return web.json_response(self._status(operation))
        raise Refused(404, "NotFound", "no such path")

    def _send(self, request: web.Request, raw: bytes) -> web.Response:
        operation = request.headers.get("Operation-Id", "")
        self._check(request, operation, raw)
        known = operation in self.statuses and not self.forgets_ids
        if known and self._bodies[operation] != raw:
            raise Refused(409, "Conflict", "another mail has this Operation-Id")
        if not known:
            self.mails.append(json.loads(raw))
            self.statuses[operation] = "Running"
            self._bodies[operation] = raw
        where = f"{self.url}/emails/operations/{operation}?{request.query_string}"
        headers = {"Operation-Location": where, "Retry-After": "20"}
        return web.json_response(self._status(operation), status=202, headers=headers)

    def _check(self, request: web.Request, operation: str, raw: bytes) -> None:
        if request.content_type != "application/json":
            raise Refused(415, "UnsupportedMediaType")
        if len(raw) > 10 * 1024 * 1024:
            raise Refused(413, "RequestEntityTooLarge")
        if str(UUID(operation)) != operation:
            raise Refused(400, "BadRequest", "Operation-Id")
        message = json.loads(raw)
        for problem in _MESSAGE.iter_errors(message):
            raise Refused(400, "BadRequest", f"{problem.json_path}: {problem.message}")
        if sum(map(len, message["recipients"].values())) > 50:
            raise Refused(400, "BadRequest", "recipients")
        if message["senderAddress"] != SENDER:
            raise Refused(404, "DomainNotLinked")

    def _status(self, operation: str) -> dict[str, Any]:
        status = self.statuses[operation]
        error = {"code": "EmailDropped", "message": "dropped"} if status == "Failed" else None
        return {"id": operation, "status": status, "error": error}


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    said = {"error": {"code": code, "message": "for people"}}
    return web.json_response(
        said, status=status, headers={"x-ms-error-code": code, **(headers or {})}
    )
