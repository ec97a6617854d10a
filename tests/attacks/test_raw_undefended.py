"""T14: what `test_raw_sockets` sends, to a connection with one defence taken out: then it is accepted, or it holds.

The same connection serves it in this process, before an application that answers whatever is asked.
"""

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from tests.attacks.test_raw_sockets import OVERSIZED, POST, SLOW, SMUGGLED, answers, rest
from wetink.web import protocol
from wetink.web import request as requests
from wetink.web.protocol import HttpProtocol
from wetink.web.request import read_body

MEGABYTE = 1024 * 1024
LENIENT = (
    *("lenient_headers", "lenient_chunked_length", "lenient_transfer_encoding", "lenient_version"),
    *("lenient_data_after_close", "lenient_optional_lf_after_cr", "lenient_optional_cr_before_lf"),
    *("lenient_optional_crlf_after_chunk", "lenient_spaces_after_chunk_size"),
)


class Lenient(HttpProtocol):
    """A connection whose parser takes what can be read in two ways."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.parser.set_dangerous_leniencies(**dict.fromkeys(LENIENT, True))


async def everything(scope: Any, receive: Any, send: Any) -> None:
    """Answer 404 to what is hidden, else 200 with the size of the body, or 400 if it is not taken."""
    try:
        size = len(await read_body(dict(scope["headers"]), receive, 5 * MEGABYTE))
        status, said = 404 if scope["path"] == "/hidden" else 200, b"%d" % size
    except Exception as error:
        status, said = 400, str(error).encode()
    headers = [(b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@contextlib.contextmanager
def serving(connection: type[HttpProtocol] = HttpProtocol) -> Iterator[int]:
    """Serve on a port with such connections, as `wetink.web.server` does."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        everything,
        http=connection,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


def sent(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as here:
        with contextlib.suppress(OSError):  # it has closed already
            for piece in pieces:
                here.sendall(piece)
                time.sleep(pause)
            here.shutdown(socket.SHUT_WR)
        return rest(here)


READ_TWICE = (
    *("a length and chunks", "chunks and a length", "a blank before the colon", "a blank before a name"),
    *("a folded header", "bare line feeds", "a bare line feed in a header", "a NUL in a header"),
)


def test_a_lenient_parser_answers_the_hidden_request() -> None:
    with serving() as strict, serving(Lenient) as lenient:
        for name in READ_TWICE:
            assert answers(sent(strict, SMUGGLED[name])) == [400], name
            assert answers(sent(lenient, SMUGGLED[name])) == [200, 404], name


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
@pytest.mark.parametrize("name", ["a thousand headers", "a cookie of 100 KB"])
def test_without_a_bound_of_the_head_a_large_one_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(protocol, "LARGEST_HEAD", 1 << 30)
        monkeypatch.setattr(protocol, "MOST_HEADERS", 1 << 30)
    with serving() as port:
        for pause in (0.0, 0.1):  # in one piece, or its end apart from its beginning
            assert (answers(sent(port, *OVERSIZED[name], pause=pause)) == [200]) is not defended


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_without_a_deadline_slow_heads_hold_their_connections(monkeypatch: pytest.MonkeyPatch, defended: bool) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3 if defended else 60.0)
    with serving() as port, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in SLOW]
        for here, (head, _) in zip(slow, SLOW.values(), strict=True):
            here.sendall(head)
        for here in slow:
            here.settimeout(30 if defended else 0.6)
            with contextlib.ExitStack() as expected:
                if not defended:
                    expected.enter_context(pytest.raises(TimeoutError))
                while here.recv(4_096):
                    pass
        if not defended:
            slow[1].sendall(b"\r\n" * 3 + b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
            assert slow[1].recv(4_096).startswith(b"HTTP/1.1 200"), "it was held all the time"


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_without_an_end_of_patience_half_a_body_holds_its_connection(
    monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.3 if defended else 60.0)
    with serving() as port, socket.create_connection(("127.0.0.1", port), timeout=30) as here:
        here.sendall(POST + b"Content-Length: 10\r\n\r\n12345")
        here.settimeout(30 if defended else 1.5)
        if defended:
            assert rest(here) == b""
        else:
            with pytest.raises(TimeoutError):
                here.recv(4_096)


def test_a_body_that_keeps_coming_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 2.0)
    with serving() as port:
        pieces = [POST + b"Content-Length: 12\r\n\r\n", *[b"x"] * 12]
        assert answers(sent(port, *pieces, pause=0.2)) == [200]


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_get_with_a_body_is_answered(size: int) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    with serving() as port:
        assert answers(sent(port, head + b"x" * size)) == [200]


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_without_a_bound_connections_take_all_there_is(monkeypatch: pytest.MonkeyPatch, defended: bool) -> None:
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 3 if defended else 1 << 30)
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving() as port, contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(3)]
        for here in held:
            here.sendall(ask)
            assert here.recv(4_096).startswith(b"HTTP/1.1 200")
        assert answers(sent(port, ask)) == ([503] if defended else [200])
        held[0].close()
        assert [answers(sent(port, ask)) for _ in range(20)][-1] == [200], "there is room again"


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_without_a_bound_of_what_is_inflated_a_bomb_goes_off(monkeypatch: pytest.MonkeyPatch, defended: bool) -> None:
    if not defended:
        monkeypatch.setattr(requests, "_inflated", lambda body, limit, raw: gzip.decompress(body))
    bomb = gzip.compress(bytes(60 * MEGABYTE))
    head = POST + b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with serving() as port:
        got = sent(port, head + bomb)
    assert (answers(got) == [200]) is not defended
    assert got.endswith(b"inflated" if defended else b"%d" % (60 * MEGABYTE))
