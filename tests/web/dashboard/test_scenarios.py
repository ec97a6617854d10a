"""Scenarios on pages: made from what a block shows, run on the published content, taken away again."""

import re
from html import unescape
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from tests.web.dashboard.shopper import MUG
from wetink.content.scenario_form import form_of, raw_of
from wetink.web.request import now_ms
from wetink.wiring import Wetink

NEW = "/dashboard/scenarios/new/edit"
VIEWED = {"e.0.event": "Product Viewed", "e.0.product": MUG.sku, "e.0.ago": "2h"}
HERO = {"title": "Looks again", "block": "hero", **VIEWED, "expect-variant": "on", "expect-items": "on"}


@pytest.fixture
def shop(wetink: Wetink, dashboard: TestClient) -> TestClient:
    """A dashboard whose blocks can all be used, and whose catalog has the mug."""
    (wetink.settings.content / "blocks" / "broken.yaml").unlink()
    dashboard.portal.call(wetink.look_again)  # type: ignore[union-attr]
    dashboard.portal.call(wetink.store.catalog.learn, [MUG], now_ms())  # type: ignore[union-attr]
    return dashboard


def send(dashboard: TestClient, do: str, fields: dict[str, str], path: str = NEW, base: str = "") -> Any:
    csrf = re.search(r'name="csrf" value="([^"]+)"', dashboard.get("/dashboard/scenarios/new").text)
    assert csrf
    return dashboard.post(path, data={**fields, "csrf": csrf[1], "do": do, "base": base})


def test_a_scenario_keeps_what_a_block_shows_after_some_events(shop: TestClient, wetink: Wetink) -> None:
    tried = unescape(send(shop, "try", HERO).text)
    assert [fact for fact in ("still looking", "Sea mug", "chosen") if fact not in tried] == []
    assert "was saved" in send(shop, "save", HERO).text
    written = yaml.safe_load((wetink.settings.content / "scenarios" / "looks-again.yaml").read_text())
    assert written["expect"] == {"hero": {"variant": "still looking", "items": [MUG.sku]}}
    assert written["events"][0]["properties"]["url"] == MUG.url
    listed = shop.get("/dashboard/scenarios").text
    assert "Looks again" in listed
    assert "holds" in listed


def test_a_scenario_that_no_longer_holds_says_what_it_got(shop: TestClient, wetink: Wetink) -> None:
    send(shop, "save", HERO)
    path = wetink.settings.content / "blocks" / "hero.yaml"
    path.write_text(path.read_text().replace("still looking", "another look"))
    shop.portal.call(wetink.look_again)  # type: ignore[union-attr]
    listed = shop.get("/dashboard/scenarios").text
    assert "fails" in listed
    assert "expected variant still looking, got another look" in listed


def test_events_are_added_and_removed_and_a_trait_is_one_of_them(shop: TestClient) -> None:
    assert 'name="e.1.event"' in send(shop, "add", HERO).text
    assert 'name="e.1.trait"' in send(shop, "trait", HERO).text
    assert 'name="e.1.event"' not in send(shop, "remove 1", {**HERO, "e.1.event": "Cart Viewed"}).text
    gold = {"e.1.event": "trait", "e.1.trait": "plan", "e.1.value": "gold", "e.1.ago": "1d"}
    cart = {"e.2.event": "Product Added", "e.2.product": MUG.sku, "e.2.ago": "1h"}
    assert "cart left behind" in send(shop, "try", {**HERO, **gold, **cart}).text


def test_a_scenario_is_edited_by_form_and_deleted_with_a_way_back(shop: TestClient, wetink: Wetink) -> None:
    send(shop, "save", HERO)
    text = shop.get("/dashboard/scenarios/looks-again").text
    base = re.search(r'name="base" value="([^"]+)"', text)
    assert base
    assert 'value="MUG-1"' in text
    changed = {**HERO, "title": "Looks once more"}
    stale = send(shop, "save", changed, "/dashboard/scenarios/looks-again/edit", base="0" * 64)
    assert stale.status_code == 400
    assert "was saved" in send(shop, "save", changed, "/dashboard/scenarios/looks-again/edit", base[1]).text
    deleted = send(shop, "delete", {}, "/dashboard/scenarios/looks-again/edit")
    assert "was deleted" in deleted.text
    assert "/undo" in deleted.text
    assert shop.get("/dashboard/scenarios/looks-again").status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "Give the scenario a title"),
        ({"block": "absent"}, "Choose a block"),
        ({"e.0.event": ""}, "Choose an event"),
        ({"e.0.ago": "soon"}, "is not a duration"),
        ({"at": "never"}, "is not a time"),
        ({"e.0.product": "", "e.0.raw": "[1]"}, "no JSON object"),
        ({"e.0.event": "trait", "e.0.trait": ""}, "Enter the trait"),
        ({"e.0.product": "absent"}, "Choose a product of the catalog"),
    ],
)
def test_a_field_that_means_nothing_is_named(
    shop: TestClient, wetink: Wetink, change: dict[str, str], words: str
) -> None:
    answer = send(shop, "save", {**HERO, **change})
    assert answer.status_code == 400
    assert words in unescape(answer.text)
    assert not (wetink.settings.content / "scenarios" / "looks-again.yaml").exists()


def test_a_file_with_more_than_the_form_can_say_is_edited_as_yaml(shop: TestClient, wetink: Wetink) -> None:
    two = "name: A\nexpect: {hero: {fallback: true}}\n---\nname: B\nexpect: {picks: {fallback: true}}\n"
    folder = wetink.settings.content / "scenarios"
    folder.mkdir(exist_ok=True)
    (folder / "two.yaml").write_text(two)
    shop.portal.call(wetink.look_again)  # type: ignore[union-attr]
    page = unescape(shop.get("/dashboard/scenarios/two").text)
    assert two.strip() in page
    base = re.search(r'name="base" value="([^"]+)"', page)
    assert base
    path = "/dashboard/scenarios/two/edit"
    broken = send(shop, "save", {"text": two.replace("hero", "absent")}, path, base[1])
    assert broken.status_code == 400
    assert "there is no block called absent" in broken.text
    assert "was saved" in send(shop, "save", {"text": two.replace("name: A", "name: C")}, path, base[1]).text


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "A", "events": [{"event": "Cart Viewed", "ago": "2h"}], "expect": {"hero": {"variant": "x"}}},
        {"name": "A", "events": [{"ago": "1d", "traits": {"plan": "gold"}}], "expect": {"hero": {"fallback": True}}},
        {"name": "A", "at": "2026-01-01T00:00:00Z", "expect": {"hero": {"items": ["7"]}}},
    ],
)
def test_a_form_keeps_the_events_and_the_time_of_a_file(raw: dict[str, Any]) -> None:
    form = form_of(raw)
    assert form is not None
    kept = raw_of(form)
    assert {**kept, "expect": None} == {**raw, "expect": None}


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "A", "expect": {"hero": {}, "picks": {}}},
        {"name": "A", "moment": {"country": "DE"}, "expect": {"hero": {}}},
        {"name": "A", "events": [{"event": "X", "userId": "other"}], "expect": {"hero": {}}},
        {"name": "A", "expect": {"hero": {"link": "https://shop.example/"}}},
        {"events": 7},
    ],
)
def test_a_file_with_more_has_no_form(raw: dict[str, Any]) -> None:
    assert form_of(raw) is None
