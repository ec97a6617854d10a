"""Characters: HTML entities, invisible controls, bytes that are almost JSON, and characters that no store can hold.

A 400 makes a client drop its whole batch for good. wetink therefore replaces halves of surrogate pairs, which browsers
produce, NUL, and bytes that are not UTF-8 with U+FFFD.
"""

import html
import re
from collections.abc import Mapping
from html.entities import html5
from typing import Any

import msgspec

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def unescaped(text: str) -> str:
    """Return text with its HTML entities decoded once. Without a semicolon, nothing is an entity: `R&D`, `&copy`.

    >>> unescaped("Tom &amp; Jerry &#174;"), unescaped("&amp;lt;"), unescaped("AT&T &nope;")
    ('Tom & Jerry ®', '&lt;', 'AT&T &nope;')
    """
    if "&" not in text:
        return text
    return _ENTITY.sub(_letter, text).strip()


def _letter(entity: re.Match[str]) -> str:
    """Return the letter of an entity; other text as it is, though it begins like one: `&notes;`."""
    return html.unescape(entity[0]) if entity[0][1] == "#" or entity[0][1:] in html5 else entity[0]


_HIDDEN = (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_DROPPED = dict.fromkeys((*_HIDDEN, *range(0xFFF9, 0xFFFC), *range(0x80, 0x85), *range(0x86, 0xA0)))
"""Invisible controls: directions, places for line breaks, and terminal commands."""


def controls(text: str) -> str:
    """Return text without invisible controls. The joiners that scripts and emoji need stay.

    >>> controls("Mug\u202egnp.exe\u2066\u200b"), controls("\U0001f469\u200d\U0001f467") == "\U0001f469\u200d\U0001f467"
    ('Muggnp.exe', True)
    """
    return text if text.isascii() else text.translate(_DROPPED)


_BOM = b"\xef\xbb\xbf"
_REPLACEMENT = rb"\ufffd"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2}|u0000)"  # to be replaced
    rb"|.)",  # any other escape, so that the second backslash of a pair begins nothing
    re.DOTALL,
)


def repaired(body: bytes) -> bytes:
    r"""Return the bytes without BOM, lone surrogates, NUL escapes and invalid UTF-8; the same object if it had none.

    >>> repaired(rb'"\ud83d\ude00 \ud83d \u0000 \\u0000"') == rb'"\ud83d\ude00 \ufffd \ufffd \\u0000"'
    True
    """
    if not body.isascii():
        if body.startswith(_BOM):
            body = body[3:]
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode("utf-8", "replace").encode()
    if b"\\" in body and (rb"\ud" in body or rb"\uD" in body or rb"\u0000" in body):  # the first is found at once
        body = _ESCAPE.sub(_mend, body)
    return body


def _mend(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else _REPLACEMENT


LEAST_NUMBER, MOST_NUMBER = -(2**63), 2**64 - 1
"""Whole numbers that every store and encoding can hold."""
DEEPEST = 128

_HALF = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def problem_in_text(text: str) -> str:
    r"""Return why text cannot be stored; empty if it can.

    >>> problem_in_text("a\0"), problem_in_text("\ud800"), problem_in_text("\N{SNOWMAN}")
    ('a NUL character', 'half a character (a lone surrogate)', '')
    """
    if "\0" in text:
        return "a NUL character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "half a character (a lone surrogate)"
    return ""


def problem_in(  # noqa: C901 (a case for each kind of value)
    value: Any, place: str = "", depth: int = 0
) -> tuple[str, str]:
    """Return the place and reason of a value that cannot be stored, in plain values and structs; both empty if all can.

    >>> problem_in({"a": [1, 10**26]})
    ('a[1]', 'a number with more digits than can be kept')
    """
    if isinstance(value, str):
        return (place, why) if (why := problem_in_text(value)) else ("", "")
    if isinstance(value, float) and value - value != 0:
        return place, "no number (infinite, or not a number)"
    if isinstance(value, int) and not LEAST_NUMBER <= value <= MOST_NUMBER:
        return place, "a number with more digits than can be kept"
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if depth > DEEPEST:
        return place, f"nested deeper than {DEEPEST}"
    if isinstance(value, Mapping):
        for name, each in value.items():
            inner = f"{place}.{name}" if place else str(name)
            if isinstance(name, str) and (why := problem_in_text(name)):
                return f"{place or 'a name'}: {name[:40]!a}", why
            found = problem_in(each, inner, depth + 1)
            if found[1]:
                return found
    elif isinstance(value, list | tuple | set | frozenset):
        for number, each in enumerate(value):
            found = problem_in(each, f"{place}[{number}]", depth + 1)
            if found[1]:
                return found
    return "", ""


def half_character(body: bytes) -> int | None:
    r"""Return the offset in JSON of an escaped half of a surrogate pair; None if there is none.

    >>> half_character(rb'"a\ud800"'), half_character(rb'"\ud83d\ude00"')
    (2, None)
    """
    if rb"\ud" not in body.lower():
        return None
    return next((found.start() for found in _HALF.finditer(body) if found[1] is not None), None)
