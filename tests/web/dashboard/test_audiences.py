"""Audiences: the rule as a form and as a file, who matches and why, kept, told outside, and taken away as CSV."""

import asyncio
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from tests.serving import Server
from tests.web.dashboard.browsing import fits
from tests.web.dashboard.shopper import EVIL
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import Outcome
from wetink.core.rules.nodes import NODES
from wetink.web.request import now_ms
from wetink.wiring import Wetink

SAVE, TRIED, FOUND = (f"/dashboard/audiences/{each}" for each in ("save", "tried", "found"))
FILE = """title: Gold, and looking
rule:
- {trait: plan, equals: gold}
- {done: Product Viewed, within: 7d}
"""


@pytest.fixture
def csrf(dashboard: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', dashboard.get("/dashboard/audiences/new").text)
    assert found
    return found[1]


def save(dashboard: TestClient, csrf: str, text: str = FILE, **more: str) -> Any:
    return dashboard.post(SAVE, data={"csrf": csrf, "name": "gold", "yaml": text, **more})


def base_of(dashboard: TestClient, name: str) -> str:
    """Return which state of an audience its page shows."""
    found = re.search(r'name="base" value="([^"]*)"', dashboard.get(f"/dashboard/audiences/{name}").text)
    assert found
    return found[1]


def yaml_of(text: str) -> Any:
    """What stands in the file's side of a page."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", text, re.DOTALL)
    assert found
    return yaml.safe_load(unescape(found[1]))


def test_an_audience_that_is_kept_is_a_file_and_stands_in_the_list(
    dashboard: TestClient, csrf: str, wetink: Wetink
) -> None:
    assert "No audiences yet" in dashboard.get("/dashboard/audiences").text
    answer = save(dashboard, csrf)
    assert answer.url.path == "/dashboard/audiences/gold"
    assert "Gold, and looking was created." in answer.text
    written = wetink.settings.content / "audiences" / "gold.yaml"
    assert yaml.safe_load(written.read_text()) == yaml.safe_load(FILE)
    listed = unescape(dashboard.get("/dashboard/audiences").text)
    assert 'trait plan is "gold", and did Product Viewed within 7d' in listed


def test_an_audience_is_changed_in_place_and_a_name_is_taken_once(dashboard: TestClient, csrf: str) -> None:
    save(dashboard, csrf)
    clicked_twice = save(dashboard, csrf)
    assert clicked_twice.url.path == "/dashboard/audiences/gold"
    again = save(dashboard, csrf, FILE.replace("gold}", "silver}"))
    assert again.status_code == 409
    assert "already an audience called gold" in again.text
    changed = save(dashboard, csrf, FILE.replace("gold}", "silver}"), was="gold", base=base_of(dashboard, "gold"))
    assert changed.status_code == 200
    assert yaml_of(changed.text)["rule"][0] == {"trait": "plan", "equals": "silver"}


def test_the_side_that_was_edited_last_is_saved(dashboard: TestClient, csrf: str, wetink: Wetink) -> None:
    fields = {"title": "Fresh", "rule.kind": "all", "rule.of.0.kind": "done", "rule.of.0.event": "Order Completed"}
    save(dashboard, csrf, FILE, name="", **fields, **{"yaml-was": FILE.replace("\n", "\r\n")})
    assert wetink.content.audiences["fresh"].title == "Fresh"
    save(dashboard, csrf, FILE, name="", **{**fields, "title": "Stale", "yaml-was": FILE.replace("gold", "silver")})
    assert set(wetink.content.audiences) == {"fresh", "gold-and-looking"}


def test_a_name_is_made_from_the_title(dashboard: TestClient, csrf: str, wetink: Wetink) -> None:
    assert save(dashboard, csrf, name="").url.path == "/dashboard/audiences/gold-and-looking"
    assert (
        save(dashboard, csrf, FILE.replace("7d", "8d"), name="").url.path == "/dashboard/audiences/gold-and-looking-2"
    )
    untitled = save(dashboard, csrf, "rule: {done: X}\n", name="")
    assert untitled.status_code == 400
    assert "Give the audience a title" in untitled.text


def test_the_second_of_two_people_is_told_and_overwrites_nothing(dashboard: TestClient, csrf: str) -> None:
    save(dashboard, csrf)
    base = base_of(dashboard, "gold")
    assert save(dashboard, csrf, FILE.replace("7d", "8d"), was="gold", base=base).status_code == 200
    second = save(dashboard, csrf, FILE.replace("7d", "9d"), was="gold", base=base)
    assert second.status_code == 409
    assert "Your changes are below, unsaved" in second.text
    assert yaml_of(second.text)["rule"][1]["within"] == "9d"
    assert yaml_of(dashboard.get("/dashboard/audiences/gold").text)["rule"][1]["within"] == "8d"


def test_an_audience_is_copied_and_deleted_unless_a_rule_names_it(
    dashboard: TestClient, csrf: str, wetink: Wetink
) -> None:
    save(dashboard, csrf)
    copy = yaml_of(dashboard.get("/dashboard/audiences/new?from=gold").text)
    assert copy == {**yaml.safe_load(FILE), "title": "Copy of Gold, and looking"}
    save(dashboard, csrf, "title: Near\nrule: {audience: gold}\n", name="near")
    refused = dashboard.post("/dashboard/audiences/gold/delete", data={"csrf": csrf})
    assert refused.status_code == 409
    assert "Used by audience Near" in refused.text
    for name in ("near", "gold"):
        assert "was deleted" in dashboard.post(f"/dashboard/audiences/{name}/delete", data={"csrf": csrf}).text
    assert not wetink.content.audiences


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule:\n- {done: }\n", "rule[0].done"),
        ("rule: {don: X}\n", "did you mean done"),
        ("rule: {done: X, within: -3d}\n", "rule.within"),
        ("rule: {audience: gold}\n", "gold"),
        ("rule: {audience: absent}\n", "absent"),
        ("rule: [\n", "line"),
        ("hook: {url: 'ftp://x'}\nrule: {done: X}\n", "hook.url"),
        ("rule: {done: X}\nfoo: 1\n", "foo"),
    ],
)
def test_what_cannot_mean_anything_is_refused_with_the_place(
    dashboard: TestClient, csrf: str, wetink: Wetink, text: str, told: str
) -> None:
    answer = save(dashboard, csrf, text)
    assert answer.status_code == 400
    assert told in unescape(answer.text)
    assert not wetink.content.audiences


def test_a_name_that_leads_elsewhere_and_a_form_of_another_session_are_refused(
    dashboard: TestClient, csrf: str, wetink: Wetink
) -> None:
    for name in ("../../x", "Big", "a" * 65):
        assert save(dashboard, csrf, name=name).status_code == 400
    assert "This form has expired" in save(dashboard, "forged").text
    assert not (wetink.settings.content / "audiences").exists()


def test_the_file_follows_the_form_and_keeps_what_the_form_has_no_field_for(dashboard: TestClient) -> None:
    sent = {
        "title": "Lookers",
        "rule.kind": "any",
        "rule.of.0.kind": "done",
        "rule.of.0.event": "Product Viewed",
        "rule.of.0.where.0.name": "price",
        "rule.of.0.where.0.operator": "above",
        "rule.of.0.where.0.value": "50",
        "rule.of.1.kind": "trait",
        "rule.of.1.name": "zip",
        "rule.of.1.tests.0.operator": "equals",
        "rule.of.1.tests.0.value": '"0123"',
        "hook.url": "https://esp.example/",
        "hook.send": "track",
        "yaml": "rule: {done: X}\nhook: {url: 'https://old.example/', 'on': [enter]}\n",
    }
    assert yaml_of(dashboard.post(f"{TRIED}?from=form", data=sent).text) == {
        "title": "Lookers",
        "rule": {
            "any": [
                {"done": "Product Viewed", "where": {"price": {"above": 50}}},
                {"trait": "zip", "equals": "0123"},
            ]
        },
        "hook": {"url": "https://esp.example/", "send": "track", "on": ["enter"]},
    }


def test_the_form_follows_the_file(dashboard: TestClient) -> None:
    text = dashboard.post(f"{TRIED}?from=yaml", data={"yaml": FILE}).text
    assert 'name="rule.of.0.name" id="rule.of.0.name" value="plan"' in text
    assert 'name="rule.of.1.span" id="rule.of.1.span" value="7d"' in text
    assert "hx-swap-oob" in text


def test_the_form_is_left_alone_while_one_writes_in_it(dashboard: TestClient) -> None:
    sent = {"rule.kind": "all", "rule.of.0.kind": "audience", "rule.of.0.name": "x"}
    assert "form-side" not in dashboard.post(f"{TRIED}?from=form", data=sent).text
    assert "form-side" in dashboard.post(f"{TRIED}?from=form", data={**sent, "rule.of.0.kind": "share"}).text


def test_a_half_written_audience_says_what_is_missing_and_keeps_the_rest(dashboard: TestClient) -> None:
    sent = {"rule.kind": "all", "rule.of.0.kind": "done", "rule.of.0.event": "", "rule.of.1.kind": "cart"}
    text = unescape(dashboard.post(f"{TRIED}?from=form", data=sent).text)
    assert "rule[0].done: choose an event" in text
    assert 'name="rule.of.1.kind"' in text


LARGE = {
    "hundreds of conditions": "rule: [" + "{trait: plan, equals: gold}, " * 450 + "{share: 10%}]",
    "thirty levels of conditions": "rule: " + "{not: " * 30 + "{trait: plan, equals: gold}" + "}" * 30,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE.keys())
def test_a_rule_too_large_for_the_form_is_edited_as_a_file_and_never_lost(
    dashboard: TestClient, csrf: str, text: str
) -> None:
    save(dashboard, csrf, text)
    page = dashboard.get("/dashboard/audiences/gold")
    assert "too many conditions for the form" in page.text
    assert len(page.text) < 200_000
    shown = yaml_of(page.text)
    for door in ("/dashboard/audiences/edit", f"{TRIED}?from=form"):
        again = dashboard.post(door, data={"csrf": csrf, "name": "gold", "was": "gold", "yaml": yaml.safe_dump(shown)})
        assert yaml_of(again.text) == shown


@pytest.mark.parametrize("kind", NODES)
def test_every_kind_of_condition_has_a_form(dashboard: TestClient, kind: str) -> None:
    assert NODES[kind].label
    sent = {"rule.kind": "all", "rule.of.0.kind": kind, "rule.of.0.of_another_kind": ""}
    text = dashboard.post(f"{TRIED}?from=form", data=sent).text
    assert f'<option value="{kind}" selected>' in text


def test_buttons_work_without_a_script(dashboard: TestClient, csrf: str) -> None:
    sent = {"csrf": csrf, "rule.kind": "all", "rule.of.0.kind": "done", "rule.of.0.event": "A", "do": "add of"}
    text = dashboard.post("/dashboard/audiences/edit", data=sent).text
    assert 'name="rule.of.1.event"' in text
    assert 'name="csrf"' in text


def test_who_matches_and_why_is_said_while_it_is_edited(dashboard: TestClient) -> None:
    text = unescape(dashboard.post(FOUND, data={"yaml": FILE, "who": "user:42"}).text)
    assert re.search(r"<strong>1</strong> of \d+ people", text)
    assert "user:42 matches" in text
    assert 'trait plan is "gold"' in text
    other = unescape(dashboard.post(FOUND, data={"yaml": FILE.replace("gold", "lead"), "who": "user:42"}).text)
    assert "Nobody matches" in other
    assert "does not match" in other
    assert "is not an identifier" in dashboard.post(FOUND, data={"yaml": FILE, "who": "somebody"}).text
    assert EVIL not in text


def test_an_audience_can_be_counted_at_another_moment(dashboard: TestClient) -> None:
    text = unescape(dashboard.post(FOUND, data={"yaml": FILE, "who": "user:42", "at": "2001-01-01T00:00"}).text)
    assert "does not match" in text


def test_people_are_taken_away_as_csv_that_no_spreadsheet_runs(
    dashboard: TestClient, csrf: str, wetink: Wetink
) -> None:
    save(dashboard, csrf)
    answer = dashboard.get("/dashboard/audiences/gold.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines() == ['"profile","user_id","email"', '"user:42","42","jane@shop.example"']
    assert dashboard.get("/dashboard/audiences/absent.csv").status_code == 404


def test_sizes_and_what_was_told_stand_on_its_page_and_the_dead_are_told_again(
    dashboard: TestClient, csrf: str, wetink: Wetink
) -> None:
    save(dashboard, csrf, FILE + "hook: {url: 'https://esp.example/', backfill: true}\n")
    kept, member = wetink.audiences.memberships, Identifier("user", "42")

    async def live() -> None:
        assert (await wetink.audiences.look(wetink.content.audiences, "gold")).size == 1
        assert await kept.since("gold", member) is not None
        [waiting] = await kept.due("gold", now_ms(), 9)
        await kept.settle([(waiting.change.id, Outcome("dead", now_ms(), "it answered 410"))])

    asyncio.run(live())
    text = unescape(dashboard.get("/dashboard/audiences/gold").text)
    assert "it answered 410" in text
    assert "whsec_" in text
    assert "1 failed" in text
    dashboard.post("/dashboard/audiences/gold/again", data={"csrf": csrf})
    assert asyncio.run(kept.tallies("gold"))["waiting"] == 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", workers=1) as running:
        yield running


@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser_form_and_file_follow_each_other_and_the_audience_is_kept(
    server: Server, chromium: Browser, tmp_path: Path, width: int
) -> None:
    page: Page = chromium.new_page(viewport={"width": width, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.sign_in)
    page.goto(f"{server.address}/dashboard/audiences/new")
    page.get_by_text("Edit as code").click()
    file = page.get_by_label("The audience as YAML")
    page.get_by_label("Title", exact=True).fill("Tea drinkers")
    expect(file).to_have_value(re.compile("title: Tea drinkers"))
    page.get_by_role("button", name="+ property").first.click()
    page.get_by_label("Property", exact=True).fill("category")
    page.get_by_label("Value", exact=True).fill("Tea")
    expect(file).to_have_value(re.compile(r"where:\s*\{?category: Tea"))
    page.get_by_role("button", name="+ condition").click()
    page.get_by_label("Kind of condition").nth(1).select_option("cart")
    page.get_by_label("worth", exact=True).fill("100")
    expect(file).to_have_value(re.compile(r"value: \{at_least: 100\}"))
    file.fill(file.input_value().replace("Tea drinkers", "Coffee").replace("within: 7d", "within: 9d"))
    expect(page.get_by_label("Title", exact=True)).to_have_value("Coffee")
    expect(page.get_by_label("Duration", exact=True)).to_have_value("9d")
    expect(page.locator("#found")).to_contain_text("of 0 people")
    fits(page)
    page.get_by_role("button", name="Create audience").click()
    page.wait_for_url("**/dashboard/audiences/coffee")
    assert not errors
    saved = yaml.safe_load((tmp_path / "data" / "content" / "audiences" / "coffee.yaml").read_text())
    assert saved["rule"][1] == {"cart": {"value": {"at_least": 100}}}
    page.close()
