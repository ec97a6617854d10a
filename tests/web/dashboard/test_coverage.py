"""Who would see what: on a block's page, and in the gallery before there is a block."""

from starlette.testclient import TestClient

from tests.web.dashboard.conftest import client_of
from wetink.wiring import Wetink


def test_a_block_says_how_many_people_see_what(wetink: Wetink) -> None:
    name = next(iter(wetink.content.blocks))
    with client_of(wetink) as browser:
        page = browser.get(f"/dashboard/blocks/{name}/covered").text
        assert "100.0%" in page
        assert "most recent profile" in page
        assert f'hx-get="/dashboard/blocks/{name}/covered"' in browser.get(f"/dashboard/blocks/{name}").text


def test_coverage_in_the_gallery_follows_the_settings(wetink: Wetink) -> None:
    with client_of(wetink) as browser:
        assert "see it" in browser.get("/dashboard/apps/last-viewed/covered?sent=1&days=30").text
        none = browser.get("/dashboard/apps/loyalty/covered?sent=1&trait=nonesuch&fallback=New+here").text
        assert "see the fallback “New here”" in none
        assert "has nothing to show" in none
        assert 'hx-get="/dashboard/apps/loyalty/covered"' in browser.get("/dashboard/apps/loyalty").text


def test_coverage_without_people_says_so(nobody_yet: TestClient) -> None:
    assert "There are no profiles to check yet" in nobody_yet.get("/dashboard/apps/last-viewed/covered").text
    assert nobody_yet.get("/dashboard/apps/absent/covered").status_code == 404
    assert nobody_yet.get("/dashboard/blocks/absent/covered").status_code == 404
