"""Passkeys: registered and checked by py_webauthn. A challenge serves once, and the counter may not go back."""

import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from wetink.access.second_factors import PASSKEY
from wetink.core.access.account import Account, Credential
from wetink.core.access.passkey import MOST_PASSKEYS, Passkey, RelyingParty, passkey_name, relying_party
from wetink.core.errors import BadRequest, BadSettings, Conflict, Forbidden
from wetink.ports.accounts import Accounts
from wetink.ports.challenges import Challenge, Challenges

T = TypeVar("T")
logger = logging.getLogger(__name__)

NEW, SIGN_IN, SECOND = "passkey-new", "passkey-sign-in", "passkey-second"
"""Kinds of challenges: to add a passkey, to sign in with it alone, and after a password."""
CHALLENGE_MS = 5 * 60_000
NAME = "wetink"
TRANSPORTS = frozenset(each.value for each in AuthenticatorTransport)
DAMAGED = (WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, KeyError, IndexError, RecursionError)
"""Errors of an answer that no browser sends."""


class Asked(msgspec.Struct, frozen=True):
    """The options for a browser, as JSON, and the challenge that its answer names."""

    challenge: str
    options: str


class Passkeys:
    """The passkeys of all accounts, at the address of this server."""

    def __init__(self, accounts: Accounts, challenges: Challenges, address: str) -> None:
        """Use these parts of a store. `address` is where browsers find the server."""
        self._accounts, self._challenges = accounts, challenges
        self.party = relying_party(address)

    async def ask_new(self, account: Account, now: int) -> Asked:
        """Return the options for a new passkey of an account. Raises Conflict if it has too many, BadSettings."""
        party, known = self._party(), await self._of(account.id)
        if len(known) >= MOST_PASSKEYS:
            raise Conflict(f"an account has at most {MOST_PASSKEYS} passkeys", hint="remove one that you do not use")
        challenge = await self._challenges.begin(NEW, account.id, "", now, now + CHALLENGE_MS)
        options = generate_registration_options(
            rp_id=party.id,
            rp_name=NAME,
            user_id=account.id.encode(),
            user_name=account.email,
            user_display_name=account.name,
            challenge=challenge.encode(),
            timeout=CHALLENGE_MS,
            exclude_credentials=[_described(each) for each in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        return Asked(challenge, options_to_json(options))

    async def add(self, account: Account, challenge: str, answer: str, name: str, now: int) -> Credential:
        """Keep a new passkey. Raises Forbidden for an answer that does not fit, BadRequest, Conflict, BadSettings."""
        party, name = self._party(), passkey_name(name)
        asked = await self._taken(challenge, NEW, account.id, now)
        found = _trusted(
            lambda: verify_registration_response(
                credential=answer,
                expected_challenge=asked.id.encode(),
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        )
        passkey = Passkey(
            bytes_to_base64url(found.credential_public_key),
            found.sign_count,
            transports=_transports(answer),
            synced=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        )
        credential = Credential(
            PASSKEY, bytes_to_base64url(found.credential_id), account.id, name, _encoded(passkey), created=now
        )
        await self._accounts.add_credential(credential)
        return credential

    async def ask(self, account: str, now: int) -> Asked:
        """Return the options to sign in with a passkey: any one, or after a password one of `account`.

        Raises BadSettings if this address has no passkeys.
        """
        party = self._party()
        known = await self._of(account) if account else []
        challenge = await self._challenges.begin(SECOND if account else SIGN_IN, account, "", now, now + CHALLENGE_MS)
        options = generate_authentication_options(
            rp_id=party.id,
            challenge=challenge.encode(),
            timeout=CHALLENGE_MS,
            allow_credentials=[_described(each) for each in known],
            user_verification=(
                UserVerificationRequirement.PREFERRED if account else UserVerificationRequirement.REQUIRED
            ),
        )
        return Asked(challenge, options_to_json(options))

    async def check(self, challenge: str, answer: str, account: str, now: int) -> Credential:
        """Return the passkey that answered: any one that verified its holder, or after a password one of `account`.

        Raises Forbidden for one that is unknown or copied, and for an answer that does not fit; BadSettings.
        """
        party = self._party()
        asked = await self._taken(challenge, SECOND if account else SIGN_IN, account, now)
        known = await self._accounts.credential(PASSKEY, _id_of(answer))
        if known is None or (account and known.account != account):
            raise Forbidden(
                "this passkey is not known here", hint="use another one, or sign in with your password", where="passkey"
            )
        passkey = msgspec.json.decode(known.data, type=Passkey)
        found = _trusted(
            lambda: verify_authentication_response(
                credential=answer,
                expected_challenge=asked.id.encode(),
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=0,  # compared below, with a word of its own
                require_user_verification=not account,
            )
        )
        if (found.new_sign_count or passkey.counter) and found.new_sign_count <= passkey.counter:
            logger.warning("the counter of a passkey of account %s went back: it may be a copy", known.account)
            raise Forbidden(
                f"the passkey {known.name} may have been copied: its counter went back",
                hint="sign in another way, remove this passkey and add a new one",
                where="passkey",
            )
        used = msgspec.structs.replace(passkey, counter=found.new_sign_count)
        try:
            await self._accounts.use_credential(known, _encoded(used), now)
        except Conflict:
            raise Forbidden("this passkey was used at the same time", hint="try again", where="passkey") from None
        return known

    async def remove(self, account: str, id_: str) -> None:
        """Remove a passkey of an account. Raises NotFound."""
        await self._accounts.remove_credential(account, PASSKEY, id_)

    async def _of(self, account: str) -> list[Credential]:
        return [each for each in await self._accounts.credentials(account) if each.kind == PASSKEY]

    async def _taken(self, challenge: str, kind: str, account: str, now: int) -> Challenge:
        found = await self._challenges.take(challenge, kind, now)
        if found is None or found.account != account:
            raise Forbidden("this request was already answered, or took too long", hint="try again", where="passkey")
        return found

    def _party(self) -> RelyingParty:
        if self.party is None:
            raise BadSettings(
                "browsers have no passkeys for this address",
                hint="give the server a host name with HTTPS, and set WETINK_PUBLIC_URL",
                where="passkey",
            )
        return self.party


def _trusted(check: Callable[[], T]) -> T:
    """Return what `check` returns. Raises Forbidden for an answer that does not fit."""
    try:
        return check()
    except DAMAGED as error:
        logger.warning("an answer of a passkey is refused: %s", error)
        raise Forbidden(
            "the answer of the passkey does not fit",
            hint="open this page at its own address and try again",
            where="passkey",
        ) from error


def _id_of(answer: str) -> str:
    return str(_fields(answer).get("id", ""))


def _fields(answer: str) -> dict[str, object]:
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadRequest("the browser sent no passkey", hint="try again", where="passkey")
    return found


def _transports(answer: str) -> tuple[str, ...]:
    response = _fields(answer).get("response")
    given = response.get("transports") if isinstance(response, dict) else None
    return tuple(each for each in given if each in TRANSPORTS) if isinstance(given, list) else ()


def _described(credential: Credential) -> PublicKeyCredentialDescriptor:
    passkey = msgspec.json.decode(credential.data, type=Passkey)
    transports = [AuthenticatorTransport(each) for each in passkey.transports]
    return PublicKeyCredentialDescriptor(base64url_to_bytes(credential.id), transports=transports or None)


def _encoded(passkey: Passkey) -> str:
    return msgspec.json.encode(passkey).decode()
