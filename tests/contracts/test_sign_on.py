"""Single sign-on over each engine: who comes in, with which account and role."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tests.contracts.loop import run
from wetink.access.rules import Rules
from wetink.access.sign_on import account_of
from wetink.core.access.account import Account, Invitation
from wetink.core.access.single_sign_on import Provider, SignInRules
from wetink.core.errors import BadRequest, Conflict, Forbidden
from wetink.ports import Storage
from wetink.ports.keys import Secrets

NOW = 20_000 * 86_400_000
OKTA = Provider(
    "okta",
    "Okta",
    "https://shop.okta.example",
    "client",
    "secret",
    domains=("shop.example",),
    groups=(("mail", "editor"), ("it", "developer"), ("bosses", "owner")),
)
IDA = Account("ida-id", "ida@shop.example", "Ida", "owner", created=NOW)
BOB = Account("bob-id", "bob@shop.example", "Bob", "viewer", created=NOW)


def claims(email: object = "bob@shop.example", **more: Any) -> dict[str, Any]:
    return {"sub": "1", "email": email, "email_verified": True, "name": "Bob B", **more}


@pytest.fixture
def known(store: Storage) -> Storage:
    for each in (IDA, BOB):
        run(store.accounts.add(each))
    return store


def entered(store: Storage, provider: Provider = OKTA, **given: Any) -> Account:
    return run(account_of(store.accounts, provider, claims(**given), NOW))


def test_a_verified_address_links_its_account_which_then_may_change_its_address(known: Storage) -> None:
    assert entered(known, email="Bob@Shop.example").id == BOB.id
    assert entered(known, email="robert@shop.example").id == BOB.id  # the same subject
    assert entered(known, email="ida@shop.example", sub="2").id == IDA.id
    assert len(run(known.accounts.all())) == 2


def test_the_same_subject_at_another_issuer_is_somebody_else(known: Storage) -> None:
    entered(known)
    other = replace(OKTA, name="other", issuer="https://other.example")
    assert entered(known, other, email="new@shop.example").id not in (IDA.id, BOB.id)


def test_somebody_of_an_allowed_domain_gets_an_account_once(known: Storage) -> None:
    made = entered(known, email="new@shop.example", name="N\u202eew\n Person")
    assert (made.email, made.name, made.role, made.password) == ("new@shop.example", "New Person", "viewer", "")
    assert entered(known, email="new@shop.example").id == made.id
    assert entered(known, email="plain@shop.example", sub="9", name=None).name == "plain@shop.example"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"email_verified": False}, "verified"),
        ({"email_verified": None}, "verified"),
        ({"email_verified": "false"}, "verified"),
        ({"email": "bob@other.example"}, "other.example"),
        ({"email": "bob@shop.example.evil.example"}, "evil.example"),
        ({"email": "bob@sub.shop.example"}, "sub.shop.example"),
        ({"email": ""}, "email"),
        ({"email": None}, "email"),
        ({"email": ["bob@shop.example"]}, "email"),
        ({"email": "bob"}, "email"),
        ({"email": "evil.example@"}, "email"),
        ({"email": "x@evil.example@shop.example"}, "email"),
    ],
    ids=str,
)
def test_somebody_whose_address_cannot_be_trusted_stays_out(known: Storage, given: dict[str, Any], says: str) -> None:
    with pytest.raises((Forbidden, BadRequest), match=says):
        entered(known, **given)
    assert len(run(known.accounts.all())) == 2
    assert not run(known.accounts.credentials(BOB.id))


def test_without_domains_only_people_with_an_account_come_in(known: Storage) -> None:
    invited = replace(OKTA, domains=())
    assert entered(known, invited).id == BOB.id
    with pytest.raises(Forbidden, match="no account"):
        entered(known, invited, email="new@shop.example", sub="2")


def test_somebody_who_is_invited_comes_in_once_with_the_role_of_the_invitation(known: Storage) -> None:
    provider, email = replace(OKTA, domains=()), "new@shop.example"
    for id_, expires in (("late", NOW), ("open", NOW + 1)):
        run(known.accounts.invite(Invitation(id_, email, "developer", "", "Ida", NOW - 1, expires)))
    made = entered(known, provider, email=email, sub="2")
    assert (made.email, made.role, made.password) == (email, "developer", "")
    assert not [each for each in run(known.accounts.invitations()) if each.is_open(NOW)]
    assert entered(known, provider, email=email, sub="2").id == made.id
    run(known.accounts.invite(Invitation("gone", "late@shop.example", "owner", "", "Ida", NOW - 2, NOW - 1)))
    with pytest.raises(Forbidden, match="no account"):
        entered(known, provider, email="late@shop.example", sub="3")


def test_a_disabled_account_stays_out(known: Storage) -> None:
    entered(known)
    run(known.accounts.change(BOB.id, disabled=True))
    with pytest.raises(Forbidden, match="disabled"):
        entered(known)


def test_groups_give_the_role_at_each_sign_in_but_take_it_from_no_owner(known: Storage) -> None:
    for groups, role in ((["mail"], "editor"), (["mail", "it", 7], "developer"), ([], "developer"), ("mail", "editor")):
        assert entered(known, groups=groups).role == role, groups
    assert entered(known, email="ida@shop.example", sub="2", groups=["mail"]).role == "owner"
    assert entered(known, email="new@shop.example", sub="3", groups=["bosses"]).role == "owner"


def test_the_rules_are_shared_and_two_changes_at_once_are_told(known: Storage) -> None:
    rules, other = Rules(known.secrets), Rules(known.secrets)
    assert run(other.read()) == SignInRules()
    run(rules.change(lambda before: replace(before, providers=(OKTA,))))
    assert run(other.read()).provider("okta") == OKTA

    known_before = run(known.secrets.all())

    class Late:
        """Secrets as they were before somebody else's change."""

        async def all(self) -> Mapping[str, str]:
            return known_before

        async def replace(self, name: str, before: str, value: str) -> None:
            await known.secrets.replace(name, before, value)

    run(other.change(lambda before: replace(before, second_factor=True)))
    with pytest.raises(Conflict):
        run(Rules(cast(Secrets, Late())).change(lambda before: replace(before, providers=())))
    assert run(rules.read()) == SignInRules(second_factor=True, providers=(OKTA,))
