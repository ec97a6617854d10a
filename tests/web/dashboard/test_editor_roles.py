"""Who may edit blocks: an editor saves drafts under their name, and a viewer is led to the pages that show blocks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.dashboard.editing import Fields, begun, edited
from tests.web.people import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()


def test_a_draft_names_who_saved_it(office: Office) -> None:
    office.hire("Ida", "editor")
    browser = office.signed_in("Ida")
    page = edited(browser, begun(browser, "trending", "By Ida"), title="By Ida herself")
    assert "by Ida" in page.partition('id="saved"')[2].partition("</div>")[0]


def test_a_viewer_is_led_away_and_saves_nothing(office: Office) -> None:
    office.hire("Ida", "editor")
    office.hire("Vera", "viewer")
    path = begun(office.signed_in("Ida"), "trending", "Seen by all")
    viewer = office.signed_in("Vera")
    answer = viewer.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/blocks"), "it has no page yet"
    fields = Fields(office.signed_in("Ida").get(path).text).found
    refused = viewer.post(path, data={**fields, "title": "Mine"}, headers={"x-csrf": fields["csrf"]})
    assert refused.status_code in (400, 403)
    assert Fields(office.signed_in("Ida").get(path).text).found["title"] == "Seen by all"
