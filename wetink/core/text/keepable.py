"""Keepable: whether a value can be written by every store and encoding, told before it is taken."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

LEAST_NUMBER, MOST_NUMBER = -(2**63), 2**64 - 1
"""Whole numbers that every store and encoding can hold."""
DEEPEST = 128

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def problem_in_text(text: str) -> str:
    r"""Return why a text cannot be kept, empty when it can.

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
    """Return the place of what cannot be kept in plain values and structs, and why; both empty when all can.

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
    r"""Return where in JSON half of a surrogate pair is escaped, None when it is nowhere.

    >>> half_character(rb'"a\ud800"'), half_character(rb'"\ud83d\ude00"')
    (2, None)
    """
    if rb"\ud" not in body.lower():
        return None
    return next((found.start() for found in _ESCAPE.finditer(body) if found[1] is not None), None)
