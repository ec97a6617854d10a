"""Recipient: the person an email was sent to, sealed into its URLs.

A token is the key's epoch (one byte) and AES-SIV (RFC 5297) over the recipient, bound to a block and a purpose. It is
deterministic, so an email's URLs do not change from send to send. A picture's token does not open data.
"""

import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from wetink.core.identity.identifier import Identifier, Kind, anonymous, email, user
from wetink.core.text.placeholder import USUAL, Placeholders

Purpose = Literal["picture", "data", "click", "vote"]

LONGEST_TOKEN = 1_100
"""Characters. A longer token is rejected."""

REMEMBERED = 1_000
"""Tokens whose recipients are cached: an email's pictures and clicks carry the same few."""

_SAFE, _PLAIN = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
_CLEAN = {"user": user, "email": email, "anonymous": anonymous}
_LETTERS: dict[str, Kind] = {"u": "user", "e": "email", "a": "anonymous"}


def parse(text: str, known: Placeholders = USUAL) -> Identifier | None:
    """Return the identifier written as `kind:value`, cleaned; None for anything else and for placeholders.

    >>> str(parse("email: Jane@Shop.example")), parse("jane")
    ('email:jane@shop.example', None)
    """
    kind, colon, value = text.partition(":")
    return _CLEAN[kind](value, known) if colon and kind in _CLEAN else None


def mended(kind: str, value: str) -> str:
    """Return a recipient's value as it was before an ESP put it into a query without encoding.

    A bare `+` in a query reads as a space, and no address contains a space.

    >>> mended("email", "jane tag@shop.example"), mended("user", "a b")
    ('jane+tag@shop.example', 'a b')
    """
    return value.strip().replace(" ", "+") if kind == "email" else value


class Seals:
    """Seals recipients into tokens and opens them again, with one key per epoch."""

    def __init__(self, keys: Mapping[int, bytes], known: Placeholders = USUAL) -> None:
        """Take 64-byte keys by epoch (0..255). The highest epoch seals; all of them open.

        `known` are the placeholders. A token for one opens to None, even if it was sealed before.
        """
        self._known = known
        self.use(keys)

    def use(self, keys: Mapping[int, bytes]) -> None:
        """Replace the keys."""
        self._ciphers = {epoch: AESSIV(key) for epoch, key in keys.items()}
        self._epoch = max(keys, default=0)
        self.unseal = lru_cache(maxsize=REMEMBERED)(self._unseal)

    def seal(self, who: Identifier, block: str, purpose: Purpose) -> str:
        """Return the token of a recipient for one block and purpose, safe in a URL's path."""
        text = f"{who.kind[0]}{who.value}".encode()
        sealed = self._ciphers[self._epoch].encrypt(text, [purpose.encode(), block.encode()])
        return _written(bytes([self._epoch]) + sealed).decode()

    def named(self, kind: str, value: str) -> Identifier | None:
        """Return the identifier of a kind and a value as written in a URL; None for a placeholder."""
        return parse(f"{kind}:{mended(kind, value)}", self._known)

    def _unseal(self, token: str, block: str, purpose: Purpose) -> Identifier | None:
        """Return the recipient of a token; None if it was not sealed here for this block and purpose."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            written = token.encode("ascii")
            raw = binascii.a2b_base64(written.translate(_PLAIN) + b"==="[: -len(written) % 4])
            if _written(raw) != written:  # the decoder skips invalid letters and ignores spare bits of the last one
                return None
            text = self._ciphers[raw[0]].decrypt(raw[1:], [purpose.encode(), block.encode()]).decode()
            return _CLEAN[_LETTERS[text[0]]](text[1:], self._known)
        except (binascii.Error, ValueError, IndexError, KeyError, InvalidTag):
            return None


def _written(raw: bytes) -> bytes:
    """Return the canonical text of these bytes: URL-safe Base64 (RFC 4648) without padding."""
    return binascii.b2a_base64(raw, newline=False).translate(_SAFE).rstrip(b"=")
