"""Single sign-on through a real identity provider: set up by an owner, used by the team, and each way it can fail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bench.program import free_port
from tests.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.web.people import Office, csrf, send
from wetink.core.access.single_sign_on import Provider, SignInRules

SETTINGS = "/settings/sign-on"


@pytest.fixture
def office(tmp_path: Path, provider: IdentityProvider) -> Iterator[Office]:
    made = Office(tmp_path, private_hosts=f"127.0.0.1:{provider.port}")
    made.hire("ida")
    yield made
    made.close()


def fields(provider: IdentityProvider, **more: str) -> dict[str, str]:
    usual = {"title": "Okta", "issuer": provider.issuer, "client": CLIENT, "secret": SECRET, "role": "viewer"}
    return {**usual, "domains": "shop.example", "groups": "mail = editor\n", **more}


def saved(browser: TestClient, given: dict[str, str]) -> Any:
    """Send the form of a provider."""
    return browser.post(f"/dashboard{SETTINGS}/save", data={"csrf": csrf(browser), **given})


def add(office: Office, provider: IdentityProvider, **more: str) -> None:
    got = saved(office.signed_in("ida"), fields(provider, **more))
    assert got.status_code == 303, got.text


def come(office: Office, provider: IdentityProvider, who: str, path: str = "/dashboard/blocks") -> Any:
    """Sign in through the provider. Returns the browser, and the answer to its coming back."""
    browser = office.browser("192.0.2.9")
    sent = browser.get("/dashboard/login/with/okta", params={"next": path})
    assert sent.status_code == 303, sent.text
    return browser, browser.get(provider.sign_in(sent.headers["location"], who))


def test_somebody_of_the_company_comes_in_with_the_role_of_their_group(
    office: Office, provider: IdentityProvider
) -> None:
    add(office, provider)
    assert "Continue with Okta" in office.browser().get("/dashboard/login").text
    browser, back = come(office, provider, "bob+mail@shop.example")
    assert (back.status_code, back.headers["location"]) == (303, "/dashboard/blocks")
    assert browser.get("/dashboard/blocks").status_code == 200
    accounts = {each.email: each.role for each in office.run(office.wetink.store.accounts.all())}
    assert accounts == {"ida@shop.example": "owner", "bob+mail@shop.example": "editor"}
    assert come(office, provider, "ida@shop.example")[1].status_code == 303
    assert len(office.run(office.wetink.store.accounts.all())) == 2
    found = [f"{each.actor} {each.action} {each.thing}" for each in office.run(office.wetink.store.audit_log.read(9))]
    assert "Ida signed in with Okta" in found


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("unverified@shop.example", "does not say that unverified@shop.example is verified"),
        ("eve@other.example", "may not sign in people of other.example"),
        ("nobody", "which email address"),
    ],
)
def test_somebody_who_may_not_come_in_is_told_why(
    office: Office, provider: IdentityProvider, who: str, says: str
) -> None:
    add(office, provider)
    browser, back = come(office, provider, who)
    assert back.status_code == 403
    assert says in back.text
    assert browser.get("/dashboard/blocks").status_code == 303


def test_an_answer_counts_once_and_in_its_own_browser(office: Office, provider: IdentityProvider) -> None:
    add(office, provider)
    browser, other = office.browser("192.0.2.1"), office.browser("192.0.2.2")
    sent = browser.get("/dashboard/login/with/okta").headers["location"]
    other.get("/dashboard/login/with/okta")
    answer = provider.sign_in(sent, "ida@shop.example")
    for thief, says in ((other, "another sign-in"), (office.browser(), "began in another browser")):
        got = thief.get(answer)
        assert got.status_code == 403
        assert says in got.text
    kept = dict(browser.cookies)
    assert browser.get(answer).status_code == 303
    browser.cookies.update(kept)
    again = browser.get(answer)  # the provider knows that the code was used
    assert again.status_code == 403
    assert "refused the sign-in" in again.text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("error=access_denied&error_description=You+said+%3Cno%3E", "You said &lt;no&gt;"),
        ("error=server_error", "server_error"),
        ("code=x&iss=https://evil.example", "another provider"),
        ("code=" + "x" * 3_000, "refused the sign-in"),
        ("", "refused the sign-in"),
    ],
)
def test_an_answer_without_a_person_is_told(office: Office, provider: IdentityProvider, query: str, says: str) -> None:
    add(office, provider)
    browser = office.browser()
    sent = browser.get("/dashboard/login/with/okta").headers["location"]
    state = sent.partition("state=")[2].partition("&")[0]
    got = browser.get(f"/dashboard/login/back?state={state}&{query}")
    assert got.status_code == 403
    assert says in got.text


@pytest.mark.parametrize("cookie", ["", "x", "é", "AAAA", "A" * 4_000])
def test_a_forged_step_is_refused(office: Office, provider: IdentityProvider, cookie: str) -> None:
    add(office, provider)
    browser = office.browser()
    got = browser.get("/dashboard/login/back?code=x&state=y", headers={"cookie": f"wetink_sign_on={cookie}".encode()})
    assert got.status_code == 403


def test_a_provider_that_is_down_or_gone_is_told_at_the_sign_in(office: Office, provider: IdentityProvider) -> None:
    got = office.browser().get("/dashboard/login/with/okta")
    assert got.status_code == 404
    assert "not set up" in got.text
    down = Provider("okta", "Okta", "http://127.0.0.1:9", CLIENT, SECRET)
    office.run(office.wetink.sign_in_rules.change(lambda _: SignInRules(providers=(down,))))
    got = office.browser().get("/dashboard/login/with/okta")
    assert got.status_code == 503
    assert "cannot be used now" in got.text
    assert "127.0.0.1" not in got.text.partition("</head>")[2]


def test_the_form_says_at_the_field_what_is_wrong_and_keeps_the_rest(
    office: Office, provider: IdentityProvider
) -> None:
    ida = office.signed_in("ida")
    slips = {
        "title": ("…", "Name the provider"),
        "issuer": (f"http://127.0.0.1:{free_port()}", "Use https"),
        "client": ("", "Copy the client ID"),
        "secret": ("", "Copy the client secret"),
        "domains": ("gmail.com", "Anybody can have an address"),
        "groups": ("mail", "is not a group and a role"),
        "role": ("owner", "Choose a role"),
    }
    for name, (value, says) in slips.items():
        got = saved(ida, fields(provider, **{name: value}))
        assert got.status_code == 400, name
        assert says in got.text, name
        assert f'value="{CLIENT}"' in got.text or name == "client"
        assert SECRET not in got.text
    assert "No providers yet" in ida.get(f"/dashboard{SETTINGS}").text


def test_an_issuer_that_does_not_answer_is_told_at_the_field(tmp_path: Path, provider: IdentityProvider) -> None:
    port = free_port()
    office = Office(tmp_path, private_hosts=f"127.0.0.1:{port},127.0.0.1:{provider.port}")
    try:
        office.hire("ida")
        ida = office.signed_in("ida")
        got = saved(ida, fields(provider, issuer=f"http://127.0.0.1:{port}"))
        assert got.status_code == 400
        assert "Okta does not answer" in got.text
        add(office, provider, issuer=f"{provider.issuer}/")  # a slash too many
        assert office.run(office.wetink.sign_in_rules.read()).providers[0].issuer == provider.issuer
    finally:
        office.close()


def test_a_provider_is_edited_without_its_secret_and_removed(office: Office, provider: IdentityProvider) -> None:
    add(office, provider)
    ida = office.signed_in("ida")
    page = ida.get(f"/dashboard{SETTINGS}/okta").text
    assert SECRET not in page
    assert "mail = editor" in page
    changed = fields(provider, name="okta", title="Our Okta", secret="", domains="")
    assert saved(ida, changed).status_code == 303
    kept = office.run(office.wetink.sign_in_rules.read()).providers
    assert [(each.name, each.title, each.secret, each.domains) for each in kept] == [("okta", "Our Okta", SECRET, ())]
    _, back = come(office, provider, "new@shop.example")
    assert "has no account here" in back.text
    assert send(ida, f"{SETTINGS}/remove", name="okta").status_code == 303
    assert send(ida, f"{SETTINGS}/remove", name="okta").status_code == 404
    assert office.browser().get("/dashboard/login/with/okta").status_code == 404


def test_only_owners_set_up_providers(office: Office, provider: IdentityProvider) -> None:
    for role in ("editor", "developer", "viewer"):
        office.hire(role, role)  # type: ignore[arg-type]
        client = office.signed_in(role)
        assert client.get(f"/dashboard{SETTINGS}").status_code == 403
        assert saved(client, fields(provider)).status_code == 403
        assert send(client, f"{SETTINGS}/require", second_factor="on").status_code == 403


def test_a_sign_in_leads_nowhere_else(office: Office, provider: IdentityProvider) -> None:
    add(office, provider)
    for path in ("https://evil.example/", "//evil.example", "/dashboard/../../x\\y"):
        _, back = come(office, provider, "ida@shop.example", path)
        assert back.headers["location"] == "/dashboard"
