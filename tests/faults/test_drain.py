"""The end of a server: it is not ready at once, answers its requests, and loses no count. A second signal ends it."""

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.days import today
from tests.serving import Server
from tests.storage import opened
from tests.web.keys import key_in

BLOCK = """
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/"}
"""
MESSAGE = b'{"type":"track","userId":"ann","event":"Product Viewed","messageId":"m1","writeKey":"%s"}'


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        yield connection


def answered(connection: socket.socket, request: bytes = b"") -> bytes:
    """Send bytes and return the status line of the next answer, and read the answer to its end."""
    connection.sendall(request)
    got = b""
    while b"\r\n\r\n" not in got:
        got += (part := connection.recv(65_536))
        assert part, "the connection was closed without an answer"
    head, _, body = got.partition(b"\r\n\r\n")
    [length] = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while len(body) < length:
        body += connection.recv(65_536)
    return head.partition(b"\r\n")[0]


def listens(server: Server) -> bool:
    try:
        with connected(server):
            return True
    except ConnectionRefusedError:
        return False


def half_sent(connection: socket.socket, body: bytes) -> bytes:
    """Send a message except for its end, and return the rest."""
    head = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    connection.sendall(head % len(body) + body[:20])
    return body[20:]


READY = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_ends_is_not_ready_and_answers_what_it_has(tmp_path: Path, workers: int) -> None:
    data = tmp_path / "data"
    key = key_in(data).encode()
    with Server(data, workers=workers, settings={"drain_seconds": "4"}) as server:
        with connected(server) as kept, connected(server) as sending:
            while not answered(kept, READY).endswith(b"200 OK"):
                time.sleep(0.05)
            rest = half_sent(sending, MESSAGE % key)
            time.sleep(0.2)  # until the first half has been read
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            assert answered(kept, READY).endswith(b"503 Service Unavailable")
            with connected(server) as new:
                assert answered(new, READY).endswith(b"503 Service Unavailable"), "it takes requests for a while"
            until = time.monotonic() + 30
            while listens(server):
                assert time.monotonic() < until
                time.sleep(0.1)
            assert answered(sending, rest).endswith(b"200 OK")
        assert server.process.wait(20) == 0
    store = opened(data)
    try:
        [message] = asyncio.run(store.log.messages())
        assert message.message_id == "m1"
    finally:
        asyncio.run(store.close())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_a_server_at_once(tmp_path: Path, workers: int) -> None:
    data = tmp_path / "data"
    key = key_in(data).encode()
    with Server(data, workers=workers, settings={"drain_seconds": "600"}) as server, connected(server) as sending:
        half_sent(sending, MESSAGE % key)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 128 + signal.SIGTERM


def test_opens_from_just_before_the_end_are_counted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
    with Server(data, workers=1) as server, connected(server) as reader:
        for number in range(20):
            path = b"/o/seen/1.jpg?user=reader-%d" % number
            assert answered(reader, b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).endswith(b"200 OK")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0

    async def counted() -> int:
        store = opened(data)
        try:
            return sum(day.pictures for day in await today(store.ledger))
        finally:
            await store.close()

    assert asyncio.run(counted()) == 20
