"""Sessions of the dashboard: a new id at each log-in, ended for good by a log-out, and slow for who guesses."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from wetink.ports.keys import FREE_TRIES
from wetink.settings import read
from wetink.web.app import create
from wetink.wiring import Wetink

LOGIN, LOGOUT = "/dashboard/login", "/dashboard/logout"


@pytest.fixture
def wetink(tmp_path: Path) -> Iterator[Wetink]:
    made = Wetink(read({}, data=tmp_path, public_url="http://testserver"))
    asyncio.run(made.look_again())
    yield made
    asyncio.run(made.close())


def browser(wetink: Wetink, address: str = "192.0.2.1") -> TestClient:
    app = create(wetink)
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False, client=(address, 5_000))


def signed_in(wetink: Wetink, address: str = "192.0.2.1") -> TestClient:
    client = browser(wetink, address)
    assert client.post(LOGIN, data={"token": wetink.dashboard_token}).status_code == 303
    return client


def csrf(client: TestClient) -> str:
    text = client.get("/dashboard/sources").text
    return text.partition('name="csrf" value="')[2].partition('"')[0]


def test_logging_out_ends_the_session_and_every_copy_of_its_cookie(wetink: Wetink) -> None:
    client, thief = signed_in(wetink), browser(wetink)
    thief.cookies.set("wetink_session", client.cookies["wetink_session"])
    assert thief.get("/dashboard").status_code == 200
    assert client.post(LOGOUT, data={"csrf": "wrong"}).status_code == 400
    assert client.get("/dashboard").status_code == 200
    assert client.post(LOGOUT, data={"csrf": csrf(client)}).status_code == 303
    assert thief.get("/dashboard").status_code == 303
    assert client.get("/dashboard").status_code == 303


def test_each_log_in_has_a_session_of_a_new_id_and_ends_the_one_before(wetink: Wetink) -> None:
    client = browser(wetink)
    client.cookies.set("wetink_session", "chosen-by-somebody-else")
    client.post(LOGIN, data={"token": wetink.dashboard_token})
    first = [each.value for each in client.cookies.jar if each.value != "chosen-by-somebody-else"]
    assert len(first) == 1
    other = browser(wetink)
    other.cookies.set("wetink_session", first[0] or "")
    assert other.get("/dashboard").status_code == 200
    other.post(LOGIN, data={"token": wetink.dashboard_token})
    again = browser(wetink)
    again.cookies.set("wetink_session", first[0] or "")
    assert again.get("/dashboard").status_code == 303


def test_every_page_has_a_button_that_logs_out(wetink: Wetink) -> None:
    client = signed_in(wetink)
    for path in ("/dashboard", "/dashboard/live", "/dashboard/sources"):
        assert 'action="/dashboard/logout"' in client.get(path).text


def test_the_cookie_is_kept_from_scripts_other_sites_and_over_https_from_other_hosts(tmp_path: Path) -> None:
    for url, name in (("http://testserver", "wetink_session"), ("https://ink.example", "__Host-wetink_session")):
        wetink = Wetink(read({}, data=tmp_path / name, public_url=url))
        asyncio.run(wetink.look_again())
        said = browser(wetink).post(LOGIN, data={"token": wetink.dashboard_token}).headers["set-cookie"]
        assert said.startswith(f"{name}=")
        assert {"httponly", "path=/", "samesite=lax"} <= {each.strip().lower() for each in said.split(";")}
        assert ("secure" in said.lower()) is url.startswith("https")
        assert "domain" not in said.lower()
        asyncio.run(wetink.close())


@pytest.mark.parametrize("door", ["form", "link", "bearer"])
def test_who_guesses_waits_whichever_door_is_tried_and_others_do_not(wetink: Wetink, door: str) -> None:
    def guess(client: TestClient, token: str) -> int:
        if door == "bearer":
            answer = client.get("/api/content/versions", headers={"authorization": f"Bearer {token}"})
        elif door == "link":
            answer = client.get(LOGIN, params={"token": token})
        else:
            answer = client.post(LOGIN, data={"token": token})
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
        return answer.status_code

    guesser = browser(wetink, "2001:db8::1")
    wrong = 401 if door == "bearer" else 403
    assert [guess(guesser, "wrong") for _ in range(FREE_TRIES + 1)] == [wrong] * (FREE_TRIES + 1)
    assert guess(guesser, "wrong") == 429
    assert guess(guesser, wetink.dashboard_token) == 429, "a right guess looks like a wrong one"
    assert guess(browser(wetink, "2001:db8::ffff:2"), "wrong") == 429, "the same network"
    assert guess(browser(wetink, "2001:db8:1::1"), wetink.dashboard_token) in (200, 303)
    assert guess(browser(wetink, "192.0.2.7"), "wrong") == wrong


def test_a_right_token_forgives_the_wrong_ones_before_it(wetink: Wetink) -> None:
    client = browser(wetink)
    for _ in range(3):
        assert [client.post(LOGIN, data={"token": "typo"}).status_code for _ in range(FREE_TRIES)] == [403] * FREE_TRIES
        assert client.post(LOGIN, data={"token": wetink.dashboard_token}).status_code == 303
