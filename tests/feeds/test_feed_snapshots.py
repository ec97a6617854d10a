"""What scheduled feeds leave on the disk: it outlives restarts, damage and other processes."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.feeds.outside import (
    HOUR,
    MINUTE,
    ONE,
    TWO,
    Clock,
    Outside,
    refreshed,
    run,
    sends,
    state,
    until,
)
from wetink.core.outbound.declaration import feed_of
from wetink.feeds import FeedService
from wetink.store.sqlite.leases import SQLiteLeases
from wetink.store.sqlite.uploads import SQLiteUploads


def test_a_restart_finds_what_was_there_though_the_host_is_gone(tmp_path: Path, there: Outside, clock: Clock) -> None:
    feed = there.feed()

    async def first(keeper: FeedService) -> None:
        await refreshed(keeper)

    async def second(keeper: FeedService) -> None:
        await refreshed(keeper)
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
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 1, 0)

    run(tmp_path, clock, there, scenario, there.feed())
    [path] = (tmp_path / "feeds").glob(name)
    path.unlink() if damage == "remove" else path.write_bytes(b"")
    run(tmp_path, clock, there, scenario, there.feed())
    assert there.calls == 2


def test_one_process_fetches_a_feed_and_the_others_notice(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        leases = [SQLiteLeases(tmp_path, clock) for _ in range(3)]
        uploaded = SQLiteUploads(tmp_path)
        given = tmp_path / "feeds", tmp_path / "uploads", uploaded
        others = [FeedService(*given, each, clock, private_hosts=(there.host,)) for each in leases]
        for other in others:
            other.use({"news": there.feed()})
        try:
            for expected, body in ((1, ONE), (2, TWO), (2, b"oops")):
                there.reply = sends(body)
                for _ in range(2):
                    await asyncio.gather(*(refreshed(each) for each in (keeper, *others)))
                assert {state(each) for each in others} == {state(keeper)}
                assert state(keeper)[1] == expected
                clock.now += HOUR
            assert there.calls == 3
        finally:
            for other in (*others, *leases, uploaded):
                await other.close()

    run(tmp_path, clock, there, scenario, there.feed())


def test_while_another_process_refreshes_nobody_else_does(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        another = SQLiteLeases(tmp_path, clock)
        async with another.hold("feed news"):
            await refreshed(keeper)
            assert there.calls == 0
        await another.close()
        await refreshed(keeper)
        assert there.calls == 1

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_feed_that_hangs_holds_up_no_other_and_no_end(tmp_path: Path, there: Outside, clock: Clock) -> None:
    go = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/slow":
            go.wait(20)
        sends(ONE)(handler)

    async def scenario(keeper: FeedService) -> None:
        there.reply = slow
        waiting = asyncio.create_task(refreshed(keeper))
        await until(lambda: keeper.give("news").state == "fresh")
        clock.now += HOUR
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 1, 0)
        assert keeper.give("slow").state == "none"
        await keeper.close()
        await waiting
        another = SQLiteLeases(tmp_path, clock)
        async with another.hold("feed slow"):
            pass
        await another.close()
        assert sorted(path for path, _ in there.asked) == ["/feed", "/feed", "/slow"]
        go.set()

    run(tmp_path, clock, there, scenario, there.feed(), there.feed("slow", "/slow"))


def test_begin_due_returns_before_the_refresh_ends(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await keeper.begin_due()
        await until(lambda: keeper.give("news").state == "fresh")

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_changed_mapping_reads_the_kept_body_again(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        keeper.use({"news": there.feed(fields={"number": "id"})})
        assert keeper.give("news").state == "none"
        await refreshed(keeper)
        assert keeper.give("news").items == ({"number": 1},)
        assert there.calls == 1
        keeper.use({"news": there.feed(fields={"number": "id"}, every="2h")})
        assert keeper.give("news").state == "fresh"
        keeper.use({"news": there.feed(root="a")})
        await refreshed(keeper)
        assert "root: there is no a" in keeper.give("news").because

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_changed_url_drops_the_old_snapshot(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        there.reply = sends(b"", 500)
        keeper.use({"news": there.feed(path="/other")})
        await refreshed(keeper)
        assert state(keeper) == ("none", 0, None)
        keeper.use({})
        assert keeper.give("news").because == "there is no feed news"

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_catalog_stays_on_the_disk_and_is_streamed(tmp_path: Path, there: Outside, clock: Clock) -> None:
    lines = b"".join(json.dumps({"sku": f"S{n}", "price": f"{n}.50 EUR"}).encode() + b"\n" for n in range(1, 2001))
    feed = there.feed(format="jsonl", purpose="catalog")

    async def scenario(keeper: FeedService) -> None:
        there.reply = sends(lines)
        await refreshed(keeper)
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

    async def scenario(keeper: FeedService) -> None:
        there.reply = sends(lines(0))
        await refreshed(keeper)
        items = keeper.stream("news")
        first = next(items)
        there.reply = sends(lines(100_000))
        clock.now += HOUR
        await refreshed(keeper)
        assert (first, len([first, *items])) == ({"sku": "S0"}, 50_000)
        assert next(keeper.stream("news")) == {"sku": "S100000"}
        assert len(list((tmp_path / "feeds").glob("*.body"))) == 1

    run(tmp_path, clock, there, scenario, there.feed(format="jsonl", purpose="catalog"))


UPLOADED = feed_of("news", {"file": "news.csv", "format": "csv", "every": "1h"})


def test_an_uploaded_file_is_a_feed_and_a_new_one_is_noticed_at_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "uploads" / "news.csv"

    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert keeper.give("news").because == "there is no uploaded file news.csv"
        path.parent.mkdir()
        path.write_bytes(b"id\n1\n")
        clock.now += 1
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 1, 0)
        clock.now += HOUR
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 1, 0)
        path.write_bytes(b"id\n1\n2\n")
        clock.now += 1
        await refreshed(keeper)
        assert state(keeper) == ("fresh", 2, 0)
        path.write_bytes(b"<html>")
        await refreshed(keeper)
        clock.now += HOUR
        given = keeper.give("news")
        assert (given.state, len(given.items), given.because) == ("stale", 2, "it is a web page (HTML), not a feed")
        path.unlink()
        await refreshed(keeper)
        assert keeper.give("news").because == "there is no uploaded file news.csv"

    run(tmp_path, clock, None, scenario, UPLOADED)


def test_an_upload_that_links_outside_is_not_read(tmp_path: Path, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert keeper.give("news").because == "there is no uploaded file news.csv"

    (tmp_path / "uploads").mkdir()
    (tmp_path / "secret").write_bytes(b"id\n1\n")
    (tmp_path / "uploads" / "news.csv").symlink_to(tmp_path / "secret")
    run(tmp_path, clock, None, scenario, UPLOADED)


def test_an_upload_larger_than_it_may_be_is_refused(tmp_path: Path, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert keeper.give("news").because == "more than 10 bytes"

    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "news.csv").write_bytes(b"id\n" + b"1\n" * 10)
    run(tmp_path, clock, None, scenario, feed_of("news", {"file": "news.csv", "format": "csv", "limit": {"bytes": 10}}))
