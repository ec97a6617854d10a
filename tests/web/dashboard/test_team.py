"""The team's pages: from the first owner to roles, links that work once, sessions, tokens and the audit log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.people import PASSWORD, Office, csrf, link_in, send

TEAM, SECURITY, TOKENS = "/settings/team", "/settings/security", "/settings/tokens"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()


def test_the_token_signs_in_until_there_is_an_owner(office: Office) -> None:
    first = office.with_token()
    assert "Make your account" in first.get("/dashboard/settings/team").text
    onward = send(first, f"{TEAM}/invite", email="Ida@Shop.example", mine="yes")
    assert onward.status_code == 303
    link = onward.headers["location"].partition("link=")[2]
    got = first.post("/dashboard/join", data={"link": link, "name": "Ida Wells", "password": PASSWORD})
    assert got.status_code == 303
    page = first.get("/dashboard/settings/team").text
    assert "Ida Wells" in page
    assert "Make your account" not in page
    stranger = office.browser()
    assert stranger.post("/dashboard/login", data={"token": office.wetink.dashboard_token}).status_code == 403
    assert "until there is an owner" in stranger.get(f"/dashboard/login?token={office.wetink.dashboard_token}").text
    assert office.run(office.wetink.store.accounts.all())[0].role == "owner"


def test_a_session_of_the_token_ends_with_the_first_owner(office: Office) -> None:
    before = office.with_token()
    assert before.get("/dashboard").status_code == 200
    office.hire("ida")
    assert before.get("/dashboard").status_code == 303


def test_an_invitation_makes_an_account_once_with_its_role(office: Office) -> None:
    office.hire("ida")
    ida = office.signed_in("ida")
    link = link_in(send(ida, f"{TEAM}/invite", email="bob@shop.example", role="viewer").text)
    bob = office.browser("192.0.2.2")
    shown = bob.get("/dashboard/join", params={"link": link}).text
    assert "Ida invites <strong>bob@shop.example</strong> as viewer" in shown
    weak = bob.post("/dashboard/join", data={"link": link, "name": "Bob", "password": "bob@shop.example"})
    assert weak.status_code == 400
    assert "easy to guess: it has your name or address" in weak.text
    assert bob.post("/dashboard/join", data={"link": link, "name": " ", "password": PASSWORD}).status_code == 400
    assert bob.post("/dashboard/join", data={"link": link, "name": "Bob", "password": PASSWORD}).status_code == 303
    assert bob.get("/dashboard/blocks").status_code == 200
    again = office.browser("192.0.2.3").post(
        "/dashboard/join", data={"link": link, "name": "Eve", "password": PASSWORD}
    )
    assert again.status_code == 409
    assert "This invitation was already used" in again.text
    refused = send(bob, "/sources", name="mine", level="server")
    assert refused.status_code == 403
    assert "You need the role developer" in refused.text
    assert bob.get("/dashboard/settings/team").status_code == 403


def test_withdrawn_invitations_and_a_second_one_of_an_address_say_so(office: Office) -> None:
    office.hire("ida")
    ida = office.signed_in("ida")
    first = link_in(send(ida, f"{TEAM}/invite", email="bob@shop.example", role="editor").text)
    second = link_in(send(ida, f"{TEAM}/invite", email="bob@shop.example", role="editor").text)
    assert "was withdrawn" in office.browser().get(f"/dashboard/join?link={first}").text
    (waiting,) = office.run(office.wetink.team.invitations())
    assert send(ida, f"{TEAM}/withdraw", invitation=waiting.id).status_code == 303
    assert office.browser().get(f"/dashboard/join?link={second}").status_code == 409
    taken = send(ida, f"{TEAM}/invite", email="ida@shop.example", role="editor")
    assert taken.status_code == 409
    assert "is in the team already" in taken.text


def test_a_password_link_sets_a_password_and_ends_sessions(office: Office) -> None:
    office.hire("ida")
    bob = office.hire("bob", "editor")
    ida, his = office.signed_in("ida"), office.signed_in("bob", "192.0.2.2")
    link = link_in(send(ida, f"{TEAM}/link", account=bob.id).text)
    other = office.browser("192.0.2.3")
    assert other.post("/dashboard/join", data={"link": link, "password": "amber river folds twice"}).status_code == 303
    assert his.get("/dashboard").status_code == 303, "earlier sessions ended"
    assert other.get("/dashboard").status_code == 200


def test_the_last_owner_stays_and_a_disabled_account_is_out_at_once(office: Office) -> None:
    owner, editor = office.hire("ida"), office.hire("bob", "editor")
    ida, bob = office.signed_in("ida"), office.signed_in("bob", "192.0.2.2")
    for do in ("remove", "disable"):
        refused = send(ida, f"{TEAM}/change", account=owner.id, do=do)
        assert refused.status_code == 409
        assert "This is the last owner" in refused.text
    assert send(ida, f"{TEAM}/change", account=owner.id, do="role", role="viewer").status_code == 409
    assert send(ida, f"{TEAM}/change", account=editor.id, do="disable").status_code == 303
    assert bob.get("/dashboard").status_code == 303
    wrong = office.browser().post("/dashboard/login", data={"email": "bob@shop.example", "password": PASSWORD})
    assert wrong.status_code == 403
    assert "do not match" in wrong.text, "the same as for a wrong password"
    assert send(ida, f"{TEAM}/change", account=editor.id, do="enable").status_code == 303
    assert send(ida, f"{TEAM}/change", account=editor.id, do="role", role="developer").status_code == 303
    bob = office.signed_in("bob", "192.0.2.2")
    assert send(bob, "/sources", name="mine", level="server").status_code == 200
    assert send(ida, f"{TEAM}/change", account=editor.id, do="remove").status_code == 303
    assert bob.get("/dashboard").status_code == 303


def test_a_role_counts_at_the_next_request(office: Office) -> None:
    office.hire("ida")
    editor = office.hire("bob", "editor")
    bob = office.signed_in("bob")
    assert send(bob, "/theme", theme="dark", next="/dashboard").status_code == 303
    office.run(office.wetink.team.set_role(editor.id, "viewer"))
    assert send(bob, "/audiences/told/again").status_code == 403


def test_a_new_password_keeps_this_browser_and_ends_the_others(office: Office) -> None:
    office.hire("ida")
    one, other = office.signed_in("ida"), office.signed_in("ida", "192.0.2.2")
    new = "amber river folds twice"
    wrong = send(one, f"{SECURITY}/password", current="not it", password=new)
    assert wrong.status_code == 400
    assert "This is not your current password" in wrong.text
    assert send(one, f"{SECURITY}/password", current=PASSWORD, password="password1").status_code == 400
    assert send(one, f"{SECURITY}/password", current=PASSWORD, password=new).status_code == 303
    assert one.get("/dashboard").status_code == 200
    assert other.get("/dashboard").status_code == 303


def test_sessions_are_listed_and_ended_by_their_account_alone(office: Office) -> None:
    for name in ("ida", "bob"):
        office.hire(name)
    one, other, bob = office.signed_in("ida"), office.signed_in("ida", "192.0.2.2"), office.signed_in("bob")
    page = one.get("/dashboard/settings/security").text
    assert "192.0.2.2" in page
    assert page.count("Sign out</button>") == 1, "this browser has none"
    theirs = page.partition('name="session" value="')[2].partition('"')[0]
    send(bob, f"{SECURITY}/end", session=theirs)
    assert other.get("/dashboard").status_code == 200, "nobody ends the session of another account"
    assert send(one, f"{SECURITY}/end", session=theirs).status_code == 303
    assert other.get("/dashboard").status_code == 303
    assert one.get("/dashboard").status_code == bob.get("/dashboard").status_code == 200


def test_the_name_of_the_account_stands_at_the_version_and_in_the_log(office: Office) -> None:
    office.hire("ida")
    ida = office.signed_in("ida")
    before = office.wetink.version
    made = send(ida, "/audiences/save", name="vip", yaml="rule: {done: Order Completed}")
    assert made.status_code < 400, made.text
    latest = office.run(office.wetink.store.content.versions(1))[0]
    assert (latest.by, latest.number > before) == ("Ida", True)
    entry = office.run(office.wetink.store.audit_log.read(1))[0]
    assert (entry.actor, entry.thing, entry.version, entry.address) == (
        *("Ida", "audience vip", latest.number, "192.0.2.1"),
    )
    page = ida.get("/dashboard/settings/audit").text
    assert "saved <strong>audience vip" in page
    sheet = ida.get("/dashboard/settings/audit.csv?actor=Ida&thing=vip").text.splitlines()
    assert len(sheet) == 2
    assert '"Ida"' in sheet[1]


def test_the_log_leaves_out_what_failed_and_what_only_reads(office: Office) -> None:
    office.hire("ida")
    ida = office.signed_in("ida")
    send(ida, "/sources", name="", level="server")
    send(ida, "/audiences/tried", yaml="rule: {done: A}")
    ida.post("/dashboard/sources", data={"csrf": "wrong", "name": "x"})
    ida.get("/dashboard")
    assert [each.action for each in office.run(office.wetink.store.audit_log.read(9))] == ["signed in with"]
    send(ida, "/sources", name="shop", level="server")
    send(ida, "/sources/change", name="shop", change="rotate")
    said = [f"{each.action} {each.thing}" for each in office.run(office.wetink.store.audit_log.read(9))]
    assert said[:2] == ["rotated source shop", "made source shop"]


def test_a_form_whose_session_ended_comes_back_after_the_sign_in(office: Office) -> None:
    office.hire("ida")
    ida = office.signed_in("ida")
    fields = {"csrf": csrf(ida), "name": "shop", "level": "server", "hosts": "shop.example, a.example"}
    account = office.run(office.wetink.team.named("ida@shop.example"))
    office.run(office.wetink.store.sessions.end_of(account.id))
    kept = ida.post("/dashboard/sources", data=fields)
    assert kept.status_code == 401
    assert "Your session ended" in kept.text
    assert 'name="hosts" value="shop.example, a.example"' in kept.text
    held = {**{name: fields[name] for name in ("name", "level", "hosts")}, "held.to": "/dashboard/sources"}
    assert "not signed in yet" in ida.post("/dashboard/session/again", data=held).text
    assert ida.post("/dashboard/login", data={"email": account.email, "password": PASSWORD}).status_code == 303
    back = ida.post("/dashboard/session/again", data=held)
    assert 'action="/dashboard/sources"' in back.text
    token = back.text.partition('name="csrf" value="')[2].partition('"')[0]
    assert ida.post("/dashboard/sources", data={**held, "csrf": token}).status_code == 200
    assert [each.name for each in office.run(office.wetink.store.sources.all())] == ["shop"]


def test_a_script_is_told_that_the_session_ended(office: Office) -> None:
    got = office.browser().post("/dashboard/sources", headers={"hx-request": "true"})
    assert (got.status_code, got.headers["wetink-session"]) == (401, "ended")
    assert office.browser().get("/dashboard/session").json()["name"] == ""


def test_changes_to_the_team_ask_for_the_password_after_a_while(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.hire("ida")
    bob = office.hire("bob", "editor")
    ida = office.signed_in("ida")
    monkeypatch.setattr("wetink.web.session.PROVED_MS", 0)
    asked = send(ida, f"{TEAM}/change", account=bob.id, do="remove")
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/dashboard/settings/security/confirm")
    assert ida.get(asked.headers["location"]).status_code == 200
    assert send(ida, f"{SECURITY}/confirm", password="not it", next="/dashboard/settings/team").status_code == 400
    monkeypatch.undo()
    right = send(ida, f"{SECURITY}/confirm", password=PASSWORD, next="/dashboard/settings/team")
    assert right.headers["location"] == "/dashboard/settings/team"
    assert send(ida, f"{TEAM}/change", account=bob.id, do="remove").status_code == 303


def test_an_owner_who_becomes_a_viewer_goes_on_to_a_page_they_may_see(office: Office) -> None:
    owner = office.hire("ida")
    office.hire("ann")
    ida = office.signed_in("ida")
    got = send(ida, f"{TEAM}/change", account=owner.id, do="role", role="viewer")
    assert got.headers["location"] == "/dashboard"
    assert ida.get("/dashboard/settings/team").status_code == 403


def test_an_expired_invitation_is_listed_for_a_while_and_gets_a_new_link(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.hire("ida")
    now = office.wetink.team._clock_ms()
    monkeypatch.setattr(office.wetink.team, "_clock_ms", lambda: now - 8 * 86_400_000)
    office.run(office.wetink.team.invite("bob@shop.example", "editor", "Ida"))
    office.run(office.wetink.team.invite("old@shop.example", "editor", "Ida"))
    monkeypatch.undo()
    ida = office.signed_in("ida")
    page = ida.get("/dashboard/settings/team").text
    assert page.count("expired") == 2
    assert "join?link=" in send(ida, f"{TEAM}/invite", email="bob@shop.example", role="editor").text
    monkeypatch.setattr(office.wetink.team, "_clock_ms", lambda: now + 40 * 86_400_000)
    assert "old@shop.example" not in ida.get("/dashboard/settings/team").text
