"""Workers, seen from outside: asked one thing at a time, and killed when they take too long."""

import asyncio
import contextlib
import os
import select
import signal
import socket

from wetink.sandbox.frame import ANSWER, DONE, REQUEST, SPENT

ROOM = 1 << 18
"""Bytes of an answer that need no memory of their own."""


class Lost(Exception):
    """A worker did not do what it was asked: too slow, too large, or it crashed. `told` may go into a sentence."""


class Ended(Lost):
    """A worker ended before it had answered: of what it was asked, or because somebody ended it."""


class Unborn(Lost):
    """No worker could be had: that says nothing of what it was to be asked."""


class Worker:
    """A worker that has said hello."""

    def __init__(self, sock: socket.socket, pid: int, age: int) -> None:
        """Take its socket, its process id, which nobody else can have yet, and which generation of the pool it is."""
        self._sock, self.pid, self.age = sock, pid, age
        self._room = bytearray(ROOM)
        try:
            self._process = os.pidfd_open(pid)
        except OSError:
            sock.close()
            raise Ended("its process ended") from None

    async def ask(self, body: bytes, seconds: float) -> bytes:
        """Return the answer to a request. Raises Lost; who is told so, or is cancelled, must `kill` it."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                await loop.sock_sendall(self._sock, REQUEST.pack(len(body), seconds) + body)
                kind, said = await heard(self._sock, self._room)
        except TimeoutError:
            raise Lost(f"it takes longer than {seconds:g} s") from None
        except OSError:
            raise Ended("its process ended") from None
        if kind == SPENT:
            raise Lost(said.decode("utf-8", "replace"))
        if kind != DONE:
            raise Lost(said.decode("utf-8", "replace")[:500])
        return said

    @property
    def ended(self) -> bool:
        """Whether its process is no more."""
        ended = select.poll()  # `select` takes no descriptor above 1,023
        ended.register(self._process, select.POLLIN)
        return bool(ended.poll(0))

    def stop(self) -> None:
        """End its process, whatever it is doing."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def kill(self) -> None:
        """End its process and let go of it. Calling it twice is fine."""
        if self._process >= 0:
            self.stop()
            os.close(self._process)
            self._process = -1
        self._sock.close()


async def heard(sock: socket.socket, room: bytearray) -> tuple[int, bytes]:
    """Return what the next answer at a socket is, and the answer, received by way of some room for it.

    Raises Ended when there is none.
    """
    loop = asyncio.get_running_loop()
    got = 0
    while got < ANSWER.size:
        got += await _more(loop, sock, memoryview(room)[got:])
    size, kind = ANSWER.unpack_from(room)
    whole = ANSWER.size + size
    if whole > len(room):  # more than usual: it gets a room of its own
        room = room[:got] + bytes(whole - got)
    while got < whole:
        got += await _more(loop, sock, memoryview(room)[got:whole])
    return kind, bytes(memoryview(room)[ANSWER.size : whole])


async def _more(loop: asyncio.AbstractEventLoop, sock: socket.socket, room: memoryview) -> int:
    count = await loop.sock_recv_into(sock, room)
    if not count:
        raise Ended("its process ended")
    return count
