"""The past goes through the real SDK; what a server refuses is told in one clear error."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from wetink.core.errors import Unavailable
from wetink.demo.life import life
from wetink.demo.seed import seed

MESSAGES = life(20, 1_795_468_800_000, "http://127.0.0.1:8000")[:250]


class Listener(ThreadingHTTPServer):
    """A server that answers every batch with one status and keeps what it was sent."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.batches: list[dict[str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.batches.append(body)
        answer = b'{"code": "unauthorized", "message": "nobody has this key"}'
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_every_seeded_message_arrives_with_its_own_time_and_id(listener: Listener) -> None:
    counts: list[int] = []
    assert seed("key", f"http://127.0.0.1:{listener.server_port}", MESSAGES, counts.append) == 250
    arrived = [message for batch in listener.batches for message in batch["batch"]]
    assert [message["messageId"] for message in arrived] == [message.message_id for message in MESSAGES]
    assert {batch["writeKey"] for batch in listener.batches} == {"key"}
    assert all(message["timestamp"].startswith("2026-11-") for message in arrived)
    assert counts == sorted(counts)
    assert counts[-1] == 250


def test_a_server_that_refuses_makes_one_clear_error(listener: Listener) -> None:
    listener.status = 401
    with pytest.raises(Unavailable, match=r"the server refused 100 messages: .*nobody has this key"):
        seed("key", f"http://127.0.0.1:{listener.server_port}", MESSAGES)
