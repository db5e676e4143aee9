"""Whether something may be posted to an address. Pure: names only, no DNS.

The grammar is narrower than that of URLs, so that no two parsers can read an accepted address
differently. What its name resolves to is checked when connecting, in
``shared.adapters.callback_guard``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    allowed = ("callback_hosts", desk.callback_hosts)
    if problem := _problem(url, desk.name, allowed, development=development):
        raise RequestError(422, "Reply address refused", f"reply_address {problem}")


def service_problem(url: str, desk: str, hosts: Sequence[str], *, development: bool) -> str:
    """What is wrong with the address of a desk's own service; empty when nothing is.

    Args:
        hosts: The desk's ``service_hosts``.
    """
    return _problem(url, desk, ("service_hosts", hosts), development=development)


def _problem(url: str, desk: str, allowed: tuple[str, Sequence[str]], *, development: bool) -> str:
    field, hosts = allowed
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
    if not any(_matches(allowed, host, port) for allowed in hosts):
        return (
            f"is at a host that the desk {desk} does not post to. Its operator can add "
            f"{host}{'' if port == 443 else f':{port}'} to {field} in its desk file."
        )
    return ""


def _matches(allowed: str, host: str, port: int) -> bool:
    name, _, given = allowed.partition(":")
    if port != int(given or 443):
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
