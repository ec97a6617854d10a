"""The keys page: what it does to a source, and that it asks before it ends anything."""

import asyncio
import re

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.test_pages import _form
from wetink.ports import Source
from wetink.wiring import Wetink


def change(browser: TestClient, change: str, status: int = 303, **fields: str) -> str:
    sent = _form(browser, name="shop-backend", change=change, **fields)
    answer = browser.post("/dashboard/keys/change", data=sent, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return answer.text


def source(wetink: Wetink) -> Source | None:
    return next((each for each in asyncio.run(wetink.store.sources.all()) if each.name == "shop-backend"), None)


@pytest.fixture
def made(nobody_yet: TestClient, empty: Wetink) -> TestClient:
    asyncio.run(empty.store.sources.create_key("shop-backend", "browser", (), 1))
    return nobody_yet


def test_a_key_is_rotated_shown_once_and_its_old_one_ended_once_that_is_confirmed(
    made: TestClient, empty: Wetink
) -> None:
    shown = re.search(r'id="write-key"[^>]*>([^<]+)<', change(made, "rotate", 200))
    assert shown is not None
    assert asyncio.run(empty.store.sources.source_of_write_key(shown[1])) is not None
    assert "The old key is still valid: not used since you rotated it" in made.get("/dashboard/keys").text
    assert "check the box" in change(made, "retire", 400)
    change(made, "retire", sure="yes")
    assert "no old key" in change(made, "retire", 400, sure="yes")


def test_a_source_is_limited_disabled_enabled_and_deleted_once_that_is_confirmed(
    made: TestClient, empty: Wetink
) -> None:
    change(made, "set", verify="on", orders="wait", per_second="12.5", burst="30")
    found = source(empty)
    assert found is not None
    assert (found.verify, found.orders, found.per_second, found.burst) == (True, "wait", 12.5, 30)
    assert "is not a number" in change(made, "set", 400, per_second="many")
    change(made, "disable")
    assert "disabled" in made.get("/dashboard/keys").text
    change(made, "enable")
    assert found.secrets[0] in change(made, "secret", 200)
    assert found.secrets[0] not in change(made, "renew", 200)
    assert "check the box" in change(made, "delete", 400)
    change(made, "delete", sure="yes")
    assert source(empty) is None
    assert "no source called" in change(made, "rotate", 404)
    assert "an unknown change" in change(made, "explode", 400)
