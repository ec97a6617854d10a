"""A shop outside that photos come from, and photos."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

from tests.feeds.outside import Reply, serving


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (60, 40), color: Any = (200, 30, 30), mode: str = "RGB"
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, kind)
    return out.getvalue()


class Shop:
    """A real HTTP server on loopback, and how often each of its paths was asked for."""

    def __init__(self, replies: dict[str, Reply]) -> None:
        self.asked: list[str] = []
        self.replies = replies
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked.append(self.path)
                replies[self.path.partition("?")[0]](self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"


@contextmanager
def shop(**replies: Reply) -> Iterator[Shop]:
    made = Shop({f"/{name}": reply for name, reply in replies.items()})
    with serving(made.server):
        yield made
