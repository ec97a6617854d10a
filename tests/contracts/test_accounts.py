"""The contract of accounts: one of an email, always an owner, links that work once, and credentials of nobody else."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.contracts.loop import run
from wetink.core.access.account import Account, Credential, Invitation
from wetink.core.errors import Conflict, NotFound
from wetink.ports import Storage
from wetink.ports.accounts import Accounts

NOW = 20_000 * 86_400_000
IDA = Account("1", "ida@shop.example", "Ida", "owner", "hash", created=NOW)
BOB = Account("2", "bob@shop.example", "Bób \0 'x'", "editor", created=NOW)
INVITED = Invitation("ab" * 32, "eve@shop.example", "viewer", by="Ida", created=NOW, expires=NOW + 100)


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], Accounts]:
    """Makes what another process would hold of the same store."""
    return lambda: another().accounts


@pytest.fixture
def kept(make: Callable[[], Accounts]) -> Accounts:
    """Ida and Bob."""
    accounts = make()
    for each in (IDA, BOB):
        run(accounts.add(each))
    return accounts


def test_accounts_are_the_same_in_every_process(kept: Accounts, make: Callable[[], Accounts]) -> None:
    other = make()
    assert [each.email for each in run(other.all())] == ["bob@shop.example", "ida@shop.example"]
    assert run(other.get("1")) == run(other.of_email(IDA.email)) == IDA
    assert run(other.get("9")) is run(other.of_email("nobody@shop.example")) is None
    with pytest.raises(Conflict, match="has an account already"):
        run(other.add(replace(BOB, id="3")))
    changed = run(other.change("2", name="Rob", role="developer", password="new", disabled=True, used=NOW))
    assert run(kept.get("2")) == changed
    assert (changed.name, changed.role, changed.password, changed.disabled, changed.used) == (
        *("Rob", "developer", "new", True, NOW),
    )
    assert run(kept.change("2", disabled=False)) == replace(changed, disabled=False), "other fields stay"
    run(kept.remove("2"))
    for gone in (other.remove("2"), other.change("2", name="x")):
        with pytest.raises(NotFound):
            run(gone)


def test_texts_of_every_kind_come_back(kept: Accounts) -> None:
    found = run(kept.get("2"))
    assert found is not None
    assert found.name.replace("\ufffd", "\0") == BOB.name
    assert run(kept.of_email("' OR 1=1 --")) is None


def test_the_last_owner_stays(kept: Accounts) -> None:
    for leaving in (kept.remove("1"), kept.change("1", role="viewer"), kept.change("1", disabled=True)):
        with pytest.raises(Conflict, match="last owner"):
            run(leaving)
    assert run(kept.get("1")) == IDA
    run(kept.change("2", role="owner"))
    run(kept.change("1", role="viewer"))
    with pytest.raises(Conflict, match="last owner"):
        run(kept.remove("2"))


def test_of_two_owners_who_leave_at_once_one_stays(kept: Accounts, make: Callable[[], Accounts]) -> None:
    run(kept.change("2", role="owner"))
    both = [make(), make()]

    async def leave() -> list[object]:
        leaving = (both[0].change("1", role="viewer"), both[1].change("2", role="viewer"))
        return await asyncio.gather(*leaving, return_exceptions=True)

    assert sum(isinstance(each, Conflict) for each in run(leave())) == 1
    assert run(kept.has_owner())


def test_an_owner_who_may_not_sign_in_is_none(make: Callable[[], Accounts]) -> None:
    accounts = make()
    assert not run(accounts.has_owner())
    run(accounts.add(replace(IDA, disabled=True)))
    run(accounts.add(BOB))
    assert not run(accounts.has_owner())
    run(accounts.change("1", disabled=False))
    assert run(accounts.has_owner())


def test_an_invitation_is_accepted_once_by_whoever_comes_first(kept: Accounts, make: Callable[[], Accounts]) -> None:
    run(kept.invite(INVITED))
    both = [make(), make()]
    eves = [Account(f"e{n}", f"eve{n}@shop.example", "Eve", "viewer") for n in range(2)]

    async def accept() -> list[object]:
        trying = (both[n].accept(INVITED.id, eves[n], NOW + 1) for n in range(2))
        return await asyncio.gather(*trying, return_exceptions=True)

    assert sorted(str(each) for each in run(accept())) == ["None", "this invitation was already used"]
    assert len(run(kept.all())) == 3
    found = run(kept.invitation(INVITED.id))
    assert found is not None
    assert found.used == NOW + 1


def test_a_link_that_is_not_open_changes_nothing(kept: Accounts) -> None:
    links = {
        "is not known here": "0" * 64,
        "has expired": run_invite(kept, replace(INVITED, id="1" * 64, email="x@a.example", expires=NOW)),
        "was withdrawn": run_invite(kept, replace(INVITED, id="2" * 64, email="y@a.example")),
    }
    run(kept.withdraw("2" * 64, NOW))
    for why, link in links.items():
        for trying in (
            kept.accept(link, Account("9", "z@a.example", "Z", "viewer"), NOW),
            kept.redeem(link, "new", NOW),
            kept.withdraw(link, NOW),
        ):
            with pytest.raises(Conflict, match=why):
                run(trying)
    assert len(run(kept.all())) == 2


def run_invite(kept: Accounts, link: Invitation) -> str:
    run(kept.invite(link))
    return link.id


def test_a_new_invitation_replaces_the_open_one_of_its_email(kept: Accounts) -> None:
    run(kept.invite(INVITED))
    run(kept.invite(replace(INVITED, id="3" * 64, created=NOW + 1)))
    assert [each.is_open(NOW + 2) for each in run(kept.invitations())] == [True, False]


def test_a_taken_email_leaves_the_invitation_open(kept: Accounts) -> None:
    run(kept.invite(replace(INVITED, email=BOB.email)))
    with pytest.raises(Conflict, match="has an account already"):
        run(kept.accept(INVITED.id, replace(BOB, id="7"), NOW))
    found = run(kept.invitation(INVITED.id))
    assert found is not None
    assert found.is_open(NOW)


def test_a_link_sets_a_password_once_and_is_no_invitation(kept: Accounts) -> None:
    run(kept.invite(replace(INVITED, account="2", email=BOB.email)))
    assert run(kept.invitations()) == []
    assert run(kept.redeem(INVITED.id, "newer", NOW + 1)).password == "newer"
    with pytest.raises(Conflict, match="this link was already used"):
        run(kept.redeem(INVITED.id, "newest", NOW + 2))
    found = run(kept.get("2"))
    assert found is not None
    assert found.password == "newer"


def test_credentials_belong_to_one_account_and_change_only_as_known(kept: Accounts) -> None:
    key = Credential("passkey", "k1", "1", "Laptop", "0", NOW)
    run(kept.add_credential(key))
    run(kept.add_credential(Credential("totp", "k1", "2", created=NOW)))
    with pytest.raises(Conflict):
        run(kept.add_credential(replace(key, account="2")))
    assert run(kept.credentials("1")) == [key]
    assert run(kept.credential("passkey", "k1")) == key
    run(kept.use_credential(key, "1", NOW + 1))
    with pytest.raises(Conflict):
        run(kept.use_credential(key, "1", NOW + 2))
    assert run(kept.credential("passkey", "k1")) == replace(key, data="1", used=NOW + 1)
    with pytest.raises(NotFound):
        run(kept.remove_credential("2", "passkey", "k1"))
    run(kept.remove_credential("1", "passkey", "k1"))
    assert run(kept.credential("passkey", "k1")) is None


def test_a_removed_account_leaves_no_credential_and_no_link(kept: Accounts) -> None:
    run(kept.add_credential(Credential("totp", "2", "2")))
    run(kept.invite(replace(INVITED, account="2")))
    run(kept.remove("2"))
    assert run(kept.credential("totp", "2")) is run(kept.invitation(INVITED.id)) is None
