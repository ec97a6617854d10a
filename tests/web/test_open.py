"""The opens' door: whatever is asked for, the answer is a valid picture, redirect or JSON."""

import asyncio
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from tests.asgi import Answer, ask
from tests.storage import part_with
from wetink.core.errors import StoreUnavailable
from wetink.core.identity.identifier import Identifier
from wetink.ingest.receive import BATCH
from wetink.settings import read
from wetink.web.open import OpenEndpoints
from wetink.wiring import Wetink

NOW = 1_795_000_000_000
JANE = Identifier("user", "jane")
SHOP = "https://shop.example"
BLOCKS = {
    "hero": """
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/", title: Come in}
recipients: [user, email]
width: 300
height: 150
""",
    "cards": """
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/all", title: Come in}
width: 200
height: 200
slots: 2
""",
    "hello": """
variants:
  - {name: by name, app: custom, template: hello.liquid}
fallback: {link: "https://shop.example/", title: Hello}
width: 200
height: 40
transparent: true
""",
}


class House:
    """A wetink, its opens' door, and a clock that we move."""

    def __init__(self, data: Path, *, draws: bool = True) -> None:
        """Make it. Without `draws` its fallbacks are blank, and making it takes a fraction of the time."""
        for name, text in BLOCKS.items():
            path = data / "content" / "blocks" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (data / "content" / "templates").mkdir()
        (data / "content" / "templates" / "hello.liquid").write_text("<b>Hello {{ person.traits.name }}</b>")
        self.wetink = Wetink(read({}, data=data, deadline=5000), draws=draws)
        self.now = NOW
        self.door = OpenEndpoints(self.wetink, clock=lambda: self.now)
        self.count = 0
        asyncio.run(self._start())

    async def _start(self) -> None:
        await self.wetink.store.sources.create_key("shop", "server", ("shop.example",), 1)
        await self.wetink.store.sources.create_key("page", "browser", ("shop.example",), 1)
        await self.wetink.look_again()

    def get(self, path: str, method: str = "GET", agent: str = "Mozilla/5.0 (Macintosh)") -> Answer:
        return asyncio.run(ask(self.door, method, path, headers={"user-agent": agent}))

    def url(self, purpose: Any, block: str, slot: int = 1, who: Identifier = JANE) -> str:
        token = self.wetink.seals.seal(who, block, purpose)
        forms = {
            "picture": f"/o/{block}/{slot}/{token}.jpg",
            "data": f"/d/{block}/{token}.json",
            "click": f"/c/{block}/{slot}/{token}",
        }
        return forms[purpose]

    def saw(self, sku: str, source: str = "shop", who: str = "jane", **more: Any) -> None:
        """Take in a product view, as of a second later."""
        self.now += 1000
        self.count += 1
        properties = {"sku": sku, "name": f"The {sku}", "url": f"{SHOP}/{sku}", "price": 9, **more}
        message = {"type": "track", "event": "Product Viewed", "userId": who, "messageId": f"m{self.count}",
                   "timestamp": self.now, "properties": properties}  # fmt: skip
        self.take(message, source)

    def take(self, message: dict[str, Any], source: str = "shop") -> None:
        async def run() -> None:
            [sender] = [each for each in await self.wetink.store.sources.all() if each.name == source]
            body = msgspec.json.encode({"batch": [message]})
            await self.wetink.ingest.receive(body, sender, BATCH, self.now)

        asyncio.run(run())

    def data(self, block: str = "hero") -> Any:
        return self.get(self.url("data", block)).json


def image(answer: Answer) -> Image.Image:
    assert answer.status == 200
    return Image.open(io.BytesIO(answer.body))


def test_a_picture_is_made_at_twice_its_size_as_jpeg_or_transparent_png(house: House) -> None:
    house.saw("mug")
    hero, hello = image(house.get(house.url("picture", "hero"))), image(house.get(house.url("picture", "hello")))
    assert (hero.format, hero.size) == ("JPEG", (600, 300))
    assert (hello.format, hello.size) == ("PNG", (400, 80))
    assert hello.convert("RGBA").getpixel((399, 79))[3] == 0  # type: ignore[index]


def test_an_event_is_in_the_very_next_open_and_a_click_goes_where_it_points(house: House) -> None:
    nothing = house.get(house.url("picture", "hero")).body
    house.saw("mug")
    mug = house.get(house.url("picture", "hero")).body
    assert mug != nothing
    assert house.get(house.url("click", "hero")).headers["location"] == f"{SHOP}/mug"
    house.saw("lamp")
    assert house.get(house.url("picture", "hero")).body != mug
    assert house.get(house.url("click", "hero")).headers["location"] == f"{SHOP}/lamp"
    assert [item["key"] for item in house.data()["items"]] == ["lamp", "mug"]


def test_all_slots_of_an_email_and_its_click_agree(house: House) -> None:
    house.saw("mug")
    house.saw("lamp")
    house.get(house.url("picture", "cards", 1))
    house.saw("tent")  # between the first picture of the email and the second
    house.get(house.url("picture", "cards", 2))
    clicks = [house.get(house.url("click", "cards", slot)).headers["location"] for slot in (1, 2)]
    assert clicks == [f"{SHOP}/lamp", f"{SHOP}/mug"]
    house.get(house.url("picture", "cards", 1))  # the email is opened again
    clicks = [house.get(house.url("click", "cards", slot)).headers["location"] for slot in (1, 2)]
    assert clicks == [f"{SHOP}/tent", f"{SHOP}/lamp"]


def test_no_proxy_may_keep_a_picture(house: House) -> None:
    answer = house.get(house.url("picture", "hero"))
    for word in ("no-store", "no-cache", "private", "max-age=0"):
        assert word in answer.headers["cache-control"]
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["content-type"] == "image/jpeg"
    assert "etag" not in answer.headers
    head = house.get(house.url("picture", "hero"), "HEAD")
    assert (head.body, head.headers["content-length"]) == (b"", answer.headers["content-length"])
    assert house.get(house.url("picture", "hero"), "POST").status == 405
    assert house.get(house.url("click", "hero")).headers["cache-control"] == answer.headers["cache-control"]


def forged(house: House) -> list[str]:
    right = house.wetink.seals.seal(JANE, "hero", "picture")
    return [
        f"/o/hero/1/{right[:9]}{'B' if right[9] == 'A' else 'A'}{right[10:]}.jpg",
        f"/o/hero/1/{house.wetink.seals.seal(JANE, 'hero', 'data')}.jpg",
        f"/o/hero/1/{house.wetink.seals.seal(JANE, 'cards', 'picture')}.jpg",
        "/o/hero/1/.jpg",
        "/o/hero/1/%00%ff.jpg",
        f"/o/hero/1/{'A' * 5000}.jpg",
        "/o/hero/1.jpg?anonymous=x",
    ]


def test_a_forged_token_gets_the_very_answer_that_a_stranger_gets(house: House) -> None:
    house.saw("mug")
    stranger = house.get(house.url("picture", "hero", who=Identifier("user", "stranger")))
    for path in forged(house):
        answer = house.get(path)
        assert (answer.status, answer.headers, answer.body) == (200, stranger.headers, stranger.body), path


@pytest.mark.parametrize(
    "path", ["/o/absent/1/x.jpg", "/o/", "/o/hero", "/o/hero/99/x.jpg", "/o/a/b/c/d/e.png", "/o/hero/-1/x.jpg?c=%ff"]
)
def test_there_is_a_picture_whatever_is_asked_for(house: House, path: str) -> None:
    image(house.get(path)).load()


def test_a_plain_identifier_counts_only_where_the_block_allows_it(house: House) -> None:
    house.saw("mug")
    stranger = house.get("/o/hero/1.jpg?user=nobody").body
    assert house.get("/o/hero/1.jpg?user=jane").body != stranger
    assert house.get("/d/hero.json?user=jane").json["items"]
    assert not house.get("/d/cards.json?user=jane").json["items"]


def test_a_click_leads_somewhere_whatever_is_asked_for(house: House) -> None:
    for path in ("/c/hero/1/forged", "/c/absent/1/x", "/c/hero/7/x", "/c/hero"):
        answer = house.get(path)
        assert (answer.status, answer.headers["location"]) == (302, f"{SHOP}/"), path


def test_data_of_an_unknown_block_is_a_clear_error(house: House) -> None:
    answer = house.get("/d/absent/x.json")
    assert answer.status == 404
    assert "absent" in answer.json["error"]["message"]


def test_with_the_store_down_opens_and_clicks_get_the_fallback(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = house.get(house.url("picture", "hero", who=Identifier("user", "stranger"))).body

    async def down(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("the disk is gone")

    for name in ("load", "history", "products", "profile"):
        monkeypatch.setattr(part_with(house.wetink.store, name), name, down)
    assert house.get(house.url("picture", "hero")).body == stranger
    assert house.get(house.url("click", "hero")).headers["location"] == f"{SHOP}/"
    assert house.data()["link"] == f"{SHOP}/"


@pytest.mark.parametrize("hangs", [False, True])
def test_with_the_store_down_pictures_show_the_decision_of_the_last_minute(
    house: House, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    house.saw("lamp")
    house.saw("mug")
    shown = house.get(house.url("picture", "cards", 1)).body
    stranger = house.get(house.url("picture", "cards", who=Identifier("user", "stranger"))).body
    assert shown != stranger

    async def down(*_: Any, **__: Any) -> Any:
        if hangs:
            await asyncio.Event().wait()
        raise StoreUnavailable("the disk is gone")

    for name in ("load", "history", "products", "profile"):
        monkeypatch.setattr(part_with(house.wetink.store, name), name, down)
    house.now += 59_000
    assert house.get(house.url("picture", "cards", 2)).body == shown, "it has no picture of its own yet"
    assert house.get(house.url("click", "cards", 2)).headers["location"] == f"{SHOP}/lamp"
    results = asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, house.now + 1))
    assert [(each.opens, each.clicks) for each in results if each.key["block"] == "cards"] == [(2, 1)]


def test_without_a_decision_of_the_last_minute_pictures_show_the_fallback(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.saw("mug")
    house.get(house.url("picture", "cards", 1))
    stranger = house.get(house.url("picture", "cards", who=Identifier("user", "stranger"))).body

    async def down(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(part_with(house.wetink.store, "load"), "load", down)
    house.now += 60_001
    assert house.get(house.url("picture", "cards", 2)).body == stranger


def test_opens_are_counted_once_and_prefetches_not_at_all(house: House) -> None:
    house.saw("mug")
    house.get(house.url("picture", "hero"), agent="Mozilla/5.0")
    for _ in range(3):
        house.get(house.url("picture", "cards", 1))
        house.get(house.url("picture", "cards", 2))
    house.get(house.url("click", "cards", 1))
    results = asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, house.now + 1))
    counted = {each.key["block"]: (each.opens, each.clicks) for each in results}
    assert counted == {"hero": (0, 0), "cards": (1, 1), "hello": (0, 0)}


def test_a_browser_key_product_is_shown_in_catalog_words_or_not_at_all(house: House) -> None:
    house.saw("mug", who="somebody")  # the shop's own server has taught the catalog
    house.saw("mug", "page", name="You have won", price=0, url=f"{SHOP}/phishing")
    house.saw("invented", "page", name="Call this number")
    [item] = house.data()["items"]
    assert item["product"] == {"sku": "mug", "name": "The mug", "url": f"{SHOP}/mug", "price": 9.0}


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "javascript:alert(1)", "https://shop.example@evil.example/", ""]
)
def test_a_link_that_is_not_the_shops_is_replaced_by_the_fallbacks(house: House, url: str) -> None:
    house.saw("mug", url=url)
    house.get(house.url("picture", "hero"))
    assert house.get(house.url("click", "hero")).headers["location"] == f"{SHOP}/"
