"""Load: many connections that each send the next request when the last is answered. Bounded, loopback only.

Whoever answers a process that sleeps pays for waking it up: 20 to 30 µs of the server's core for each answer, where
cores are virtual. No email client is on the same machine, and constant bytes come so fast that nobody sleeps: so the
load never does.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Self

import msgspec
import uvloop


class Outcome(msgspec.Struct):
    """How many requests were answered in how many seconds, and how long each took (ms, ascending)."""

    count: int
    seconds: float
    times: list[float]

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    def quantile(self, part: float) -> float:
        return self.times[min(len(self.times) - 1, int(part * len(self.times)))]


class _Sender(asyncio.Protocol):
    """One connection. Only as much of HTTP as our own server answers: a status line and Content-Length."""

    def __init__(self, requests: Iterator[bytes], outcome: list[float], done: asyncio.Future[None]) -> None:
        self._requests, self._times, self._done = requests, outcome, done
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._buffer.lower().find(b"content-length:", 0, head)
        length = int(self._buffer[at + 15 : self._buffer.index(b"\r\n", at)]) if at >= 0 else 0
        if len(self._buffer) < head + 4 + length:
            return
        status = self._buffer[9:12]
        self._times.append((time.perf_counter() - self._begun) * 1000)
        self._buffer = b""
        if status not in (b"200", b"302"):
            self._done.set_exception(RuntimeError(f"answered {status.decode()}"))
            self._transport.close()
            return
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def _run(port: int, requests: list[bytes], connections: int, seconds: float) -> Outcome:
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds

    def stream() -> Iterator[bytes]:
        while True:
            for request in requests:
                if time.perf_counter() > end:
                    return
                yield request

    times: list[float] = []

    def stay_awake() -> None:
        """Look for answers again and again."""
        if time.perf_counter() < end:
            loop.call_soon(stay_awake)

    shared = stream()
    stay_awake()
    begun = time.perf_counter()
    waiting = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda done=done: _Sender(shared, times, done), "127.0.0.1", port)  # type: ignore[misc]
        waiting.append(done)
    await asyncio.gather(*waiting)
    return Outcome(len(times), time.perf_counter() - begun, sorted(times))


def _in_process(port: int, requests: list[bytes], connections: int, seconds: float, core: int) -> Outcome:
    os.sched_setaffinity(0, [core])
    return uvloop.run(_run(port, requests, connections, seconds))


def press(port: int, requests: list[bytes], *, connections: int, seconds: float, core: int) -> Outcome:
    """Send these requests over and over for a while, from a process pinned to `core`."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_in_process, port, requests, connections, seconds, core).result()


class Connection:
    """One connection that is asked one thing after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bytes:
        """Return the body of the answer. Raise RuntimeError when its status is not 200."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise RuntimeError(head[:60].decode())
        return await self._reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))

    def close(self) -> None:
        self._writer.close()


def request(method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of one request."""
    lines = [f"{method} {target} HTTP/1.1", "host: bench", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
