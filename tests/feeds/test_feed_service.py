"""Scheduled feeds: fetched ahead of need, kept when their host fails, and never replaced by what is no good."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.feeds.outside import (
    HOUR,
    MINUTE,
    ONE,
    START,
    TWO,
    Clock,
    Outside,
    Reply,
    confirms,
    refreshed,
    run,
    sends,
    state,
)
from wetink.feeds import FeedService
from wetink.feeds.schedule import SECONDS


def test_a_feed_is_fetched_once_and_given_with_its_age(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        assert keeper.give("news").because == "it has not been fetched yet"
        await refreshed(keeper)
        clock.now += MINUTE
        await refreshed(keeper)
        assert keeper.give("news").items == ({"id": 1},)
        assert state(keeper) == ("fresh", 1, MINUTE)
        assert there.calls == 1

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_feed_is_fetched_again_before_it_expires(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        for _ in range(3 * 60):
            await refreshed(keeper)
            assert keeper.give("news").state == "fresh"
            clock.now += MINUTE
        assert 3 <= there.calls <= 4

    run(tmp_path, clock, there, scenario, there.feed())


@pytest.mark.parametrize(
    "said",
    [{"etag": '"v1"'}, {"last_modified": "Mon, 02 Jun 2025 10:00:00 GMT"}, {"etag": 'W/"a"', "last_modified": "x"}],
)
def test_an_unchanged_feed_is_confirmed_without_a_body(
    tmp_path: Path, there: Outside, clock: Clock, said: dict[str, str]
) -> None:
    async def scenario(keeper: FeedService) -> None:
        there.reply = confirms(ONE, **said)
        await refreshed(keeper)
        first = keeper.snapshot("news")
        clock.now += HOUR
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 1, 0)
        second = keeper.snapshot("news")
        assert first is not None
        assert second is not None
        assert (second.version, second.checked_at) == (first.version, START + HOUR)
        there.reply = confirms(TWO, etag='"v2"')
        clock.now += HOUR
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 2, 0)
        assert keeper.give("news").version != first.version
        assert there.calls == 3

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_failing_host_leaves_what_was_there_and_is_asked_less_and_less(
    tmp_path: Path, there: Outside, clock: Clock
) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        there.reply = sends(b"oops", 500)
        for _ in range(3 * 360):
            clock.now += 10_000
            await refreshed(keeper)
        given = keeper.give("news")
        assert (given.state, given.items, given.age_ms) == ("stale", ({"id": 1},), 3 * HOUR)
        assert "answered 500" in given.because
        assert 10 < there.calls < 40
        there.reply = sends(TWO)
        clock.now += HOUR
        await refreshed(keeper)
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
        (sends(b"[1, 2, 3]"), "none of its 3 items can be used; item 1: it is not an object"),
        (sends(b"", 404), "it answered 404"),
        (sends(b"", 204), "it answered 204"),
        (sends(b"", 503), "it answered 503"),
        (sends(b"[" + b" " * 30_000 + b"]"), "more than 20000 bytes"),
        (sends(gzip.compress(b"[" + b" " * 30_000 + b"]", mtime=0), content_encoding="gzip"), "more than 20000 bytes"),
        (endless, "more than 20000 bytes"),
        (cut, "peer closed connection"),
        (drips, "it did not answer in time"),
        (sends(b"", 302, location="http://127.0.0.1:9/secret"), "no public address"),
        (sends(b"", 302, location="http://169.254.169.254/latest/meta-data"), "no public address"),
        (sends(b"", 302, location="file:///etc/passwd"), "not an http(s) URL"),
        (sends(b"", 302, location="/feed"), "more than 3 redirects"),
    ],
)
def test_an_unusable_answer_does_not_replace_the_last_good_one(
    tmp_path: Path, there: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch, reply: Reply, because: str
) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        there.reply = reply
        clock.now += HOUR
        await refreshed(keeper)
        given = keeper.give("news")
        assert (given.state, given.items, given.age_ms) == ("stale", ({"id": 1},), HOUR)
        assert because in given.because

    monkeypatch.setitem(SECONDS, "data", 1.0)
    run(tmp_path, clock, there, scenario, there.feed(limit={"bytes": 20_000}))
    assert not list(tmp_path.rglob("*.draft"))


def test_a_private_host_is_out_of_reach_unless_allowed(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert "no public address" in keeper.give("news").because
        assert there.calls == 0

    run(tmp_path, clock, None, scenario, there.feed())


def test_packed_answers_are_asked_for_and_unpacked(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        there.reply = sends(gzip.compress(TWO), content_encoding="gzip")
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 2, 0)
        assert there.asked[0][1]["accept-encoding"] == "gzip"

    run(tmp_path, clock, there, scenario, there.feed())


def test_items_left_out_are_counted_and_told(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        there.reply = sends(b'[{"id": 1}, 7]')
        await refreshed(keeper)
        snapshot = keeper.snapshot("news")
        assert snapshot is not None
        assert (snapshot.count, snapshot.left_out, snapshot.problems) == (1, 1, ("item 2: it is not an object",))

    run(tmp_path, clock, there, scenario, there.feed())
