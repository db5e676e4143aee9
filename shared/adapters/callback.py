"""Sink ``callback``: posts the reply to the address that the case came with, signed.

The body is a Standard Webhooks event, ``{"type": "case.replied", "timestamp", "data": {…}}``, or
``case.review_asked``; see
docs/effects.md and https://www.standardwebhooks.com. ``webhook-id`` is our idempotency key, so a
receiver that keeps the ids it has seen applies each reply once.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from aiohttp.resolver import ThreadedResolver
from standardwebhooks import Webhook

from shared.adapters.guarded_http import GuardedHttp
from shared.domain.reply_address import check_address
from shared.errors import (
    ConfigError,
    PermanentError,
    RequestError,
)

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from shared.domain.desk import Desk
    from shared.ports import Clock, EffectCall

_SETTING = "FRONTDESK_CALLBACK_SECRET"
_PREFIX = "whsec_"
_HOURS = 3600.0


class CallbackSecrets:
    """The secrets that callbacks are signed with: a desk's own, else everyone's.

    Args:
        everyone: ``whsec_`` secrets with a space between; all of them sign, so that a receiver can
            change from one to the next.
        by_desk: The same by a desk's name in capitals, ``-`` written as ``_``.

    Raises:
        ConfigError: A secret is not of the form that Standard Webhooks asks for.
    """

    def __init__(self, everyone: str, by_desk: Mapping[str, str]) -> None:
        self._everyone = _webhooks(_SETTING, everyone)
        self._by_desk = {
            name: _webhooks(f"{_SETTING}_{name}", text) for name, text in by_desk.items()
        }

    def of(self, desk: Desk) -> tuple[Webhook, ...]:
        """What signs for a desk.

        Raises:
            PermanentError: ``callback_secret_missing``.
        """
        name = desk.name.upper().replace("-", "_")
        found = self._by_desk.get(name) or self._everyone
        if not found:
            raise PermanentError(
                "callback_secret_missing", f"set {_SETTING} or {_SETTING}_{name}, then replay"
            )
        return found


def _webhooks(setting: str, text: str) -> tuple[Webhook, ...]:
    return tuple(Webhook(_key(setting, secret)) for secret in text.split())


def _key(setting: str, secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not (secret.startswith(_PREFIX) and 24 <= len(key) <= 64):
        raise ConfigError(
            f"{setting}: not a Standard Webhooks secret, whsec_ and 24 to 64 bytes in base64. "
            'Make one with: python3 -c "import base64, secrets; '
            "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""
        )
    return key


class CallbackSink:
    """Posts replies. The receiver is somebody else's server, and is trusted with nothing.

    Args:
        secrets: What signs.
        clock: Signatures carry its time.
        development: Whether loopback may be posted to.
        resolver: Makes what turns names into addresses, behind the guard.
        connect: Seconds until a connection, TLS included, is given up.
        total: Seconds until the whole attempt is given up.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "keyed"
    window = 24 * _HOURS

    def __init__(
        self,
        secrets: CallbackSecrets,
        clock: Clock,
        *,
        development: bool,
        resolver: Callable[[], AbstractResolver] = ThreadedResolver,
        connect: float = 8.0,
        total: float = 20.0,
    ) -> None:
        self._secrets = secrets
        self._clock = clock
        self._development = development
        self._http = GuardedHttp(resolver=resolver, connect=connect, total=total)

    async def send(self, call: EffectCall) -> str:
        address = self._address(call)
        body = self._body(call)
        headers = self._headers(call, body)
        status = await self._http.send("POST", address, body.encode(), headers)
        return f"HTTP {status}"

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: receivers cannot be queried, they know our key."""
        return None

    def _address(self, call: EffectCall) -> str:
        address = call.request.to[0]
        try:
            check_address(address, call.desk, development=self._development)
        except RequestError as error:
            raise PermanentError("address_refused", error.detail) from None
        return address

    def _body(self, call: EffectCall) -> str:
        case = call.case
        return json.dumps(
            {
                "type": "case.review_asked" if call.request.text else "case.replied",
                "timestamp": self._clock.now().isoformat(),
                "data": {
                    "case_id": case.case_id,
                    "turn": call.request.turn,
                    "external_id": case.channel.external_id,
                    "desk": case.desk,
                    "reply": call.request.text or case.support_response,
                    "language": case.language,
                    "status": case.status,
                    "demo": case.demo,
                },
            }
        )

    def _headers(self, call: EffectCall, body: str) -> dict[str, str]:
        now, key = self._clock.now(), call.idempotency_key
        signatures = [hook.sign(key, now, body) for hook in self._secrets.of(call.desk)]
        return {
            "Content-Type": "application/json",
            "User-Agent": "Frontdesk",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
