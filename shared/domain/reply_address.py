"""Whether a reply may be posted to the address that a caller named. Pure: names only, no DNS.

The grammar is narrower than that of URLs, so that no two parsers can read an accepted address
differently. What its name resolves to is checked when connecting, in
``shared.adapters.callback_guard``.
"""

from __future__ import annotations

import re

from shared.domain.desk import Desk
from shared.domain.written import is_host_name
from shared.errors import RequestError

#: The only hosts for plain http, and only in development.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

_MAX_CHARS = 2000
_ADDRESS = re.compile(
    r"(https?)://([a-z0-9.-]+|\[::1\])(?::([1-9][0-9]{0,4}))?(?:/[a-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?",
    re.IGNORECASE | re.ASCII,
)


def check_address(url: str, desk: Desk, *, development: bool = False) -> None:
    """Accepts ``https`` to a host that the desk allows, and anything on loopback in development.

    Args:
        url: What the caller gave as ``channel.reply_address``.
        desk: The case's desk.
        development: Whether this runs on a developer's machine.

    Raises:
        RequestError: 422, with what is wrong and what to do.
    """
    if problem := _problem(url, desk, development=development):
        raise RequestError(422, "Reply address refused", f"reply_address {problem}")


def _problem(url: str, desk: Desk, *, development: bool) -> str:
    found = _ADDRESS.fullmatch(url) if len(url) <= _MAX_CHARS else None
    if found is None or int(found[3] or 443) > 65535:
        return (
            "is not a plain URL: write https://host/path in ASCII (xn--… for other letters), with "
            "no user name, no # and 2000 characters at most."
        )
    scheme, host = found[1].lower(), found[2].lower()
    if development and host in _LOOPBACK:
        return ""
    if scheme != "https":
        return "must begin with https://."
    if not is_host_name(host):
        return "needs the full name of a host; no number, no short name, no dot at the end."
    port = int(found[3] or 443)
    if not any(_matches(allowed, host, port) for allowed in desk.callback_hosts):
        return (
            f"is at a host that the desk {desk.name} does not post to. Its operator can add "
            f"{host}{'' if port == 443 else f':{port}'} to callback_hosts in its desk file."
        )
    return ""


def _matches(allowed: str, host: str, port: int) -> bool:
    name, _, given = allowed.partition(":")
    if port != int(given or 443):
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
