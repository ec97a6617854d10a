"""Passwords that an owner turned off: people come in through a real identity provider, and nobody is locked out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from tests.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.web.people import PASSWORD, Office, csrf, link_in, send
from wetink.cli import main
from wetink.web import session

TEAM, SETTINGS = "/settings/team", "/settings/sign-on"
FIELDS = {"title": "Okta", "client": CLIENT, "secret": SECRET, "role": "viewer"}


@pytest.fixture
def office(tmp_path: Path, provider: IdentityProvider) -> Iterator[Office]:
    """A company whose people must have an account, or be invited."""
    made = Office(tmp_path, private_hosts=f"127.0.0.1:{provider.port}")
    made.hire("ida")
    made.hire("bob", "editor")
    ida = made.signed_in("ida")
    got = ida.post(f"/dashboard{SETTINGS}/save", data={"csrf": csrf(ida), "issuer": provider.issuer, **FIELDS})
    assert got.status_code == 303, got.text
    yield made
    made.close()


def come(office: Office, provider: IdentityProvider, who: str, browser: TestClient | None = None) -> TestClient:
    """Sign in through the provider."""
    browser = browser or office.browser("192.0.2.9")
    sent = browser.get("/dashboard/login/with/okta", params={"next": "/dashboard/blocks"})
    back = browser.get(provider.sign_in(sent.headers["location"], f"{who}@shop.example"))
    assert (back.status_code, back.headers["location"]) == (303, "/dashboard/blocks"), back.text
    return browser


def turned_off(office: Office, provider: IdentityProvider) -> TestClient:
    """Turn passwords off as an owner, through the provider."""
    ida = come(office, provider, "ida")
    assert send(ida, f"{SETTINGS}/passwords").status_code == 303
    return ida


def by_password(office: Office, name: str) -> Any:
    form = {"email": f"{name}@shop.example", "password": PASSWORD}
    return office.browser().post("/dashboard/login", data=form)


def test_an_owner_who_has_not_come_through_a_provider_cannot_lock_themselves_out(
    office: Office, provider: IdentityProvider
) -> None:
    ida = office.signed_in("ida")
    refused = send(ida, f"{SETTINGS}/passwords")
    assert refused.status_code == 409
    assert "Sign in with Okta once" in refused.text
    assert by_password(office, "ida").status_code == 303
    come(office, provider, "ida")
    assert send(ida, f"{SETTINGS}/passwords").status_code == 303
    assert send(ida, f"{SETTINGS}/passwords", passwords="on").status_code == 303
    assert send(ida, f"{SETTINGS}/remove", name="okta").status_code == 303
    refused = send(ida, f"{SETTINGS}/passwords")
    assert refused.status_code == 409
    assert "There is no provider yet" in refused.text


def test_without_passwords_everybody_else_is_signed_out_and_comes_in_through_the_provider(
    office: Office, provider: IdentityProvider
) -> None:
    bob = office.signed_in("bob")
    ida = turned_off(office, provider)
    assert ida.get("/dashboard/blocks").status_code == 200
    assert bob.get("/dashboard/blocks").status_code == 303
    shown = office.browser().get("/dashboard/login").text
    assert "Continue with Okta" in shown
    assert 'name="password"' not in shown
    refused = by_password(office, "bob")
    assert refused.status_code == 403
    assert "signs in without passwords" in refused.text
    assert come(office, provider, "bob").get("/dashboard/blocks").status_code == 200
    entry = next(each for each in office.run(office.wetink.store.audit_log.read(9)) if "passwords" in each.action)
    assert (entry.actor, entry.action) == ("Ida", "turned passwords off")


def test_no_link_sets_a_password_and_an_invitation_leads_to_the_provider(
    office: Office, provider: IdentityProvider
) -> None:
    bob = next(each for each in office.run(office.wetink.store.accounts.all()) if each.role == "editor")
    earlier = office.run(office.wetink.team.password_link(bob.id, "Ida"))
    ida = turned_off(office, provider)
    assert "Password link" not in ida.get(f"/dashboard{TEAM}").text
    assert "New password" not in ida.get("/dashboard/settings/security").text
    for form in ({"link": earlier, "password": PASSWORD}, {"link": earlier}):
        assert office.browser().post("/dashboard/join", data=form).status_code == 409
    secret = link_in(send(ida, f"{TEAM}/invite", email="new@shop.example", role="developer").text)
    new = office.browser()
    page = new.get("/dashboard/join", params={"link": secret}).text
    assert "Continue with Okta" in page
    assert 'name="password"' not in page
    form = {"link": secret, "name": "New", "password": PASSWORD}
    assert new.post("/dashboard/join", data=form).status_code == 409
    come(office, provider, "new", new)
    roles = {each.email: each.role for each in office.run(office.wetink.store.accounts.all())}
    assert roles["new@shop.example"] == "developer"


def test_a_dangerous_change_is_proved_through_the_provider(
    office: Office, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ida = turned_off(office, provider)
    monkeypatch.setattr(session, "PROVED_MS", 0)
    asked = send(ida, f"{SETTINGS}/passwords", passwords="on")
    assert asked.headers["location"].startswith("/dashboard/settings/security/confirm")
    page = ida.get("/dashboard/settings/security/confirm", params={"next": "/dashboard/settings/team"}).text
    assert "/dashboard/login/with/okta?next=%2Fdashboard%2Fsettings%2Fteam" in page
    assert 'type="password"' not in page
    got = send(ida, "/settings/security/confirm", password=PASSWORD, next="/dashboard/settings/team")
    assert got.status_code == 200, "a password proves nothing any more"


def test_the_last_provider_stays_while_there_are_no_passwords(office: Office, provider: IdentityProvider) -> None:
    ida = turned_off(office, provider)
    refused = send(ida, f"{SETTINGS}/remove", name="okta")
    assert refused.status_code == 409
    assert come(office, provider, "bob").get("/dashboard/blocks").status_code == 200


def test_the_command_line_turns_passwords_on_again(office: Office, provider: IdentityProvider, tmp_path: Path) -> None:
    turned_off(office, provider)
    assert by_password(office, "ida").status_code == 403
    answer = CliRunner().invoke(main, ["accounts", "allow-passwords", "--data", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    assert by_password(office, "ida").status_code == 303
    entry = office.run(office.wetink.store.audit_log.read(2))[1]
    assert (entry.actor, entry.action) == ("command line", "turned passwords on")
