"""Bucketing: shares such as `50%`, `12.5 %` or `1/3`, and the position of a person in a split, by a hash."""

import re
from fractions import Fraction
from hashlib import blake2b

from wetink.core.errors import BadContent

_PERCENT = re.compile(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*%\s*")
_PART = re.compile(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*")


def fraction(text: str) -> Fraction:
    """Return a share as a fraction of 1. Raises BadContent if the text is not a share.

    >>> fraction("12.5%"), fraction("1/3")
    (Fraction(1, 8), Fraction(1, 3))
    """
    found = _PERCENT.fullmatch(text)
    if found is not None:
        share = Fraction(found[1]) / 100
    else:
        part = _PART.fullmatch(text)
        if part is None or int(part[2]) == 0:
            raise BadContent(f"{text!r} is not a share", hint="write 50% or 1/3")
        share = Fraction(int(part[1]), int(part[2]))
    if share > 1:
        raise BadContent(f"{text!r} is more than 100%", hint="write 50% or 1/3")
    return share


def bucket(*parts: str) -> float:
    """Return a number in [0, 1) for these words: the same for the same words, and as if random for others.

    >>> bucket("hero", "user:42") == bucket("hero", "user:42"), 0 <= bucket("hero", "user:43") < 1
    (True, True)
    """
    digest = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
