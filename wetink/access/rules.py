"""Rules: how the team signs in, kept among the store's secrets, since a provider has one."""

from collections.abc import Callable

import msgspec

from wetink.core.access.single_sign_on import SignInRules
from wetink.core.errors import BadSettings
from wetink.ports.keys import Secrets

NAME = "sign-in.json"


class Rules:
    """The rules of signing in, shared by all processes."""

    def __init__(self, secrets: Secrets) -> None:
        """Keep them among `secrets`."""
        self._secrets = secrets

    async def read(self) -> SignInRules:
        """Return the rules. Raises BadSettings if they are damaged."""
        return _decoded((await self._secrets.all()).get(NAME, ""))

    async def change(self, change: Callable[[SignInRules], SignInRules]) -> SignInRules:
        """Replace the rules by what `change` makes of them. Raises Conflict if somebody else did in the meantime."""
        known = (await self._secrets.all()).get(NAME)
        if known is None:
            await self._secrets.keep(NAME, "")
            known = (await self._secrets.all())[NAME]
        rules = change(_decoded(known))
        await self._secrets.replace(NAME, known, msgspec.json.encode(rules).decode())
        return rules


def _decoded(text: str) -> SignInRules:
    try:
        return msgspec.json.decode(text, type=SignInRules) if text else SignInRules()
    except msgspec.DecodeError as error:
        raise BadSettings(f"{NAME} is damaged: {error}", hint="restore it from a backup") from error
