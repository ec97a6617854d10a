"""Guard: connections that only ever reach public addresses.

A name is resolved here, each of its addresses is looked at, and the connection goes to the very address that was
looked at: resolving it a second time could give another one.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Iterable
from typing import Any

import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream

from wetink.core.errors import WetinkError

_RELAY = ipaddress.ip_network("192.88.99.0/24")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(WetinkError):
    """The address is not one the fetcher may reach."""

    code = "refused"


def public(text: str) -> bool:
    """Whether an IP address is one of the public internet, looked at through every wrapping of IPv4 in IPv6.

    >>> public("93.184.216.34"), public("10.0.0.1"), public("::ffff:127.0.0.1"), public("64:ff9b::a00:1")
    (True, False, False, False)
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
        if address.is_site_local:
            return False
    elif address in _RELAY:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class GuardedBackend(AsyncNetworkBackend):
    """A network that is the public internet, and the `host:port` pairs an operator allows besides."""

    def __init__(self, private_hosts: Collection[str] = (), ports: Collection[int] = ()) -> None:
        """Allow these `host:port` pairs although they are not public, and only these ports of all others if any."""
        self._ports = frozenset(ports)
        self._private = frozenset(private_hosts)
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the protocol's own)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first address of a host that answers. Raises Refused when one of them is not public."""
        failed: Exception = Refused(f"{host} has no address")
        for address in await self._addresses(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if f"{host}:{port}" not in self._private:
            if not any(map(public, addresses)):
                raise Refused(f"{host} has no public address")
            if not all(map(public, addresses)):
                raise Refused(f"{host} has an address that is not public")
            if self._ports and port not in self._ports:
                raise Refused(f"port {port} is out of reach")
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (the protocol's own)
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Refuse: nothing public is there."""
        raise Refused("local sockets are out of reach")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
