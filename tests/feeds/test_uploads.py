"""Uploads: a file takes the place of the one before if it can be read; what is wrong is said with its line."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.asgi import ask
from tests.feeds.outside import refreshed
from tests.storage import opened
from tests.web.test_open import House
from wetink.cli.common import now_ms
from wetink.core.errors import TooLarge
from wetink.core.outbound.feed import Feed, Limit
from wetink.feeds import FeedService
from wetink.feeds.uploads import Uploads
from wetink.settings import read
from wetink.web.app import create
from wetink.wiring import Wetink

CSV = b"name,city\nOne,Oslo\nTwo,Bern\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", draws=False)
    (made.wetink.settings.content / "feeds").mkdir()
    (made.wetink.settings.content / "feeds" / "stores.yaml").write_text("file: stores.csv\nformat: csv\nkey: name\n")
    (made.wetink.settings.content / "feeds" / "news.yaml").write_text("url: https://shop.example/n\nformat: json\n")
    asyncio.run(made.wetink.look_again())
    yield made
    asyncio.run(made.wetink.close())


def put(house: House, path: str, body: bytes | list[bytes], headers: dict[str, str] | None = None) -> Any:
    given = {"authorization": f"Bearer {house.wetink.dashboard_token}"} if headers is None else headers
    return asyncio.run(ask(create(house.wetink), "PUT", path, body, given))


def held(house: House, feed: str) -> list[Any]:
    async def run() -> list[Any]:
        await refreshed(house.wetink.feeds)
        return list(house.wetink.feeds.give(feed).items)

    return asyncio.run(run())


def test_a_file_is_taken_in_and_used(house: House) -> None:
    answer = put(house, "/api/feeds/stores", [CSV[:9], CSV[9:]])
    assert (answer.status, answer.json) == (200, {"items": 2, "leftOut": 0, "problems": []})
    assert held(house, "stores") == [{"name": "One", "city": "Oslo"}, {"name": "Two", "city": "Bern"}]
    assert put(house, "/api/feeds/stores", gzip.compress(b"name,city\nThree,Rome\n")).json["items"] == 1


def test_skipped_rows_are_reported_with_their_line(house: House) -> None:
    answer = put(house, "/api/feeds/stores", CSV + b",Rome\nOne,Paris\nFour,\xff\n").json
    assert answer["items"] == 2
    assert answer["leftOut"] == 3
    assert [problem.split(":")[0] for problem in answer["problems"]] == ["line 4", "line 5", "line 6"]


@pytest.mark.parametrize(
    ("name", "body", "status", "said"),
    [
        ("stores", b"", 400, "it is empty"),
        ("stores", b"name,city\n", 400, "the file has no items"),
        ("stores", b"name,city\n,Oslo\n", 400, "line 2"),
        ("news", b"[]", 400, "comes from https://shop.example/n"),
        ("absent", CSV, 400, "there is no feed called 'absent'"),
    ],
)
def test_an_unusable_upload_changes_nothing(house: House, name: str, body: bytes, status: int, said: str) -> None:
    put(house, "/api/feeds/stores", CSV)
    answer = put(house, f"/api/feeds/{name}", body)
    assert answer.status == status
    assert said in str(answer.json)
    assert len(held(house, "stores")) == 2
    assert [path.name for path in (house.wetink.settings.data / "uploads").iterdir()] == ["stores.csv"]


def test_a_new_feed_is_made_with_its_file(house: House) -> None:
    goods = b"id,title,link,price\n7,Mug,https://shop.example/7,9.50 EUR\n"
    answer = put(house, "/api/feeds/goods?format=csv&purpose=catalog", goods.replace(b"id,", b"nr,"))
    assert answer.status == 400, "a product of a catalog has a name of its own"
    assert "goods" not in house.wetink.content.feeds
    answer = put(house, "/api/feeds/goods?format=csv&purpose=catalog", goods)
    assert (answer.status, answer.json["items"]) == (200, 1)
    assert house.wetink.content.feeds["goods"].purpose == "catalog"
    assert put(house, "/api/feeds/Goods?format=csv", CSV).status == 400
    assert put(house, "/api/feeds/other?format=exe", CSV).status == 400
    assert put(house, "/api/feeds/..%2Fx?format=csv", CSV).status in (400, 404)
    assert put(house, "/api/feeds/rows?format=jsonl", b'{"a": 1}\n{"a": 2}\n').json["items"] == 2
    assert held(house, "rows") == [{"a": 1}, {"a": 2}]


def test_only_who_has_the_token_uploads(house: House) -> None:
    assert put(house, "/api/feeds/stores", CSV, {}).status == 401
    assert put(house, "/api/feeds/stores", CSV, {"authorization": "Bearer x"}).status == 401
    assert not (house.wetink.settings.data / "uploads").exists()


def test_a_file_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    given = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            given.append(1)
            yield b"x" * 1_000

    feed = Feed("stores", "csv", file="stores.csv", limit=Limit(bytes=10_000))
    store = opened(tmp_path / "store")
    uploads = Uploads(tmp_path / "uploads", store.uploads, lambda: 5)
    with pytest.raises(TooLarge, match="more than 10000 bytes"):
        asyncio.run(uploads.take(feed, endless()))
    assert len(given) == 11
    assert list((tmp_path / "uploads").iterdir()) == []
    assert asyncio.run(store.uploads.revisions()) == {}
    asyncio.run(store.close())


def test_the_pages_show_feeds_with_their_items_and_take_files(house: House) -> None:
    put(house, "/api/feeds/stores", CSV + b",Rome\n")
    held(house, "stores")
    with TestClient(create(house.wetink)) as browser:
        browser.get(f"/dashboard/login?token={house.wetink.dashboard_token}")
        listed = browser.get("/dashboard/feeds").text
        assert 'href="/dashboard/feeds/stores"' in listed
        assert 'href="/dashboard/feeds/new?kind=file"' in listed
        page = browser.get("/dashboard/feeds/stores").text
        assert '<td class="break">Oslo</td>' in page
        assert "line 4" in page
        assert "Replace the file" in page
        assert "Replace the file" not in browser.get("/dashboard/feeds/news").text
        assert browser.get("/dashboard/feeds/absent").status_code == 404
        csrf = page.split('data-csrf="')[1].split('"')[0]
        path = "/dashboard/feeds/stores/file"
        assert browser.put(path, content=CSV).status_code == 400
        done = browser.put(path, content=CSV, headers={"x-csrf": csrf})
        assert (done.status_code, done.json()["items"]) == (200, 2)
        wrong = browser.put(path, content=b"name,city\n", headers={"x-csrf": csrf})
        assert wrong.status_code == 400
        assert "the file has no items" in json.dumps(wrong.json())


def test_a_file_uploaded_on_one_node_is_used_on_another_and_survives_its_folder(tmp_path: Path) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield CSV

    async def story() -> None:
        store = opened(tmp_path / "store", now_ms)
        feed = Feed("stores", "csv", file="stores.csv", key="name")
        given = [(tmp_path / f"node{n}" / "feeds", tmp_path / f"node{n}" / "uploads") for n in range(2)]
        one, other = (FeedService(*folders, store.uploads, store.leases, now_ms) for folders in given)
        for each in (one, other):
            each.use({"stores": feed})
        assert (await one.upload(feed, parts())).items == 2
        await refreshed(other)
        assert [item["name"] for item in other.give("stores").items] == ["One", "Two"]
        (tmp_path / "node1" / "uploads").mkdir()
        (tmp_path / "node1" / "uploads" / "stores.csv").write_text("name,city\nThree,Rome\n")
        await refreshed(other)
        await refreshed(one)
        assert [item["name"] for item in one.give("stores").items] == ["Three"], "by hand is an upload, too"
        assert (await one.upload(feed, parts())).items == 2
        await refreshed(other)
        assert [item["name"] for item in other.give("stores").items] == ["One", "Two"], "an older file stays taken"
        for each in (one, other, store):
            await each.close()

    asyncio.run(story())


def test_files_of_an_earlier_release_are_taken_in_at_the_first_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    declared = "file: stores.csv\nformat: csv\n"
    for name, text in {"uploads/stores.csv": CSV.decode(), "content/feeds/stores.yaml": declared}.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)

    async def story() -> None:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            await refreshed(wetink.feeds)
            assert set(await wetink.store.uploads.revisions()) == {"stores.csv"}
            assert len(wetink.feeds.give("stores").items) == 2

    asyncio.run(story())
    assert (data / "uploads" / "stores.csv").read_bytes() == CSV
