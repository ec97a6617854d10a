"""Answers that go wrong in every way. A worker of the sandbox answers so in tests."""

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

_kept: list[bytearray] = []


def ready() -> Callable[[bytes], bytes]:
    """Return what answers."""
    return answer


def answer(body: bytes) -> bytes:
    """Do what is asked."""
    name, _, rest = body.partition(b" ")
    return globals()[name.decode()](rest)


def echo(rest: bytes) -> bytes:
    return rest


def pause(rest: bytes) -> bytes:
    time.sleep(float(rest))
    return b""


def setup(rest: bytes) -> bytes:
    _kept.append(bytearray(rest))
    return b""


def kept(_: bytes) -> bytes:
    return b",".join(_kept)


def pid(_: bytes) -> bytes:
    return str(os.getpid()).encode()


def hang(_: bytes) -> bytes:
    """As native code that has locked itself out: no signal handler of Python's would be heard."""
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
    time.sleep(60)
    return b""


def spin(_: bytes) -> bytes:
    while True:
        pass


def crash(_: bytes) -> bytes:
    ctypes.string_at(0)
    return b""


def abort(_: bytes) -> bytes:
    os.abort()


def eat(_: bytes) -> bytes:
    full = [b"x" * 1_000_000]
    while True:
        full.append(bytes(bytearray(full[0])))


def grow(rest: bytes) -> bytes:
    """Take memory that is kept, as a cache is, a little each time."""
    _kept.append(bytearray(int(rest)))
    return str(sum(map(len, _kept))).encode()


def fail(_: bytes) -> bytes:
    raise ValueError("this is not a number")


def write(rest: bytes) -> bytes:
    Path(rest.decode()).write_bytes(b"x" * 10)
    return b"written"


def files(_: bytes) -> bytes:
    held = [socket.socket() for _ in range(100)]
    return str(len(held)).encode()


def environment(_: bytes) -> bytes:
    return "\n".join(os.environ).encode()
