"""Recipient: who an email was sent to, sealed into its URLs.

A token is the key's epoch (one byte) and AES-SIV (RFC 5297) over the recipient, bound to a block and a purpose. It is
deterministic, so an email's URLs do not change from send to send, and a picture's token does not open data.
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
"""Characters of the longest token that is tried."""

REMEMBERED = 1_000
"""Tokens of which is remembered whose they are: an email's pictures and clicks come with the same ones."""

_SAFE, _PLAIN = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
_CLEAN = {"user": user, "email": email, "anonymous": anonymous}
_LETTERS: dict[str, Kind] = {"u": "user", "e": "email", "a": "anonymous"}


def parse(text: str, known: Placeholders = USUAL) -> Identifier | None:
    """Return the identifier written as `kind:value`, cleaned; None for anything else, and for what names nobody.

    >>> str(parse("email: Jane@Shop.example")), parse("jane")
    ('email:jane@shop.example', None)
    """
    kind, colon, value = text.partition(":")
    return _CLEAN[kind](value, known) if colon and kind in _CLEAN else None


def mended(kind: str, value: str) -> str:
    """Return a recipient's value as it was before an ESP put it into a query without encoding.

    A bare `+` there reads as a space, and no address has a space inside.

    >>> mended("email", "jane tag@shop.example"), mended("user", "a b")
    ('jane+tag@shop.example', 'a b')
    """
    return value.strip().replace(" ", "+") if kind == "email" else value


class Seals:
    """Seals recipients into tokens and opens them again, with one key per epoch."""

    def __init__(self, keys: Mapping[int, bytes], known: Placeholders = USUAL) -> None:
        """Take 64-byte keys by epoch (0..255); the greatest epoch seals, all of them open.

        `known` are the texts that name nobody, also where they were sealed before that was known.
        """
        self._known = known
        self.use(keys)

    def use(self, keys: Mapping[int, bytes]) -> None:
        """Go on with these keys."""
        self._ciphers = {epoch: AESSIV(key) for epoch, key in keys.items()}
        self._epoch = max(keys, default=0)
        self.unseal = lru_cache(maxsize=REMEMBERED)(self._unseal)

    def seal(self, who: Identifier, block: str, purpose: Purpose) -> str:
        """Return the token of a recipient for one block and purpose, safe in a URL's path."""
        text = f"{who.kind[0]}{who.value}".encode()
        sealed = self._ciphers[self._epoch].encrypt(text, [purpose.encode(), block.encode()])
        return _written(bytes([self._epoch]) + sealed).decode()

    def named(self, kind: str, value: str) -> Identifier | None:
        """Return the identifier of a kind and a value as somebody wrote it; None for what names nobody."""
        return parse(f"{kind}:{mended(kind, value)}", self._known)

    def _unseal(self, token: str, block: str, purpose: Purpose) -> Identifier | None:
        """Return the recipient; None for whatever we did not seal for this block and purpose."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            written = token.encode("ascii")
            raw = binascii.a2b_base64(written.translate(_PLAIN) + b"==="[: -len(written) % 4])
            if _written(raw) != written:  # letters that are none are skipped, and the last has bits to spare
                return None
            text = self._ciphers[raw[0]].decrypt(raw[1:], [purpose.encode(), block.encode()]).decode()
            return _CLEAN[_LETTERS[text[0]]](text[1:], self._known)
        except (binascii.Error, ValueError, IndexError, KeyError, InvalidTag):
            return None


def _written(raw: bytes) -> bytes:
    """Return the one way in which we write these bytes: Base64 with the URL-safe letters of RFC 4648, unpadded."""
    return binascii.b2a_base64(raw, newline=False).translate(_SAFE).rstrip(b"=")
