"""The page of mappings: which there are, what is wrong with a file, and what a message comes to by them."""

import asyncio
import json
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.shopper import EVIL
from wetink.wiring import Wetink

SHOP = """
sources: [shop-backend]
events:
  Item Seen:
    name: Product Viewed
    properties: {item.id: sku, link: url}
  Bought:
    name: Order Completed
    properties: {number: order_id}
    products: {at: basket, properties: {id: sku}}
traits: {mail: email}
"""
EVERYBODY = "events: {item_looked_at: {name: Product Viewed, properties: {id: sku, link: url}}}\n"
SEEN = {"type": "track", "userId": "42", "event": "item seen", "properties": {"item": {"id": "M-1"}, "link": "/m"}}


@pytest.fixture
def mapped(wetink: Wetink, dashboard: TestClient) -> TestClient:
    folder = wetink.settings.content / "mappings"
    folder.mkdir()
    (folder / "shop.yaml").write_text(SHOP)
    (folder / "all.yaml").write_text(EVERYBODY)
    (folder / "broken.yaml").write_text("events: {Seen: {nam: Product Viewed}}\n")
    asyncio.run(wetink.look_again())
    return dashboard


def tried(dashboard: TestClient, message: Any, source: str = "shop-backend") -> str:
    """Return what the page says of a message."""
    text = message if isinstance(message, str) else json.dumps(message)
    page = dashboard.get("/dashboard/mappings", params={"message": text, "source": source}).text
    return unescape(page.partition('id="read"')[2].partition("</section>")[0])


def test_all_mappings_are_listed_with_what_they_rename_and_what_is_wrong_with_a_file(mapped: TestClient) -> None:
    text = unescape(mapped.get("/dashboard/mappings").text)
    assert '"soft">shop-backend' in text
    assert '"soft">all sources' in text
    for theirs, ours in (("Item Seen", "Product Viewed"), ("Bought", "Order Completed")):
        assert f'<th scope="rowgroup">{theirs}</th><th>{ours}</th>' in text
    for theirs, ours in (
        ("item.id", "sku"),
        ("basket", "products"),
        ("basket[].id", "products[].sku"),
        ("mail", "email"),
    ):
        assert f"<td><code>{theirs}</code></td><td><code>{ours}</code></td>" in text
    assert "mappings/broken.yaml: " in text
    assert "nam" in text


def test_a_message_is_tried_and_shown_as_it_is_read(mapped: TestClient) -> None:
    said = tried(mapped, SEEN)
    assert '"event": "Product Viewed"' in said
    assert '"sku": "M-1"' in said
    assert '"url": "/m"' in said
    assert "No mapping changes it" in tried(mapped, SEEN, "another")
    assert "No mapping changes it" in tried(mapped, {"type": "track", "userId": "42", "event": "Other"})
    assert '"event": "Product Viewed"' in tried(mapped, {**SEEN, "event": "Item looked at"}, "another")


def test_what_a_mapping_makes_of_a_message_may_lack_something(mapped: TestClient) -> None:
    said = tried(mapped, {**SEEN, "properties": {"item": {"title": "Mug"}}})
    assert '<span class="chip unusable">unusable</span>' in said
    assert '<span class="chip usable">usable</span> <span class="soft">without</span>' in said
    assert "send <code>sku</code> or <code>product_id</code>" in said


@pytest.mark.parametrize("message", ["{", "[]", "7", '{"type": "track"}', "\x00", "é" * 8_000])
def test_what_is_no_message_is_said_to_be_none(mapped: TestClient, message: str) -> None:
    assert '<span class="chip parked">parked</span>' in tried(mapped, message)


def test_at_first_the_newest_message_is_tried_that_could_not_be_used(mapped: TestClient) -> None:
    text = unescape(mapped.get("/dashboard/mappings").text)
    assert "The most recent message with problems" in text
    assert '"messageId": "m-bad"' in text


def test_nothing_in_a_mapping_or_a_message_becomes_markup(mapped: TestClient, wetink: Wetink) -> None:
    path = wetink.settings.content / "mappings" / "evil.yaml"
    path.write_text(json.dumps({"events": {EVIL: {"name": EVIL, "properties": {EVIL: "sku"}}}}))
    asyncio.run(wetink.look_again())
    message = json.dumps({**SEEN, "event": EVIL, "properties": {"</textarea>": EVIL}})
    text = mapped.get("/dashboard/mappings", params={"message": message, "source": EVIL}).text
    assert EVIL not in text
    assert text.count("</textarea>") == 1


def test_a_page_without_mappings_says_how_to_make_one(nobody_yet: TestClient) -> None:
    text = nobody_yet.get("/dashboard/mappings").text
    assert "mappings/NAME.yaml" in text
    assert "Paste one to test it" in text
