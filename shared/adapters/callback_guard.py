"""Keeps callbacks off addresses that are not on the public internet, whatever DNS says.

aiohttp connects to exactly the addresses that its resolver returns and asks no second time, so
the addresses that are checked here are those that are used.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from shared.errors import PermanentError

#: Azure's host channel, which every virtual machine reaches and whose number is a public one
#: (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16), protocol
#: assignments, of which some count as global, and the retired 6to4 relays.
_REFUSED_4 = tuple(map(IPv4Network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24")))
#: Only global unicast is used. Mapped, NAT64 and site-local addresses are outside of it; these,
#: inside, carry an IPv4 address (6to4, Teredo) or are for documents.
_UNICAST_6 = IPv6Network("2000::/3")
_REFUSED_6 = tuple(map(IPv6Network, ("2002::/16", "2001::/23", "3fff::/20")))


def is_public(address: str) -> bool:
    """Whether an IP address may be one of a callback's receiver."""
    found = ip_address(address)
    if not found.is_global or found.is_multicast or found.is_reserved:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _REFUSED_4)
    return found in _UNICAST_6 and not any(found in network for network in _REFUSED_6)


class GuardedResolver(AbstractResolver):
    """Resolves names and refuses those of which any address is not public.

    ``localhost`` must be on loopback; ``check_address`` lets it through in development only.
    """

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The host's addresses.

        Raises:
            PermanentError: ``address_refused``, one of them is not public.
            OSError: The name cannot be resolved now.
        """
        found = await self._resolver.resolve(host, port, family)
        for entry in found:
            address = entry["host"]
            local = host == "localhost" and ip_address(address).is_loopback
            if not (local or is_public(address)):
                raise PermanentError(
                    "address_refused", f"{host} is at {address}, no public address"
                )
        return found

    async def close(self) -> None:
        """Closes the resolver behind it."""
        await self._resolver.close()
