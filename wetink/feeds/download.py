"""Download: GET requests with few redirects and with limits on bytes and time.

Each host has a limit of concurrent calls and its own breaker, so that a failing host does not slow down the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import anyio
import httpcore

from wetink.core.errors import WetinkError
from wetink.core.outbound.breaker import Breaker, admits, begun, failed, succeeded, withdrawn
from wetink.core.text.link import host_of
from wetink.feeds.guard import GuardedBackend, Refused
from wetink.sandbox.pool import Lost

MOST_HOPS = 3
LONGEST_SILENCE = 15.0
"""Seconds without a byte before a call fails, even if its total time allows more."""

LEGAL = "!#$%&'()*+,/:;=?@[]~"
"""Characters of an address that stay as they are; all others but letters and digits are sent as %XX."""

REDIRECTS = (301, 302, 303, 307, 308)


class Reply(NamedTuple):
    """The answer of an address, after its redirects. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]


PER_HOST, MOST_WAITING = 6, 100
"""Concurrent calls to a host, and how many more may wait for their turn."""

MOST_HOSTS = 4_096
"""Hosts that are remembered; above this limit, those without a call are forgotten."""

CONNECTIONS = 240
"""Total connections: enough for forty hosts that hang at once."""

ERRORS = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, TimeoutError, OSError)


class Unwell(WetinkError):
    """The host answers that it is unavailable now."""

    code = "unwell"


class Resting(Refused):
    """The host is paused, or has too many calls waiting: wetink sent nothing."""


class _Host:
    def __init__(self, cap: int) -> None:
        self.turn = asyncio.Semaphore(cap)
        self.waiting = self.calls = 0
        self.breaker = Breaker()
        self.trouble = ""


class Hosts:
    """Downloads, host by host."""

    def __init__(
        self,
        clock: Callable[[], int],
        private_hosts: Collection[str] = (),
        *,
        ports: Collection[int] = (),
        per_host: int = PER_HOST,
        most_waiting: int = MOST_WAITING,
        connections: int = CONNECTIONS,
    ) -> None:
        """Read the time (ms) from `clock`; allow these `host:port` pairs although they are not public.

        `ports` are the only ports that may be called; all of them if it is empty.
        """
        self._clock, self._per_host, self._most_waiting = clock, per_host, most_waiting
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=GuardedBackend(private_hosts, ports),
            max_connections=connections,
            max_keepalive_connections=8,
            keepalive_expiry=10.0,
        )
        self._hosts: dict[str, _Host] = {}

    async def ask(
        self,
        url: str,
        headers: Sequence[tuple[bytes, bytes]],
        take: Callable[[bytes], Awaitable[None]],
        *,
        largest: int,
        seconds: float,
        private: Sequence[tuple[bytes, bytes]] = (),
    ) -> Reply:
        """Return the answer of an address; hand the body of a 200 to `take` in parts.

        `private` headers go to this address's own scheme, host and port: no redirect to another one gets them.

        Raises Refused, also for more than `largest` bytes; httpcore's errors; TimeoutError after `seconds`; Unwell for
        429 and 5xx; and Resting, without a request, for a host that is failing or has too many calls waiting.
        """
        name = host_of(url)
        host = self._host(name)
        self._look(name, host)
        if host.waiting >= self._most_waiting:
            raise Resting(f"{name} has {self._most_waiting} calls waiting")
        host.waiting += 1
        try:
            await host.turn.acquire()
        finally:
            host.waiting -= 1
        host.calls += 1
        try:
            self._look(name, host)
            host.breaker = begun(host.breaker, self._clock())
            return await self._call(host, self._get(url, headers, take, largest, seconds, private))
        finally:
            host.calls -= 1
            host.turn.release()

    async def body(
        self,
        url: str,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        largest: int,
        seconds: float,
        private: Sequence[tuple[bytes, bytes]] = (),
    ) -> bytes:
        """Return the body of a 200. Raises the errors of `ask`, and Refused for any other status."""
        parts: list[bytes] = []

        async def take(part: bytes) -> None:
            parts.append(part)

        reply = await self.ask(url, headers, take, largest=largest, seconds=seconds, private=private)
        if reply.status != 200:
            raise Refused(f"it answered {reply.status}")
        return b"".join(parts)

    async def _get(
        self,
        url: str,
        headers: Sequence[tuple[bytes, bytes]],
        take: Callable[[bytes], Awaitable[None]],
        largest: int,
        seconds: float,
        private: Sequence[tuple[bytes, bytes]],
    ) -> Reply:
        """Follow an address through its redirects and check each hop."""
        first = _origin(url)
        silence = min(seconds, LONGEST_SILENCE)
        timeouts = {"connect": silence, "read": silence, "write": silence, "pool": silence}
        async with asyncio.timeout(seconds):
            for _ in range(MOST_HOPS + 1):
                if not host_of(url):
                    raise Refused("not an http(s) URL")
                sent = quote(url, safe=LEGAL)
                told = [*headers, *private] if private and _origin(url) == first else headers
                async with self._pool.stream("GET", sent, headers=told, extensions={"timeout": timeouts}) as answer:
                    size = 0
                    if answer.status == 200:
                        async for part in answer.aiter_stream():
                            size += len(part)
                            if size > largest:
                                raise Refused(f"more than {largest} bytes")
                            await take(part)
                    said = {
                        name.decode("latin-1").lower(): value.decode("utf-8", "replace")
                        for name, value in answer.headers
                    }
                if answer.status not in REDIRECTS:
                    return Reply(answer.status, said)
                url = urljoin(url, said.get("location", ""))
        raise Refused(f"more than {MOST_HOPS} redirects")

    def _host(self, name: str) -> _Host:
        if name not in self._hosts:
            if len(self._hosts) >= MOST_HOSTS:
                self._hosts = {each: host for each, host in self._hosts.items() if host.waiting or host.calls}
            self._hosts[name] = _Host(self._per_host)
        return self._hosts[name]

    def _look(self, name: str, host: _Host) -> None:
        if not admits(host.breaker, self._clock()):
            raise Resting(f"{name} is paused after {host.breaker.failures} failures, the last: {host.trouble}")

    async def _call(self, host: _Host, call: Awaitable[Reply]) -> Reply:
        try:
            reply = await call
            if reply.status == 429 or reply.status >= 500:
                raise Unwell(f"it answered {reply.status}")
        except (Unwell, *ERRORS) as error:
            host.trouble = words(error)
            host.breaker = failed(host.breaker, self._clock())
            raise
        except BaseException:
            host.breaker = withdrawn(host.breaker)
            raise
        host.breaker = succeeded()
        return reply

    @staticmethod
    def prepare() -> None:
        """Import the modules of the first download: that would block the event loop for a tenth of a second."""
        anyio.Event()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def foreseen(error: BaseException) -> bool:
    """Whether an error is expected from hosts, their data or the disk."""
    return isinstance(error, (WetinkError, httpcore.ConnectError, httpcore.UnsupportedProtocol, Lost, *ERRORS))


def words(error: BaseException) -> str:
    """Return an error as text."""
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return "it did not answer in time"
    return str(error) or type(error).__name__
