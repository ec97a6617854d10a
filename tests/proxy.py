"""A TCP proxy that cuts a connection between two programs as a network does: nothing comes through, no error."""

import asyncio
import threading
from contextlib import suppress


class Proxy:
    """Passes connections to a port on loopback. While it is `cut`, bytes wait and new connections get no answer."""

    def __init__(self, target: int) -> None:
        self._target, self.port = target, 0
        self.bytes = 0
        """What has come through, in both directions."""
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)

    def cut(self) -> None:
        """Let nothing through from now on."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def mend(self) -> None:
        """Let everything through again; connections of before end, as routers forget them."""
        self._loop.call_soon_threadsafe(self._mended)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _mended(self) -> None:
        self._open.set()
        for writer in self._writers:
            writer.transport.abort()

    def _run(self, ready: threading.Event) -> None:
        async def serve() -> asyncio.Server:
            server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
            self.port = int(server.sockets[0].getsockname()[1])
            ready.set()
            return server

        async def end(server: asyncio.Server) -> None:
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)

        server = self._loop.run_until_complete(serve())
        self._loop.run_forever()
        self._loop.run_until_complete(end(server))
        self._loop.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._open.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        except OSError:
            pass
        finally:
            for each in [writer, *(other for other in self._writers if other.is_closing())]:
                self._writers.discard(each)
                each.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._open.wait()
                self.bytes += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()
