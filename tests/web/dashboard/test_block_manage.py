"""Managing a block: its name, schedule, pause, copy and end; each with a way back, and none by a stale form."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.conftest import client_of
from tests.web.dashboard.test_review import change as draft
from tests.web.dashboard.test_review import run
from wetink.wiring import Wetink

PAGE = "/dashboard/blocks/hero/manage"


def send(browser: TestClient, what: str, page: str = PAGE, **fields: str) -> Any:
    """Press a button of the page as it is now."""
    shown = browser.get(page).text
    [base] = set(re.findall(r'name="base" value="([0-9a-f]*)"', shown))
    data = {"csrf": browser.headers["x-csrf"], "change": what, "base": base, **fields}
    return browser.post(page, data=data, follow_redirects=False)


def undo(browser: TestClient, wetink: Wetink) -> None:
    number = run(wetink.versions.newest()).number
    path = f"/dashboard/versions/{number}/undo"
    assert browser.post(path, data={"csrf": browser.headers["x-csrf"]}, follow_redirects=False).status_code == 303


def test_a_block_is_renamed_and_its_old_address_leads_to_it(wetink: Wetink) -> None:
    with client_of(wetink) as browser:
        done = send(browser, "rename", title="Summer", name="summer")
        assert done.headers["location"] == "/dashboard/blocks/summer/manage"
        assert wetink.content.blocks["summer"].aliases == ("hero",)
        assert "Summer" in browser.get("/dashboard/blocks/hero").text
        assert "<code>hero</code>" in browser.get("/dashboard/blocks/summer/manage").text
        undo(browser, wetink)
        assert wetink.content.blocks["hero"].title == "Left behind"
        assert "summer" not in wetink.content.blocks


def test_a_bad_name_is_said_at_the_field_and_nothing_is_lost(wetink: Wetink) -> None:
    with client_of(wetink) as browser:
        for name, said in (("Sale!", "is not a name"), ("picks", "There is already a block called picks")):
            refused = send(browser, "rename", title="Kept words", name=name)
            assert refused.status_code == 400
            assert said in refused.text
            assert 'value="Kept words"' in refused.text
            assert 'aria-invalid="true"' in refused.text
        assert send(browser, "rename", title="Left behind", name="hero").status_code == 400


@pytest.mark.parametrize(
    ("what", "back", "field"), [("pause", "resume", "paused"), ("archive", "unarchive", "archived")]
)
def test_a_block_is_paused_or_archived_and_shown_again(wetink: Wetink, what: str, back: str, field: str) -> None:
    with client_of(wetink) as browser:
        assert send(browser, what).status_code == 303
        assert getattr(wetink.content.blocks["hero"], field)
        assert ("/dashboard/blocks/hero" in browser.get("/dashboard/blocks").text) is (what == "pause")
        assert f"The block is {field}" in browser.get(PAGE).text
        assert send(browser, back).status_code == 303
        assert not getattr(wetink.content.blocks["hero"], field)


def test_a_schedule_is_saved_and_removed_and_a_wrong_one_stays_in_its_field(wetink: Wetink) -> None:
    with client_of(wetink) as browser:
        fields = {"from": "2026-11-27T18:00", "until": "2030-12-24T00:00", "zone": "Europe/Berlin"}
        assert send(browser, "schedule", **fields).status_code == 303
        schedule = wetink.content.blocks["hero"].schedule
        assert schedule is not None
        assert (schedule.begins, schedule.zone) == ("2026-11-27T18:00", "Europe/Berlin")
        assert 'value="2026-11-27T18:00"' in browser.get(PAGE).text
        for wrong in ({"until": "2026-01-01T00:00"}, {"zone": "Nowhere/At all"}, {"from": "soon"}):
            refused = send(browser, "schedule", **{**fields, **wrong})
            assert refused.status_code == 400
            assert all(f'value="{each}"' in refused.text for each in wrong.values())
        assert send(browser, "schedule", **{"from": "", "until": "", "zone": "Europe/Berlin"}).status_code == 303
        assert wetink.content.blocks["hero"].schedule is None


def test_a_copy_is_a_draft_of_its_own_with_a_name_of_its_title(wetink: Wetink) -> None:
    with client_of(wetink) as browser:
        send(browser, "rename", title="Left behind", name="older")
        send(browser, "rename", title="Left behind", name="hero", page="/dashboard/blocks/older/manage")
        for name in ("older-2", "older-3"):
            sent = {"csrf": browser.headers["x-csrf"], "title": "Older"}
            done = browser.post("/dashboard/blocks/hero/edit/copy", data=sent, follow_redirects=False)
            assert done.headers["location"] == f"/dashboard/blocks/{name}/edit"
            assert name not in wetink.content.blocks
            run(wetink.publishing.publish([f"blocks/{name}.yaml"], by="ida"))
            block, original = wetink.content.blocks[name], wetink.content.blocks["hero"]
            assert (block.variants, block.aliases, block.experiment) == (original.variants, (), None)


def test_deleting_says_what_depends_on_it_and_can_be_undone(wetink: Wetink) -> None:
    scenario = b"name: A new person\nexpect: {hero: {fallback: true}}"
    run(wetink.author.save("scenarios/new.yaml", scenario, by="ida"))
    with client_of(wetink) as browser:
        page = browser.get(PAGE).text
        assert "<strong>Scenario A new person</strong> loses what it expects" in page
        assert send(browser, "delete").headers["location"] == "/dashboard/blocks"
        assert "hero" not in wetink.content.blocks
        assert "scenarios/new.yaml" not in run(wetink.versions.current())[1]
        undo(browser, wetink)
        assert "hero" in wetink.content.blocks
        assert run(wetink.versions.current())[1]["scenarios/new.yaml"] == scenario


def test_a_stale_form_changes_nothing_and_names_who_was_faster(wetink: Wetink) -> None:
    with client_of(wetink) as browser:
        base = re.findall(r'name="base" value="([0-9a-f]+)"', browser.get(PAGE).text)[0]
        theirs = run(wetink.versions.current())[1]["blocks/hero.yaml"].replace(b"New in", b"Sale")
        run(wetink.author.save("blocks/hero.yaml", theirs, by="bob"))
        for what in ("pause", "delete", "rename"):
            data = {"csrf": browser.headers["x-csrf"], "change": what, "base": base, "name": "other", "title": "Other"}
            refused = browser.post(PAGE, data=data, follow_redirects=False)
            assert refused.status_code == 409, what
            assert "Bob changed block hero on" in refused.text
        assert not wetink.content.blocks["hero"].paused


def test_a_block_with_a_draft_is_not_renamed_or_deleted_under_it(wetink: Wetink) -> None:
    draft(wetink, "New in", "Sale")
    with client_of(wetink) as browser:
        assert "ida has unpublished changes" in browser.get(PAGE).text
        for what in ("rename", "delete"):
            refused = send(browser, what, name="other", title="Other")
            assert refused.status_code == 409
            assert "Ida has unpublished changes of this block." in refused.text
        assert send(browser, "pause").status_code == 303


def test_odd_requests_change_nothing(dashboard: TestClient) -> None:
    assert dashboard.get("/dashboard/blocks/absent/manage").status_code == 404
    assert send(dashboard, "explode").status_code == 400
    assert dashboard.post(PAGE, data={"change": "delete"}, headers={"x-csrf": ""}).status_code == 400
    assert dashboard.get(PAGE).status_code == 200
