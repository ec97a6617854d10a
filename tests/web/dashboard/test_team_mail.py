"""The team's links by mail: invitations, an owner's links for passwords, and those that somebody asks for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.smtp import Mailbox, smtp
from tests.web.people import PASSWORD, Office, send
from wetink.core.access.account import FORGOTTEN_MS
from wetink.web.request import now_ms

TEAM, FORGOTTEN = "/settings/team", "/dashboard/login/forgotten"
NEW = "silver paper boats drift"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with smtp() as made:
        yield made


@pytest.fixture
def office(tmp_path: Path, box: Mailbox) -> Iterator[Office]:
    made = Office(tmp_path, smtp_url=f"smtp://127.0.0.1:{box.port}", sender="Wetink <team@shop.example>")
    made.hire("ida")
    yield made
    made.close()


def links(box: Mailbox) -> list[str]:
    """Return the link in each letter, which its two parts agree on."""
    found = []
    for letter in box.letters:
        parts = [letter.get_body((kind,)) for kind in ("plain", "html")]
        both = {re.findall(r"http\S+?/dashboard/join\?link=[\w-]+", part.get_content())[0] for part in parts if part}
        assert len(both) == 1, both
        found += both
    return found


def ask(browser: TestClient, email: str) -> tuple[int, str]:
    """Ask for a link to a new password. Returns the answer, without the address that it repeats."""
    got = browser.post(FORGOTTEN, data={"email": email})
    return got.status_code, got.text.replace(email, "…")


def test_an_invitation_goes_by_mail_and_is_not_shown(office: Office, box: Mailbox) -> None:
    ida = office.signed_in("ida")
    got = send(ida, f"{TEAM}/invite", email="bob@shop.example", role="editor")
    assert got.status_code == 303
    assert "A link is on its way to bob@shop.example." in ida.get("/dashboard/settings/team").text
    (link,) = links(box)
    assert box.receivers == [["bob@shop.example"]]
    assert box.letters[0]["subject"] == "Ida invites you to wetink"
    bob = office.browser("192.0.2.2")
    secret = link.partition("link=")[2]
    joined = bob.post("/dashboard/join", data={"link": secret, "name": "Bob", "password": PASSWORD})
    assert joined.status_code == 303


def test_an_invitation_that_cannot_be_sent_is_shown_with_the_reason(office: Office, box: Mailbox) -> None:
    box.refuses["RCPT"] = b"550 no such mailbox"
    got = send(office.signed_in("ida"), f"{TEAM}/invite", email="bob@shop.example", role="editor")
    assert got.status_code == 200
    assert "The email was not sent" in got.text
    assert "/dashboard/join?link=" in got.text


def test_an_owners_link_for_a_password_goes_by_mail(office: Office, box: Mailbox) -> None:
    bob = office.hire("bob", "viewer")
    assert send(office.signed_in("ida"), f"{TEAM}/link", account=bob.id).status_code == 303
    assert box.receivers == [["bob@shop.example"]]
    assert len(links(box)) == 1


def test_somebody_who_forgot_their_password_chooses_a_new_one_by_mail(office: Office, box: Mailbox) -> None:
    browser, before = office.browser("192.0.2.7"), office.signed_in("ida")
    assert "Forgot your password?" in browser.get("/dashboard/login").text
    status, said = ask(browser, " Ida@Shop.example")
    assert (status, "a link is on its way" in said) == (200, True)
    (link,) = links(box)
    secret = link.partition("link=")[2]
    assert browser.post("/dashboard/join", data={"link": secret, "password": NEW}).status_code == 303
    assert browser.get("/dashboard/blocks").status_code == 200
    assert before.get("/dashboard/blocks").status_code == 303, "other browsers are signed out"
    assert browser.post("/dashboard/join", data={"link": secret, "password": NEW}).status_code == 409, "it works once"
    actions = [f"{each.actor} {each.action}" for each in office.run(office.wetink.store.audit_log.read(9))]
    assert {"Ida asked for a password link for", "Ida set a new password by link for"} <= set(actions)


def test_nobody_learns_from_the_answer_who_has_an_account(office: Office, box: Mailbox) -> None:
    bob, eve = office.hire("bob"), office.hire("eve")
    office.run(office.wetink.team.set_disabled(bob.id, True))
    office.run(office.wetink.store.accounts.change(eve.id, password=""))
    asked = ("ida@shop.example", "nobody@shop.example", "bob@shop.example", "eve@shop.example", "no address")
    answers = {ask(office.browser(f"192.0.2.{at}"), email) for at, email in enumerate(asked)}
    assert len(answers) == 1
    assert box.receivers == [["ida@shop.example"]], "not the disabled, and not those of a provider"


def test_an_account_gets_one_link_an_hour_and_an_address_may_not_ask_for_many(office: Office, box: Mailbox) -> None:
    for at in range(3):
        ask(office.browser(f"192.0.2.{at}"), "ida@shop.example")
    assert len(box.letters) == 1
    browser = office.browser("198.51.100.1")
    statuses = [ask(browser, f"{at}@shop.example")[0] for at in range(8)]
    assert statuses == [200] * 6 + [429] * 2


def test_a_link_that_was_not_sent_may_be_asked_for_again(office: Office, box: Mailbox) -> None:
    box.refuses["MAIL"] = b"451 later"
    ask(office.browser("192.0.2.1"), "ida@shop.example")
    del box.refuses["MAIL"]
    ask(office.browser("192.0.2.2"), "ida@shop.example")
    assert len(links(box)) == 1


def test_a_link_that_somebody_asked_for_ends_after_an_hour(
    office: Office, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(office.browser(), "ida@shop.example")
    late = now_ms() + FORGOTTEN_MS
    monkeypatch.setattr(office.wetink.team, "_clock_ms", lambda: late)
    got = office.browser().get(links(box)[0])
    assert got.status_code == 409
    assert "expired" in got.text


def test_a_link_leads_to_the_public_address_whatever_host_the_request_names(office: Office, box: Mailbox) -> None:
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example", "origin": "http://evil.example"}
    office.browser().post(FORGOTTEN, data={"email": "ida@shop.example"}, headers=headers)
    assert [link.partition("/dashboard")[0] for link in links(box)] == ["http://testserver"]


def test_without_a_mail_server_the_page_says_whom_to_ask(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.hire("ida")
    for got in (office.browser().get(FORGOTTEN), office.browser().post(FORGOTTEN, data={"email": "ida@shop.example"})):
        assert got.status_code == 200
        assert "wetink accounts link EMAIL" in got.text
    ida = office.signed_in("ida")
    assert "/dashboard/join?link=" in send(ida, f"{TEAM}/invite", email="b@shop.example", role="viewer").text
    office.close()
