"""Pool: a few workers of one kind. Each answers one request at a time and is killed if it takes too long.

The worker used last is used first, because it keeps most of the data that is needed again.
"""

import asyncio
import contextlib
import os
import select
import signal
import socket
from collections import deque
from collections.abc import Callable
from time import perf_counter

from wetink.sandbox.child import ANSWER, DONE, JOB_BYTES, REQUEST, SPENT
from wetink.sandbox.forkserver import fork_server

ROOM = 1 << 18
"""Bytes of an answer that need no buffer of their own."""


class Lost(Exception):
    """A worker did not do its job: it was too slow or too large, or it crashed. The message fits into a sentence."""


class Ended(Lost):
    """A worker ended before it had answered, because of the request or because another process ended it."""


class StartFailed(Lost):
    """No worker could be started. The request is not to blame."""


class Worker:
    """A worker that has said hello."""

    def __init__(self, sock: socket.socket, pid: int, age: int) -> None:
        """Take its socket, its process id, which no other process can have yet, and its generation in the pool."""
        self._sock, self.pid, self.age = sock, pid, age
        self._room = bytearray(ROOM)
        try:
            self._process = os.pidfd_open(pid)
        except OSError:
            sock.close()
            raise Ended("its process ended") from None

    async def ask(self, body: bytes, seconds: float, memory: int = JOB_BYTES) -> bytes:
        """Return the answer to a request. Raises Lost. After any error the caller must `kill` the worker."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                await loop.sock_sendall(self._sock, REQUEST.pack(len(body), seconds, memory) + body)
                kind, reply = await receive_reply(self._sock, self._room)
        except TimeoutError:
            raise Lost(f"it takes longer than {seconds:g} s") from None
        except OSError:
            raise Ended("its process ended") from None
        if kind == SPENT:
            raise Lost(reply.decode("utf-8", "replace"))
        if kind != DONE:
            raise Lost(reply.decode("utf-8", "replace")[:500])
        return reply

    @property
    def ended(self) -> bool:
        """Whether its process has ended."""
        ended = select.poll()  # `select` takes no descriptor above 1,023
        ended.register(self._process, select.POLLIN)
        return bool(ended.poll(0))

    def stop(self) -> None:
        """End its process."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def kill(self) -> None:
        """End its process and close its socket. You can call it twice."""
        if self._process >= 0:
            self.stop()
            os.close(self._process)
            self._process = -1
        self._sock.close()


async def receive_reply(sock: socket.socket, room: bytearray) -> tuple[int, bytes]:
    """Return the kind and the body of the next answer on a socket. `room` is the buffer to receive it.

    Raises Ended if there is none.
    """
    loop = asyncio.get_running_loop()
    got = 0
    while got < ANSWER.size:
        got += await _more(loop, sock, memoryview(room)[got:])
    size, kind = ANSWER.unpack_from(room)
    whole = ANSWER.size + size
    if whole > len(room):  # larger than usual: it gets its own buffer
        room = room[:got] + bytes(whole - got)
    while got < whole:
        got += await _more(loop, sock, memoryview(room)[got:whole])
    return kind, bytes(memoryview(room)[ANSWER.size : whole])


async def _more(loop: asyncio.AbstractEventLoop, sock: socket.socket, room: memoryview) -> int:
    count = await loop.sock_recv_into(sock, room)
    if not count:
        raise Ended("its process ended")
    return count


START_SECONDS = 30.0
"""Seconds for the first worker to start: the fork server imports everything for it."""


class Pool:
    """Up to `most` workers of a module, started when needed."""

    def __init__(self, module: str, most: int, memory: int = JOB_BYTES) -> None:
        """Run workers of `module`. A request may take `memory` bytes beyond its worker's memory before it."""
        self._module, self._most, self._memory = module, most, memory
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._coming = 0
        self._age = 0
        self._setup = b""
        self._closed = False
        self.on_answer: Callable[[float, float], object] = lambda waited, worked: None
        """Called with the seconds that a request waited for a worker, and those that its worker took."""

    @property
    def load(self) -> tuple[int, int, int]:
        """Numbers of workers, of busy workers, and of requests that wait for one."""
        return len(self._idle) + len(self._busy), len(self._busy), len(self._waiting)

    @property
    def pids(self) -> list[int]:
        """The processes of the current workers."""
        return [worker.pid for worker in (*self._idle, *self._busy)]

    @property
    def resting(self) -> bool:
        """Whether no request is running or waiting."""
        return not self._busy and not self._coming and not self._waiting

    def begin_with(self, setup: bytes) -> None:
        """Send this request first to every new worker. Current workers end after their request."""
        self._setup, self._age = setup, self._age + 1
        while self._idle:
            self._idle.pop().kill()

    async def ask(self, body: bytes, seconds: float) -> bytes:
        """Return a worker's answer. Raises Lost if there is none within so many seconds of work, or at all.

        If a worker ends, a second one gets the request. Raises Unborn if no worker can be started.
        """
        try:
            return await self._request(body, seconds)
        except Ended:
            return await self._request(body, seconds)

    async def _request(self, body: bytes, seconds: float) -> bytes:
        begun = perf_counter()
        worker = await self._taken()
        taken = perf_counter()
        try:
            reply = await worker.ask(body, seconds, self._memory)
        except BaseException:  # also when cancelled: its current answer would go to the next request
            self._gone(worker)
            raise
        self._back(worker)
        self.on_answer(taken - begun, perf_counter() - taken)
        return reply

    async def _taken(self) -> Worker:
        """Return a worker: the idle one used last, else a new one, else the first that becomes free."""
        while True:
            if self._closed:
                raise StartFailed("it is being shut down")
            while self._idle:
                worker = self._idle.pop()
                if not worker.ended:
                    self._busy.add(worker)
                    return worker
                worker.kill()
            if len(self._busy) + self._coming < self._most:
                return await self._new()
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except BaseException:
                if turn.done() and not turn.cancelled():
                    self._next()  # pass our turn on
                raise

    async def _new(self) -> Worker:
        self._coming += 1
        try:
            worker = await self._started()
        except BaseException:
            self._coming -= 1
            self._next()
            raise
        self._coming -= 1
        self._busy.add(worker)
        return worker

    async def _started(self) -> Worker:
        """Return a new worker after its setup. Raises Lost."""
        age, setup = self._age, self._setup
        try:
            sock = fork_server().start_worker(self._module)
        except OSError as error:
            raise StartFailed(f"no worker can be started: {error}") from error
        try:
            async with asyncio.timeout(START_SECONDS):
                kind, reply = await receive_reply(sock, bytearray(1024))
            if kind != DONE:
                raise StartFailed(reply.decode("utf-8", "replace"))
            worker = Worker(sock, int(reply), age)
        except BaseException as error:
            sock.close()
            if isinstance(error, TimeoutError | OSError):
                raise StartFailed("no worker can be started") from error
            raise
        try:
            if setup:
                await worker.ask(setup, START_SECONDS)
        except BaseException:
            worker.kill()
            raise
        return worker

    def _back(self, worker: Worker) -> None:
        self._busy.discard(worker)
        if self._closed or worker.age != self._age:
            worker.kill()
        else:
            self._idle.append(worker)
        self._next()

    def _gone(self, worker: Worker) -> None:
        self._busy.discard(worker)
        worker.kill()
        self._next()

    def _next(self) -> None:
        """Wake the request that has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def close(self) -> None:
        """End all workers. You can call it twice."""
        self._closed = True
        while self._idle:
            self._idle.pop().kill()
        for worker in self._busy:
            worker.stop()  # the caller that waits for it gets an error
        for _ in range(len(self._waiting)):
            self._next()
