"""Names: how user ids, addresses and anonymous ids are cleaned, and which of them name nobody."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

import idna

from wetink.core.identity.identifier import Identifier
from wetink.core.text.mailbox import mailbox
from wetink.core.text.placeholder import LOCAL_PARTS, USUAL, Placeholders
from wetink.core.units.quantity import plain

LONGEST = 512
"""Characters of the longest identifier that is believed."""

REMEMBERED = 16_384
"""Ids and addresses whose reading is kept: most of those that are sent at the same time."""

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def user(value: Any, known: Placeholders = USUAL) -> Identifier | None:
    """Return the user identifier, trimmed; None for what names nobody. A number and its digits are one id.

    `known` says which texts are placeholders, here and below.

    >>> str(user(42)), str(user(" 42 ")), user("null")
    ('user:42', 'user:42', None)
    """
    text = _text(value, known)
    return Identifier("user", text) if text else None


def anonymous(value: Any, known: Placeholders = USUAL) -> Identifier | None:
    """Return the anonymous identifier, trimmed; None for what names nobody."""
    text = _text(value, known)
    return Identifier("anonymous", text) if text else None


def email(value: Any, known: Placeholders = USUAL) -> Identifier | None:
    """Return the one address in a text, lower-cased, NFC, its domain in Unicode; None for none, or for several.

    >>> str(email("Jane <Jane@Shop.Example>")), email("n/a"), email("noreply@shop.example")
    ('email:jane@shop.example', None, None)
    """
    return address(value, known) if isinstance(value, str) else None


def means_nobody(address: Any, known: Placeholders = USUAL) -> bool:
    """Whether what was sent as an address says plainly that there is none: a placeholder, or one that nobody reads."""
    if not isinstance(address, str):
        return address is None
    text = address.strip()
    local = mailbox(text).partition("@")[0].lower()
    return known.nobody(text) or local in LOCAL_PARTS


def _text(value: Any, known: Placeholders) -> str:
    if isinstance(value, str):
        text = value.strip()
        if len(text) > LONGEST or known.nobody(text) or "\x00" in text or "\ufffd" in text:
            return ""  # as `_blocked` has it, which would cost one more call of every message
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    digits = plain(value)
    return "" if digits is None or _blocked(digits, known) else digits


def _blocked(text: str, known: Placeholders) -> bool:
    if len(text) > LONGEST or "\x00" in text or "\ufffd" in text:
        return True  # a repaired character may stand for any: two ids must not become one
    return known.nobody(text)


@lru_cache(maxsize=REMEMBERED)
def address(value: str, known: Placeholders = USUAL) -> Identifier | None:
    """Return the one address in a text, as `email` does."""
    if known.nobody(value):
        return None
    text = unicodedata.normalize("NFC", mailbox(value).lower())
    if _blocked(text, known) or not _ADDRESS.fullmatch(text):
        return None
    local, _, domain = text.partition("@")
    if local in LOCAL_PARTS:
        return None
    return Identifier("email", f"{local}@{_unicode_domain(domain)}")


def _unicode_domain(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
