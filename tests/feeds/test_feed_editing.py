"""What pages need of feeds: samples to map fields from, credentials that stay secret, fetches and their history."""

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.feeds.outside import ONE, TWO, Clock, Outside, Reply, outside, refreshed, run, sends
from wetink.core.outbound.feed import Feed
from wetink.feeds import FeedService
from wetink.feeds.credentials import Credentials
from wetink.feeds.guard import Refused

KEY = {"X-Key": "s3cret"}
GOODS = [{"code": "A", "price": {"amount": "9,90"}}, {"code": "B"}]


def redirects(there: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("location", there)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return reply


def test_a_header_value_comes_from_the_secrets(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert there.calls == 0
        assert "the header X-Key has no value" in keeper.give("news").because
        keeper.credentials.use({"news": KEY})
        await keeper.fetch("news")
        assert keeper.give("news").items == ({"id": 1},)
        assert there.asked[0][1]["x-key"] == "s3cret"

    run(tmp_path, clock, there, scenario, there.feed(headers=["X-Key"]))


@pytest.mark.parametrize("same", [True, False])
def test_a_header_value_follows_no_redirect_to_another_host(
    tmp_path: Path, there: Outside, clock: Clock, same: bool
) -> None:
    with outside() as other:
        target = there if same else other

        def reply(handler: BaseHTTPRequestHandler) -> None:
            if handler.path == "/feed":
                redirects(f"http://{target.host}/moved")(handler)
            else:
                sends(ONE)(handler)

        there.reply = reply

        async def scenario(keeper: FeedService) -> None:
            sample = await keeper.sample(there.feed(headers=["X-Key"]), values=KEY)
            if same:
                assert sample.read == ({"id": 1},)
                assert there.asked[-1][1]["x-key"] == "s3cret"
            else:
                assert ["x-key" in headers for _, headers in other.asked] == [False]

        run(tmp_path, clock, there, scenario, other=other)


def test_a_sample_reveals_format_and_place_of_items(tmp_path: Path, there: Outside, clock: Clock) -> None:
    there.reply = sends(json.dumps({"meta": {}, "data": {"goods": GOODS}}).encode())

    async def scenario(keeper: FeedService) -> None:
        found = await keeper.sample(there.feed(format="csv"), sniff=True)
        assert (found.format, found.root, found.lists) == ("json", "data.goods", (("data.goods", 2),))
        assert found.items[0] == {"code": "A", "price": {"amount": "9,90"}}
        catalog = there.feed(root="data.goods", purpose="catalog", fields={"sku": "code", "price": "price.amount"})
        read = await keeper.sample(catalog)
        assert read.read == ({"sku": "A", "price": 9.9}, {"sku": "B"})
        assert there.calls == 1, "another look needs no other fetch"
        await keeper.sample(catalog, fresh=True)
        assert there.calls == 2

    run(tmp_path, clock, there, scenario)


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"", 401, "it answered 401; it needs a header with credentials"),
        (b"<!doctype html><html>", 200, "it is a web page (HTML), not a feed"),
        (b"", 200, "it is empty"),
        (b"[7, 8]", 200, "it has no items"),
        (b'{"a": ', 200, "Input data was truncated"),
    ],
)
def test_a_sample_says_why_nothing_can_be_read(
    tmp_path: Path, there: Outside, clock: Clock, body: bytes, status: int, why: str
) -> None:
    there.reply = sends(body, status)

    async def scenario(keeper: FeedService) -> None:
        found = await keeper.sample(there.feed())
        assert why in found.problem or any("not an object" in each for each in found.problems)
        assert found.read == ()

    run(tmp_path, clock, there, scenario)


def test_a_table_cut_off_in_the_middle_is_a_good_sample(tmp_path: Path, there: Outside, clock: Clock) -> None:
    there.reply = sends(b"id,name\n" + b"".join(b"%d,Mug %d\n" % (n, n) for n in range(400_000)))

    async def scenario(keeper: FeedService) -> None:
        found = await keeper.sample(there.feed(format="csv"))
        assert (len(found.read), found.problem) == (25, "")

    run(tmp_path, clock, there, scenario)


def test_fetches_are_remembered_with_their_results(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        for reply in (sends(ONE), sends(ONE), sends(b"", 500), sends(TWO)):
            there.reply = reply
            clock.now += 3_600_000
            await keeper.fetch("news")
        found = await keeper.fetches("news")
        assert [(each.items, each.same, each.error) for each in found] == [
            (1, False, ""),
            (1, True, ""),
            (0, False, "it answered 500"),
            (2, False, ""),
        ]

    run(tmp_path, clock, there, scenario, there.feed())


def test_a_disabled_feed_is_neither_fetched_nor_shown(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert keeper.give("news").items
        keeper.use({"news": there.feed(disabled=True)})
        clock.now += 100 * 3_600_000
        await refreshed(keeper)
        assert (there.calls, keeper.give("news").because, keeper.give("news").items) == (1, "it is disabled", ())
        keeper.use({"news": there.feed()})
        await refreshed(keeper)
        assert keeper.give("news").items

    run(tmp_path, clock, there, scenario, there.feed())


def test_credentials_without_a_value_are_refused() -> None:
    feed = Feed("news", "json", url="https://a.example/", headers=("X-Key",))
    known = Credentials()
    with pytest.raises(Refused, match="X-Key has no value"):
        known.of(feed)
    known.use({"news": {"X-Key": "a"}})
    assert known.of(feed) == [(b"X-Key", b"a")]
    assert known.of(feed, {"X-Key": "b"}) == [(b"X-Key", b"b")]
