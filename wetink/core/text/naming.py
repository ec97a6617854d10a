"""Naming: names made from titles, unlike those that are taken."""

import re
from collections.abc import Collection, Sequence


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return a name with the next number that makes it unlike all others.

    >>> free_name("Countdown", ["Countdown", "Countdown 2"]), free_name("Sale 9", ["Sale 9"]), free_name("A", [])
    ('Countdown 3', 'Sale 10', 'A')
    """
    if name not in taken:
        return name
    stem, _, number = name.rpartition(" ")
    stem, number = (stem, number) if stem and number.isdecimal() and len(number) < 6 else (name, "1")
    return next(each for at in range(int(number) + 1, 10**7) if (each := f"{stem} {at}") not in taken)


def slug(title: str, usual: str = "block") -> str:
    """Return a title as a name: lowercase letters, digits and dashes.

    >>> slug("Summer Sale: 20% off!"), slug("Größe"), slug("!!!")
    ('summer-sale-20-off', 'grosse', 'block')
    """
    text = title.casefold().translate(_SPELLED)
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:50].strip("-") or usual


def free_slug(title: str, taken: Collection[str], usual: str = "block") -> str:
    """Return a name made from a title, with a number if it is taken.

    >>> free_slug("Hero!", {"hero", "hero-2"}), free_slug("Sale", ())
    ('hero-3', 'sale')
    """
    name = slug(title, usual)
    return (
        name
        if name not in taken
        else next(each for number in range(2, len(taken) + 3) if (each := f"{name}-{number}") not in taken)
    )


_SPELLED = str.maketrans(
    {letter: plain for plain, letters in {
        "a": "àáâãäåā", "c": "çćč", "e": "èéêëēę", "i": "ìíîïī", "l": "ł", "n": "ñń", "o": "òóôõöøō", "s": "śš",
        "u": "ùúûüū", "y": "ýÿ", "z": "źżž", "ae": "æ", "oe": "œ",
    }.items() for letter in letters}
)  # fmt: skip
