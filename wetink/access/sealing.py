"""Sealing: the secrets of authenticator apps cannot be read without the store's secrets, which have their own file."""

import base64
import secrets as random

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from wetink.core.errors import Forbidden
from wetink.ports.keys import Secrets

NAME = "factors.key"
PURPOSE = b"totp"


class Sealing:
    """Seals texts for one account each, with a key that is made once."""

    def __init__(self, secrets: Secrets) -> None:
        """Keep the key among `secrets`."""
        self._secrets = secrets
        self._cipher: AESSIV | None = None

    async def seal(self, account: str, text: str) -> str:
        """Return a text that only this account's `open` reads. Raises StoreUnavailable."""
        sealed = (await self._key()).encrypt(text.encode(), [PURPOSE, account.encode()])
        return base64.b64encode(sealed).decode()

    async def open(self, account: str, sealed: str) -> str:
        """Return the text. Raises Forbidden if the key is another one, as after a restore without the secrets."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return (await self._key()).decrypt(raw, [PURPOSE, account.encode()]).decode()
        except (InvalidTag, ValueError) as error:
            raise Forbidden(
                "this authenticator app is no longer known here",
                hint="sign in with a recovery code, or ask an owner to reset your second factor",
                where="code",
            ) from error

    async def _key(self) -> AESSIV:
        if self._cipher is None:
            text = (await self._secrets.all()).get(NAME)
            if text is None:
                await self._secrets.keep(NAME, base64.b64encode(random.token_bytes(64)).decode())
                text = (await self._secrets.all())[NAME]
            self._cipher = AESSIV(base64.b64decode(text))
        return self._cipher
