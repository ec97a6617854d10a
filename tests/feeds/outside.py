"""What tests of scheduled feeds need: a clock, a host outside that answers as told, and a keeper that runs."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from wetink.core.outbound.declaration import feed_of
from wetink.core.outbound.feed import Feed, State
from wetink.feeds import FeedService
from wetink.store.sqlite.leases import SQLiteLeases
from wetink.store.sqlite.uploads import SQLiteUploads

Reply = Callable[[BaseHTTPRequestHandler], None]
MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_750_000_000_000
ONE = b'[{"id": 1}]'
TWO = b'[{"id": 1}, {"id": 2}]'


class Clock:
    """A time that passes when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


class Outside:
    """A real HTTP server on loopback: what it was asked, and how it answers, which may change."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.posted: list[bytes] = []
        self.reply: Reply = sends(ONE)
        self.at_once = self.most_at_once = 0
        self._mutex = threading.Lock()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with outside._mutex:
                    outside.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                    outside.at_once += 1
                    outside.most_at_once = max(outside.at_once, outside.most_at_once)
                try:
                    outside.reply(self)
                except ConnectionError:
                    self.close_connection = True
                finally:
                    with outside._mutex:
                        outside.at_once -= 1

            def do_POST(self) -> None:
                outside.posted.append(self.rfile.read(int(self.headers["content-length"])))
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    @property
    def calls(self) -> int:
        return len(self.asked)

    def feed(self, name: str = "news", path: str = "/feed", **more: Any) -> Feed:
        return feed_of(name, {"url": f"http://{self.host}{path}", "format": "json", "every": "1h", **more})


@contextmanager
def outside() -> Iterator[Outside]:
    made = Outside()
    with serving(made.server):
        yield made


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sends(body: bytes, status: int = 200, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def confirms(body: bytes, **said: str) -> Reply:
    """Answer 304 to whoever has these words already."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        names = {"etag": "if-none-match", "last_modified": "if-modified-since"}
        if all(handler.headers.get(names[name]) == value for name, value in said.items()):
            return sends(b"", 304)(handler)
        return sends(body, **said)(handler)

    return reply


def run(
    folder: Path,
    clock: Clock,
    there: Outside | None,
    scenario: Callable[[FeedService], Coroutine[Any, Any, None]],
    *feeds: Feed,
    other: Outside | None = None,
) -> None:
    async def whole() -> None:
        private = tuple(each.host for each in (there, other) if each is not None)
        leases = SQLiteLeases(folder, clock)
        uploaded = SQLiteUploads(folder)
        keeper = FeedService(folder / "feeds", folder / "uploads", uploaded, leases, clock, private_hosts=private)
        keeper.use({feed.name: feed for feed in feeds})
        try:
            await scenario(keeper)
        finally:
            await keeper.close()
            await keeper.close()
            await leases.close()
            await uploaded.close()

    asyncio.run(whole())


async def refreshed(keeper: FeedService) -> None:
    """Take in what was uploaded, begin to refresh all that is due, and wait for it."""
    await keeper.take_in()
    before = asyncio.all_tasks()
    await keeper.begin_due()
    begun = [each for each in asyncio.all_tasks() - before if "Schedule." in repr(each) or "Personal." in repr(each)]
    await asyncio.gather(*begun, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 (what is waited for happens in other threads)
            await asyncio.sleep(0.005)


def state(keeper: FeedService, name: str = "news") -> tuple[State, int, int | None]:
    given = keeper.give(name)
    return given.state, len(given.items), given.age_ms
