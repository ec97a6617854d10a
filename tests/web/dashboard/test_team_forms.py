"""What the team's forms take: each odd value in each field is refused with its place, or kept and shown again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.hostile_values import TEXTS
from tests.web.people import PASSWORD, Office, csrf
from wetink.core.access.account import ApiToken, Invitation
from wetink.web import session
from wetink.web.request import now_ms

SETTINGS = "/dashboard/settings"
FORMS: dict[str, dict[str, str]] = {
    f"{SETTINGS}/team/invite": {"email": "eve@shop.example", "role": "viewer"},
    f"{SETTINGS}/team/withdraw": {"invitation": "open"},
    f"{SETTINGS}/team/change": {"account": "BOB", "do": "role", "role": "viewer"},
    f"{SETTINGS}/team/link": {"account": "BOB"},
    f"{SETTINGS}/security/name": {"name": "Ida"},
    f"{SETTINGS}/security/password": {"current": PASSWORD, "password": PASSWORD},
    f"{SETTINGS}/security/end": {"session": "0"},
    f"{SETTINGS}/security/confirm": {"password": PASSWORD, "next": SETTINGS},
    f"{SETTINGS}/tokens": {"name": "CI", "scopes": "content:read", "days": "30"},
    f"{SETTINGS}/tokens/revoke": {"id": "made"},
}
PATHS = tuple(FORMS)
OPEN = {
    "/dashboard/login": {"email": "ida@shop.example", "password": "x", "next": "/dashboard"},
    "/dashboard/join": {"link": "x", "name": "Bob", "password": PASSWORD},
    "/dashboard/session/again": {"held.to": "/dashboard/sources", "name": "x"},
}
PAGES = ("team", "security", "tokens", "audit", "audit.csv", "audit?thing=%25&since=zz&until=9999-99-99&before=x")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("team"))
    made.hire("ida")
    yield made
    made.close()


def shown(value: str | bytes) -> bytes:
    """Return a value as a form has it."""
    return value if isinstance(value, bytes) else quote(value, safe="").encode()


@pytest.mark.parametrize("path", [*PATHS, *OPEN])
def test_an_odd_value_is_refused_or_kept_and_every_page_is_shown_after_it(
    office: Office, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "try_as", _at_once)
    monkeypatch.setattr(session, "_try", _at_once)
    store = office.wetink.store
    bob = next((each for each in office.run(store.accounts.all()) if each.name == "Bob"), None) or office.hire("bob")
    if office.run(store.accounts.invitation("open")) is None:
        office.run(store.accounts.invite(Invitation("open", "dan@shop.example", "viewer", expires=now_ms() + 10**8)))
        office.run(store.api_tokens.add(ApiToken("made", "CI", ("content:read",))))
    office.renew_passwords()
    ida = office.signed_in("ida")
    fields = {name: bob.id if value == "BOB" else value for name, value in {**FORMS, **OPEN}[path].items()}
    fields["csrf"] = csrf(ida)
    for field in fields:
        for name, value in list(TEXTS.items())[:: 1 if field in ("name", "email") else 4]:
            rest = "&".join(f"{each}={shown(usual).decode()}" for each, usual in fields.items() if each != field)
            got = post(ida, path, f"{rest}&{field}=".encode() + shown(value))
            assert got.status_code < 500, f"{field} = {name}: {got.text[:300]}"
            if ida.get("/dashboard/session").json()["name"] == "":
                office.renew_passwords()
                ida = office.signed_in("ida")
            fields["csrf"] = csrf(ida)
    for page in PAGES:
        assert ida.get(f"{SETTINGS}/{page}").status_code == 200, page
    for each in office.run(store.accounts.all()):
        if each.name != "Bob":
            office.run(store.accounts.change(each.id, name="Ida"))


async def _at_once(*given: object) -> None:
    """Let nobody wait."""


def post(client: Any, path: str, body: bytes) -> Any:
    return client.post(path, content=body, headers={"content-type": "application/x-www-form-urlencoded"})


@pytest.mark.parametrize(
    ("path", "field", "value", "told"),
    [
        ("team/invite", "email", "no address", "This is not an email address"),
        ("team/invite", "role", "king", "is not a role"),
        ("security/name", "name", " ", "Enter a name"),
        ("security/name", "name", "x" * 81, "at most 80 characters"),
        ("security/password", "password", "short", "Use at least 8 characters"),
        ("security/password", "current", "wrong", "This is not your current password"),
        ("tokens", "name", "", "Enter a name of at most 60 characters"),
        ("tokens", "scopes", "everything", "Choose at least one scope"),
        ("tokens", "days", "7", "Choose how long the token lasts"),
        ("security/confirm", "password", "wrong", "This is not your password"),
    ],
)
def test_an_error_says_at_the_field_what_to_do(tmp_path: Path, path: str, field: str, value: str, told: str) -> None:
    office = Office(tmp_path)
    office.hire("ida")
    ida = office.signed_in("ida")
    fields = {**FORMS[f"{SETTINGS}/{path}"], "csrf": csrf(ida), field: value}
    got = ida.post(f"{SETTINGS}/{path}", data=fields)
    assert (got.status_code, told in got.text) == (400, True), got.text
    office.close()
