"""Mail by the REST API of Azure Communication Services.

``POST /emails:send`` is answered 202 and makes an operation, which ``GET /emails/operations/{id}``
shows. Its id, a UUID, may be ours: the header ``Operation-Id``.
https://learn.microsoft.com/rest/api/communication/email/email/send

So a mail is queryable: after a lost answer its operation is looked up, and a mail goes out again,
under the same id, only where the service says that it has none. The API's pages do not say how long
an operation is kept, or what a second request with its id does. The guidelines for Azure's services
do: at least 24 hours, and a conflict unless the request is the same.
https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#long-running-operations--jobs
The headers of https://learn.microsoft.com/rest/api/communication/repeatable-requests are not used:
they hold for five minutes, and the reference of this version does not name them.

Limits: 50 recipients, 10 MB, and to begin with 30 mails a minute and 100 an hour, 5 and 10 from a
domain of Azure's own; above that 429 with ``Retry-After``.
https://learn.microsoft.com/azure/communication-services/concepts/service-limits#email

The Message-ID may be ours; one that is not well-formed or was there before is replaced.
https://learn.microsoft.com/azure/communication-services/concepts/email/email-headers
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from shared.adapters.entra import EntraTokens
from shared.adapters.guarded_http import Answer, GuardedHttp
from shared.adapters.mail import headers, recipients
from shared.adapters.model_errors import OPERATOR_PAUSE, retry_after
from shared.domain.written import is_host_name
from shared.errors import ConfigError, PermanentError, RetryableError, UncertainError
from shared.telemetry import logger

if TYPE_CHECKING:
    from shared.ports import Clock

_VERSION = "2025-09-01"
_SCOPE = "https://communication.azure.com/.default"
_CONNECTION, _ENDPOINT = "FRONTDESK_ACS_CONNECTION_STRING", "FRONTDESK_ACS_ENDPOINT"
_EXAMPLE = "https://NAME.communication.azure.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})
_PURPOSE = b"mail operation:"
#: An operation that nobody has, for trying what the service says to us.
_NOBODYS = UUID(int=0)
#: Seconds for which a request that was cut off may still become an operation. No page says how
#: long; it is what ticket systems get.
_UNSEEN = 60.0
_TOKEN_SECONDS = 4.0
_CODE = re.compile(r"[A-Za-z0-9_.]{1,60}")
_log = logger("email")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of Azure Communication Services.

    Attributes:
        endpoint: Scheme and host, without a slash at the end.
        key: Its access key; empty for the app's identity.
    """

    endpoint: str
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, connection: str, endpoint: str) -> Self:
        """Reads a connection string, or an endpoint alone.

        Raises:
            ConfigError: What is wrong; never repeats the key.
        """
        if not connection:
            return cls(_address(_ENDPOINT, endpoint))
        if endpoint:
            raise ConfigError(f"{_ENDPOINT}: unset it; {_CONNECTION} says where and has the key")
        parts = (part.partition("=") for part in connection.split(";"))
        said = {name.strip().lower(): value.strip() for name, _, value in parts}
        try:
            key = base64.b64decode(said.get("accesskey", ""), validate=True)
        except binascii.Error:
            key = b""
        if not key:
            raise ConfigError(f"{_CONNECTION}: must be endpoint={_EXAMPLE}/;accesskey=…")
        return cls(_address(_CONNECTION, said.get("endpoint", "")), key)


def _address(setting: str, given: str) -> str:
    try:
        found = urlsplit(given)
        host, port = found.hostname or "", found.port
    except ValueError:
        found, host, port = urlsplit(""), "", None
    local = found.scheme == "http" and host in _LOOPBACK
    if not local and not (found.scheme == "https" and is_host_name(host)):
        raise ConfigError(f"{setting}: the endpoint must look like {_EXAMPLE}")
    if found.path not in ("", "/") or found.query or found.fragment or found.username:
        raise ConfigError(f"{setting}: the endpoint ends after its host: {_EXAMPLE}")
    return f"{found.scheme}://{host}:{port}" if port else f"{found.scheme}://{host}"


def operation_of(secret: bytes, key: str) -> str:
    """The id of the operation that an idempotency key makes.

    Two installations may share a resource, and their digests of one window have the same key.
    """
    digest = hmac.digest(secret, _PURPOSE + key.encode(), "sha256")
    return str(UUID(bytes=digest[:16], version=5))


class AcsMailer:
    """Hands mails in to one resource.

    Args:
        sender: One of the resource's addresses; its display name is set there and not with a mail.
        clock: Requests are signed with its time, which may be five minutes wrong at most.
            https://learn.microsoft.com/answers/questions/2224395
        secret: The installation's; with another one, mails under way cannot be looked up.
        total: Seconds until a request is given up; an effect's attempt has 20.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "queryable"
    window = 24 * 3600.0

    def __init__(
        self,
        resource: Resource,
        sender: Address,
        clock: Clock,
        secret: bytes,
        *,
        total: float = 15.0,
    ) -> None:
        self._secret = secret
        self._resource = resource
        self._sender = sender
        self._clock = clock
        self._http = GuardedHttp(connect=5.0, total=total)
        self._tokens = EntraTokens(_SCOPE)

    async def deliver(
        self, key: str, to: Sequence[str], subject: str, text: str, html: str = "", *, thread: str
    ) -> str:
        operation = operation_of(self._secret, key)
        mail = {
            "senderAddress": self._sender.addr_spec,
            "recipients": {"to": [{"address": each.addr_spec} for each in recipients(to)]},
            "content": {"subject": subject, "plainText": text, **({"html": html} if html else {})},
            "headers": headers(self._sender, key, thread),
            # It would count who opens the mail and lead its links over Microsoft.
            "userEngagementTrackingDisabled": True,
        }
        body = json.dumps(mail).encode()
        more = {"Operation-Id": operation, "Content-Type": "application/json"}
        try:
            answer = await self._ask("POST", "/emails:send", body, more)
        except UncertainError as error:
            raise UncertainError(error.code, error.detail, _UNSEEN) from None
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        return _receipt(operation, answer)

    async def find(self, key: str) -> str | None:
        operation = operation_of(self._secret, key)
        answer = await self._look(operation)
        return None if answer.status == 404 else _receipt(operation, answer)

    async def greet(self) -> str:
        await self._look(str(_NOBODYS))
        return f"{urlsplit(self._resource.endpoint).hostname} takes our credentials"

    async def aclose(self) -> None:
        """Closes what Entra ID keeps open."""
        await self._tokens.aclose()

    async def _look(self, operation: str) -> Answer:
        """What the service says of an operation: 200, or 404 when it has none.

        Raises:
            RetryableError: It cannot say now.
        """
        try:
            answer = await self._ask("GET", f"/emails/operations/{operation}", b"", {})
        except UncertainError as error:
            raise RetryableError(error.code, detail=error.detail) from None
        # A 404 without the service's own words is a proxy's, or somebody else's.
        if answer.status == 200 or (answer.status == 404 and _code(answer)):
            return answer
        refusal = self._refusal(answer)
        if isinstance(refusal, RetryableError):
            raise refusal
        raise RetryableError("mail_look_up_failed", retry_after(answer.headers), _said(answer))

    async def _ask(self, method: str, path: str, body: bytes, more: dict[str, str]) -> Answer:
        path = f"{path}?api-version={_VERSION}"
        named = await self._named(method, path, body)
        sent = {"User-Agent": "Frontdesk", "Accept": "application/json", **named, **more}
        return await self._http.ask(method, self._resource.endpoint + path, body, sent)

    async def _named(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """The headers that say who we are: a signature by the key, else a token of Entra ID.

        https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial
        """
        if not self._resource.key:
            return {"Authorization": f"Bearer {await self._token()}"}
        date = format_datetime(self._clock.now(), usegmt=True)
        digest = _text(hashlib.sha256(body).digest())
        host = urlsplit(self._resource.endpoint).netloc
        said = f"{method}\n{path}\n{date};{host};{digest}"
        made = hmac.digest(self._resource.key, said.encode(), "sha256")
        signed = f"SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={_text(made)}"
        return {
            "x-ms-date": date,
            "x-ms-content-sha256": digest,
            "Authorization": f"HMAC-SHA256 {signed}",
        }

    async def _token(self) -> str:
        try:
            async with asyncio.timeout(_TOKEN_SECONDS):
                return await self._tokens.token()
        except TimeoutError:
            raise RetryableError("connection_lost", detail="Entra ID: TimeoutError") from None
        except RetryableError as error:
            _log.error("no token to send mail with", extra={"detail": error.detail})
            raise

    def _refusal(self, answer: Answer) -> RetryableError | UncertainError | PermanentError:
        """What an answer means that is no success.

        https://learn.microsoft.com/rest/api/communication/errorcodes
        """
        status, said = answer.status, _said(answer)
        if status == 429:
            return RetryableError("mail_deferred", retry_after(answer.headers), said)
        if status in (401, 403):
            host = urlsplit(self._resource.endpoint).hostname
            _log.error("the mail service does not accept us", extra={"host": host, "said": said})
            return RetryableError("mail_access_refused", OPERATOR_PAUSE, said)
        # 409: an operation of that id is there, or in the making.
        if status in (408, 409) or status >= 500:
            return UncertainError("mail_in_doubt", said, max(_UNSEEN, retry_after(answer.headers)))
        return PermanentError("mail_refused", said)


def _receipt(operation: str, answer: Answer) -> str:
    """What became of an operation so far.

    Raises:
        PermanentError: ``mail_failed``, it ended and no mail was sent.
    """
    status = _named_in(_json(answer).get("status"))
    if status in ("Failed", "Canceled"):
        raise PermanentError("mail_failed", f"{operation} {status} {_code(answer)}".rstrip())
    return f"{operation} {status}".rstrip()


def _said(answer: Answer) -> str:
    return f"HTTP {answer.status} {_code(answer)}".rstrip()


def _code(answer: Answer) -> str:
    """The service's name for what is wrong; its message may quote the mail and is not kept."""
    error = _json(answer).get("error")
    return _named_in(error.get("code") if isinstance(error, dict) else None)


def _named_in(found: object) -> str:
    return found if isinstance(found, str) and _CODE.fullmatch(found) else ""


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
