"""The frame of all pages: the navigation, what it remembers, and the icons that it shows."""

import re
from base64 import b64encode
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.web.dashboard.conftest import client_of
from wetink.web.app import ROUTES, STATIC
from wetink.web.dashboard.navigation import ENTRIES, NAVIGATION, Group, current
from wetink.web.dashboard.page.toasts import Undo, redirect
from wetink.wiring import Wetink

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
    named = {
        name for each in files for name in re.findall(r'\b(?:icon|svg|picture)(?:\(|=)"([a-z0-9-]+)"', each.read_text())
    }
    kept = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "built" / "icons.svg").read_text()))
    assert named
    assert named <= kept, "run `make assets`"


def test_the_page_of_components_shows_each_of_them(dashboard: TestClient) -> None:
    macros = re.findall(r"{% macro ([a-z_]+)\(", (PAGES / "templates" / "page" / "ui.html").read_text())
    shown = (PAGES / "templates" / "page" / "components.html").read_text()
    parts = {"error_id", "described", "below", "control", "ticked"}
    assert [name for name in macros if name not in parts and f"ui.{name}(" not in shown] == []
    assert dashboard.get("/dashboard/components").status_code == 200


def test_a_toast_shows_once_on_the_page_after_a_redirect(wetink: Wetink) -> None:
    async def change(request: Request) -> Response:
        undo = Undo("/dashboard/theme", {"theme": "dark"})
        return redirect(request, "/dashboard/live", "<Hero> was archived.", undo)

    with client_of(wetink, Route("/dashboard/change", change, methods=["POST"])) as browser:
        shown = browser.post("/dashboard/change").text
        toast = shown[shown.index('<div class="toasts"') : shown.index("<template")]
        assert "&lt;Hero&gt; was archived." in toast
        assert 'action="/dashboard/theme"' in toast
        assert '<input type="hidden" name="theme" value="dark">' in toast
        assert "Hero" not in browser.get("/dashboard/live").text


def test_a_part_of_a_page_does_not_use_up_a_toast(wetink: Wetink) -> None:
    async def change(request: Request) -> Response:
        return redirect(request, "/dashboard/live", "Done that.")

    with client_of(wetink, Route("/dashboard/change", change, methods=["POST"])) as browser:
        browser.post("/dashboard/change", follow_redirects=False)
        assert "Done that." not in browser.get("/dashboard/live/newer?after=0", headers={"hx-request": "true"}).text
        assert "Done that." in browser.get("/dashboard/live").text


@pytest.mark.parametrize("forged", ["", "x", "é", b64encode(b"a" * 32 + b'{"text":"You won"}').decode()])
def test_words_of_somebody_else_are_no_toast(dashboard: TestClient, forged: str) -> None:
    shown = dashboard.get("/dashboard/live", headers={"cookie": f"wetink_toast={forged}".encode()})
    assert shown.status_code == 200
    assert "You won" not in shown.text
