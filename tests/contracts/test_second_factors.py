"""Second factors over each engine: a code serves once, and wrong ones cost time."""

import asyncio
import base64
from collections.abc import Callable

import pyotp
import pytest
from msgspec.structs import replace

from tests.contracts.loop import run
from wetink.access.second_factors import APP, RECOVERY, SETUP_MS, SecondFactors
from wetink.core.access.account import Account
from wetink.core.access.one_time_code import STEP_MS
from wetink.core.access.recovery_code import CODES
from wetink.core.errors import BadRequest, Conflict, Forbidden, TooManyRequests
from wetink.ports import Storage
from wetink.ports.keys import FREE_TRIES

NOW = 20_000 * 86_400_000
IDA = Account("ida-id", "ida@shop.example", "Ida", "owner", created=NOW)
BOB = Account("bob-id", "bob@shop.example", "Bob", "viewer", created=NOW)


def factors_of(store: Storage) -> SecondFactors:
    return SecondFactors(store.accounts, store.challenges, store.sessions, store.secrets)


@pytest.fixture
def factors(store: Storage) -> SecondFactors:
    for each in (IDA, BOB):
        run(store.accounts.add(each))
    return factors_of(store)


def app_of(factors: SecondFactors, account: Account = IDA, now: int = NOW) -> pyotp.TOTP:
    setup = run(factors.begin_app(account, now))
    app = pyotp.TOTP(setup.secret.secret)
    run(factors.confirm_app(account, setup.id, app.at(now // 1000), now))
    return app


def test_an_app_counts_after_its_first_code(factors: SecondFactors) -> None:
    setup = run(factors.begin_app(IDA, NOW))
    with pytest.raises(BadRequest, match="wrong"):
        run(factors.confirm_app(IDA, setup.id, "000 00", NOW))
    assert not run(factors.of(IDA.id)).second
    assert run(factors.setup(IDA, setup.id, NOW)) == setup  # a slip does not end it
    run(factors.confirm_app(IDA, setup.id, pyotp.TOTP(setup.secret.secret).at(NOW // 1000), NOW))
    assert run(factors.of(IDA.id)).second
    assert not run(factors.of(BOB.id)).second


def test_a_setup_ends_in_time_after_use_and_belongs_to_one_account(factors: SecondFactors) -> None:
    setup = run(factors.begin_app(IDA, NOW))
    code = pyotp.TOTP(setup.secret.secret).at(NOW // 1000)
    for account, at in ((BOB, NOW), (IDA, NOW + SETUP_MS)):
        with pytest.raises(Conflict, match="has ended"):
            run(factors.confirm_app(account, setup.id, code, at))
    run(factors.confirm_app(IDA, setup.id, code, NOW))
    with pytest.raises(Conflict, match="has ended"):
        run(factors.confirm_app(IDA, setup.id, code, NOW))


def test_a_code_is_taken_once_in_whichever_process(factors: SecondFactors, another: Callable[[], Storage]) -> None:
    app, later = app_of(factors), NOW + STEP_MS
    with pytest.raises(Forbidden, match="already used"):
        run(factors.check_code(IDA.id, app.at(NOW // 1000), NOW))  # it has confirmed the app
    several = [factors, *(factors_of(another()) for _ in range(3))]

    async def story() -> list[str | BaseException]:
        code = app.at(later // 1000)
        tries = (each.check_code(IDA.id, code, later) for each in several)
        return list(await asyncio.gather(*tries, return_exceptions=True))

    found = run(story())
    assert found.count(APP) == 1, found
    assert sum(isinstance(each, Forbidden) for each in found) == 3, found


@pytest.mark.parametrize(("away", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_wrong(factors: SecondFactors, away: int, right: bool) -> None:
    app, later = app_of(factors), NOW + 10 * STEP_MS
    code = app.at(later // 1000 + away * 30)
    if right:
        assert run(factors.check_code(IDA.id, code, later)) == APP
    else:
        with pytest.raises(Forbidden, match="wrong"):
            run(factors.check_code(IDA.id, code, later))


def test_an_earlier_code_is_refused_after_a_later_one(factors: SecondFactors) -> None:
    app, later = app_of(factors), NOW + 10 * STEP_MS
    run(factors.check_code(IDA.id, app.at(later // 1000 + 30), later))
    with pytest.raises(Forbidden, match="already used"):
        run(factors.check_code(IDA.id, app.at(later // 1000), later))


def test_a_recovery_code_serves_once_in_whichever_process(
    factors: SecondFactors, another: Callable[[], Storage], store: Storage
) -> None:
    app_of(factors)
    codes = run(factors.renew_codes(IDA, NOW))
    assert len(set(codes)) == CODES == run(factors.of(IDA.id)).codes
    several = [factors, *(factors_of(another()) for _ in range(3))]

    async def story() -> list[str | BaseException]:
        tries = (each.check_code(IDA.id, f" {codes[0].upper()} ", NOW) for each in several)
        return list(await asyncio.gather(*tries, return_exceptions=True))

    found = run(story())
    assert found.count(RECOVERY) == 1, found
    assert run(factors.of(IDA.id)).codes == CODES - 1
    kept = str([(each.id, each.data) for each in run(store.accounts.credentials(IDA.id))])
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_new_recovery_codes_end_the_earlier_ones_and_are_one_accounts(factors: SecondFactors) -> None:
    old, other = run(factors.renew_codes(IDA, NOW)), run(factors.renew_codes(BOB, NOW))
    run(factors.renew_codes(IDA, NOW))
    for code in (old[0], other[0]):
        with pytest.raises(Forbidden, match="recovery code"):
            run(factors.check_code(IDA.id, code, NOW))


def test_wrong_codes_cost_time_even_for_the_right_one(factors: SecondFactors) -> None:
    app, now = app_of(factors), NOW + STEP_MS
    for _ in range(FREE_TRIES + 1):
        with pytest.raises(Forbidden):
            run(factors.check_code(IDA.id, "000000" if app.at(now // 1000) != "000000" else "111111", now))
    with pytest.raises(TooManyRequests) as caught:
        run(factors.check_code(IDA.id, app.at(now // 1000), now))
    assert caught.value.retry_after == 1
    assert run(factors.check_code(IDA.id, app.at(now // 1000), now + 1_000)) == APP
    run(factors.check_code(IDA.id, app.at(now // 1000 + 30), now + 1_001))  # a right one starts over


@pytest.mark.parametrize(
    "odd", ["", " ", "12345", "1234567", "\uff11\uff12x", "a\0b", "-12345", "🦊" * 6, "0" * 5_000, "\udc80"]
)
def test_what_is_no_code_is_wrong(factors: SecondFactors, odd: str) -> None:
    app_of(factors)
    with pytest.raises(Forbidden):
        run(factors.check_code(IDA.id, odd, NOW))


def test_an_account_without_an_app_takes_no_code(factors: SecondFactors) -> None:
    with pytest.raises(Forbidden):
        run(factors.check_code(BOB.id, "123456", NOW))


def test_a_new_app_ends_the_earlier_one(factors: SecondFactors) -> None:
    old, now = app_of(factors), NOW + 10 * STEP_MS
    new = app_of(factors, now=now)
    later = now + 5 * STEP_MS
    with pytest.raises(Forbidden):
        run(factors.check_code(IDA.id, old.at(later // 1000), later))
    assert run(factors.check_code(IDA.id, new.at(later // 1000), later)) == APP


def test_a_reset_removes_every_factor_and_a_removed_account_has_none(factors: SecondFactors, store: Storage) -> None:
    app_of(factors)
    app_of(factors, BOB)
    run(factors.renew_codes(IDA, NOW))
    assert run(factors.reset(IDA.id)).second
    assert not run(factors.of(IDA.id)).second
    assert run(factors.of(IDA.id)).codes == 0
    assert run(factors.of(BOB.id)).second
    run(store.accounts.remove(BOB.id))
    assert not run(store.accounts.credentials(BOB.id))


def test_the_secret_of_an_app_is_read_only_with_the_stores_secrets(factors: SecondFactors, store: Storage) -> None:
    app = app_of(factors)
    (kept,) = run(store.accounts.credentials(IDA.id))
    assert app.secret not in kept.data
    known, later = run(store.secrets.all())["factors.key"], NOW + STEP_MS
    other = base64.b64encode(bytes(64)).decode()
    run(store.secrets.replace("factors.key", known, other))
    with pytest.raises(Forbidden, match="no longer known"):
        run(factors_of(store).check_code(IDA.id, app.at(later // 1000), later))
    run(store.secrets.replace("factors.key", other, known))
    assert run(factors_of(store).check_code(IDA.id, app.at(later // 1000), later)) == APP


def test_a_sealed_secret_is_one_accounts(factors: SecondFactors, store: Storage) -> None:
    app, later = app_of(factors), NOW + STEP_MS
    (kept,) = run(store.accounts.credentials(IDA.id))
    run(store.accounts.add_credential(replace(kept, id=BOB.id, account=BOB.id)))
    with pytest.raises(Forbidden, match="no longer known"):
        run(factors.check_code(BOB.id, app.at(later // 1000), later))
