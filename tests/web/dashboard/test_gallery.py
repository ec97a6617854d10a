"""From nothing to a pasted snippet on one page: pick an app, see it as anybody, make the block, copy."""

import json
import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from wetink.apps import load
from wetink.core.blocks.esp import ESPS
from wetink.wiring import Wetink

APPS = {name: app for name, app in load().items() if app.template}


def form(dashboard: TestClient, app: str, /, **more: str) -> dict[str, str]:
    """Return what a browser would send of an app's page."""
    page = dashboard.get(f"/dashboard/apps/{app}").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf
    return {"csrf": csrf[1], "sent": "1", "only.buyable": "on", "only.bought": "on", **more}


def test_the_gallery_shows_every_app_with_a_live_thumbnail(dashboard: TestClient) -> None:
    text = dashboard.get("/dashboard/apps").text
    for name, app in APPS.items():
        assert f'href="/dashboard/apps/{name}"' in text
        assert app.about in unescape(text)
        picture = dashboard.get(f"/dashboard/apps/{name}.img")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")


@pytest.mark.parametrize("name", APPS)
def test_an_apps_page_has_its_settings_as_a_form_and_its_picture(dashboard: TestClient, name: str) -> None:
    text = dashboard.get(f"/dashboard/apps/{name}").text
    for setting in APPS[name].settings.__struct_fields__:
        assert f'name="{setting}' in text
    assert f"/dashboard/apps/{name}.img?" in text
    assert "taken" in text


def test_the_picture_follows_the_form(dashboard: TestClient) -> None:
    usual = dashboard.get("/dashboard/apps/last-viewed.img").content
    for change in ("items=1", "title=Hello", "accent=%23ff0000&items=1", "scheme=dark", "width=300&height=250"):
        assert dashboard.get(f"/dashboard/apps/last-viewed.img?{change}").content != usual
    mine = dashboard.get("/dashboard/apps/last-viewed.img?who=user:42")
    assert mine.status_code == 200
    assert mine.content != usual


def test_the_size_of_a_picture_is_shown_beside_the_trace(dashboard: TestClient) -> None:
    size = len(dashboard.get("/dashboard/apps/last-viewed.img").content)
    assert f"{size / 1000:.0f} KB, of 200 KB at most" in dashboard.get("/dashboard/apps/last-viewed/tried").text


@pytest.mark.parametrize("who", ["", "user:42"])
def test_one_supposes_an_event_of_a_product_or_messages_before_there_is_a_block(
    dashboard: TestClient, who: str
) -> None:
    key, name = ("TW-101", "Harbor Mug") if not who else ("MUG-1", "Sea mug")
    tried = "/dashboard/apps/wishlist/tried"
    added = {"who": who, "if_event": "Product Added to Wishlist", "if_product": key}
    new = {"sku": "N-1", "name": "A new thing", "url": "https://shop.example/new"}
    messages = json.dumps({"event": "Product Added to Wishlist", "properties": new})
    usual = dashboard.get(tried, params={"who": who}).text
    for supposed, shown in ((added, name), ({"who": who, "suppose": messages}, "A new thing")):
        text = unescape(dashboard.get(tried, params=supposed).text)
        assert "1 event simulated" in text
        assert shown in text.partition("<h3>Why</h3>")[2]
        assert shown not in usual.partition("<h3>Why</h3>")[2]
        picture = re.search(r'<img src="(/dashboard/apps/wishlist\.img[^"]+)"', text)
        assert picture
        plain = dashboard.get("/dashboard/apps/wishlist.img", params={"who": who, "sent": "1"})
        drawn = dashboard.get(picture[1])
        assert drawn.status_code == 200
        assert drawn.content != plain.content
    page = dashboard.get("/dashboard/apps/wishlist", params=added).text
    assert "<option selected>Product Added to Wishlist</option>" in page
    assert f'value="{key}"' in page


def test_what_cannot_be_supposed_is_told_beside_the_picture(dashboard: TestClient) -> None:
    tried = "/dashboard/apps/last-viewed/tried"
    for wrong, said in (
        ({"suppose": "{"}, "this is not JSON"),
        ({"if_event": "Product Viewed", "if_product": "none"}, "such as TW-101, TW-103, TW-105"),
    ):
        text = unescape(dashboard.get(tried, params=wrong).text)
        assert said in text
        assert "<img" in text


def test_no_setting_of_an_app_has_the_name_of_anything_else_in_its_form(dashboard: TestClient) -> None:
    for name in APPS:
        text = dashboard.get(f"/dashboard/apps/{name}").text.partition('<form class="maker"')[2].partition("</form>")[0]
        tags = re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', text)
        assert len(tags) == len(set(tags)), [tag for tag in tags if tags.count(tag) > 1]


def test_a_countdown_has_an_end_and_its_preview_a_moment_of_its_own(dashboard: TestClient, wetink: Wetink) -> None:
    tried = "/dashboard/apps/countdown/tried"
    said = {
        "sent": "1",
        "ends": "at",
        "at": "2026-12-24T18:00",
        "zone": "UTC",
        "preview-at": "2026-12-24T17:00",
        "who": "user:42",
    }
    assert "ends 2026-12-24 18:00 UTC" in dashboard.get(tried, params=said).text
    after = dashboard.get(tried, params={**said, "preview-at": "2026-12-24T19:00"}).text
    assert "There is nothing to show" in after
    sample = {name: value for name, value in said.items() if name != "who"}
    assert "ends 2026-12-24 18:00 UTC" in dashboard.get(tried, params=sample).text, "not what the app's sample says"


@pytest.mark.parametrize("words", [{"fallback": "Come in", "fallback-button": "Go"}, {"fallback-alt": "A shop"}])
def test_a_fallback_shows_the_typed_words(dashboard: TestClient, wetink: Wetink, words: dict[str, str]) -> None:
    link = {"fallback-link": "https://shop.example/"}
    name = f"words-{len(words)}"
    dashboard.post("/dashboard/apps/last-viewed", data=form(dashboard, "last-viewed", name=name, **link, **words))
    block = wetink.content.blocks[name]
    assert block.fallback.title == words.get("fallback", "See what is new")
    assert block.fallback.button == words.get("fallback-button", "Shop now")
    assert block.alt == words.get("fallback-alt", block.fallback.title)


def test_a_person_with_nothing_to_show_and_a_setting_that_makes_no_sense_are_told(dashboard: TestClient) -> None:
    tried = "/dashboard/apps/last-viewed/tried"
    assert "There is nothing to show user:nobody" in dashboard.get(f"{tried}?who=user:nobody").text
    assert "is not a whole number" in unescape(dashboard.get(f"{tried}?items=many").text)
    assert "is not an identifier" in dashboard.get(f"{tried}?who=somebody").text
    assert dashboard.get("/dashboard/apps/last-viewed.img?who=user:nobody").status_code == 404
    assert dashboard.get("/dashboard/apps/absent").status_code == 404


@pytest.mark.parametrize(
    ("app", "field", "text", "why"),
    [
        ("countdown", "zone", "Europe/Berln", "did you mean Europe/Berlin?"),
        ("countdown", "at", "2026-13-01", "is not a date and time"),
        ("trending", "items", "many", "is not a whole number"),
        ("trending", "items", "99", "at most 6"),
        ("trending", "only.price_to", "cheap", "is not a number"),
        ("trending", "accent", "red", "write a color"),
        ("nearest-store", "stores", "Oslo; 59.9 10.7\nBergen; 600 5", "entry 2: '600 5' is not a latitude"),
    ],
)
def test_an_error_stands_at_its_field(
    dashboard: TestClient, wetink: Wetink, app: str, field: str, text: str, why: str
) -> None:
    at = field.replace(".", "-")
    link = {"fallback-link": "https://shop.example/"}
    ends = {"ends": "at"} if app == "countdown" else {}
    sent = form(dashboard, app, name=f"wrong-{at}", **link, **ends, **{field: text})
    refused = dashboard.post(f"/dashboard/apps/{app}", data=sent)
    assert refused.status_code == 400
    assert f"wrong-{at}" not in wetink.content.blocks
    for html in (refused.text, dashboard.get(f"/dashboard/apps/{app}", params=sent).text):
        tag = re.search(rf'<(?:input|textarea)[^>]* name="{re.escape(field)}"[^>]*>', html)
        assert tag
        assert f'aria-describedby="wrong-{at}" aria-invalid="true"' in tag[0]
        assert html.count('aria-invalid="true"') == 1
        [told] = re.findall(rf'id="wrong-{at}">([^<]*)</span>', html)
        assert why in unescape(told)
        assert html.index(tag[0]) < html.index(told) < html.index(tag[0]) + 800, "the error is not beside its field"
    part = dashboard.get(f"/dashboard/apps/{app}/tried", params=sent).text
    assert why in unescape(part.partition(f'id="wrong-{at}" hx-swap-oob="true">')[2].partition("</span>")[0])
    assert "to see the picture" in part


def test_a_block_is_made_and_its_snippet_is_there_to_copy(dashboard: TestClient, wetink: Wetink) -> None:
    sent = form(
        dashboard, "trending", name="hot-now", items="2", measure="viewed", window="7d", recipients="email",
        email="weekly", **{"fallback-link": "https://shop.example/new"},
    )  # fmt: skip
    answer = dashboard.post("/dashboard/apps/trending", data=sent)
    assert answer.status_code == 200
    block = wetink.content.blocks["hot-now"]
    assert block.variants[0].settings == {"items": 2, "measure": "viewed", "window": "7d"}
    assert (block.recipients, block.email, block.fallback.link) == (("email",), "weekly", "https://shop.example/new")
    assert (block.fallback.title, block.fallback.button) == ("See what is new", "Shop now"), "a fallback that leads on"
    assert block.alt == "See what is new"
    assert "/o/hot-now/1.jpg?email={{ person.email|urlencode }}" in unescape(answer.text)
    assert "email clients cannot reach" in answer.text, "nobody has said where the world reaches this server"
    for esp in ESPS:
        text = unescape(dashboard.get(f"/dashboard/blocks/hot-now/snippet?esp={esp.name}&campaign=spring").text)
        assert "/c/hot-now/1?email=" in text
        assert "c=spring" in text
    clicked_twice = dashboard.post("/dashboard/apps/trending", data=sent)
    assert "hot-now is live" in clicked_twice.text
    again = dashboard.post("/dashboard/apps/trending", data={**sent, "items": "3"})
    assert again.status_code == 400
    assert "there is already a block called hot-now" in again.text


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"fallback-link": "javascript:alert(1)"}, "not an http(s) URL"),
        ({"name": "../../etc"}, "regex"),
        ({"name": ""}, "regex"),
        ({"items": "99"}, "at most 6"),
        ({"email": "A B"}, "regex"),
    ],
)
def test_what_cannot_be_a_block_is_refused_and_the_form_keeps_what_was_typed(
    dashboard: TestClient, wetink: Wetink, field: dict[str, str], said: str
) -> None:
    before = set(wetink.content.blocks)
    usual = {"name": "wishes", "fallback-link": "https://shop.example/", "title": "Mine"}
    sent = form(dashboard, "wishlist", **{**usual, **field})
    answer = dashboard.post("/dashboard/apps/wishlist", data=sent)
    assert answer.status_code == 400
    assert said in unescape(answer.text)
    assert 'value="Mine"' in answer.text
    assert set(wetink.content.blocks) == before


def test_a_block_that_could_not_be_served_is_refused_and_not_written(dashboard: TestClient, wetink: Wetink) -> None:
    link = {"fallback-link": "https://shop.example/"}
    answer = dashboard.post(
        "/dashboard/apps/live-feed", data=form(dashboard, "live-feed", name="posts", feed="posts", **link)
    )
    assert answer.status_code == 400
    assert "variants[0].settings: there is no feed posts in feeds/" in unescape(answer.text)
    assert not (wetink.settings.content / "blocks" / "posts.yaml").exists()


def test_a_form_from_elsewhere_makes_nothing(dashboard: TestClient, wetink: Wetink) -> None:
    sent = {**form(dashboard, "wishlist", name="wishes", link="https://shop.example/"), "csrf": "forged"}
    assert dashboard.post("/dashboard/apps/wishlist", data=sent).status_code == 400
    assert "wishes" not in wetink.content.blocks


def test_a_block_that_allows_no_plain_recipient_says_what_to_do(dashboard: TestClient) -> None:
    text = unescape(dashboard.get("/dashboard/blocks/picks/snippet?esp=braze").text)
    assert "allows no plain" in text
    assert "recipients: [" in text
