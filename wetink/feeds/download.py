"""Download: one address, a few redirects, bounded bytes and time."""

import asyncio
from collections.abc import Collection
from urllib.parse import quote, urljoin

import httpcore

from wetink.core.link import host_of
from wetink.feeds.guard import GuardedBackend, Refused

LARGEST = 10 * 1024 * 1024
"""Bytes of the largest answer that is taken."""

MOST_HOPS = 3
SECONDS = 5.0
HEADERS = (
    (b"user-agent", b"wetink (photo fetcher)"),
    (b"accept", b"image/jpeg,image/png,image/webp,image/gif"),
)
LEGAL = "!#$%&'()*+,/:;=?@[]~"
"""What stays as it is in an address; all else beyond letters and digits is sent as %XX."""

REDIRECTS = (301, 302, 303, 307, 308)


class Downloads:
    """Fetches from public http(s) addresses, looking at each hop anew."""

    def __init__(self, private_hosts: Collection[str] = ()) -> None:
        """Allow these `host:port` pairs although they are not public."""
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=GuardedBackend(private_hosts),
            max_connections=24,
            max_keepalive_connections=8,
            keepalive_expiry=10.0,
        )

    async def get(self, url: str) -> bytes:
        """Return what is at an address. Raises Refused, httpcore's errors, or TimeoutError after 5 s."""
        async with asyncio.timeout(SECONDS):
            for _ in range(MOST_HOPS + 1):
                if not host_of(url):
                    raise Refused("no http(s) address")
                body, onward = await self._once(quote(url, safe=LEGAL))
                if onward is None:
                    return body
                url = urljoin(url, onward)
        raise Refused(f"more than {MOST_HOPS} redirects")

    async def _once(self, url: str) -> tuple[bytes, str | None]:
        timeouts = {"connect": SECONDS, "read": SECONDS, "write": SECONDS, "pool": SECONDS}
        async with self._pool.stream("GET", url, headers=HEADERS, extensions={"timeout": timeouts}) as answer:
            if answer.status in REDIRECTS:
                target = next((value for name, value in answer.headers if name.lower() == b"location"), b"")
                return b"", target.decode("utf-8", "replace")
            if answer.status != 200:
                raise Refused(f"answered {answer.status}")
            parts: list[bytes] = []
            size = 0
            async for part in answer.aiter_stream():
                size += len(part)
                if size > LARGEST:
                    raise Refused(f"more than {LARGEST} bytes")
                parts.append(part)
            return b"".join(parts), None

    async def close(self) -> None:
        """Let go of all connections."""
        await self._pool.aclose()
