"""Posts: one POST to a public host, with limits on the time and on the bytes read of the answer, without redirects."""

import asyncio
from collections.abc import Collection
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpcore

from wetink.core.outbound.webhook import Answer, Post
from wetink.core.text.link import host_of
from wetink.feeds.download import ERRORS, LEGAL, words
from wetink.feeds.guard import GuardedBackend, Refused

SECONDS = 10.0
LARGEST = 64 * 1024
"""Bytes of an answer to read, so that its connection can be used again."""

AGENT = ("user-agent", "wetink (hooks)")


class Poster:
    """`ports.audiences.Posts` over HTTP."""

    def __init__(self, private_hosts: Collection[str] = ()) -> None:
        """Allow these `host:port` pairs although they are not public."""
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=GuardedBackend(private_hosts), max_connections=64, max_keepalive_connections=16
        )

    async def send(self, post: Post) -> Answer:
        if not host_of(post.url):
            return Answer(0, "not an http(s) URL")
        try:
            async with asyncio.timeout(SECONDS):
                return await self._sent(post)
        except (Refused, *ERRORS, httpcore.ConnectError, httpcore.UnsupportedProtocol) as error:
            return Answer(0, words(error))

    async def _sent(self, post: Post) -> Answer:
        headers = [*post.headers, AGENT, ("content-length", str(len(post.body)))]
        url = quote(post.url, safe=LEGAL)
        async with self._pool.stream("POST", url, headers=headers, content=post.body) as answer:
            size = 0
            async for part in answer.aiter_stream():
                size += len(part)
                if size > LARGEST:
                    break
            said = {name.lower(): value for name, value in answer.headers}
            wish = said.get(b"retry-after", b"").decode("latin-1")
            return Answer(answer.status, retry_after=wait_of(wish, said.get(b"date", b"").decode("latin-1")))

    async def close(self) -> None:
        await self._pool.aclose()


def wait_of(wish: str, date: str) -> int:
    """Return the wait (ms) that a `Retry-After` requests: seconds, or a date relative to the answer's own `Date`.

    >>> wait_of("120", ""), wait_of("soon", "")
    (120000, 0)
    >>> wait_of("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT")
    30000
    """
    wish = wish.strip()
    if wish.isascii() and wish.isdecimal() and len(wish) < 10:
        return int(wish) * 1000
    try:
        apart = parsedate_to_datetime(wish) - parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return 0
    return max(int(apart.total_seconds() * 1000), 0)
