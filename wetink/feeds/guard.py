"""Guard: connections that only ever reach public addresses.

A name is resolved here, each of its addresses is looked at, and the connection goes to the very address that was
looked at: resolving it a second time could give another one.
"""

import asyncio
import socket
from collections.abc import Collection, Iterable
from typing import Any

import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream

from wetink.core.errors import WetinkError
from wetink.feeds.special_purpose import public


class Refused(WetinkError):
    """The address is not one the fetcher may reach."""

    code = "refused"


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
                raise Refused(f"port {port} is not allowed")
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (the protocol's own)
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Refuse: nothing public is there."""
        raise Refused("local sockets are not allowed")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
