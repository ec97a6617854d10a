"""Quantity: numbers and short texts as senders write them, made uniform or refused."""

import math
import re
from typing import Any

LONGEST_TEXT = 4096
"""Characters of a product's or order's text that are kept in its field."""

_LARGEST = 1e15
_AROUND = re.compile(r"^[^\d+\-.,]*([+-]?[\d.,\s'\u2019\u202f\u00a0]*\d)[^\d]*$")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"[+-]?[\d.]*\d,\d{1,2}")


def number(value: Any) -> float | None:
    """Return a finite number, also from a string with a currency around it; None for anything else.

    >>> number("$1,299.00"), number("12,50 €"), number(9), number("free"), number(10**400)
    (1299.0, 12.5, 9.0, None, None)
    """
    kind = type(value)
    if kind is float or kind is int:
        return float(value) if -_LARGEST < value < _LARGEST else None
    if kind is not str or len(value) > 40:
        return None
    found = _AROUND.match(value)
    if found is None:
        return None
    digits = re.sub(r"[\s'\u2019\u202f\u00a0]", "", found[1])
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    elif _COMMA.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    try:
        amount = float(digits)
    except ValueError:
        return None
    return amount if math.isfinite(amount) and abs(amount) < _LARGEST else None


def whole(value: Any) -> int | None:
    """Return a whole number that is not negative; None for anything else.

    >>> whole("2"), whole(3.0), whole(1.5), whole(-1)
    (2, 3, None, None)
    """
    amount = number(value)
    return int(amount) if amount is not None and amount >= 0 and amount.is_integer() else None


def text(value: Any) -> str | None:
    """Return a trimmed text, a number's digits included; None for anything else and for nothing."""
    kind = type(value)
    if kind is str:
        return value.strip() if value and len(value) <= LONGEST_TEXT else None
    if kind is int and -_LARGEST < value < _LARGEST:
        return str(value)
    if kind is float and -_LARGEST < value < _LARGEST:
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def storable(value: Any) -> Any:
    """Return a decoded JSON value with every whole number that no file format holds (over 64 bits) as its digits."""
    kind = type(value)
    if kind is int:
        return value if -(1 << 63) <= value < 1 << 63 else str(value)
    if kind is list:
        return [storable(each) for each in value]
    if kind is dict:
        return {key: storable(each) for key, each in value.items()}
    return value
