"""The second step of a sign-in, from the setup of an app to a lost device."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from starlette.testclient import TestClient

from tests.access.authenticator import Authenticator
from tests.web.people import PASSWORD, Office, send
from wetink.core.access.one_time_code import STEP_MS
from wetink.core.access.passkey import RelyingParty
from wetink.web.request import now_ms

SECURITY = "/settings/security"
LOGIN, SECOND = "/dashboard/login", "/dashboard/login/second"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.hire("ida")
    yield made
    made.close()


def secret_in(page: str) -> pyotp.TOTP:
    found = re.search(r'<pre id="secret"[^>]*>([A-Z2-7 ]+)</pre>', page)
    assert found is not None, page
    return pyotp.TOTP(found[1].replace(" ", ""))


def codes_in(page: str) -> list[str]:
    found = re.search(r'<pre id="codes"[^>]*>([^<]+)</pre>', page)
    assert found is not None, page
    return html.unescape(found[1]).split()


def now(app: pyotp.TOTP, steps: int = 1) -> str:
    """Return a code. The first is that of now, a later one that of the next step: time may pass until it is read."""
    return app.at((now_ms() + steps * STEP_MS) // 1000)


def set_up(client: TestClient) -> tuple[pyotp.TOTP, list[str]]:
    """Turn on the app of whoever is signed in. Returns it, and the recovery codes."""
    begun = send(client, f"{SECURITY}/app")
    assert begun.status_code == 303
    page = client.get(begun.headers["location"]).text
    assert 'src="data:image/svg+xml' in page
    app, setup = secret_in(page), begun.headers["location"].partition("setup=")[2]
    wrong = send(client, f"{SECURITY}/app/confirm", setup=setup, code="12")
    assert wrong.status_code == 400
    assert "This code is wrong" in wrong.text
    assert secret_in(wrong.text).secret == app.secret
    done = send(client, f"{SECURITY}/app/confirm", setup=setup, code=now(app, steps=0))
    assert done.status_code == 200
    return app, codes_in(done.text)


def with_password(office: Office, name: str = "ida", onward: str = "/dashboard/blocks") -> TestClient:
    """Return a browser that has given the right password."""
    client = office.browser("192.0.2.7")
    got = client.post(LOGIN, data={"email": f"{name}@shop.example", "password": PASSWORD, "next": onward})
    assert got.status_code == 303
    client.headers["x-sent-to"] = got.headers["location"]
    return client


def audited(office: Office) -> list[str]:
    return [f"{each.action} {each.thing}" for each in office.run(office.wetink.store.audit_log.read(50))]


def test_after_the_password_a_code_of_the_app_signs_in_once(office: Office) -> None:
    app, _ = set_up(office.signed_in("ida"))
    client = with_password(office)
    assert client.headers["x-sent-to"] == SECOND
    assert client.get("/dashboard/blocks").status_code == 303  # the password alone opens nothing
    assert "One more step" in client.get(SECOND).text
    wrong = client.post(SECOND, data={"code": "000 000"})
    assert wrong.status_code == 403
    assert "This code is wrong" in wrong.text
    code = now(app)
    right = client.post(SECOND, data={"code": code})
    assert (right.status_code, right.headers["location"]) == (303, "/dashboard/blocks")
    assert client.get("/dashboard/blocks").status_code == 200
    other = with_password(office)
    again = other.post(SECOND, data={"code": code})
    assert again.status_code == 403
    assert "already used" in again.text
    found = audited(office)
    assert "signed in with the authenticator app" in found
    assert "failed a second factor of ida@shop.example" in found


def test_a_recovery_code_signs_in_once_and_new_ones_end_the_others(office: Office) -> None:
    _, codes = set_up(office.signed_in("ida"))
    client = with_password(office)
    assert client.post(SECOND, data={"code": codes[0].upper()}).status_code == 303
    assert with_password(office).post(SECOND, data={"code": codes[0]}).status_code == 403
    assert "<strong>9</strong>" in client.get(f"/dashboard{SECURITY}").text
    new = codes_in(send(client, f"{SECURITY}/codes").text)
    assert with_password(office).post(SECOND, data={"code": codes[1]}).status_code == 403
    assert with_password(office).post(SECOND, data={"code": new[1]}).status_code == 303
    assert "signed in with a recovery code" in audited(office)


def test_wrong_codes_make_the_account_wait_wherever_they_come_from(office: Office) -> None:
    app, _ = set_up(office.signed_in("ida"))
    statuses = [with_password(office).post(SECOND, data={"code": "000000"}).status_code for _ in range(7)]
    assert statuses[-1] == 429
    held = with_password(office).post(SECOND, data={"code": now(app)})
    assert held.status_code == 429
    assert int(held.headers["retry-after"]) >= 1
    assert "Try again in" in held.text


def test_a_half_finished_sign_in_is_one_browsers_and_serves_once(office: Office) -> None:
    _, codes = set_up(office.signed_in("ida"))
    client = with_password(office)
    step = dict(client.cookies)
    assert client.post(SECOND, data={"code": codes[0]}).status_code == 303
    thief = office.browser("192.0.2.8")
    assert thief.post(SECOND, data={"code": codes[1]}).status_code == 409
    thief.cookies.update({name: value for name, value in step.items() if "second" in name})
    assert thief.post(SECOND, data={"code": codes[1]}).status_code == 409
    assert "This sign-in has ended" in thief.get(SECOND).text


def test_a_disabled_account_does_not_finish_its_sign_in(office: Office) -> None:
    office.hire("bob", "viewer")
    app, _ = set_up(office.signed_in("bob"))
    client = with_password(office, "bob")
    bob = next(each for each in office.run(office.wetink.store.accounts.all()) if each.email.startswith("bob"))
    office.run(office.wetink.store.accounts.change(bob.id, disabled=True))
    assert client.post(SECOND, data={"code": now(app)}).status_code == 409


def test_a_new_password_ends_the_sign_ins_of_the_old_one(office: Office) -> None:
    ida = office.signed_in("ida")
    app, _ = set_up(ida)
    client = with_password(office)
    new = {"current": PASSWORD, "password": "velvet harbor counts slowly"}
    assert send(ida, f"{SECURITY}/password", **new).status_code == 303
    assert client.post(SECOND, data={"code": now(app)}).status_code == 409


def test_turning_the_app_off_needs_a_fresh_proof(office: Office) -> None:
    client = office.signed_in("ida")
    set_up(client)
    office.run(_forget_proofs(office))
    for path in ("/app", "/app/remove", "/codes", "/passkeys/ask", "/passkeys/remove"):
        got = send(client, f"{SECURITY}{path}")
        assert got.status_code == 303
        assert got.headers["location"].startswith(f"/dashboard{SECURITY}/confirm"), path
    assert (
        send(client, f"{SECURITY}/confirm", password=PASSWORD, next="/dashboard/settings/security").status_code == 303
    )
    assert send(client, f"{SECURITY}/app/remove").headers["location"] == f"/dashboard{SECURITY}"
    assert with_password(office).headers["x-sent-to"] == "/dashboard/blocks"


async def _forget_proofs(office: Office) -> None:
    ida = (await office.wetink.store.accounts.all())[0]
    for each in await office.wetink.store.sessions.of(ida.id, now_ms()):
        assert each.proved
    sessions = office.wetink.store.sessions
    sessions._db.execute("UPDATE session SET proved = 1")  # type: ignore[attr-defined]


def test_an_owner_requires_a_second_factor_of_everybody(office: Office) -> None:
    office.hire("bob", "viewer")
    ida, bob = office.signed_in("ida"), office.signed_in("bob")
    refused = send(ida, "/settings/sign-on/require", second_factor="on")
    assert refused.status_code == 409
    assert "of your own" in refused.text
    set_up(ida)
    assert send(ida, "/settings/sign-on/require", second_factor="on").status_code == 303
    assert ida.get("/dashboard/blocks").status_code == 200
    assert bob.get("/dashboard/blocks").status_code == 303
    client = with_password(office, "bob")
    assert client.headers["x-sent-to"] == "/dashboard/login/set-up"
    page = client.get("/dashboard/login/set-up").text
    app = secret_in(page)
    assert client.get("/dashboard/blocks").status_code == 303
    assert client.post("/dashboard/login/set-up", data={"code": "000"}).status_code == 400
    done = client.post("/dashboard/login/set-up", data={"code": now(app, steps=0)})
    assert len(codes_in(done.text)) == 10
    assert 'href="/dashboard/blocks"' in done.text
    assert client.get("/dashboard/blocks").status_code == 200
    kept = send(client, f"{SECURITY}/app/remove")
    assert kept.status_code == 409
    assert "requires a second factor" in kept.text
    assert with_password(office, "bob").post(SECOND, data={"code": now(app)}).status_code == 303
    assert send(ida, "/settings/sign-on/require").status_code == 303
    assert send(client, f"{SECURITY}/app/remove").status_code == 303


def test_an_owner_resets_the_second_factor_of_a_lost_device(office: Office) -> None:
    office.hire("bob", "editor")
    bob, ida = office.signed_in("bob"), office.signed_in("ida")
    set_up(bob)
    account = next(each for each in office.run(office.wetink.store.accounts.all()) if each.email.startswith("bob"))
    assert send(bob, "/settings/team/reset", account=account.id).status_code == 403
    assert send(ida, "/settings/team/reset", account=account.id).status_code == 303
    assert bob.get("/dashboard/blocks").status_code == 303
    assert with_password(office, "bob").headers["x-sent-to"] == "/dashboard/blocks"
    assert "reset the second factors of bob@shop.example" in audited(office)
    assert send(ida, "/settings/team/reset", account="absent").status_code == 404


def test_a_passkey_proves_who_somebody_is_as_their_password_does(office: Office) -> None:
    client = office.signed_in("ida")
    passkeys = office.run(office.wetink.passkeys())
    passkeys.party, device = RelyingParty("testserver", "http://testserver"), Authenticator()
    asked = send(client, f"{SECURITY}/passkeys/ask").json()
    added = device.registered(json.dumps(asked["options"]), "http://testserver")
    send(client, f"{SECURITY}/passkeys/add", challenge=asked["challenge"], answer=added)
    office.run(_forget_proofs(office))
    assert send(client, f"{SECURITY}/codes").headers["location"].startswith(f"/dashboard{SECURITY}/confirm")
    asked = send(client, f"{SECURITY}/passkeys/prove/ask").json()
    fields = {"challenge": asked["challenge"], "next": f"/dashboard{SECURITY}"}
    wrong = Authenticator().signed(json.dumps(asked["options"]), "http://testserver")
    assert send(client, f"{SECURITY}/passkeys/prove", answer=wrong, **fields).status_code == 403
    asked = send(client, f"{SECURITY}/passkeys/prove/ask").json()
    right = device.signed(json.dumps(asked["options"]), "http://testserver")
    fields["challenge"] = asked["challenge"]
    got = send(client, f"{SECURITY}/passkeys/prove", answer=right, **fields)
    assert (got.status_code, got.headers["location"]) == (303, f"/dashboard{SECURITY}")
    assert send(client, f"{SECURITY}/codes").status_code == 200


def test_a_refused_passkey_leaves_the_other_ways_of_the_second_step(office: Office) -> None:
    office.run(office.wetink.passkeys()).party = RelyingParty("testserver", "http://testserver")
    _, codes = set_up(office.signed_in("ida"))
    client = with_password(office)
    asked = client.post("/dashboard/login/passkey/ask", data={"after": "password"}).json()
    strange = Authenticator().signed(json.dumps(asked["options"]), "http://testserver")
    fields = {"after": "password", "challenge": asked["challenge"], "answer": strange}
    got = client.post("/dashboard/login/passkey", data=fields)
    assert got.status_code == 403
    assert "One more step" in got.text
    assert "not known here" in got.text
    assert "failed a second factor of ida@shop.example" in audited(office)
    assert client.post(SECOND, data={"code": codes[0]}).status_code == 303
