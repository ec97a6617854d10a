"""Settings by mouse: errors stand at their field, and what is saved is a version that everything uses at once."""

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.conftest import client_of
from wetink.content.strict_yaml import parse_yaml
from wetink.core.errors import BadSettings, Unavailable, WetinkError
from wetink.core.signals.goal import Currencies, Everywhere, Goal, Signals, signals_of
from wetink.opens.reach import HEADER, Reaches, public_url_of
from wetink.web.dashboard.settings.signals_form import entered, given_by, text_of
from wetink.wiring import Wetink

FULL = Signals(
    {"order": Goal(clicks="14d"), "sign-up": Goal("Signed Up", value="plan.price", id="id", model="first")},
    "linear",
    Currencies("EUR", {"USD": 0.92, "JPY": 0.0061}, "2026-11-20"),
    Everywhere("5%", "own"),
    "Europe/Oslo",
)


@pytest.mark.parametrize("signals", [Signals(), FULL, Signals(zone="Asia/Tokyo"), Signals({"order": Goal(opens="1d")})])
def test_signals_come_back_from_their_form_and_their_file(signals: Signals) -> None:
    found = entered(given_by(signals), signals)
    assert (found.errors, found.signals) == ({}, signals)
    assert signals_of(parse_yaml(text_of(signals)) if text_of(signals) else None) == signals


@pytest.mark.parametrize(
    ("more", "field", "why"),
    [
        ({"zone": "Mars/Base"}, "zone", "no time zone"),
        ({"goal.0.clicks": "soon"}, "goal.0.clicks", "not a duration"),
        ({"goal.1.event": "Signed Up", "goal.1.name": "Sign Up"}, "goal.1.name", "lowercase"),
        ({"goal.1.event": "A", "goal.1.name": "order"}, "goal.1.name", "another goal has this name"),
        ({"goal.1.name": "empty"}, "goal.1.event", "name the event"),
        ({"goal.1.event": "A", "goal.1.model": "magic"}, "goal.1.model", "no model"),
        ({"model": "magic"}, "model", "no model"),
        ({"rate.0.code": "USD", "rate.0.value": "0.9"}, "into", "choose the currency"),
        ({"into": "EUR", "rate.0.code": "USD", "rate.0.value": "cheap"}, "rate.0.value", "such as 0.92"),
        ({"into": "EUR", "rate.0.code": "USD", "rate.0.value": "0"}, "rate.0.value", "not a rate"),
        ({"into": "EURO"}, "into", "not a currency"),
        ({"into": "EUR", "as_of": "today"}, "as_of", "2026-11-20"),
        ({"holdout": "on", "share": "100%"}, "share", "less than 100%"),
        ({"holdout": "on", "share": ""}, "share", ""),
    ],
)
def test_an_error_stands_at_its_field(more: dict[str, str], field: str, why: str) -> None:
    found = entered({**given_by(Signals()), **more}, Signals())
    assert found.signals is None
    assert why in found.errors[field]


def test_settings_are_saved_as_a_version_and_used_at_once(dashboard: TestClient, wetink: Wetink) -> None:
    page = dashboard.get("/dashboard/settings").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    form = {**given_by(FULL), "do": "save", "csrf": csrf, "expected": ""}
    assert dashboard.post("/dashboard/settings/signals", data=form, follow_redirects=False).status_code == 303
    assert wetink.content.signals.zone == "Europe/Oslo"
    assert wetink.content.signals.goals["sign-up"].event == "Signed Up"
    again = dashboard.post("/dashboard/settings/signals", data={**form, "zone": "Asia/Tokyo"})
    assert again.status_code == 409, "somebody else has saved in between"
    assert 'value="Asia/Tokyo"' in again.text, "what was entered stays"
    assert "0.0061" in dashboard.get("/dashboard/settings").text


def test_the_public_address_needs_no_shell(dashboard: TestClient, wetink: Wetink) -> None:
    csrf = dashboard.get("/dashboard/settings").text.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": csrf, "public_url": "open.shop.example", "link_hosts": "cdn.shop.example, Blog.Shop.Example"}
    dashboard.post("/dashboard/settings/address", data={**form, "do": "save"}, follow_redirects=False)
    assert wetink.address == wetink.embed.address == "https://open.shop.example"
    assert wetink.link_hosts == ("cdn.shop.example", "blog.shop.example")
    assert wetink.hosts.allowed("https://cdn.shop.example/a.jpg")
    wrong = dashboard.post("/dashboard/settings/address", data={**form, "link_hosts": "https://a.example"})
    assert wrong.status_code == 400
    assert "without https://" in wrong.text
    assert wetink.address == "https://open.shop.example"


def test_the_operators_address_wins(wetink: Wetink) -> None:
    from msgspec.structs import replace

    asyncio.run(wetink.reaches.save(public_url="https://kept.example"))
    assert wetink.address == "https://kept.example"
    wetink.settings = replace(wetink.settings, public_url="https://operator.example/")
    assert wetink.address == "https://operator.example"
    with client_of(wetink) as browser:
        assert "WETINK_PUBLIC_URL" in browser.get("/dashboard/settings").text


@pytest.mark.parametrize(
    ("url", "answer", "leads_here", "said"),
    [
        ("https://open.shop.example", (200, {HEADER: "us"}), True, ""),
        ("http://open.shop.example", (200, {HEADER: "us"}), True, "without https"),
        ("https://open.shop.example", (200, {HEADER: "them"}), False, "another wetink"),
        ("https://open.shop.example", (404, {}), False, "something else (status 404)"),
        ("https://open.shop.example", Unavailable("it did not answer in time"), False, "did not answer in time"),
        ("http://127.0.0.1:8000", Unavailable("127.0.0.1 has no public address"), False, "cannot reach this address"),
    ],
)
def test_an_address_is_checked_from_outside(url: str, answer: Any, leads_here: bool, said: str) -> None:
    async def look(asked: str) -> Any:
        assert asked == f"{url}/healthz"
        if isinstance(answer, WetinkError):
            raise answer
        return answer

    async def follow() -> None:
        raise NotImplementedError

    found = asyncio.run(Reaches(None, follow, look).check(url, "us"))  # type: ignore[arg-type]
    assert found.leads_here is leads_here
    assert said in f"{found.problem} {found.hint}"


@pytest.mark.parametrize(
    "text", ["ftp://a.example", "https://", "https://a.example/?x=1", "a b", "https://u:p@a.example"]
)
def test_an_address_that_no_server_has_is_refused(text: str) -> None:
    with pytest.raises(BadSettings):
        public_url_of(text)
