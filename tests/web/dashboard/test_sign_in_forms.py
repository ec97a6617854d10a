"""What the forms of signing in take: odd values are refused, and another site's page gets nothing done."""

from collections.abc import Iterator

import pytest

from tests.attacks.hostile_values import TEXTS
from tests.web.dashboard.test_second_factors import set_up, with_password
from tests.web.dashboard.test_team_forms import post, shown
from tests.web.people import Office, csrf
from wetink.access.second_factors import SecondFactors
from wetink.web import session

SETTINGS, LOGIN = "/dashboard/settings", "/dashboard/login"
FORMS: dict[str, dict[str, str]] = {
    f"{LOGIN}/second": {"code": "123456"},
    f"{LOGIN}/set-up": {"code": "123456"},
    f"{LOGIN}/forgotten": {"email": "ida@shop.example"},
    f"{LOGIN}/passkey/ask": {"after": "password"},
    f"{LOGIN}/passkey": {"challenge": "x", "answer": "{}", "next": "/dashboard", "after": "password"},
    f"{SETTINGS}/security/app": {},
    f"{SETTINGS}/security/app/confirm": {"setup": "x", "code": "123456"},
    f"{SETTINGS}/security/app/remove": {},
    f"{SETTINGS}/security/codes": {},
    f"{SETTINGS}/security/passkeys/ask": {},
    f"{SETTINGS}/security/passkeys/add": {"challenge": "x", "answer": "{}", "passkey-name": "Laptop"},
    f"{SETTINGS}/security/passkeys/prove": {"challenge": "x", "answer": "{}", "next": "/dashboard"},
    f"{SETTINGS}/security/passkeys/prove/ask": {},
    f"{SETTINGS}/security/passkeys/remove": {"passkey": "x"},
    f"{SETTINGS}/sign-on/save": {
        "name": "",
        "title": "Okta",
        "issuer": "http://127.0.0.1:9",
        "client": "c",
        "secret": "s",
        "domains": "shop.example",
        "role": "viewer",
        "claim": "groups",
        "groups": "mail = editor",
    },
    f"{SETTINGS}/sign-on/remove": {"name": "okta"},
    f"{SETTINGS}/sign-on/require": {"second_factor": ""},
    f"{SETTINGS}/sign-on/passwords": {"passwords": "on"},
    f"{SETTINGS}/team/reset": {"account": "x"},
}
PATHS = tuple(FORMS)
READS = (
    f"{LOGIN}/second",
    f"{LOGIN}/set-up",
    f"{LOGIN}/forgotten?email={{value}}",
    f"{LOGIN}/with/{{value}}",
    f"{LOGIN}/with/okta?next={{value}}",
    f"{LOGIN}/back?state={{value}}&code={{value}}&error={{value}}&iss={{value}}",
    f"{SETTINGS}/security/app?setup={{value}}",
    f"{SETTINGS}/sign-on/{{value}}",
    f"{SETTINGS}/sign-on/new?kind={{value}}",
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("sign-in"))
    made.hire("ida")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait."""

    async def nothing(*given: object) -> None:
        return

    monkeypatch.setattr(session, "_try", nothing)
    monkeypatch.setattr(SecondFactors, "count_try", nothing)


@pytest.mark.parametrize("path", PATHS)
def test_an_odd_value_is_refused_or_kept_and_the_pages_are_shown_after_it(office: Office, path: str) -> None:
    ida = office.signed_in("ida")
    fields = {**FORMS[path], "csrf": csrf(ida)}
    for field in fields:
        for name, value in list(TEXTS.items())[:: 1 if field in ("title", "passkey-name") else 4]:
            rest = "&".join(f"{each}={shown(usual).decode()}" for each, usual in fields.items() if each != field)
            got = post(ida, path, f"{rest}&{field}=".encode() + shown(value))
            assert got.status_code < 500, f"{field} = {name}: {got.text[:300]}"
    for page in ("security", "sign-on", "team"):
        assert ida.get(f"{SETTINGS}/{page}").status_code == 200, page
    assert ida.get(LOGIN).status_code == 200
    office.run(office.wetink.factors.reset(office.run(office.wetink.store.accounts.all())[0].id))


@pytest.mark.parametrize("path", READS)
def test_an_odd_address_is_answered(office: Office, path: str) -> None:
    ida = office.signed_in("ida")
    for name, value in TEXTS.items():
        if len(shown(value)) > 4_000:
            continue  # no browser asks for a longer address
        got = ida.get(path.replace("{value}", shown(value).decode()))
        assert got.status_code < 500, f"{name}: {got.text[:300]}"


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith(LOGIN)])
def test_another_sites_page_takes_no_step_of_a_sign_in(office: Office, path: str) -> None:
    _, codes = set_up(office.signed_in("ida"))
    client = with_password(office)
    fields = {**FORMS[path], "code": codes[0]}
    assert client.post(path, data=fields, headers={"origin": "https://evil.example"}).status_code == 403
    text = client.post(path, content=b"code=" + codes[0].encode(), headers={"content-type": "text/plain"})
    assert text.status_code == 400
    assert client.get("/dashboard/blocks").status_code == 303
    assert client.post(f"{LOGIN}/second", data={"code": codes[0]}).status_code == 303  # it was not used up
    office.run(office.wetink.factors.reset(office.run(office.wetink.store.accounts.all())[0].id))
