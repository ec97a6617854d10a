"""Search: pages, content, people, products and docs, as a page and as a part of the dialog."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from starlette.testclient import TestClient

from tests.serving import Server
from tests.web.dashboard.conftest import client_of
from wetink.core.errors import StoreUnavailable
from wetink.web.dashboard.help import search
from wetink.web.dashboard.help.docs import all_docs
from wetink.wiring import Wetink

PART = {"hx-request": "true"}


def hits(text: str) -> list[tuple[str, str]]:
    """Path and title of each result."""
    return re.findall(r'<li><a href="([^"]+)"><svg.*?</svg><span class="title">([^<]*)</span>', text)


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("mapp", "/dashboard/mappings"),
        ("data feeds", "/dashboard/feeds"),
        ("hero", "/dashboard/blocks/hero"),
        ("COUNT", "/dashboard/apps/countdown"),
        ("user:nobody-yet", "/dashboard/people/user:nobody-yet"),
        ("verified identity", "/dashboard/docs/keys#verified-identity"),
        ("uploads feeds", "/dashboard/docs/feeds#uploads"),
    ],
)
@pytest.mark.parametrize("headers", [{}, PART])
def test_a_few_letters_find_it(dashboard: TestClient, typed: str, path: str, headers: dict[str, str]) -> None:
    shown = dashboard.get("/dashboard/search", params={"q": typed}, headers=headers).text
    assert path in [found for found, _ in hits(shown)]
    assert ("<nav" in shown) == (not headers)


def test_people_are_found_by_the_start_of_an_identifier(dashboard: TestClient) -> None:
    people = re.findall(r'href="(/dashboard/people/[a-z]+:([^"?]+))"', dashboard.get("/dashboard/people").text)
    assert people
    path, value = people[0][0], unquote(people[0][1])
    found = hits(dashboard.get("/dashboard/search", params={"q": value[:4]}, headers=PART).text)
    assert (path, value) in found


@pytest.mark.parametrize(
    ("typed", "who"), [("ALERT jane", "user:42"), ("jane", "email:jane@shop.example"), ("42", "user:42")]
)
def test_people_are_found_by_name_address_or_identifier_and_each_once(
    dashboard: TestClient, typed: str, who: str
) -> None:
    found = hits(dashboard.get("/dashboard/search", params={"q": typed}).text)
    assert [path for path, _ in found if "/people/" in path] == [f"/dashboard/people/{who.replace('@', '%40')}"]
    options = dashboard.get("/dashboard/blocks/people", params={"who": typed}).text
    assert re.findall(r'value="([^"]+)"', options) == [who]


def test_nothing_typed_leads_to_all_pages(dashboard: TestClient) -> None:
    paths = [path for path, _ in hits(dashboard.get("/dashboard/search").text)]
    assert {"/dashboard", "/dashboard/people", "/dashboard/status"} <= set(paths)


def test_nothing_found_says_how_to_find_something(dashboard: TestClient) -> None:
    for headers in ({}, PART):
        shown = dashboard.get("/dashboard/search", params={"q": "<zzz&"}, headers=headers).text
        assert "Nothing matches" in shown
        assert "<zzz" not in shown


@pytest.mark.parametrize("slow", [True, False])
def test_a_store_that_does_not_answer_leaves_the_rest(
    wetink: Wetink, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    async def nothing(*_: Any) -> Sequence[search.Result]:
        if slow:
            await asyncio.sleep(30)
        raise StoreUnavailable("the store is away")

    kinds = tuple(
        search.Stored(each.title, each.icon, (nothing,)) if each.title == "People" else each for each in search.KINDS
    )
    monkeypatch.setattr(search, "KINDS", kinds)
    with client_of(wetink) as browser:
        shown = browser.get("/dashboard/search", params={"q": "hero"}, headers=PART).text
    assert "Still searching people" in shown
    assert "/dashboard/blocks/hero" in [path for path, _ in hits(shown)]


def test_the_docs_are_read_when_the_dialog_opens(dashboard: TestClient) -> None:
    all_docs.cache_clear()
    dashboard.get("/dashboard/search", params={"q": ""}, headers=PART)
    assert all_docs.cache_info().currsize == 1


def test_people_whose_search_is_late_come_when_a_script_waits_for_them(
    wetink: Wetink, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(*_: Any) -> Sequence[search.Result]:
        await asyncio.sleep(4 * search.PATIENCE_S)
        return [search.Result("Jane Mercer", "/dashboard/people/user:42")]

    monkeypatch.setattr(search, "KINDS", (search.Stored("People", "contact-round", (late,)),))
    with client_of(wetink) as browser:
        soon = browser.get("/dashboard/search", params={"q": "jane"}, headers=PART).text
        waited = browser.get("/dashboard/search", params={"q": "jane", "wait": ""}, headers=PART).text
    assert "data-late" in soon
    assert hits(soon) == []
    assert hits(waited) == [("/dashboard/people/user:42", "Jane Mercer")]


@pytest.fixture
def screen(server: Server, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(server.sign_in)
    page.goto(f"{server.address}/dashboard/live")
    yield page
    context.close()


def test_keys_alone_open_the_search_walk_it_and_open_a_result(screen: Page) -> None:
    screen.keyboard.press("Control+k")
    field = screen.get_by_role("combobox", name="Search people")
    expect(field).to_be_focused()
    expect(screen.get_by_role("option").first).to_contain_text("Home")
    screen.keyboard.type("countd")
    expect(screen.get_by_role("option").first).to_contain_text("Countdown")
    first = field.get_attribute("aria-activedescendant")
    screen.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") != first
    screen.keyboard.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") == first
    screen.keyboard.press("Enter")
    screen.wait_for_url("**/dashboard/apps/countdown")


def test_escape_closes_the_search_and_the_focus_returns(screen: Page) -> None:
    opener = screen.locator(".side .search-opener")
    opener.focus()
    screen.keyboard.press("Enter")
    expect(screen.locator("dialog#search")).to_be_visible()
    screen.keyboard.press("Escape")
    expect(screen.locator("dialog#search")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_mouse_searches_as_well(screen: Page) -> None:
    screen.locator(".side .search-opener").click()
    screen.keyboard.type("mappings")
    screen.get_by_role("option", name="Mappings Data").click()
    screen.wait_for_url("**/dashboard/mappings")


def test_the_dialog_waits_by_itself_for_what_is_late(screen: Page) -> None:
    link = '<section><h2>People</h2><ul><li><a href="/dashboard/people/user:42">Jane Mercer</a></li></ul></section>'

    def answer(route: Route) -> None:
        late = "wait=" not in route.request.url and "q=jane" in route.request.url
        route.fulfill(
            content_type="text/html", body='<p class="nothing" data-late>Still searching</p>' if late else link
        )

    screen.route("**/dashboard/search?**", answer)
    screen.keyboard.press("Control+k")
    screen.locator("dialog#search input").fill("jane")
    expect(screen.get_by_role("option", name="Jane Mercer")).to_be_visible()
    expect(screen.locator("#search-results [data-late]")).to_have_count(0)
    screen.unroute("**/dashboard/search?**")
