"""A pooler in transaction mode, as PgBouncer is one: each transaction gets the session that has waited longest."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

SSL, CANCEL = 80877103, 80877102
IDLE, END = b"Z\0\0\0\5I", b""
"""The message of a session without a transaction, and the end of a client's messages."""
LIMIT = 10.0


@dataclass
class Session:
    """A session of the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Pooler:
    """Serves any number of clients by a few sessions of each database."""

    def __init__(self, port: int, sessions: int = 2) -> None:
        self._behind, self._sessions = port, sessions
        self._idle: dict[bytes, asyncio.Queue[Session]] = {}
        self._greetings: dict[bytes, bytes] = {}
        self._clients = set[asyncio.Task[None]]()
        self.port = 0
        self.switched = 0
        """How often a client got another session than before."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Pooler"]:
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._clients:
                task.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            for queue in self._idle.values():
                while not queue.empty():
                    queue.get_nowait().writer.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            [size] = struct.unpack("!I", await reader.readexactly(4))
            start = await reader.readexactly(size - 4)
            [code] = struct.unpack("!I", start[:4])
            if code != SSL:
                break
            writer.write(b"N")
        if code == CANCEL:
            return
        if start not in self._idle:
            self._idle[start] = asyncio.Queue()
            for _ in range(self._sessions):
                self._idle[start].put_nowait(await self._opened(start))
        writer.write(self._greetings[start])
        asked = asyncio.Queue[bytes]()
        pumping = asyncio.create_task(_pump(reader, asked))
        last: Session | None = None
        try:
            while (message := await asked.get()) != END:
                session = await asyncio.wait_for(self._idle[start].get(), LIMIT)
                self.switched += last is not None and session is not last
                last = session
                if not await _transaction(message, asked, writer, session):
                    session.writer.close()
                    session = await self._opened(start)
                self._idle[start].put_nowait(session)
        finally:
            pumping.cancel()

    async def _opened(self, start: bytes) -> Session:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._behind)
        writer.write(struct.pack("!I", len(start) + 4) + start)
        greeting = b""
        while not greeting.endswith(IDLE):
            greeting += await _message(reader)
        self._greetings[start] = greeting
        return Session(reader, writer)


async def _transaction(
    message: bytes, asked: asyncio.Queue[bytes], writer: asyncio.StreamWriter, session: Session
) -> bool:
    """Pass all on until no transaction is under way. Returns False if the client or the server has left meanwhile."""
    unanswered = 0
    asking: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    asking.set_result(message)
    answering = asyncio.ensure_future(_message(session.reader))
    try:
        while True:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                message = asking.result()
                if message == END:
                    return False
                session.writer.write(message)
                unanswered += message[:1] in (b"Q", b"S")
                asking = asyncio.ensure_future(asked.get())
            if answering.done():
                answer = answering.result()
                writer.write(answer)
                unanswered -= answer[:1] == b"Z"
                if answer == IDLE and not unanswered and asked.empty() and not asking.done():
                    return True
                answering = asyncio.ensure_future(_message(session.reader))
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    finally:
        asking.cancel()
        answering.cancel()


async def _pump(reader: asyncio.StreamReader, asked: asyncio.Queue[bytes]) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while (message := await _message(reader))[:1] != b"X":
            asked.put_nowait(message)
    asked.put_nowait(END)


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    [size] = struct.unpack("!I", head[1:])
    return head + (await reader.readexactly(size - 4) if size > 4 else b"")
