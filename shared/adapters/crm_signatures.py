"""What the signatures of webhooks have in common: constant time, a window, several secrets."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from shared.domain.inbound import Delivery
from shared.errors import UnverifiedError

#: Seconds that a signed timestamp may be off, where the vendor names no tolerance of its own.
WINDOW = 300.0


def header(headers: dict[str, str] | object, name: str) -> str:
    """A header that has to be there."""
    value = headers.get(name, "") if hasattr(headers, "get") else ""
    if not value:
        raise UnverifiedError(f"no header {name}")
    return str(value)


def check_window(signed_at: datetime, now: datetime, seconds: float = WINDOW) -> None:
    """Refuses a delivery that was signed too long ago, or too far in the future."""
    age = (now - signed_at).total_seconds()
    if abs(age) > seconds:
        raise UnverifiedError(f"signed {age:.0f} s ago, {seconds:.0f} s is the most")


def at_epoch(text: str, per_second: int = 1) -> datetime:
    """A timestamp in whole seconds, or in milliseconds with ``per_second`` 1,000."""
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise UnverifiedError("its timestamp is no number")
    try:
        return datetime.fromtimestamp(int(text) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        raise UnverifiedError("its timestamp is out of range") from None


def at_iso(text: str) -> datetime:
    """A timestamp such as ``2026-03-04T05:06:07Z``."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UnverifiedError("its timestamp is no date") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def check_signature(
    signed: bytes,
    given: Iterable[str],
    keys: Iterable[bytes],
    encode: Callable[[bytes], str],
    algorithm: Callable[..., hashlib._Hash] = hashlib.sha256,
) -> None:
    """Whether one of the given signatures is by one of the keys.

    Args:
        signed: What the vendor signs.
        encode: A digest as the vendor writes it.
    """
    candidates = [signature.encode() for signature in given]
    found = False
    for key in keys:
        expected = encode(hmac.new(key, signed, algorithm).digest()).encode()
        for candidate in candidates:
            found |= hmac.compare_digest(expected, candidate)
    if not found:
        raise UnverifiedError("wrong signature: another secret, or the body was changed on its way")


def check_token(delivery: Delivery, secrets: Iterable[str]) -> None:
    """Whether a vendor that signs nothing sent one of the secrets itself.

    In the header ``X-Frontdesk-Token``, or behind ``?code=`` by a vendor that sets no headers.
    """
    given = delivery.headers.get("x-frontdesk-token") or delivery.query.get("code", "")
    if not given:
        raise UnverifiedError("no header x-frontdesk-token, and no code in the address")
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(secret.encode(), given.encode())
    if not found:
        raise UnverifiedError("wrong token")
