"""Feeds: what a declaration may say, which address is asked, when, and how good what it gave is."""

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.errors import BadContent
from wetink.core.events.event import Product
from wetink.core.outbound.declaration import feed_of
from wetink.core.outbound.feed import (
    AHEAD,
    SPREAD,
    Feed,
    PerPerson,
    Snapshot,
    Supply,
    address,
    due_at,
    is_due,
    parameters_of,
    pause,
    product_of,
    ripe,
    supply,
)

URL = "https://shop.example/feed"
MINUTE = 60_000
WEATHER: dict[str, Any] = {
    "url": "https://api.example/v1/{city}?units=metric",
    "format": "json",
    "per_person": {"parameters": {"city": "person.traits.city", "day": "moment.day"}},
}


def test_a_declaration_is_read_whole() -> None:
    feed = feed_of(
        "shop",
        {
            "url": URL,
            "format": "jsonl",
            "every": "15m",
            "fields": {"product_id": "id", "price": "price.amount"},
            "key": "product_id",
            "limit": {"bytes": 1000, "items": 10},
            "purpose": "catalog",
        },
    )
    assert (feed.name, feed.every_ms, feed.most_bytes, feed.most_items) == ("shop", 15 * MINUTE, 1000, 10)
    assert feed.of_goods


@pytest.mark.parametrize(
    ("raw", "items"),
    [
        ({}, 10_000),
        ({"purpose": "catalog"}, 1_000_000),
        (WEATHER, 100),
    ],
)
def test_limits_follow_from_what_a_feed_is_for(raw: dict[str, Any], items: int) -> None:
    assert feed_of("a", {"url": URL, "format": "json", **raw}).most_items == items


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], "a feed must be a mapping"),
        ({"format": "json"}, "set either url or file"),
        ({"format": "json", "url": URL, "file": "a.json"}, "set either url or file"),
        ({"url": URL}, "missing required field `format`"),
        ({"url": URL, "format": "yaml"}, "Invalid enum value 'yaml' - at `$.format`"),
        ({"url": URL, "format": "json", "evry": "1h"}, "unknown field `evry`"),
        ({"url": URL, "format": "json", "every": "soon"}, "every: 'soon' is not a duration; write 30m"),
        ({"url": URL, "format": "json", "every": "5s"}, "every: at least 60s"),
        ({**WEATHER, "every": "5s"}, "every: at least 10s"),
        ({"url": "ftp://shop.example/a", "format": "json"}, "url: 'ftp://shop.example/a' is not an http(s) URL"),
        ({"url": "https://u:p@shop.example/a", "format": "json"}, "is not an http(s) URL"),
        ({"url": f"{URL}#a", "format": "json"}, "remove the part after #"),
        ({"url": f"{URL}/{{city}}", "format": "json"}, "need per_person.parameters"),
        ({**WEATHER, "url": "https://{city}.api.example/"}, "may be in the path and the query only"),
        ({**WEATHER, "url": "https://api.example{city}"}, "may be in the path and the query only"),
        ({**WEATHER, "url": "https://{city}/a"}, "may be in the path and the query only"),
        ({**WEATHER, "url": "{city}://api.example/a"}, "may be in the path and the query only"),
        ({**WEATHER, "url": "https://api.example:{city}/a"}, "may be in the path and the query only"),
        ({**WEATHER, "url": "https://api.example/{town}"}, "url: {town} is not in per_person.parameters"),
        ({**WEATHER, "url": "https://api.example/{city"}, "is not an http(s) URL"),
        ({**WEATHER, "purpose": "catalog"}, "a catalog is the same for everybody"),
        ({**WEATHER, "url": "", "file": "a.json"}, "an uploaded file is the same for everybody"),
        ({**WEATHER, "per_person": {"parameters": {}}}, "per_person.parameters: at least one"),
        (
            {**WEATHER, "per_person": {"parameters": {"city": "city"}}},
            "'city' is not a path such as person.traits.city",
        ),
        (
            {**WEATHER, "per_person": {"parameters": {"city": "person.a"}, "deadline_ms": 60_000}},
            "Expected `int` <= 5000 - at `$.per_person.deadline_ms`",
        ),
        ({"file": "../secrets", "format": "csv"}, "not the name of an uploaded file"),
        ({"file": ".hidden", "format": "csv"}, "not the name of an uploaded file"),
        ({"url": URL, "format": "csv", "root": "a"}, "root: only for json"),
        ({"url": URL, "format": "json", "root": "a..b"}, "root: 'a..b' is not a dotted path"),
        ({"url": URL, "format": "json", "limit": {"bytes": 10**9}}, "limit.bytes: at most 268435456 for json"),
        ({"url": URL, "format": "json", "limit": {"items": -1}}, "`int` >= 0 - at `$.limit.items`"),
        ({"url": URL, "format": "csv", "encoding": "klingon"}, "encoding: 'klingon' is unknown"),
        ({"url": URL, "format": "csv", "encoding": "zlib"}, "encoding: 'zlib' is unknown"),
        ({"url": URL, "format": "rss", "encoding": "utf-8"}, "encoding: only csv"),
        ({"url": URL, "format": "json", "fields": {"a b": "c"}}, "fields: 'a b' is not a name"),
        ({"url": URL, "format": "json", "fields": {"a": "b. c"}}, "fields.a: 'b. c' is not a dotted path"),
        ({"url": URL, "format": "csv", "fields": {"a": " "}}, "fields.a: enter a source"),
        ({"url": URL, "format": "csv", "fields": {"colour": "c"}, "purpose": "catalog"}, "a product has no colour"),
        ({"url": URL, "format": "json", "fields": {"a": "b"}, "key": "b"}, "key: b is not among fields"),
        ({"url": URL, "format": "merchant", "key": "gtin"}, "key: a product has no gtin"),
    ],
)
def test_an_invalid_feed_declaration_is_reported_in_words(raw: Any, said: str) -> None:
    with pytest.raises(BadContent) as caught:
        feed_of("shop", raw)
    assert said in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadContent, match=r"url or file.*every:.*root:"):
        feed_of("shop", {"format": "csv", "every": "x", "root": "a"})


def test_a_feed_needs_a_name_that_can_be_a_file() -> None:
    with pytest.raises(BadContent, match=r"\$.name"):
        feed_of("../shop", {"url": URL, "format": "csv"})


def test_parameters_come_from_the_person_and_the_moment() -> None:
    feed = feed_of("weather", WEATHER)
    known = {"person": {"traits": {"city": " Oslo "}}, "moment": {"day": 5}}
    assert parameters_of(feed, known) == {"city": "Oslo", "day": "5"}
    assert parameters_of(feed, {"person": {"traits": ["x"]}, "moment": {"day": None}}) == {}
    assert parameters_of(feed_of("plain", {"url": URL, "format": "csv"}), known) == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"city": "Oslo"}, "day is not known"),
        ({"city": " ", "day": "1"}, "city is not known"),
        ({"city": "x" * 201, "day": "1"}, "longer than 200"),
        ({"city": "..", "day": "1"}, "contains a path"),
        ({"city": "a/../b", "day": "1"}, "contains a path"),
        ({"city": "..\\b", "day": "1"}, "contains a path"),
    ],
)
def test_an_address_is_not_made_of_what_does_not_belong_there(values: dict[str, str], said: str) -> None:
    with pytest.raises(BadContent, match=said):
        address(feed_of("weather", WEATHER), values)


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_person_values_reach_only_the_path_and_query_of_a_feed_url(city: str, day: str) -> None:
    try:
        url = address(feed_of("weather", WEATHER), {"city": city, "day": day})
    except BadContent:
        return
    parts = urlsplit(url)
    assert parts.netloc == "api.example"
    assert parts.path.count("/") == 2
    assert parts.query.count("&") == 1
    assert not parts.fragment
    assert url.isascii()
    whole = city.encode("utf-8", "replace").decode()
    assert unquote(parts.path) == f"/v1/{whole}"


FEED = Feed("news", "rss", URL, every="1h")
HOUR = 60 * MINUTE


def at(checked: int, **more: Any) -> Snapshot:
    return Snapshot("news", ({"a": 1},), 1, "v", checked, checked, **more)


@given(st.integers(1, 10**13))
def test_a_feed_is_asked_again_ahead_of_need(checked: int) -> None:
    due = due_at(FEED, at(checked))
    assert checked + HOUR * AHEAD <= due <= checked + HOUR * (AHEAD + SPREAD) < checked + HOUR
    assert not is_due(FEED, at(checked), due - 1)
    assert is_due(FEED, at(checked), due)


def test_feeds_of_one_schedule_are_asked_at_different_moments() -> None:
    feeds = [Feed(f"feed-{number}", "rss", URL, every="1h") for number in range(20)]
    assert len({due_at(feed, at(10**12)) for feed in feeds}) == 20


def test_a_feed_that_was_never_had_is_due() -> None:
    assert is_due(FEED, None, 0)
    assert is_due(FEED, Snapshot("news"), 10**12)


def test_after_failures_it_is_asked_later_each_time_but_no_later_than_its_schedule() -> None:
    waits = [due_at(FEED, at(1, failures=times, tried_at=10**12)) - 10**12 for times in range(1, 12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (pause(1), pause(99))
    often = Feed("often", "rss", URL, every="1m")
    assert due_at(often, at(1, failures=50, tried_at=10**12)) == 10**12 + MINUTE


def test_a_clock_that_was_set_back_makes_it_due_once() -> None:
    assert is_due(FEED, at(10**12), 10**12 - HOUR)
    assert not is_due(FEED, at(10**12, failures=1, tried_at=10**12 - HOUR), 10**12 - HOUR + 1)
    assert ripe(10**12, HOUR, 10**12 - 1)


@pytest.mark.parametrize(
    ("snapshot", "now", "expected"),
    [
        (None, 5, Supply(because="it has not been fetched yet")),
        (Snapshot("news", trouble="answered 500", failures=1, tried_at=3), 5, Supply(because="answered 500")),
        (at(10), 10 + HOUR - 1, Supply(({"a": 1},), "fresh", HOUR - 1, "", "v")),
        (at(10, trouble="answered 500", failures=1), 20, Supply(({"a": 1},), "fresh", 10, "", "v")),
        (at(10, trouble="answered 500"), 10 + HOUR, Supply(({"a": 1},), "stale", HOUR, "answered 500", "v")),
        (at(10), 10 + HOUR, Supply(({"a": 1},), "stale", HOUR, "it was not refreshed in time", "v")),
        (at(10), 5, Supply(({"a": 1},), "fresh", 0, "", "v")),
    ],
)
def test_how_good_a_snapshot_is_stands_beside_it(snapshot: Snapshot | None, now: int, expected: Supply) -> None:
    assert supply(FEED, snapshot, now) == expected


def test_a_product_takes_what_it_has_a_field_for() -> None:
    item = {"product_id": "7", "name": "Mug", "price": 3.5, "no_such_field": 1}
    assert product_of(item) == Product(product_id="7", name="Mug", price=3.5)
    assert product_of({"name": "Mug"}) is None
    assert product_of({"sku": "7", "price": "free"}) is None


def test_a_feed_for_a_person_waits_150_ms_unless_told() -> None:
    assert PerPerson({"city": "person.traits.city"}).deadline_ms == 150
