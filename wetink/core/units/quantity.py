"""Quantity: whole numbers and short texts as senders write them, made uniform or rejected."""

from decimal import Decimal
from typing import Any

from wetink.core.units.money import LARGEST, number

LONGEST_TEXT = 4096
"""Maximum length of a product's or order's text, in characters."""

LONGEST_DIGITS = 100
"""Maximum length of a whole number that can be an ID, in digits."""

_LONGEST_INT = 10**LONGEST_DIGITS
_LARGEST_FLOAT = 1e21
_EXACT = 1 << 53


def whole(value: Any) -> int | None:
    """Return a whole number that is 0 or more; None for anything else.

    >>> whole("2"), whole(3.0), whole(1.5), whole(-1)
    (2, 3, None, None)
    """
    amount = number(value)
    return int(amount) if amount is not None and amount >= 0 and amount.is_integer() else None


def pieces(value: Any) -> int | float | None:
    """Return a quantity, as an int if it is whole; None for anything else.

    A negative quantity takes pieces away, and goods sold by weight have fractions.

    >>> pieces("2"), pieces(3.0), pieces("1,5 kg"), pieces(-1), pieces("some")
    (2, 3, 1.5, -1, None)
    """
    if type(value) is int and -LARGEST < value < LARGEST:
        return value
    amount = number(value)
    if amount is None:
        return None
    return int(amount) if amount.is_integer() else amount


def stock(value: Any) -> int | None:
    """Return the whole pieces in stock; 0 for a negative number. None for anything else.

    >>> stock("7"), stock(-3), stock(2.5), stock("many")
    (7, 0, 2, None)
    """
    amount = number(value)
    return max(0, int(amount)) if amount is not None else None


def text(value: Any) -> str | None:
    """Return trimmed text, or a number as `plain` writes it; None for anything else and for empty text.

    >>> text(" Mug "), text(1729382256910270771), text(12.0), text(True)
    ('Mug', '1729382256910270771', '12', None)
    """
    kind = type(value)
    if kind is str:
        return value.strip() if value and len(value) <= LONGEST_TEXT else None
    return plain(value) if kind is int or kind is float else None


def plain(value: float) -> str | None:
    """Return the digits of a number that may be an ID, all of them, without an exponent or a needless point.

    A float is written as JavaScript writes it. Returns None for a number that is not finite, for a float of 1e21 or
    more, whose last digits are lost, and for a whole number with more than LONGEST_DIGITS digits.

    >>> plain(1005006123456789012), plain(1.005e15), plain(1.2345678901234567e18), plain(4.5), plain(1e300)
    ('1005006123456789012', '1005000000000000', '1234567890123456800', '4.5', None)
    """
    if type(value) is int:
        return str(value) if -_LONGEST_INT < value < _LONGEST_INT else None
    if not -_LARGEST_FLOAT < value < _LARGEST_FLOAT:  # also false for NaN
        return None
    if value.is_integer():
        return str(int(value)) if -_EXACT < value < _EXACT else format(Decimal(repr(value)), "f").removesuffix(".0")
    return repr(value)


def storable(value: Any) -> Any:
    """Return a decoded JSON value in which whole numbers over 64 bits, which no file format holds, are text."""
    kind = type(value)
    if kind is int:
        return value if -(1 << 63) <= value < 1 << 63 else str(value)
    if kind is list:
        return [storable(each) for each in value]
    if kind is dict:
        return {key: storable(each) for key, each in value.items()}
    return value
