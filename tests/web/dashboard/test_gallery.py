"""From an app of the gallery to a draft in the editor, and from there to a live block."""

import json
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.editing import Fields, begun, edited
from wetink.apps import load
from wetink.core.app.setting import fields_of
from wetink.core.blocks.esp import ESPS
from wetink.wiring import Wetink

APPS = {name: app for name, app in load().items() if app.template}


def test_the_gallery_shows_every_app_with_a_live_thumbnail(dashboard: TestClient) -> None:
    text = dashboard.get("/dashboard/apps").text
    for name, app in APPS.items():
        assert f'href="/dashboard/apps/{name}"' in text
        assert app.about in unescape(text)
        picture = dashboard.get(f"/dashboard/apps/{name}.img")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")


def test_an_app_is_seen_as_anybody_before_there_is_a_block(dashboard: TestClient) -> None:
    usual = dashboard.get("/dashboard/apps/last-viewed.img").content
    assert dashboard.get("/dashboard/apps/last-viewed.img?scheme=dark").content != usual
    mine = dashboard.get("/dashboard/apps/last-viewed.img?who=user:42")
    assert mine.status_code == 200
    assert mine.content != usual
    assert "Sea mug" in dashboard.get("/dashboard/apps/last-viewed?who=user:42").text
    assert "Choose “somebody” from the list" in dashboard.get("/dashboard/apps/last-viewed?who=somebody").text
    assert dashboard.get("/dashboard/apps/absent").status_code == 404


@pytest.mark.parametrize("name", APPS)
def test_an_app_becomes_a_draft_with_its_settings_as_a_form_and_its_picture(dashboard: TestClient, name: str) -> None:
    path = begun(dashboard, name)
    text = dashboard.get(path).text
    sent = Fields(text).found
    for field in fields_of(APPS[name]):
        assert field.about, f"say what {field.name} does: its page and the docs both show it"
        assert field.name == "only.skip" or f'id="v.0.settings.{field.name}-help"' in text
        if field.kind != "switch" and field.name != "only.skip":
            assert f"v.0.settings.{field.name}" in sent
    assert "taken" in text
    picture = re.search(r'src="(/dashboard/blocks/[^"]+/draft/1\.img[^"]*)"', text)
    assert picture is not None
    assert dashboard.get(unescape(picture[1])).headers["content-type"].startswith("image/")
    assert dashboard.get(path.replace("/edit", "/draft/variants/1.img")).status_code == 200


def test_no_field_of_the_editor_has_the_name_of_another(dashboard: TestClient) -> None:
    for name in APPS:
        text = dashboard.get(begun(dashboard, name)).text.partition('id="maker"')[2].partition("</form>")[0]
        tags = re.findall(r'<(?:input|select|textarea)(?! type="radio")[^>]* name="([^"]+)"', text)
        assert len(tags) == len(set(tags)), [tag for tag in tags if tags.count(tag) > 1]


def test_the_size_of_a_picture_is_shown_beside_the_trace(dashboard: TestClient) -> None:
    draft = begun(dashboard, "last-viewed").replace("/edit", "/draft")
    size = len(dashboard.get(f"{draft}/1.img").content)
    assert f"{size / 1000:.0f} KB, of 200 KB at most" in dashboard.get(f"{draft}/1/weight").text


@pytest.mark.parametrize("who", ["", "user:42"])
def test_one_supposes_an_event_of_a_product_or_messages(dashboard: TestClient, who: str) -> None:
    key, name = ("TW-101", "Harbor Mug") if not who else ("MUG-1", "Sea mug")
    path = begun(dashboard, "wishlist")
    new = {"sku": "N-1", "name": "A new thing", "url": "https://shop.example/new"}
    messages = json.dumps({"event": "Product Added to Wishlist", "properties": new})
    usual = edited(dashboard, path, who=who)
    added = {"if_event": "Product Added to Wishlist", "if_product": key}
    for more, shown in ((added, name), ({"suppose": messages}, "A new thing")):
        text = edited(dashboard, path, who=who, **more)
        assert "1 event simulated" in text
        assert shown in text.partition("<h3>Why")[2].partition("</aside>")[0]
        assert shown not in usual.partition("<h3>Why")[2].partition("</aside>")[0]
    for wrong, said in (
        ({"suppose": "{"}, "This is not JSON"),
        ({"if_event": "Product Viewed", "if_product": "none"}, "keys in the catalog"),
    ):
        text = edited(dashboard, path, who=who, **wrong)
        assert said in text
        assert "/draft/1.img" in text


def test_a_countdown_has_an_end_and_its_preview_a_moment_of_its_own(dashboard: TestClient) -> None:
    path = begun(dashboard, "countdown")
    said = {"v__0__settings__ends": "at", "v__0__settings__at": "2026-12-24T18:00", "v__0__settings__zone": "UTC"}
    for who in ("user:42", ""):
        assert "ends 2026-12-24 18:00 UTC" in edited(dashboard, path, **said, who=who, at="2026-12-24T17:00")
        assert "fallback: no variant matches" in edited(dashboard, path, **said, who=who, at="2026-12-24T19:00")


@pytest.mark.parametrize(
    ("app", "field", "text", "why"),
    [
        ("countdown", "zone", "Europe/Berln", "did you mean Europe/Berlin?"),
        ("countdown", "at", "2026-13-01", "is not a date and time"),
        ("trending", "items", "many", "is not a whole number"),
        ("trending", "items", "99", "at most 6"),
        ("trending", "only.price_to", "cheap", "is not a number"),
        ("trending", "accent", "red", "write a color"),
        ("nearest-store", "stores", "Oslo; 59.9 10.7\nBergen; 600 5", "'600 5' is not a latitude"),
    ],
)
def test_an_error_of_a_setting_stands_at_its_field(
    dashboard: TestClient, app: str, field: str, text: str, why: str
) -> None:
    name = f"v.0.settings.{field}"
    page = edited(dashboard, begun(dashboard, app), **{name: text})
    at = name.replace(".", "-")
    [told] = re.findall(rf'id="wrong-{at}">([^<]*)</p>', page)
    assert why in told
    tag = re.search(rf'<(?:input|textarea)[^>]* name="{re.escape(name)}"[^>]*>', page)
    assert tag is not None
    assert re.search(rf'aria-describedby="[^"]*\bwrong-{at}" aria-invalid="true"', tag[0])
    assert page.count('aria-invalid="true"') == 1
    assert "1 thing to correct before it can go live" in page


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("fallback.link", "javascript:alert(1)", "is not a link"),
        ("fallback.link", "", "enter a link, such as"),
        ("gone", "nowhere", "is not a link"),
        ("width", "9", "enter a whole number from 40 to 1200"),
        ("slots", "many", "enter a whole number from 1 to 12"),
        ("email", "A B", "use lowercase letters, digits and dashes"),
        ("v.0.name", "", "a variant needs a name"),
        ("v.0.link", "x", "is not a link"),
        ("v.0.template", "absent.liquid", "there is no absent.liquid"),
        ("schedule.zone", "Mars", "time zone"),
    ],
)
def test_an_error_stands_at_its_field_in_a_marketers_words(
    dashboard: TestClient, field: str, text: str, why: str
) -> None:
    page = edited(dashboard, begun(dashboard, "wishlist"), **{field: text, "schedule.from": "2026-01-01T00:00"})
    [told] = re.findall(rf'id="wrong-{field.replace(".", "-")}">([^<]*)</p>', page)
    assert why in told
    assert Fields(page).found[field] == text, "it stays to be corrected"


def test_a_feed_that_is_missing_is_told_at_the_settings(dashboard: TestClient) -> None:
    page = edited(dashboard, begun(dashboard, "live-feed"), **{"v.0.settings.feed": "posts"})
    assert "there is no feed posts" in re.findall(r'id="wrong-v-0-settings">([^<]*)</p>', page)[0]


def test_a_draft_is_received_by_nobody_before_it_is_published(dashboard: TestClient, wetink: Wetink) -> None:
    path = begun(dashboard, "trending", "Hot now!")
    assert path == "/dashboard/blocks/hot-now/edit"
    edited(
        dashboard,
        path,
        **{"v.0.settings.items": "2", "v.0.settings.measure": "viewed", "recipients": "email", "email": "weekly"},
        **{"fallback.link": "https://shop.example/new"},
    )
    assert "hot-now" not in wetink.content.blocks
    assert "A draft that nobody receives yet" in dashboard.get("/dashboard/blocks").text
    review = dashboard.get("/dashboard/review?path=blocks/hot-now.yaml").text
    fields = dict(re.findall(r'name="(csrf|draft:[^"]+)" value="([^"]+)"', review.partition("review/publish")[2]))
    assert dashboard.post("/dashboard/review/publish", data=fields).status_code == 200
    block = wetink.content.blocks["hot-now"]
    assert block.title == "Hot now!"
    assert block.variants[0].settings["measure"] == "viewed"
    assert (block.recipients, block.email, block.fallback.link) == (("email",), "weekly", "https://shop.example/new")
    for esp in ESPS:
        query = urlencode({"esp": esp.name, "campaign": "spring"})
        text = unescape(dashboard.get(f"/dashboard/blocks/hot-now/snippet?{query}").text)
        assert "/c/hot-now/1?email=" in text
        assert "c=spring" in text
    assert "Email apps cannot reach" in dashboard.get("/dashboard/blocks/hot-now").text


def test_two_blocks_of_one_title_have_two_names(dashboard: TestClient) -> None:
    made = [begun(dashboard, "wishlist", "New") for _ in range(3)]
    assert made == [f"/dashboard/blocks/new-{number}/edit" for number in (2, 3, 4)], "new is the page that makes them"


def test_a_form_from_elsewhere_makes_nothing(dashboard: TestClient, wetink: Wetink) -> None:
    sent = {"csrf": "forged", "app": "wishlist", "title": "Wishes"}
    assert dashboard.post("/dashboard/blocks/new", data=sent).status_code == 400
    assert dashboard.get("/dashboard/blocks/wishes/edit").status_code == 404


def test_a_discarded_draft_leaves_the_live_block(dashboard: TestClient, wetink: Wetink) -> None:
    name = next(iter(wetink.content.blocks))
    path = f"/dashboard/blocks/{name}/edit"
    assert "Draft" in edited(dashboard, path, title="Another title")
    fields = Fields(dashboard.get(path).text).found
    assert fields["title"] == "Another title"
    assert dashboard.post(f"{path}/discard", data=fields).url.path == f"/dashboard/blocks/{name}"
    assert Fields(dashboard.get(path).text).found["title"] == wetink.content.blocks[name].title


@pytest.mark.parametrize("who", ["", "user:42", "stranger"])
@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("paused", "on", "the block is paused"),
        ("schedule.from", "2099-01-01T00:00", "it begins on 2099-01-01"),
        ("v.0.schedule.until", "2020-01-01", "it ended on 2020-01-02"),
    ],
)
def test_a_block_that_is_not_shown_now_says_why_and_keeps_its_thumbnails(
    dashboard: TestClient, who: str, field: str, value: str, why: str
) -> None:
    path = begun(dashboard, "countdown")
    page = edited(dashboard, path, **{field: value, "fallback.link": "https://shop.example/"}, who=who)
    assert why in page.partition("<h3>Why")[2]
    assert dashboard.get(path.replace("/edit", "/draft/variants/1.img")).status_code == 200


def test_a_change_whose_answer_was_lost_is_saved_once_and_no_conflict(dashboard: TestClient) -> None:
    path = begun(dashboard, "wishlist", "Twice")
    fields = {**Fields(dashboard.get(path).text).found, "title": "Twice sent"}
    answers = [dashboard.post(path, data=fields).text for _ in range(2)]
    assert ["Somebody else" in answer for answer in answers] == [False, False]
    assert "Somebody else changed this block" in dashboard.post(path, data={**fields, "title": "Another"}).text


def test_a_block_that_allows_no_plain_recipient_says_what_to_do(dashboard: TestClient) -> None:
    text = unescape(dashboard.get("/dashboard/blocks/picks/snippet?esp=braze").text)
    assert "allows no plain" in text
    assert "recipients: [" in text
