"""Guard: connections that only ever reach public addresses.

The guard resolves a name, checks each of its addresses, and connects to the very address that it checked: resolving
the name a second time could give another one. The table of special-purpose addresses is ours, not the
interpreter's: which rows a Python knows depends on its release.

Sources, as of October 2025: IANA IPv4 Special-Purpose Address Registry, IANA IPv6 Special-Purpose Address Registry,
IANA IPv6 Address Space (global unicast is 2000::/3), IPv4 Multicast Address Space.
"""

import asyncio
import socket
from bisect import bisect_right
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream

from wetink.core.errors import WetinkError

IPV4 = (
    ("0.0.0.0/8", "this network"),
    ("0.0.0.0/32", "this host on this network"),
    ("10.0.0.0/8", "private use"),
    ("100.64.0.0/10", "shared address space"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link local"),
    ("172.16.0.0/12", "private use"),
    ("192.0.0.0/24", "IETF protocol assignments"),
    ("192.0.0.0/29", "IPv4 service continuity prefix"),
    ("192.0.0.8/32", "IPv4 dummy address"),
    ("192.0.0.9/32", "Port Control Protocol anycast"),
    ("192.0.0.10/32", "TURN anycast"),
    ("192.0.0.170/32", "NAT64/DNS64 discovery"),
    ("192.0.0.171/32", "NAT64/DNS64 discovery"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT"),
    ("192.88.99.0/24", "6to4 relay anycast, deprecated"),
    ("192.88.99.2/32", "6a44 relay anycast"),
    ("192.168.0.0/16", "private use"),
    ("192.175.48.0/24", "AS112, direct delegation"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("255.255.255.255/32", "limited broadcast"),
)
"""Block and name. Rows that IANA calls globally reachable are included: no photo or feed lives in them, and the
nearest router, which is one's own, answers the anycast ones."""

IPV6 = (
    ("::1/128", "loopback"),
    ("::/128", "unspecified"),
    ("::ffff:0:0/96", "IPv4 mapped"),
    ("64:ff9b::/96", "IPv4-IPv6 translation"),
    ("64:ff9b:1::/48", "IPv4-IPv6 translation, local use"),
    ("100::/64", "discard only"),
    ("100:0:0:1::/64", "dummy prefix"),
    ("2001::/23", "IETF protocol assignments"),
    ("2001::/32", "Teredo"),
    ("2001:1::1/128", "Port Control Protocol anycast"),
    ("2001:1::2/128", "TURN anycast"),
    ("2001:1::3/128", "DNS-SD service registration anycast"),
    ("2001:2::/48", "benchmarking"),
    ("2001:3::/32", "AMT"),
    ("2001:4:112::/48", "AS112"),
    ("2001:10::/28", "ORCHID, deprecated"),
    ("2001:20::/28", "ORCHIDv2"),
    ("2001:30::/28", "drone remote id"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "AS112, direct delegation"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing identifiers"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link local"),
)
"""Block and name. An address that carries an IPv4 address is judged by it: mapped, translated and 6to4."""

UNICAST = IPv6Network("2000::/3")
"""The assigned part of IPv6: outside of it only the translation prefix leads anywhere."""

_TRANSLATED = IPv6Network("64:ff9b::/96")
_CARRIERS = ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")


def _spans(blocks: Iterable[str]) -> tuple[list[int], list[int]]:
    """Return the starts and the ends of blocks, without those that lie in another, in order."""
    starts: list[int] = []
    ends: list[int] = []
    networks = map(ip_network, blocks)
    for first, last in sorted((int(each.network_address), int(each.broadcast_address)) for each in networks):
        if ends and first <= ends[-1]:
            ends[-1] = max(ends[-1], last)
        else:
            starts.append(first)
            ends.append(last)
    return starts, ends


_SPECIAL4 = _spans(block for block, _ in IPV4)
_SPECIAL6 = _spans(block for block, _ in IPV6 if block not in _CARRIERS)


def public(text: str) -> bool:
    """Whether an IP address is an ordinary public one, read through every wrapping of IPv4 in IPv6.

    >>> public("93.184.216.34"), public("10.0.0.1"), public("::ffff:127.0.0.1"), public("64:ff9b::a00:1")
    (True, False, False, False)
    >>> public("192.0.0.192"), public("3fff::1"), public("64:ff9b::5db8:d822")
    (False, False, True)
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return address in UNICAST and not _lies_in(_SPECIAL6, int(address))
        address = inner
    return not _lies_in(_SPECIAL4, int(address))


def _lies_in(spans: tuple[list[int], list[int]], address: int) -> bool:
    starts, ends = spans
    place = bisect_right(starts, address) - 1
    return place >= 0 and address <= ends[place]


class Refused(WetinkError):
    """The fetcher may not reach this address."""

    code = "refused"


def check_addresses(
    host: str, port: int, addresses: Collection[str], private_hosts: Collection[str] = (), ports: Collection[int] = ()
) -> None:
    """Raise Refused unless all addresses of a host are public, or it is one of the `host:port` pairs allowed besides.

    With `ports`, other ports of public addresses are refused.
    """
    if f"{host}:{port}" not in private_hosts:
        if not any(map(public, addresses)):
            raise Refused(f"{host} has no public address")
        if not all(map(public, addresses)):
            raise Refused(f"{host} has an address that is not public")
        if ports and port not in ports:
            raise Refused(f"port {port} is not allowed")


class GuardedBackend(AsyncNetworkBackend):
    """The public internet, and the `host:port` pairs that an operator allows besides."""

    def __init__(self, private_hosts: Collection[str] = (), ports: Collection[int] = ()) -> None:
        """Allow these `host:port` pairs although they are not public; of others, only these ports if any are given."""
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
        check_addresses(host, port, addresses, self._private, self._ports)
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (the protocol's own)
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Refuse: no public service listens on a Unix socket."""
        raise Refused("local sockets are not allowed")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
