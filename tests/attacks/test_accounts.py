"""T11: accounts cannot be found out, taken over or locked by strangers."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.web.people import PASSWORD, Office, csrf, send
from wetink.access.passwords import Passwords
from wetink.ports.keys import FREE_TRIES


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.hire("ida")
    made.hire("gone", "viewer")
    made.run(made.wetink.store.accounts.change(made.run(made.wetink.team.named("gone@shop.example")).id, disabled=True))
    yield made
    made.close()


def test_a_missing_a_disabled_and_a_known_account_answer_the_same(office: Office) -> None:
    answers = set()
    for number, email in enumerate(("ida@shop.example", "gone@shop.example", "nobody@shop.example", "no address")):
        password = PASSWORD if email.startswith("gone") else "wrong"
        got = office.browser(f"192.0.2.{number}").post("/dashboard/login", data={"email": email, "password": password})
        answers.add((got.status_code, got.text.replace(email, "EMAIL").partition("<form")[0].partition("<main")[2]))
    assert len(answers) == 1


def test_a_missing_account_takes_as_long_as_a_wrong_password(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.wetink.team._passwords = Passwords()  # as slow as it really is
    office.hire("ida")
    took: dict[str, list[float]] = {"ida@shop.example": [], "nobody@shop.example": [], "no address": []}
    for _ in range(5):
        for email, times in took.items():
            began = time.process_time()
            assert office.run(office.wetink.team.with_password(email, "wrong")) is None
            times.append(time.process_time() - began)
    office.close()
    known, *others = (median(times) for times in took.values())
    assert known > 0.01
    for other in others:
        assert 0.5 < other / known < 2


def test_guesses_for_one_account_wait_from_wherever_they_come(office: Office) -> None:
    statuses = []
    for number in range(FREE_TRIES + 3):
        guesser = office.browser(f"198.51.100.{number}")
        got = guesser.post("/dashboard/login", data={"email": "ida@shop.example", "password": f"guess {number}"})
        statuses.append(got.status_code)
    assert 429 in statuses
    right = office.browser("198.51.100.99").post(
        "/dashboard/login", data={"email": "IDA@shop.example", "password": PASSWORD}
    )
    assert right.status_code == 429, "a right guess looks like a wrong one"


def test_strangers_cannot_lock_out_a_browser_that_signed_in_before(office: Office) -> None:
    ida = office.signed_in("ida")
    for number in range(FREE_TRIES + 3):
        office.browser(f"198.51.100.{number}").post(
            "/dashboard/login", data={"email": "ida@shop.example", "password": "guess"}
        )
    ida.cookies.delete("wetink_session")
    again = ida.post("/dashboard/login", data={"email": "ida@shop.example", "password": PASSWORD})
    assert again.status_code == 303


def test_a_known_browser_opens_nothing_and_is_known_for_one_account(office: Office) -> None:
    ida = office.signed_in("ida")
    ida.cookies.delete("wetink_session")
    assert ida.get("/dashboard").status_code == 303
    office.hire("bob")
    for number in range(FREE_TRIES + 2):
        got = ida.post("/dashboard/login", data={"email": "bob@shop.example", "password": f"guess {number}"})
    assert got.status_code == 429


def test_a_session_that_somebody_planted_is_not_the_one_after_the_sign_in(office: Office) -> None:
    attacker = office.signed_in("ida")
    planted = attacker.cookies["wetink_session"]
    victim = office.browser()
    victim.cookies.set("wetink_session", planted)
    office.hire("bob", "viewer")
    got = victim.post("/dashboard/login", data={"email": "bob@shop.example", "password": PASSWORD})
    assert planted not in str(got.headers.get_list("set-cookie"))
    assert attacker.get("/dashboard").status_code == 303, "what was planted has ended"


def test_a_stolen_store_has_no_secret_that_opens_anything(office: Office, tmp_path: Path) -> None:
    ida = office.signed_in("ida")
    made = send(ida, "/settings/tokens", name="CI", scopes="content:read", days="30").text
    token = made.partition("wetink_")[2].partition("<")[0]
    link = send(ida, "/settings/team/invite", email="eve@shop.example", role="viewer").text
    secret = link.partition("/dashboard/join?link=")[2].partition("<")[0]
    office.run(office.wetink.close())
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*.db*"))
    for opens in (token, secret, PASSWORD, ida.cookies["wetink_session"]):
        assert len(opens) > 10
        assert opens.encode() not in stored
    assert b"$argon2id$" in stored


def test_a_kept_form_leads_to_no_other_site_and_is_escaped(office: Office) -> None:
    ida = office.signed_in("ida")
    for path in ("https://evil.example/", "//evil.example", "/dashboard//evil.example", "javascript:alert(1)"):
        got = ida.post("/dashboard/session/again", data={"held.to": path, '"><script>': "<script>"})
        assert 'action="/dashboard"' in got.text
        assert "<script>" not in got.text.partition("<main")[2]
    crossed = ida.post("/dashboard/session/again", data={"held.to": "/x"}, headers={"origin": "https://evil.example"})
    assert crossed.status_code == 403


def test_an_owner_of_one_browser_cannot_use_the_forms_of_another(office: Office) -> None:
    one, other = office.signed_in("ida"), office.signed_in("ida", "192.0.2.2")
    fields = {"csrf": csrf(other), "name": "Eve"}
    assert one.post("/dashboard/settings/security/name", data=fields).status_code == 400
