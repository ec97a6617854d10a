"""Mailbox: one email address, out of the ways in which forms, CRMs and mail programs write it."""

import re
import unicodedata
from urllib.parse import unquote

from wetink.core.text.entities import unescaped

LONGEST = 1_024
"""Characters of the longest text in which an address is looked for."""

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
    """Return the one address in a text, as it is written; empty when there is none, or when there are several.

    >>> mailbox('"Roe, Jane" <Jane@Shop.Example>'), mailbox("mailto:jane@shop.example?cc=x"), mailbox("a@b.c, d@e.f")
    ('Jane@Shop.Example', 'jane@shop.example', '')
    """
    if _PLAIN(text) is not None:
        return text
    if len(text) > LONGEST:
        return ""
    found = _bare(_letters(text))
    local, _, domain = found.partition("@")
    if not _ONE.fullmatch(found) or domain.startswith(".") or ".." in domain or local.startswith("."):
        return ""
    return found


def _letters(text: str) -> str:
    """Return a text without what nobody sees, its wide letters narrow, its escapes read."""
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
                return ""  # a list, of which the last has a name
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
