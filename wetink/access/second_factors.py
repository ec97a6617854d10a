"""Second factors: the authenticator app and the recovery codes of an account. Wrong tries cost time."""

import secrets as random

import msgspec
import pyotp
from msgspec.structs import replace

from wetink.access.sealing import Sealing
from wetink.core.access import one_time_code, recovery_code
from wetink.core.access.account import Account, Credential
from wetink.core.access.one_time_code import Secret
from wetink.core.access.passkey import Passkey
from wetink.core.errors import BadRequest, Conflict, Forbidden, NotFound, TooManyRequests
from wetink.ports.accounts import Accounts
from wetink.ports.challenges import Challenges
from wetink.ports.keys import Secrets, Sessions

APP, RECOVERY, PASSKEY, LINK = "totp", "recovery", "passkey", "oidc"
"""Kinds of credentials."""
SETUP = "app"
"""The kind of the challenge that has a new secret until its first code comes."""
SETUP_MS = 15 * 60_000


class Factors(msgspec.Struct, frozen=True):
    """The further ways to sign in that an account has. `codes` is the number of recovery codes left."""

    app: Credential | None = None
    codes: int = 0
    codes_made: int = 0
    passkeys: tuple[tuple[Credential, Passkey], ...] = ()
    links: tuple[Credential, ...] = ()

    @property
    def second(self) -> bool:
        """Whether there is a second factor. Recovery codes alone are none."""
        return self.app is not None or bool(self.passkeys)


class Setup(msgspec.Struct, frozen=True):
    """An app that is being set up. `id` names its challenge."""

    id: str
    secret: Secret


class SecondFactors:
    """The second factors of all accounts."""

    def __init__(self, accounts: Accounts, challenges: Challenges, sessions: Sessions, secrets: Secrets) -> None:
        """Use these parts of a store."""
        self._accounts, self._challenges, self._sessions = accounts, challenges, sessions
        self._sealing = Sealing(secrets)

    async def of(self, account: str) -> Factors:
        """Return the factors of an account."""
        found = await self._accounts.credentials(account)
        codes = [each for each in found if each.kind == RECOVERY]
        return Factors(
            app=next((each for each in found if each.kind == APP), None),
            codes=len(codes),
            codes_made=max((each.created for each in codes), default=0),
            passkeys=tuple(
                (each, msgspec.json.decode(each.data, type=Passkey)) for each in found if each.kind == PASSKEY
            ),
            links=tuple(each for each in found if each.kind == LINK),
        )

    async def begin_app(self, account: Account, now: int) -> Setup:
        """Return the secret of a new app, which counts once its first code came."""
        secret = pyotp.random_base32()
        return Setup(await self._challenges.begin(SETUP, account.id, secret, now, now + SETUP_MS), Secret(secret))

    async def setup(self, account: Account, id_: str, now: int) -> Setup:
        """Return a setup that is under way. Raises Conflict if it has ended."""
        found = await self._challenges.look(id_, SETUP, now)
        if found is None or found.account != account.id:
            raise Conflict("this setup has ended", hint="start it again, and scan the new code")
        return Setup(id_, Secret(found.data))

    async def confirm_app(self, account: Account, id_: str, code: str, now: int) -> None:
        """Keep the new app of an account in place of an earlier one. Raises BadRequest for a wrong code, Conflict."""
        setup = await self.setup(account, id_, now)
        step = one_time_code.step_of(setup.secret, code, now)
        if step is None:
            raise BadRequest("this code is wrong", hint="enter the six digits that the app shows now", where="code")
        if await self._challenges.take(id_, SETUP, now) is None:
            raise Conflict("this setup has ended", hint="start it again, and scan the new code")
        await self.remove_app(account)
        sealed = await self._sealing.seal(account.id, setup.secret.secret)
        data = _encoded(Secret(sealed, step))
        await self._accounts.add_credential(Credential(APP, account.id, account.id, data=data, created=now))

    async def remove_app(self, account: Account) -> bool:
        """Remove the app of an account. Returns whether there was one."""
        try:
            await self._accounts.remove_credential(account.id, APP, account.id)
        except NotFound:
            return False
        return True

    async def renew_codes(self, account: Account, now: int) -> list[str]:
        """Return new recovery codes. The earlier ones end."""
        for each in await self._accounts.credentials(account.id):
            if each.kind == RECOVERY:
                await self._drop(each)
        made = [_new_code() for _ in range(recovery_code.CODES)]
        for code in made:
            digest = recovery_code.digest_of(code)
            await self._accounts.add_credential(Credential(RECOVERY, digest, account.id, created=now))
        return made

    async def check_code(self, account: str, text: str, now: int) -> str:
        """Use up a code of the app, or a recovery code. Returns the kind of its credential.

        Raises Forbidden for a wrong or used code, and TooManyRequests if the account must wait after wrong ones.
        """
        await self.count_try(account, now)
        digest = recovery_code.digest_of(text)
        used = await self._use_recovery(account, digest) if digest else await self._use_app(account, text, now)
        await self.forgive(account)
        return used

    async def count_try(self, account: str, now: int) -> None:
        """Count a try of an account's second factor. Raises TooManyRequests if it must wait after wrong ones."""
        if wait := await self._sessions.try_from(f"factor {account}", now):
            seconds = -(-wait // 1000)
            raise TooManyRequests(
                "too many wrong codes for this account", hint=f"try again in {seconds} s", retry_after=seconds
            )

    async def forgive(self, account: str) -> None:
        """Forget the wrong tries of an account."""
        await self._sessions.forgive(f"factor {account}")

    async def reset(self, account: str) -> Factors:
        """Remove the app, the passkeys and the recovery codes of an account, for a lost device. Returns what it had."""
        had = await self.of(account)
        for each in await self._accounts.credentials(account):
            if each.kind in (APP, PASSKEY, RECOVERY):
                await self._drop(each)
        await self._challenges.forget(account)
        return had

    async def _use_app(self, account: str, text: str, now: int) -> str:
        known = await self._accounts.credential(APP, account)
        if known is None:
            raise _wrong()
        sealed = msgspec.json.decode(known.data, type=Secret)
        secret = replace(sealed, secret=await self._sealing.open(account, sealed.secret))
        step = one_time_code.step_of(secret, text, now)
        if step is None:
            if one_time_code.step_of(replace(secret, step=0), text, now) is not None:
                raise Forbidden("this code was already used", hint="wait for the next one", where="code")
            raise _wrong()
        try:
            await self._accounts.use_credential(known, _encoded(replace(sealed, step=step)), now)
        except Conflict:
            raise Forbidden("this code was already used", hint="wait for the next one", where="code") from None
        return APP

    async def _use_recovery(self, account: str, digest: str) -> str:
        try:
            await self._accounts.remove_credential(account, RECOVERY, digest)
        except NotFound:
            raise Forbidden(
                "this recovery code is wrong or was already used", hint="use another one", where="code"
            ) from None
        return RECOVERY

    async def _drop(self, credential: Credential) -> None:
        try:
            await self._accounts.remove_credential(credential.account, credential.kind, credential.id)
        except NotFound:
            return  # somebody was faster


def _wrong() -> Forbidden:
    return Forbidden("this code is wrong", hint="enter the six digits that the app shows now", where="code")


def _new_code() -> str:
    letters = "".join(random.choice(recovery_code.LETTERS) for _ in range(recovery_code.GROUP * recovery_code.GROUPS))
    return recovery_code.spelled(letters)


def _encoded(secret: Secret) -> str:
    return msgspec.json.encode(secret).decode()
