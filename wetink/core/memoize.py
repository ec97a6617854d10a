"""Memo: what follows from content alone is worked out once for each piece of content, not for each open."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

REMEMBERED = 2_000
"""Calls whose outcome is remembered; then all are forgotten."""


def memoize(work: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
    """Remember what a pure function made of these very objects, which must never change.

    They are told apart by identity, since what holds a dict cannot be hashed, and kept along, so that nothing else
    gets their place.

    >>> seen = []
    >>> length = memoize(lambda what: seen.append(what) or len(what))
    >>> word = ["a", "b"]
    >>> length(word), length(word), length(["a", "b"]), len(seen)
    (2, 2, 2, 2)
    """
    known: dict[tuple[int, ...], tuple[tuple[*Ts], T]] = {}

    @wraps(work)
    def worked(*given: *Ts) -> T:
        key = tuple(map(id, given))
        kept = known.get(key)
        if kept is not None:
            return kept[1]
        if len(known) >= REMEMBERED:
            known.clear()
        made = work(*given)
        known[key] = given, made
        return made

    return worked
