"""Child: the life of a worker from its fork to its end, its limits, and the framing of requests and answers."""

import contextlib
import ctypes
import gc
import math
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path

REQUEST = struct.Struct("<QdQ")
"""Header of a request: its number of bytes, and the seconds and the bytes of memory that it may take."""
ANSWER = struct.Struct("<QB")
"""Header of an answer: its number of bytes, and its kind."""

DONE, FAILED, SPENT = 0, 1, 2
"""Kinds of answers: a result, the text of an error, and of an error after which the worker ends."""


def taken(sock: socket.socket, size: int) -> bytearray | None:
    """Return the next `size` bytes of a blocking socket, None if it ends before."""
    body = bytearray(size)
    rest = memoryview(body)
    while rest:
        count = sock.recv_into(rest)
        if not count:
            return None
        rest = rest[count:]
    return body


Answer = Callable[[bytes], bytes]

JOB_BYTES = 144 << 20
"""Memory that one request may usually take beyond the worker's memory before it."""
MOST_BYTES = 1 << 30
"""Memory that a worker may take beyond its fork server's, including everything that it keeps."""
MOST_FILES = 64
"""Files and sockets that a worker may have open."""
GC_THRESHOLD = 50_000
"""New objects between two runs of the garbage collector: a request leaves hardly any cycles."""
PR_SET_PDEATHSIG = 1

_PAGE = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the kernel end this process, by a signal, when its parent ends."""
    with contextlib.suppress(OSError, AttributeError):  # without this call, others end it: its socket, or an operator
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def work(sock: socket.socket, answer: Answer) -> None:
    """Answer the requests on a socket until it ends."""
    confine()
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    _send(sock, DONE, str(os.getpid()).encode())
    while (head := taken(sock, REQUEST.size)) is not None:
        size, seconds, memory = REQUEST.unpack(head)
        body = taken(sock, size)
        if body is None:
            return
        allow(seconds, memory)
        try:
            reply, kind = answer(bytes(body)), DONE
        except MemoryError:
            reply, kind = b"it takes too much memory", SPENT
        except BaseException as error:  # a panic of a native engine is no Exception
            reply, kind = f"{type(error).__name__}: {error}".encode("utf-8", "replace"), FAILED
        del body
        _send(sock, kind, reply)
        if kind == SPENT:
            return


def confine() -> None:
    """Limit this process for good: it cannot write files, open many of them or use unlimited memory."""
    memory = _held() + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, MOST_FILES)):
        resource.setrlimit(limit, (most, most))


def allow(seconds: float, memory: int) -> None:
    """Limit the next request: its memory, and its processor time even if no process is left to kill this one."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (min(_held() + memory, hard), hard))
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _held() -> int:
    """Return the bytes of this process's address space."""
    return int(_STATM.read_bytes().split(b" ", 1)[0]) * _PAGE


def _send(sock: socket.socket, kind: int, body: bytes) -> None:
    sock.sendall(ANSWER.pack(len(body), kind) + body)
