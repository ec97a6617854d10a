"""The application: who gets in, and what is at an address where nothing is."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.store.said import message
from wetink.settings import read
from wetink.web.app import create
from wetink.wiring import Wetink


@pytest.fixture
def wetink(tmp_path: Path) -> Iterator[Wetink]:
    made = Wetink(read({}, data=tmp_path))
    asyncio.run(made.look_again())
    yield made
    asyncio.run(made.close())


@pytest.fixture
def client(wetink: Wetink) -> Iterator[TestClient]:
    with TestClient(create(wetink), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/", "/dashboard/live", "/dashboard/people/user:42"])
def test_the_dashboard_is_for_those_who_have_signed_in(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/dashboard/login")


def test_the_printed_token_opens_the_dashboard_and_another_does_not(client: TestClient, wetink: Wetink) -> None:
    assert client.post("/dashboard/login", data={"token": "wrong"}).status_code == 403
    assert client.get("/dashboard").status_code == 303
    opened = client.post("/dashboard/login", data={"token": wetink.dashboard_token, "next": "/dashboard/live"})
    assert (opened.status_code, opened.headers["location"]) == (303, "/dashboard/live")
    assert client.get("/dashboard").status_code == 200


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/dashboard//evil.example", "/\\evil"])
def test_signing_in_leads_nowhere_else(client: TestClient, wetink: Wetink, onward: str) -> None:
    opened = client.get("/dashboard/login", params={"token": wetink.dashboard_token, "next": onward})
    assert opened.headers["location"] == "/dashboard"


def test_a_cookie_that_we_did_not_sign_is_nothing(client: TestClient) -> None:
    client.cookies.set("wetink_session", "99999999999999.aa.0000")
    assert client.get("/dashboard").status_code == 303


def test_every_page_carries_the_security_headers(client: TestClient) -> None:
    headers = client.get("/dashboard/login").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_an_address_with_nothing_there_says_so_in_the_askers_language(client: TestClient) -> None:
    assert client.get("/nothing").json()["error"]["message"]
    page = client.get("/nothing", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "<html" in page.text


def test_readyz_tells_how_far_what_is_derived_is_behind_the_log(client: TestClient, wetink: Wetink) -> None:
    assert "behind" not in client.get("/readyz").json()
    asyncio.run(wetink.store.log.append([message(1)]))
    assert client.get("/readyz").json()["behind"] == {"catalog": 1, "conversions": 1}
    while asyncio.run(wetink.store.projections.settle()):
        pass
    assert "behind" not in client.get("/readyz").json()


def test_healthz_tells_that_the_process_is_whole(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
