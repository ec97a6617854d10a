"""Requests of signing in that are taken: what only an owner with a device can fill in."""

from collections.abc import Mapping

from pyotp import TOTP

from tests.access.authenticator import Authenticator
from wetink.core.access.account import Credential
from wetink.core.access.single_sign_on import Provider, SignInRules
from wetink.web.request import now_ms
from wetink.wiring import Wetink

TEAM, SECURITY, SIGN_ON = "/dashboard/settings/team", "/dashboard/settings/security", "/dashboard/settings/sign-on"
PROVIDER = {"issuer": "https://x.example", "client": "c", "secret": "s", "role": "viewer"}

SIGN_IN: Mapping[str, Mapping[str, str]] = {
    "/dashboard/login/passkey/ask": {},
    "/dashboard/login/forgotten": {"email": "bob@shop.example"},
    f"{SECURITY}/app": {},
    f"{SECURITY}/app/confirm": {"code": "CODE"},
    f"{SECURITY}/app/remove": {},
    f"{SECURITY}/codes": {},
    f"{SECURITY}/passkeys/ask": {},
    f"{SECURITY}/passkeys/add": {"answer": "ANSWER", "passkey-name": "*"},
    f"{SECURITY}/passkeys/prove": {"answer": "SIGNED"},
    f"{SECURITY}/passkeys/prove/ask": {},
    f"{SECURITY}/passkeys/remove": {"passkey": "PASSKEY"},
    f"{SIGN_ON}/save": {**PROVIDER, "title": "Okta *"},
    f"{SIGN_ON}/remove": {"name": "PROVIDER"},
    f"{SIGN_ON}/require": {},
    f"{SIGN_ON}/passwords": {"passwords": "on"},
    f"{TEAM}/reset": {"account": "cat"},
}
"""Fields by path. A word in capitals is filled in by `ways_in`, and `*` is new each time."""


async def ways_in(wetink: Wetink, made: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that only an owner with a device can fill in."""
    bob, now = await wetink.team.account("bob"), now_ms()
    if made.get("code") == "CODE":
        setup = await wetink.factors.begin_app(bob, now)
        return {"setup": setup.id, "code": TOTP(setup.secret.secret).at(now // 1000)}
    if made.get("answer") in ("ANSWER", "SIGNED"):
        passkeys, device = await wetink.passkeys(), Authenticator()
        asked, party = await passkeys.ask_new(bob, now), passkeys.party
        assert party is not None
        registered = device.registered(asked.options, party.origin)
        if made["answer"] == "ANSWER":
            return {"challenge": asked.challenge, "answer": registered}
        await passkeys.add(bob, asked.challenge, registered, "", now)
        asked = await passkeys.ask(bob.id, now)
        return {"challenge": asked.challenge, "answer": device.signed(asked.options, party.origin)}
    if made.get("passkey") == "PASSKEY":
        await wetink.store.accounts.add_credential(Credential("passkey", "made", "bob", data='{"public_key": ""}'))
        return {"passkey": "made"}
    if made.get("name") == "PROVIDER":
        rules = SignInRules(providers=(Provider("made", "Made", "https://x.example", "c", "s"),))
        await wetink.sign_in_rules.change(lambda _: rules)
        return {"name": "made"}
    return {}


class Believing:
    """Takes every issuer for one that answers."""

    async def discover(self, *given: object, **named: object) -> Mapping[str, str]:
        return {}
