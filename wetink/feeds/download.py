"""Download: one address, a few redirects, bounded bytes and time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, urljoin

import anyio
import httpcore

from wetink.core.text.link import host_of
from wetink.feeds.guard import GuardedBackend, Refused

MOST_HOPS = 3
LONGEST_SILENCE = 15.0
"""Seconds without a byte, however long the whole may take."""

CONNECTIONS = 24
LEGAL = "!#$%&'()*+,/:;=?@[]~"
"""What stays as it is in an address; all else beyond letters and digits is sent as %XX."""

REDIRECTS = (301, 302, 303, 307, 308)


class Reply(NamedTuple):
    """How an address answered, past its redirects. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]


class Downloads:
    """Fetches from public http(s) addresses, looking at each hop anew."""

    def __init__(
        self, private_hosts: Collection[str] = (), *, ports: Collection[int] = (), connections: int = CONNECTIONS
    ) -> None:
        """Allow these `host:port` pairs although they are not public; hold so many connections at most.

        `ports` are those that may be asked for, all unless some are named.
        """
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=GuardedBackend(private_hosts, ports),
            max_connections=connections,
            max_keepalive_connections=8,
            keepalive_expiry=10.0,
        )

    @staticmethod
    def prepare() -> None:
        """Load what the first download would: a tenth of a second in which an event loop answers nothing else."""
        anyio.Event()

    async def ask(
        self,
        url: str,
        headers: Sequence[tuple[bytes, bytes]],
        take: Callable[[bytes], Awaitable[None]],
        *,
        largest: int,
        seconds: float,
    ) -> Reply:
        """Return how an address answers; the body of a 200 is handed to `take` in parts.

        Raises Refused, also for more than `largest` bytes; httpcore's errors; TimeoutError after so many seconds.
        """
        async with asyncio.timeout(seconds):
            for _ in range(MOST_HOPS + 1):
                if not host_of(url):
                    raise Refused("not an http(s) URL")
                reply = await self._once(quote(url, safe=LEGAL), headers, take, largest, min(seconds, LONGEST_SILENCE))
                if reply.status not in REDIRECTS:
                    return reply
                url = urljoin(url, reply.headers.get("location", ""))
        raise Refused(f"more than {MOST_HOPS} redirects")

    async def _once(
        self,
        url: str,
        headers: Sequence[tuple[bytes, bytes]],
        take: Callable[[bytes], Awaitable[None]],
        largest: int,
        silence: float,
    ) -> Reply:
        timeouts = {"connect": silence, "read": silence, "write": silence, "pool": silence}
        async with self._pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as answer:
            size = 0
            if answer.status == 200:
                async for part in answer.aiter_stream():
                    size += len(part)
                    if size > largest:
                        raise Refused(f"more than {largest} bytes")
                    await take(part)
            said = {name.decode("latin-1").lower(): value.decode("utf-8", "replace") for name, value in answer.headers}
            return Reply(answer.status, said)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._pool.aclose()
