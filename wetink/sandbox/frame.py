"""Frames: how requests and answers stand on the socket between a pool and a worker."""

import socket
import struct

REQUEST = struct.Struct("<Qd")
"""Before a request: how many bytes it has, and how many seconds it may take."""
ANSWER = struct.Struct("<QB")
"""Before an answer: how many bytes it has, and what it is."""

DONE, FAILED, SPENT = 0, 1, 2
"""What an answer is: what was asked for, the words of an error, or of one after which the worker ends."""


def taken(sock: socket.socket, size: int) -> bytearray | None:
    """Return the next `size` bytes of a socket that blocks, None when it ends before."""
    body = bytearray(size)
    rest = memoryview(body)
    while rest:
        count = sock.recv_into(rest)
        if not count:
            return None
        rest = rest[count:]
    return body
