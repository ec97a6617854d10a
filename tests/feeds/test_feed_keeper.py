"""Scheduled feeds: fetched ahead of need, kept when their host fails, and never replaced by what is no good."""

import asyncio
import fcntl
import gzip
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from wetink.core.feed import Feed, State, feed_of
from wetink.feeds import FeedKeeper
from wetink.feeds.schedule import SECONDS

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
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


@pytest.fixture
def there() -> Iterator[Outside]:
    with outside() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
    scenario: Callable[[FeedKeeper], Coroutine[Any, Any, None]],
    *feeds: Feed,
    other: Outside | None = None,
    **more: Any,
) -> None:
    async def whole() -> None:
        private = tuple(each.host for each in (there, other) if each is not None)
        keeper = FeedKeeper(folder / "feeds", folder / "uploads", clock, private_hosts=private, **more)
        keeper.use({feed.name: feed for feed in feeds})
        try:
            await scenario(keeper)
        finally:
            await keeper.close()
            await keeper.close()

    asyncio.run(whole())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 (what is waited for happens in other threads)
            await asyncio.sleep(0.005)


def state(keeper: FeedKeeper, name: str = "news") -> tuple[State, int, int | None]:
    given = keeper.give(name)
    return given.state, len(given.items), given.age_ms


def test_a_feed_is_fetched_once_and_given_with_its_age(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        assert keeper.give("news").because == "it was not fetched yet"
        await keeper.refresh_due(clock())
        clock.now += MINUTE
        await keeper.refresh_due(clock())
        assert keeper.give("news").items == ({"id": 1},)
        assert state(keeper) == ("fresh", 1, MINUTE)
        assert there.calls == 1

    run(tmp_path, clock, there, scenario, there.feed())


def test_it_is_fetched_again_before_anybody_would_get_it_old(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        for _ in range(3 * 60):
            await keeper.refresh_due(clock())
            assert keeper.give("news").state == "fresh"
            clock.now += MINUTE
        assert 3 <= there.calls <= 4

    run(tmp_path, clock, there, scenario, there.feed())


@pytest.mark.parametrize(
    "said",
    [{"etag": '"v1"'}, {"last_modified": "Mon, 02 Jun 2025 10:00:00 GMT"}, {"etag": 'W/"a"', "last_modified": "x"}],
)
def test_what_has_not_changed_is_not_sent_again(
    tmp_path: Path, there: Outside, clock: Clock, said: dict[str, str]
) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        there.reply = confirms(ONE, **said)
        await keeper.refresh_due(clock())
        first = keeper.snapshot("news")
        clock.now += HOUR
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 1, 0)
        second = keeper.snapshot("news")
        assert first is not None
        assert second is not None
        assert (second.version, second.fetched_at, second.checked_at) == (first.version, START, START + HOUR)
        there.reply = confirms(TWO, etag='"v2"')
        clock.now += HOUR
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 2, 0)
        assert keeper.give("news").version != first.version
        assert there.calls == 3

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_failing_host_leaves_what_was_there_and_is_asked_less_and_less(
    tmp_path: Path, there: Outside, clock: Clock
) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        there.reply = sends(b"oops", 500)
        for _ in range(3 * 360):
            clock.now += 10_000
            await keeper.refresh_due(clock())
        given = keeper.give("news")
        assert (given.state, given.items, given.age_ms) == ("stale", ({"id": 1},), 3 * HOUR)
        assert "answered 500" in given.because
        assert 10 < there.calls < 40
        there.reply = sends(TWO)
        clock.now += HOUR
        await keeper.refresh_due(clock())
        assert keeper.give("news").because == ""
        assert state(keeper) == ("fresh", 2, 0)

    run(tmp_path, clock, there, scenario, there.feed())


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1_000):
        handler.wfile.write(b" " * 10_000)


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(ONE)
    handler.close_connection = True


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        threading.Event().wait(0.05)


@pytest.mark.parametrize(
    ("reply", "because"),
    [
        (sends(b""), "it is empty"),
        (sends(b"<!DOCTYPE html><title>Log in</title>", content_type="application/json"), "a web page"),
        (sends(b"\x89PNG\r\n\x1a\n", content_type="image/png"), "malformed"),
        (sends(ONE[:-1]), "truncated"),
        (sends(b"[1, 2, 3]"), "none of its 3 items can be used; item 1: it is no object"),
        (sends(b"", 404), "it answered 404"),
        (sends(b"", 204), "it answered 204"),
        (sends(b"", 503), "it answered 503"),
        (sends(b"[" + b" " * 30_000 + b"]"), "more than 20000 bytes"),
        (sends(gzip.compress(b"[" + b" " * 30_000 + b"]"), content_encoding="gzip"), "more than 20000 bytes"),
        (endless, "more than 20000 bytes"),
        (cut, "peer closed connection"),
        (drips, "it did not answer in time"),
        (sends(b"", 302, location="http://127.0.0.1:9/secret"), "no public address"),
        (sends(b"", 302, location="http://169.254.169.254/latest/meta-data"), "no public address"),
        (sends(b"", 302, location="file:///etc/passwd"), "no http(s) address"),
        (sends(b"", 302, location="/feed"), "more than 3 redirects"),
    ],
)
def test_no_answer_that_is_no_good_replaces_what_was_there(
    tmp_path: Path, there: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch, reply: Reply, because: str
) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        there.reply = reply
        clock.now += HOUR
        await keeper.refresh_due(clock())
        given = keeper.give("news")
        assert (given.state, given.items, given.age_ms) == ("stale", ({"id": 1},), HOUR)
        assert because in given.because

    monkeypatch.setitem(SECONDS, "data", 1.0)
    run(tmp_path, clock, there, scenario, there.feed(limit={"bytes": 20_000}))
    assert not list(tmp_path.rglob("*.draft"))


def test_a_private_host_is_out_of_reach_unless_allowed(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        assert "no public address" in keeper.give("news").because
        assert there.calls == 0

    run(tmp_path, clock, None, scenario, there.feed())


def test_packed_answers_are_asked_for_and_unpacked(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        there.reply = sends(gzip.compress(TWO), content_encoding="gzip")
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 2, 0)
        assert there.asked[0][1]["accept-encoding"] == "gzip"

    run(tmp_path, clock, there, scenario, there.feed())


def test_items_left_out_are_counted_and_told(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        there.reply = sends(b'[{"id": 1}, 7]')
        await keeper.refresh_due(clock())
        snapshot = keeper.snapshot("news")
        assert snapshot is not None
        assert (snapshot.count, snapshot.left_out, snapshot.problems) == (1, 1, ("item 2: it is no object",))

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_restart_finds_what_was_there_though_the_host_is_gone(tmp_path: Path, there: Outside, clock: Clock) -> None:
    feed = there.feed()

    async def first(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())

    async def second(keeper: FeedKeeper) -> None:
        await keeper.start()
        assert state(keeper) == ("fresh", 1, MINUTE)

    run(tmp_path, clock, there, first, feed)
    clock.now += MINUTE
    run(tmp_path, clock, there, second, feed)
    assert there.calls == 1


@pytest.mark.parametrize("name", ["news.json", "*.body"])
@pytest.mark.parametrize("damage", ["remove", "empty"])
def test_damage_on_the_disk_is_mended_by_fetching(
    tmp_path: Path, there: Outside, clock: Clock, name: str, damage: str
) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 1, 0)

    run(tmp_path, clock, there, scenario, there.feed())
    [path] = (tmp_path / "feeds").glob(name)
    path.unlink() if damage == "remove" else path.write_bytes(b"")
    run(tmp_path, clock, there, scenario, there.feed())
    assert there.calls == 2


def test_of_many_processes_one_fetches_and_the_others_notice(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        others = [
            FeedKeeper(tmp_path / "feeds", tmp_path / "uploads", clock, private_hosts=(there.host,)) for _ in range(3)
        ]
        for other in others:
            other.use({"news": there.feed()})
        try:
            for expected, body in ((1, ONE), (2, TWO), (2, b"oops")):
                there.reply = sends(body)
                for _ in range(2):
                    await asyncio.gather(*(each.refresh_due(clock()) for each in (keeper, *others)))
                assert {state(each) for each in others} == {state(keeper)}
                assert state(keeper)[1] == expected
                clock.now += HOUR
            assert there.calls == 3
        finally:
            for other in others:
                await other.close()

    run(tmp_path, clock, there, scenario, there.feed())


def test_while_another_process_refreshes_nobody_else_does(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        with (tmp_path / "feeds" / "news.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            await keeper.refresh_due(clock())
            assert there.calls == 0
        await keeper.refresh_due(clock())
        assert there.calls == 1

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_feed_that_hangs_holds_up_no_other_and_no_end(tmp_path: Path, there: Outside, clock: Clock) -> None:
    go = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/slow":
            go.wait(20)
        sends(ONE)(handler)

    async def scenario(keeper: FeedKeeper) -> None:
        there.reply = slow
        waiting = asyncio.create_task(keeper.refresh_due(clock()))
        await until(lambda: keeper.give("news").state == "fresh")
        clock.now += HOUR
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 1, 0)
        assert keeper.give("slow").state == "none"
        await keeper.close()
        await waiting
        assert sorted(path for path, _ in there.asked) == ["/feed", "/feed", "/slow"]
        go.set()

    run(tmp_path, clock, there, scenario, there.feed(), there.feed("slow", "/slow"))
    with (tmp_path / "feeds" / "slow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_once_started_it_works_by_itself(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.start()
        await until(lambda: keeper.give("news").state == "fresh")

    run(tmp_path, clock, there, scenario, there.feed())


def test_read_in_another_way_the_same_body_serves(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        keeper.use({"news": there.feed(fields={"number": "id"})})
        assert keeper.give("news").state == "none"
        await keeper.refresh_due(clock())
        assert keeper.give("news").items == ({"number": 1},)
        assert there.calls == 1
        keeper.use({"news": there.feed(fields={"number": "id"}, every="2h")})
        assert keeper.give("news").state == "fresh"
        keeper.use({"news": there.feed(root="a")})
        await keeper.refresh_due(clock())
        assert "root: there is no a" in keeper.give("news").because

    run(tmp_path, clock, there, scenario, there.feed())


def test_data_from_elsewhere_is_not_a_feeds_data(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        there.reply = sends(b"", 500)
        keeper.use({"news": there.feed(path="/other")})
        await keeper.refresh_due(clock())
        assert state(keeper) == ("none", 0, None)
        keeper.use({})
        assert keeper.give("news").because == "there is no feed news"

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_catalog_stays_on_the_disk_and_is_streamed(tmp_path: Path, there: Outside, clock: Clock) -> None:
    lines = b"".join(json.dumps({"sku": f"S{n}", "price": f"{n}.50 EUR"}).encode() + b"\n" for n in range(1, 2001))
    feed = there.feed(format="jsonl", purpose="catalog")

    async def scenario(keeper: FeedKeeper) -> None:
        there.reply = sends(lines)
        await keeper.refresh_due(clock())
        given, snapshot = keeper.give("news"), keeper.snapshot("news")
        assert (given.state, given.items) == ("fresh", ())
        assert snapshot is not None
        assert snapshot.count == 2000
        items = list(keeper.stream("news"))
        assert len(items) == 2000
        assert items[0] == {"sku": "S1", "price": 1.5, "currency": "EUR"}
        assert list(keeper.stream("nothing")) == []

    run(tmp_path, clock, there, scenario, feed)
    run(tmp_path, clock, there, scenario, feed)
    assert there.calls == 1


def test_a_catalog_being_read_outlives_its_replacement(tmp_path: Path, there: Outside, clock: Clock) -> None:
    def lines(start: int) -> bytes:
        return b"".join(b'{"sku": "S%d"}\n' % (start + n) for n in range(50_000))

    async def scenario(keeper: FeedKeeper) -> None:
        there.reply = sends(lines(0))
        await keeper.refresh_due(clock())
        items = keeper.stream("news")
        first = next(items)
        there.reply = sends(lines(100_000))
        clock.now += HOUR
        await keeper.refresh_due(clock())
        assert (first, len([first, *items])) == ({"sku": "S0"}, 50_000)
        assert next(keeper.stream("news")) == {"sku": "S100000"}
        assert len(list((tmp_path / "feeds").glob("*.body"))) == 1

    run(tmp_path, clock, there, scenario, there.feed(format="jsonl", purpose="catalog"))


UPLOADED = feed_of("news", {"file": "news.csv", "format": "csv", "every": "1h"})


def test_an_uploaded_file_is_a_feed_and_a_new_one_is_noticed_at_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "uploads" / "news.csv"

    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        assert keeper.give("news").because == "there is no uploaded file news.csv"
        path.parent.mkdir()
        path.write_bytes(b"id\n1\n")
        clock.now += 1
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 1, 0)
        clock.now += HOUR
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 1, 0)
        path.write_bytes(b"id\n1\n2\n")
        clock.now += 1
        await keeper.refresh_due(clock())
        assert state(keeper) == ("fresh", 2, 0)
        path.write_bytes(b"<html>")
        await keeper.refresh_due(clock())
        clock.now += HOUR
        given = keeper.give("news")
        assert (given.state, len(given.items), given.because) == ("stale", 2, "it is a web page (HTML), not a feed")
        path.unlink()
        await keeper.refresh_due(clock())
        assert keeper.give("news").because == "there is no uploaded file news.csv"

    run(tmp_path, clock, None, scenario, UPLOADED)


def test_uploads_lead_to_no_other_folder(tmp_path: Path, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        assert keeper.give("news").because == "there is no uploaded file news.csv"

    (tmp_path / "uploads").mkdir()
    (tmp_path / "secret").write_bytes(b"id\n1\n")
    (tmp_path / "uploads" / "news.csv").symlink_to(tmp_path / "secret")
    run(tmp_path, clock, None, scenario, UPLOADED)


def test_an_upload_larger_than_it_may_be_is_refused(tmp_path: Path, clock: Clock) -> None:
    async def scenario(keeper: FeedKeeper) -> None:
        await keeper.refresh_due(clock())
        assert keeper.give("news").because == "more than 10 bytes"

    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "news.csv").write_bytes(b"id\n" + b"1\n" * 10)
    run(tmp_path, clock, None, scenario, feed_of("news", {"file": "news.csv", "format": "csv", "limit": {"bytes": 10}}))
