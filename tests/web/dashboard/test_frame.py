"""The frame of all pages: the navigation, what it remembers, and the icons that it shows."""

import re
from pathlib import Path

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from wetink.web.app import ROUTES, STATIC
from wetink.web.dashboard.navigation import ENTRIES, NAVIGATION, Group, current

PAGES = Path(__file__).parents[3] / "wetink" / "web" / "dashboard"


def test_every_entry_of_the_navigation_is_a_page(dashboard: TestClient) -> None:
    paths = [route.path for route in ROUTES if isinstance(route, Route)]
    for entry in ENTRIES:
        assert entry.path in paths
        shown = dashboard.get(entry.path).text
        assert shown.count('aria-current="page"') >= 1
        assert re.search(rf'<a href="{entry.path}" aria-current="page">', shown), entry.path


def test_a_page_below_an_entry_belongs_to_it() -> None:
    found = current("/dashboard/people/user:42")
    assert found is not None
    assert found.title == "People"
    assert current("/dashboard/peoples") is None
    assert current("/elsewhere") is None


def test_a_folded_group_comes_folded_unless_the_page_is_in_it(dashboard: TestClient) -> None:
    dashboard.cookies.set("wetink_folded", "content.data.absent")
    fold = re.compile(r'<details data-fold="([a-z]+)"( open)?>')
    names = [each.name for each in NAVIGATION if isinstance(each, Group)]
    shown = dict(fold.findall(dashboard.get("/dashboard/reports").text))
    assert list(shown) == names
    assert [name for name in names if not shown[name]] == ["content", "data"]
    shown = dict(fold.findall(dashboard.get("/dashboard/feeds").text))
    assert [name for name in names if not shown[name]] == ["content"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_comes_with_the_next_page(dashboard: TestClient, theme: str) -> None:
    dashboard.post("/dashboard/theme", data={"theme": theme, "next": "/dashboard/live"})
    shown = dashboard.get("/dashboard/live").text
    assert f'<html lang="en" data-theme="{theme}">' in shown
    assert f'<meta name="color-scheme" content="{theme}">' in shown
    dashboard.post("/dashboard/theme", data={"theme": "system", "next": "/dashboard/live"})
    assert "data-theme" not in dashboard.get("/dashboard/live").text


def test_an_unknown_theme_is_refused_and_none_leads_elsewhere(dashboard: TestClient) -> None:
    refused = dashboard.post("/dashboard/theme", data={"theme": "sepia"})
    assert refused.status_code == 400
    assert "choose one of system, light, dark" in refused.text
    away = dashboard.post(
        "/dashboard/theme", data={"theme": "dark", "next": "https://evil.example/"}, follow_redirects=False
    )
    assert away.headers["location"] == "/dashboard"
    dashboard.cookies.clear()
    dashboard.cookies.set("wetink_theme", "sepia")
    assert "data-theme" not in dashboard.get("/dashboard/live").text


def test_every_icon_that_a_page_names_is_in_the_sprite() -> None:
    files = [*PAGES.rglob("*.html"), *PAGES.rglob("*.py")]
    named = {name for each in files for name in re.findall(r'\bicon(?:\(|=)"([a-z0-9-]+)"', each.read_text())}
    kept = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "built" / "icons.svg").read_text()))
    assert named
    assert named <= kept, "run `make assets`"
