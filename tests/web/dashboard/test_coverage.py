"""Who would see what: on a block's page, and of a draft before it is live."""

from starlette.testclient import TestClient

from tests.web.dashboard.conftest import client_of
from tests.web.dashboard.editing import begun, edited
from wetink.wiring import Wetink


def test_a_block_says_how_many_people_see_what(wetink: Wetink) -> None:
    name = next(iter(wetink.content.blocks))
    with client_of(wetink) as browser:
        page = browser.get(f"/dashboard/blocks/{name}/covered").text
        assert "100.0%" in page
        assert "most recent profile" in page
        assert f'hx-get="/dashboard/blocks/{name}/covered"' in browser.get(f"/dashboard/blocks/{name}").text


def test_coverage_of_a_draft_follows_its_settings(wetink: Wetink) -> None:
    with client_of(wetink) as browser:
        assert "see it" in browser.get(begun(browser, "last-viewed").replace("/edit", "/draft/covered")).text
        path = begun(browser, "loyalty")
        edited(browser, path, **{"v.0.settings.trait": "nonesuch", "fallback.title": "New here"})
        covered = path.replace("/edit", "/draft/covered")
        none = browser.get(covered).text
        assert "see the fallback “New here”" in none
        assert f'hx-get="{covered}"' in browser.get(path).text


def test_coverage_without_people_says_so(nobody_yet: TestClient) -> None:
    covered = begun(nobody_yet, "last-viewed").replace("/edit", "/draft/covered")
    assert "There are no profiles to check yet" in nobody_yet.get(covered).text
    assert nobody_yet.get("/dashboard/blocks/absent/draft/covered").status_code == 404
    assert nobody_yet.get("/dashboard/blocks/absent/covered").status_code == 404
