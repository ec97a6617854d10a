"""The other doors: words for a picture, HTML for a page, data for AMP emails; and where a click leads."""

import asyncio
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from PIL import Image

from tests.asgi import Answer, ask
from tests.web import test_open
from tests.web.test_open import BLOCKS, JANE, SHOP, House

GONE = f"""
gone: {SHOP}/like-it
utm: {{utm_source: wetink, utm_campaign: "{{campaign}}", utm_content: "{{block}}-{{variant}}-{{slot}}"}}
variants: [{{name: seen, app: last-viewed}}]
fallback: {{link: "{SHOP}/#top", title: Come in}}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(test_open, "BLOCKS", {**BLOCKS, "tagged": GONE})
    made = House(tmp_path / "data")
    made.wetink.settings = replace(made.wetink.settings, amp_senders=("news@shop.example",))
    yield made
    asyncio.run(made.wetink.close())


def asked(house: House, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(ask(house.door, "GET", path, headers=named))


def test_a_picture_is_told_in_words(house: House) -> None:
    token = house.wetink.seals.seal(JANE, "cards", "picture")
    assert asked(house, f"/a/cards/1/{token}.txt").body.decode() == "Come in"
    house.saw("mug", currency="EUR")
    house.saw("lamp", price=1299.5)
    hero = house.wetink.seals.seal(JANE, "hero", "picture")
    assert asked(house, f"/a/hero/1/{hero}.txt").body.decode() == "The lamp (1,299.50), The mug (€9.00)"
    assert asked(house, f"/a/cards/2/{token}.txt").body.decode() == "The mug (€9.00)"
    assert asked(house, "/a/hero/1/forged.txt").body.decode() == "Come in"
    assert asked(house, "/a/absent/1/x.txt").body == b""


def test_a_page_of_the_shop_gets_html_that_no_product_can_break_out_of(house: House) -> None:
    house.saw("mug", name='"><script>alert(1)</script>')
    token = house.wetink.seals.seal(JANE, "hero", "picture")
    answer = asked(house, f"/h/hero/{token}.html", origin=SHOP)
    text = answer.body.decode()
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert text.count("<a href=") == text.count("<img src=") == 1
    assert "<script" not in text
    assert "jane" not in text
    assert asked(house, "/h/hero/forged.html").body == b""
    assert (
        "access-control-allow-origin"
        not in asked(house, f"/h/hero/{token}.html", origin="https://evil.example").headers
    )


@pytest.mark.parametrize(("block", "query"), [("hero", ""), ("hello", "?c=spring%26more"), ("cards", "")])
def test_a_page_gets_pictures_for_each_pixel_ratio_and_an_email_just_one(house: House, block: str, query: str) -> None:
    house.saw("mug")
    house.saw("lamp")
    token = house.wetink.seals.seal(JANE, block, "picture")
    made = house.wetink.content.block(block)
    text = asked(house, f"/h/{block}/{token}.html{query}").body.decode()
    pictures = re.findall(r'<img src="([^"]+)" srcset="([^"]+)" width="(\d+)" height="(\d+)" alt="([^"]+)"', text)
    assert len(pictures) == made.slots
    for source, srcset, width, height, alt in pictures:
        assert (int(width), int(height)) == (made.width, made.height)
        assert alt
        sizes = [each.split(" ") for each in unescape(srcset).split(", ")]
        assert [ratio for _, ratio in sizes] == ["1x", "2x", "3x"]
        drawn = [Image.open(io.BytesIO(house.get(urlsplit(url)._replace(scheme="", netloc="").geturl()).body))
                 for url in (*(url for url, _ in sizes), unescape(source))]  # fmt: skip
        assert [image.width for image in drawn] == [made.width, made.width * 2, made.width * 3, made.width * 2]
    assert "srcset" not in house.wetink.embed.snippet(house.wetink.content, block, JANE, "https://open.shop.example")


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("", {"amp_email_sender": "news@shop.example"}, {"amp-email-allow-sender": "news@shop.example"}),
        ("", {"amp_email_sender": "spam@evil.example"}, {}),
        (
            "?__amp_source_origin=news@shop.example",
            {"origin": "https://mail.google.com"},
            {
                "access-control-allow-origin": "https://mail.google.com",
                "amp-access-control-allow-source-origin": "news@shop.example",
                "access-control-expose-headers": "AMP-Access-Control-Allow-Source-Origin",
            },
        ),
        ("?__amp_source_origin=spam@evil.example", {"origin": "https://mail.google.com"}, {}),
        ("", {"origin": "https://mail.google.com"}, {}),
    ],
    ids=["its sender", "another sender", "its origin", "another's origin", "no source"],
)
def test_amp_emails_of_the_shop_may_read_data(
    house: House, query: str, headers: dict[str, str], expected: dict[str, str]
) -> None:
    answer = asked(house, house.url("data", "hero") + query, **headers)
    names = ("access-control-allow-origin", "access-control-expose-headers")
    said = {name: value for name, value in answer.headers.items() if name.startswith("amp-") or name in names}
    assert said == expected


def test_clicks_carry_the_blocks_tags_and_keep_what_deep_links_say(house: House) -> None:
    house.saw("mug", url=f"{SHOP}/mug?color=blue&utm_source=old#reviews")
    house.get(house.url("picture", "tagged") + "?c=spring sale")
    location = house.get(house.url("click", "tagged") + "?c=spring sale").headers["location"]
    assert location == (
        f"{SHOP}/mug?color=blue&utm_source=wetink&utm_campaign=spring+sale&utm_content=tagged-seen-1#reviews"
    )
    stranger = house.get("/c/tagged/1/forged").headers["location"]
    assert stranger == f"{SHOP}/?utm_source=wetink&utm_content=tagged-fallback-1#top"


def test_short_names_of_campaign_tags_mean_the_whole_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = GONE.replace("utm_source: wetink, utm_campaign", "source: wetink, own: x, campaign")
    block = block.replace("utm_content", "content")
    monkeypatch.setattr(test_open, "BLOCKS", {"tagged": block})
    house = House(tmp_path / "short")
    try:
        location = house.get("/c/tagged/1/forged").headers["location"]
        assert location == f"{SHOP}/?utm_source=wetink&own=x&utm_content=tagged-fallback-1#top"
    finally:
        asyncio.run(house.wetink.close())


def test_a_product_that_is_gone_at_the_click_leads_to_its_substitute(house: House) -> None:
    house.saw("mug")
    house.get(house.url("picture", "tagged"))
    assert house.get(house.url("click", "tagged")).headers["location"].startswith(f"{SHOP}/mug?")
    house.saw("mug", who="somebody", availability="out_of_stock")
    assert house.get(house.url("click", "tagged")).headers["location"] == f"{SHOP}/like-it"
