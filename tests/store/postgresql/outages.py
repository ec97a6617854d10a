"""Outages of a real server: killed, frozen, and cut off, each as a context in which it does not answer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.postgresql import Server

LONG = 30.0


class Proxy:
    """A TCP proxy in front of a server on loopback, as a network that can fail."""

    def __init__(self, port: int) -> None:
        self.port, self._behind = 0, port
        self._server: asyncio.Server | None = None
        self._tasks = set[asyncio.Task[None]]()
        self._open = asyncio.Event()
        self._open.set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse connections and end those there are."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def swallow(self) -> None:
        """Take connections and data, and pass nothing on."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            ahead, behind = await asyncio.open_connection("127.0.0.1", self._behind)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pipe(reader, behind))
                    both.create_task(self._pipe(ahead, writer))
            except* OSError:
                pass
            finally:
                behind.close()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def killed(server: Server, proxy: Proxy) -> AsyncIterator[None]:
    await asyncio.to_thread(server.stop, signal.SIGKILL)
    try:
        yield
    finally:
        async with asyncio.timeout(LONG):
            while True:
                try:
                    await asyncio.to_thread(server.start)
                except AssertionError:  # its orphans still have its memory
                    await asyncio.sleep(0.1)
                else:
                    break


@asynccontextmanager
async def frozen(server: Server, proxy: Proxy) -> AsyncIterator[None]:
    family = server.family()
    for each in family:
        each.suspend()
    try:
        yield
    finally:
        for each in family:
            each.resume()


@asynccontextmanager
async def refused(server: Server, proxy: Proxy) -> AsyncIterator[None]:
    await proxy.cut()
    try:
        yield
    finally:
        await proxy.start()


@asynccontextmanager
async def swallowed(server: Server, proxy: Proxy) -> AsyncIterator[None]:
    proxy.swallow()
    try:
        yield
    finally:
        proxy.release()


Outage = Callable[[Server, Proxy], AbstractAsyncContextManager[None]]
OUTAGES: dict[str, Outage] = {"killed": killed, "frozen": frozen, "refused": refused, "swallowed": swallowed}
