"""Passkeys over each engine: a right answer signs in once, and no other does."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from tests.access.authenticator import PRESENT, Authenticator
from tests.contracts.loop import run
from wetink.access.passkeys import CHALLENGE_MS, Passkeys
from wetink.core.access.account import Account
from wetink.core.access.passkey import MOST_PASSKEYS
from wetink.core.errors import BadRequest, BadSettings, Conflict, Forbidden, WetinkError
from wetink.ports import Storage

NOW = 20_000 * 86_400_000
ADDRESS = "https://open.shop.example"
IDA = Account("ida-id", "ida@shop.example", "Ida", "owner", created=NOW)
BOB = Account("bob-id", "bob@shop.example", "Bob", "viewer", created=NOW)


@pytest.fixture
def passkeys(store: Storage) -> Passkeys:
    for each in (IDA, BOB):
        run(store.accounts.add(each))
    return Passkeys(store.accounts, store.challenges, ADDRESS)


def added(passkeys: Passkeys, account: Account = IDA, **more: Any) -> Authenticator:
    device = Authenticator(**more)
    asked = run(passkeys.ask_new(account, NOW))
    run(passkeys.add(account, asked.challenge, device.registered(asked.options, ADDRESS), "Laptop", NOW))
    return device


def test_a_passkey_signs_in_without_a_password_again_and_again(passkeys: Passkeys) -> None:
    device = added(passkeys, counter=1)
    for _ in range(3):
        asked = run(passkeys.ask("", NOW))
        assert json.loads(asked.options)["userVerification"] == "required"
        assert "allowCredentials" not in json.loads(asked.options) or not json.loads(asked.options)["allowCredentials"]
        found = run(passkeys.check(asked.challenge, device.signed(asked.options, ADDRESS), "", NOW))
        assert (found.account, found.name) == (IDA.id, "Laptop")


def test_a_passkey_without_a_counter_signs_in_again_and_again(passkeys: Passkeys) -> None:
    device = added(passkeys)
    for _ in range(3):
        asked = run(passkeys.ask("", NOW))
        run(passkeys.check(asked.challenge, device.signed(asked.options, ADDRESS), "", NOW))


def test_after_a_password_only_passkeys_of_that_account_are_taken(passkeys: Passkeys) -> None:
    own, other = added(passkeys), added(passkeys, BOB)
    asked = run(passkeys.ask(IDA.id, NOW))
    assert [each["id"] for each in json.loads(asked.options)["allowCredentials"]] == [bytes_to_base64url(own.id)]
    with pytest.raises(Forbidden, match="not known"):
        run(passkeys.check(asked.challenge, other.signed(asked.options, ADDRESS), IDA.id, NOW))
    asked = run(passkeys.ask(IDA.id, NOW))
    answer = own.signed(asked.options, ADDRESS, flags=PRESENT)  # the password has verified its holder
    assert run(passkeys.check(asked.challenge, answer, IDA.id, NOW)).account == IDA.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://open.shop.example.evil.example"},
        {"origin": "http://open.shop.example"},
        {"host": "evil.example"},
        {"type": "webauthn.create"},
        {"challenge": bytes_to_base64url(b"another")},
        {"flags": PRESENT},
        {"flags": 0},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_answer_that_does_not_fit_is_refused(passkeys: Passkeys, wrong: dict[str, Any]) -> None:
    device = added(passkeys)
    asked = run(passkeys.ask("", NOW))
    given = {**wrong}
    answer = device.signed(asked.options, given.pop("origin", ADDRESS), **given)
    with pytest.raises(Forbidden, match="does not fit"):
        run(passkeys.check(asked.challenge, answer, "", NOW))


@pytest.mark.parametrize("wrong", [{"origin": "https://evil.example"}, {"host": "evil.example"}], ids=str)
def test_a_passkey_of_another_site_is_not_added(passkeys: Passkeys, wrong: dict[str, Any], store: Storage) -> None:
    asked = run(passkeys.ask_new(IDA, NOW))
    given = {**wrong}
    answer = Authenticator().registered(asked.options, given.pop("origin", ADDRESS), **given)
    with pytest.raises(Forbidden, match="does not fit"):
        run(passkeys.add(IDA, asked.challenge, answer, "Laptop", NOW))
    assert not run(store.accounts.credentials(IDA.id))


def test_an_answer_counts_once(passkeys: Passkeys) -> None:
    device = added(passkeys)
    asked = run(passkeys.ask("", NOW))
    answer = device.signed(asked.options, ADDRESS)
    run(passkeys.check(asked.challenge, answer, "", NOW))
    with pytest.raises(Forbidden, match="already answered"):
        run(passkeys.check(asked.challenge, answer, "", NOW))
    other = run(passkeys.ask("", NOW))
    with pytest.raises(Forbidden, match="does not fit"):
        run(passkeys.check(other.challenge, answer, "", NOW))


def test_a_late_answer_is_refused(passkeys: Passkeys) -> None:
    device = added(passkeys)
    asked = run(passkeys.ask("", NOW))
    with pytest.raises(Forbidden, match="too long"):
        run(passkeys.check(asked.challenge, device.signed(asked.options, ADDRESS), "", NOW + CHALLENGE_MS))


@pytest.mark.parametrize("counter", [0, 5, 11])
def test_a_counter_that_goes_back_is_taken_for_a_copy(passkeys: Passkeys, counter: int) -> None:
    device = added(passkeys, counter=10)
    asked = run(passkeys.ask("", NOW))
    run(passkeys.check(asked.challenge, device.signed(asked.options, ADDRESS), "", NOW))
    asked = run(passkeys.ask("", NOW))
    with pytest.raises(Forbidden, match="may have been copied"):
        run(passkeys.check(asked.challenge, device.signed(asked.options, ADDRESS, counter=counter), "", NOW))


def test_a_challenge_of_another_kind_or_account_is_refused(passkeys: Passkeys) -> None:
    device = added(passkeys)
    after_password = run(passkeys.ask(IDA.id, NOW))
    for account in ("", BOB.id):
        with pytest.raises(Forbidden, match="already answered"):
            run(passkeys.check(after_password.challenge, device.signed(after_password.options, ADDRESS), account, NOW))
    asked = run(passkeys.ask_new(BOB, NOW))
    with pytest.raises(Forbidden, match="already answered"):
        run(passkeys.add(IDA, asked.challenge, Authenticator().registered(asked.options, ADDRESS), "", NOW))


def test_a_passkey_is_not_added_twice_and_a_removed_one_is_unknown(passkeys: Passkeys, store: Storage) -> None:
    device = added(passkeys)
    asked = run(passkeys.ask_new(BOB, NOW))
    with pytest.raises(Conflict):
        run(passkeys.add(BOB, asked.challenge, device.registered(asked.options, ADDRESS), "", NOW))
    run(passkeys.remove(IDA.id, bytes_to_base64url(device.id)))
    asked = run(passkeys.ask("", NOW))
    with pytest.raises(Forbidden, match="not known"):
        run(passkeys.check(asked.challenge, device.signed(asked.options, ADDRESS), "", NOW))


def test_an_account_has_only_so_many(passkeys: Passkeys) -> None:
    for _ in range(MOST_PASSKEYS):
        added(passkeys)
    with pytest.raises(Conflict, match="at most"):
        run(passkeys.ask_new(IDA, NOW))


HALVES = ["", "x", "[]", "null", "{}", '{"id": 1}', '{"id": "\\ud800"}', "[" * 5_000, '{"id": "é", "rawId": "é"}']


@pytest.mark.parametrize("odd", HALVES, ids=lambda text: text[:12])
def test_an_answer_that_is_none_is_refused_in_words(passkeys: Passkeys, odd: str) -> None:
    asked = run(passkeys.ask("", NOW))
    with pytest.raises((Forbidden, BadRequest)):
        run(passkeys.check(asked.challenge, odd, "", NOW))
    asked = run(passkeys.ask_new(IDA, NOW))
    with pytest.raises((Forbidden, BadRequest)):
        run(passkeys.add(IDA, asked.challenge, odd, "", NOW))


def test_no_damaged_answer_is_more_than_refused(passkeys: Passkeys) -> None:
    device = added(passkeys)
    for part in ("clientDataJSON", "authenticatorData", "signature", "id", "rawId", "type"):
        for value in (None, 7, "", "A", "é", "AAAA", "A" * 10_000, [], {}, "\udc80", "\0"):
            asked = run(passkeys.ask("", NOW))
            answer = json.loads(device.signed(asked.options, ADDRESS))
            (answer if part in answer else answer["response"])[part] = value
            with pytest.raises(WetinkError):
                run(passkeys.check(asked.challenge, json.dumps(answer), "", NOW))


def test_an_address_without_a_name_has_no_passkeys(store: Storage) -> None:
    with pytest.raises(BadSettings, match="no passkeys"):
        run(Passkeys(store.accounts, store.challenges, "http://192.0.2.1:8000").ask("", NOW))
