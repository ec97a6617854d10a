"""Identifier: the three kinds of name of a shopper, how they are cleaned, and which of them identify nobody.

A message with several of them makes claims: each weaker one belongs to the strongest from then on.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import unquote

import idna
import msgspec

from wetink.core.events.event import Event, Level
from wetink.core.text.characters import unescaped
from wetink.core.text.placeholder import USUAL, Placeholders, is_nobodys
from wetink.core.units.quantity import plain

Kind = Literal["user", "email", "anonymous"]

STRENGTH: dict[Kind, int] = {"user": 0, "email": 1, "anonymous": 2}
"""Strongest first: an event is filed under its strongest identifier."""


class Identifier(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """One cleaned name of a shopper. See `user`, `email` and `anonymous`.

    >>> str(Identifier("email", "jane@shop.example"))
    'email:jane@shop.example'
    """

    kind: Kind
    value: str

    def __str__(self) -> str:
        """Return `kind:value`."""
        return f"{self.kind}:{self.value}"


LONGEST_TEXT = 1_024
"""Maximum length of text that is searched for an address, in characters."""

_PLAIN = re.compile(r"[A-Za-z0-9_+\-]+(?:\.[A-Za-z0-9_+\-]+)*@(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,}").fullmatch
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFE6B: "@", 0x3002: ".", 0xFF61: "."}
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ANGLES = re.compile(r"([^<>]*)<\s*(?:mailto:)?([^<>]*)>[\s.,;]*", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"\s*\([^()@]*\)\s*$")
_MAILTO = re.compile(r"mailto:/{0,2}([^?]*)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_WRAPPED = {'"': '"', "'": "'", "`": "`", "[": "]", "(": ")", "{": "}", "\u201c": "\u201d", "\u2018": "\u2019",
            "\u201e": "\u201c", "\u201a": "\u2018", "\u00ab": "\u00bb", "\u2039": "\u203a"}  # fmt: skip
_ONE = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"'/?#%&=|{}]+")


def mailbox(text: str) -> str:
    """Return the one address in a text, as written; empty if there is none or there are several.

    >>> mailbox('"Roe, Jane" <Jane@Shop.Example>'), mailbox("mailto:jane@shop.example?cc=x"), mailbox("a@b.c, d@e.f")
    ('Jane@Shop.Example', 'jane@shop.example', '')
    """
    if _PLAIN(text) is not None:
        return text
    if len(text) > LONGEST_TEXT:
        return ""
    found = _bare(_letters(text))
    local, _, domain = found.partition("@")
    if not _ONE.fullmatch(found) or domain.startswith(".") or ".." in domain or local.startswith("."):
        return ""
    return found


def _letters(text: str) -> str:
    """Return text without invisible characters, with full-width letters as ASCII, and with escapes decoded."""
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char) != "Cf").translate(_WIDE)
    if "&" in text:
        text = unescaped(text)
    if "@" not in text and "%40" in text:
        text = unquote(text, errors="replace")
    return text.strip()


def _bare(text: str) -> str:
    for _ in range(4):  # `"<mailto:jane@shop.example>"` is wrapped three times
        before = text
        unnamed = _ANGLES.fullmatch(_QUOTED.sub("", text))
        angled = _ANGLES.fullmatch(text)
        if angled is not None and unnamed is not None:
            if "@" in unnamed[1] and re.search(r"[,;\s]\S", unnamed[1].strip()):
                return ""  # a list whose last address has a name
            text = angled[2].strip()
        mailto = _MAILTO.fullmatch(text)
        if mailto is not None:
            text = mailto[1] if "@" in mailto[1] else unquote(mailto[1], errors="replace")
        text = _COMMENT.sub("", text).strip(" \t\r\n,;").rstrip(".:,; ")
        while len(text) > 1 and _WRAPPED.get(text[0]) == text[-1]:
            text = text[1:-1].strip()
        if text == before:
            return text
    return text


LONGEST = 512
"""Maximum length of an identifier, in characters."""

REMEMBERED = 16_384
"""IDs and addresses whose reading is cached: most of those that are active at the same time."""

_INVISIBLE = " \u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""Characters that exports and copies leave around an ID: marks of byte order and direction, and empty ones."""

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def user(value: Any, known: Placeholders = USUAL) -> Identifier | None:
    """Return the user identifier, trimmed; None if the value identifies nobody. A number and its digits are one ID.

    `known` is the list of placeholders, here and below.

    >>> str(user(42)), str(user(" 42 ")), user("null")
    ('user:42', 'user:42', None)
    """
    text = _text(value, known)
    return Identifier("user", text) if text and not ("@" in text and is_nobodys(_local(text))) else None


def anonymous(value: Any, known: Placeholders = USUAL) -> Identifier | None:
    """Return the anonymous identifier, trimmed; None if the value identifies nobody."""
    text = _text(value, known)
    return Identifier("anonymous", text) if text else None


def email(value: Any, known: Placeholders = USUAL) -> Identifier | None:
    """Return the one address in a text, lower-cased, NFC, with its domain in Unicode; None for none or several.

    >>> str(email("Jane <Jane@Shop.Example>")), email("n/a"), email("noreply@shop.example")
    ('email:jane@shop.example', None, None)
    """
    return address(value, known) if isinstance(value, str) else None


def means_nobody(address: Any, known: Placeholders = USUAL) -> bool:
    """Return whether a sender states that there is no address: by a placeholder, or by an address that nobody reads."""
    if not isinstance(address, str):
        return address is None
    text = address.strip()
    return known.nobody(text) or is_nobodys(_local(text))


def _local(text: str) -> str:
    return mailbox(text).partition("@")[0]


def _text(value: Any, known: Placeholders) -> str:
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii():
            text = text.strip(_INVISIBLE)
        if len(text) > LONGEST or known.nobody(text) or "\x00" in text or "\ufffd" in text:
            return ""  # the conditions of `_blocked`, without a call for every message
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    digits = plain(value)
    return "" if digits is None or _blocked(digits, known) else digits


def _blocked(text: str, known: Placeholders) -> bool:
    if len(text) > LONGEST or "\x00" in text or "\ufffd" in text:
        return True  # a repaired character may stand for any: two IDs must not become one
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
    if is_nobodys(local):
        return None
    return Identifier("email", f"{local}@{_unicode_domain(domain)}")


def _unicode_domain(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


class Claim(msgspec.Struct, frozen=True, order=True, gc=False):
    """From `at` (Unix ms) on, `weaker` belongs to `stronger`. The order of the fields is the order of claims.

    `alias` marks an alias's claim on its previousId, which no event carries.
    """

    at: int
    source: str
    message_id: str
    weaker: Identifier
    stronger: Identifier
    level: Level = "server"
    alias: bool = False


class Carrier(msgspec.Struct, frozen=True, gc=False):
    """The fields of an event that its claims depend on."""

    type: str
    at: int
    message_id: str
    source: str
    level: Level = "server"
    user: str = ""
    email: str = ""
    anonymous: str = ""


def strongest(user: Identifier | None, email: Identifier | None, anonymous: Identifier | None) -> Identifier | None:
    """Return the identifier under which an event with these is filed; None without any."""
    return user or email or anonymous


def claims(
    message_type: str,
    user_: Identifier | None,
    email_: Identifier | None,
    anonymous_: Identifier | None,
    previous: Any,
    at: int,
    source: str,
    message_id: str,
    level: Level,
    known: Placeholders = USUAL,
) -> tuple[tuple[Claim, ...], tuple[Identifier, Identifier] | None]:
    """Return a message's claims, each weaker identifier's to the strongest, and the users that an alias joins.

    `previous` is an alias's previousId as received. It claims as an anonymous ID, and joins as a user if a server sent
    it.
    """
    owner = strongest(user_, email_, anonymous_)
    if owner is None or (owner is anonymous_ and message_type != "alias"):
        return (), None
    made = []
    if owner is user_:
        own_address = address(owner.value, known) if "@" in owner.value else None
        if own_address is not None:
            made.append(Claim(at, source, message_id, own_address, owner, level))
        if email_ is not None and email_ != own_address:
            made.append(Claim(at, source, message_id, email_, owner, level))
    if anonymous_ is not None and owner is not anonymous_:
        made.append(Claim(at, source, message_id, anonymous_, owner, level))
    if message_type != "alias" or owner is not user_:
        return tuple(made), None
    joins, before = None, user(previous, known)
    if before is not None and before != owner:
        device = Identifier("anonymous", before.value)
        if device != anonymous_:
            made.append(Claim(at, source, message_id, device, owner, level, alias=True))
        joins = (before, owner) if level == "server" else None
    return tuple(made), joins


def claims_of(event: Event | Carrier) -> tuple[Claim, ...]:
    """Return the claims of an event's message, except an alias's claim on its previousId."""
    carried = (
        Identifier("user", event.user) if event.user else None,
        Identifier("email", event.email) if event.email else None,
        Identifier("anonymous", event.anonymous) if event.anonymous else None,
    )
    kept: dict[str, Any] = {"at": event.at, "source": event.source, "message_id": event.message_id}
    return claims(event.type, *carried, None, **kept, level=event.level)[0]


def makes_claim_on(event: Carrier, weaker: Identifier) -> bool:
    """Return whether this event's message, which is filed under another identifier, claimed `weaker`."""
    if weaker.kind == "anonymous":
        return event.anonymous == weaker.value
    return any(claim.weaker == weaker for claim in claims_of(event))
