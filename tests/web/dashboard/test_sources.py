"""The pages of sources: what they do to a source, and that it asks before it ends anything."""

import asyncio
import re

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.test_pages import _form
from wetink.core.events.event import Problem, Verdict
from wetink.ports import Received, Source
from wetink.web.dashboard.data.sources import counted
from wetink.wiring import Wetink


def change(browser: TestClient, change: str, status: int = 303, *, name: str = "shop-backend", **fields: str) -> str:
    sent = _form(browser, name=name, change=change, **fields)
    answer = browser.post("/dashboard/sources/change", data=sent, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return answer.text


def source(wetink: Wetink) -> Source | None:
    return next((each for each in asyncio.run(wetink.store.sources.all()) if each.name == "shop-backend"), None)


def secrets_of(wetink: Wetink, name: str) -> tuple[str, ...]:
    """Return the identity secrets that are valid for a source, the newest first."""
    (found,) = (each for each in asyncio.run(wetink.store.sources.all()) if each.name == name)
    return found.secrets


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
    assert (
        "The old key is still valid: not used since you rotated it" in made.get("/dashboard/sources/shop-backend").text
    )
    assert "Check the box" in change(made, "retire", 400)
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
    change(made, "set", hosts="a.example, b.example")
    assert (found := source(empty)) is not None
    assert found.hosts == ("a.example", "b.example")
    assert "without https://" in change(made, "set", 400, hosts="https://a.example")
    change(made, "disable")
    assert "disabled" in made.get("/dashboard/sources").text
    change(made, "enable")
    assert "Check the box" in change(made, "delete", 400)
    change(made, "delete", sure="yes")
    assert source(empty) is None
    assert "no source called" in change(made, "rotate", 404)
    assert "an unknown change" in change(made, "explode", 400)


def test_an_identity_secret_is_shown_once_and_two_are_valid_after_it_is_renewed(
    made: TestClient, empty: Wetink
) -> None:
    form = _form(made, name="page", level="browser", hosts="")
    created = made.post("/dashboard/sources", data=form).text
    (first,) = secrets_of(empty, "page")
    assert first in created
    renewed = change(made, "renew", 200, name="page")
    second, before = secrets_of(empty, "page")
    assert (before, second in renewed, first in renewed) == (first, True, False)
    later = made.get("/dashboard/sources/page").text
    assert first not in later
    assert second not in later
    assert "an unknown change" in change(made, "secret", 400, name="page")


def test_a_source_is_renamed_and_the_old_address_leads_to_the_new(made: TestClient, empty: Wetink) -> None:
    assert "A source needs a name" in change(made, "rename", 400, new=" ")
    asyncio.run(empty.store.sources.create_key("page", "browser", (), 1))
    assert "already" in change(made, "rename", 400, new="page")
    change(made, "rename", new="the shöp's")
    assert sorted(each.name for each in asyncio.run(empty.store.sources.all())) == ["page", "the shöp's"]
    assert made.get("/dashboard/sources/the%20sh%C3%B6p%27s").status_code == 200
    old = made.get("/dashboard/keys", follow_redirects=False)
    assert (old.status_code, old.headers["location"]) == (301, "/dashboard/sources")


def test_counters_tell_rates_verdicts_and_problems_of_a_source() -> None:
    def received(seq: int, source: str, verdict: Verdict, *codes: str) -> Received:
        problems = tuple(Problem(code, "", "") for code in codes)
        return Received(seq, source, f"m-{seq}", seq * 60_000, verdict, problems, "track", "A", None, b"{}")

    log = [
        received(120, "page", "usable"),
        received(90, "shop", "unusable", "no_url", "no_url"),
        received(60, "shop", "usable"),
        received(30, "shop", "parked", "no_url", "bad_time"),
        received(0, "page", "usable"),
    ]
    found = counted(log, "shop", 120 * 60_000)
    assert (found.messages, found.share, found.per_hour, found.last) == (3, 0.6, 1.5, 90 * 60_000)
    assert dict(found.verdicts) == {"unusable": 1, "usable": 1, "parked": 1}
    assert found.problems == (("no_url", 2), ("bad_time", 1))
    assert counted(log, "app", 0) == counted([], "shop", 0)
