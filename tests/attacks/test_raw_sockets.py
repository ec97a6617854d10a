"""T14: what comes over a raw socket costs little and is read in one way only: slow, oversized, packed or smuggled."""

import gzip
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Server

PATIENCE = 60.0
EACH = 20 if "ATTACK" in os.environ else 3
"""Connections that are slow in each way; `make attack` opens more."""
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("raw") / "data", workers=1) as running:
        yield running


def connect(server: Server) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def sent(server: Server, *pieces: bytes) -> bytes:
    """Send bytes and return all that comes back until the server ends the connection."""
    with connect(server) as here:
        try:
            for piece in pieces:
                here.sendall(piece)
            here.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has closed already
        return rest(here)


def rest(here: socket.socket) -> bytes:
    got = b""
    try:
        while part := here.recv(65_536):
            got += part
    except ConnectionResetError:
        pass
    return got


def answers(got: bytes) -> list[int]:
    """Return the statuses in what came back."""
    return [int(part[:3]) for part in got.split(b"HTTP/1.1 ")[1:]]


def alive(server: Server) -> None:
    got = sent(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answers(got) == [200]


HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/track HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = {
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 34\r\n\r\n" + HIDDEN,
    "a list of lengths": POST + b"Content-Length: 0, 34\r\n\r\n" + HIDDEN,
    "a signed length": POST + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a length in hexadecimal": POST + b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "a length beyond 64 bits": POST + b"Content-Length: 18446744073709551616\r\n\r\n" + HIDDEN,
    "a blank in a length": POST + b"Content-Length: 0 0\r\n\r\n" + HIDDEN,
    "a blank before the colon": POST + b"Content-Length : 0\r\n\r\n" + HIDDEN,
    "a blank before a name": POST + b" Content-Length: 0\r\n\r\n" + HIDDEN,
    "a folded header": POST + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks misspelt": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks with a control character": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "bare line feeds": b"POST /v1/track HTTP/1.1\nHost: x\nContent-Length: 0\n\n" + HIDDEN,
    "a bare line feed in a header": POST + b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a bare carriage return": POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a NUL in a header": POST + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a chunk size beyond 64 bits": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + HIDDEN,
    "a chunk size that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + HIDDEN,
    "a chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\naXX" + HIDDEN,
    "a bare line feed in chunks": POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + HIDDEN,
    "another version": b"GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n" + HIDDEN,
    "no version": b"GET /healthz\r\n\r\n" + HIDDEN,
    "no method": b" /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "a method of its own": b"G\xc3\x84T /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
    "nothing but zeros": bytes(2_000),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_an_ambiguous_request_is_refused_and_the_rest_is_not_read(server: Server, name: str) -> None:
    got = sent(server, SMUGGLED[name])
    assert all(status in (400, 401, 408, 431, 501) for status in answers(got)), got
    assert b"/hidden" not in got
    assert 404 not in answers(got), "the hidden request was answered"
    alive(server)


def test_without_the_refusal_a_hidden_request_is_answered(server: Server) -> None:
    plain = POST + b"Content-Length: 0\r\n\r\n" + HIDDEN.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n")
    assert answers(sent(server, plain))[1:] == [404], "the very same bytes as a request of their own"


OVERSIZED = {
    "a line without end": [b"GET /"] + [b"a" * 65_536] * 40,
    "an address of 2 MB": [b"GET /?" + b"a" * (2 * MEGABYTE) + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
    "a header without end": [b"GET /healthz HTTP/1.1\r\nX: "] + [b"a" * 65_536] * 40,
    "headers without end": [b"GET /healthz HTTP/1.1\r\n"] + [b"X: y\r\n" * 10_000] * 40,
    "a thousand headers": [b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1_000 + b"\r\n"],
    "a cookie of 100 KB": [b"GET /healthz HTTP/1.1\r\nCookie: " + b"a" * 50_000, b"a" * 50_000 + b"\r\n\r\n"],
    "trailers without end": [POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"] + [b"X: y\r\n" * 10_000] * 40,
}


@pytest.mark.parametrize("name", OVERSIZED)
def test_a_head_that_is_too_large_ends_its_connection(server: Server, name: str) -> None:
    got = sent(server, *OVERSIZED[name])
    assert set(answers(got)) <= {400, 401, 414, 431}, got[:200]
    assert resident(server) < 400 * MEGABYTE
    alive(server)


def test_an_address_with_the_messages_of_a_preview_is_taken(server: Server) -> None:
    line = b"GET /dashboard/mappings?message=" + b"%41" * 8_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert answers(sent(server, line)) == [303]


def test_a_gzip_bomb_takes_neither_memory_nor_time(server: Server) -> None:
    before = resident(server)
    bomb = gzip.compress(bytes(150 * MEGABYTE))
    head = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    got = sent(server, head + bomb)
    assert answers(got) == [400]
    assert b"inflated" in got
    assert resident(server) - before < 100 * MEGABYTE


def test_pipelined_requests_are_answered_in_their_order(server: Server) -> None:
    paths = [b"/healthz", b"/nothing", b"/dashboard", b"/o/none/1.jpg", b"/healthz", b"/d/none.json", b"/v1/x"] * 20
    got = sent(server, b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths))
    assert answers(got) == [200, 404, 303, 200, 200, 404, 404] * 20


def resident(server: Server) -> int:
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS"))


SLOW = {
    "nothing at all": (b"", b""),
    "blank lines": (b"", b"\r\n"),
    "a head": (b"GET /healthz HTTP/1.1\r\nX: ", b"a"),
    "headers": (b"GET /healthz HTTP/1.1\r\n", b"X: y\r\n"),
    "a head after a request": (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\n", b"X: y\r\n"),
}


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", workers=1, module="tests.impatient") as running:
        yield running


def test_a_slow_request_head_is_dropped_while_others_are_answered(impatient: Server) -> None:
    attackers = {(name, number): connect(impatient) for name in SLOW for number in range(EACH)}
    for (name, _), here in attackers.items():
        here.sendall(SLOW[name][0])
        here.setblocking(False)
    began, ended = time.monotonic(), {}
    while len(ended) < len(attackers) and time.monotonic() - began < PATIENCE:
        for key, here in attackers.items():
            if key in ended:
                continue
            try:
                here.send(SLOW[key[0]][1])
                while here.recv(4_096):
                    pass
                ended[key] = True
            except BlockingIOError:
                pass
            except OSError:
                ended[key] = True
        alive(impatient)
        time.sleep(0.2)
    left = {name for name, _ in attackers.keys() - ended.keys()}
    for here in attackers.values():
        here.close()
    assert left == set()
