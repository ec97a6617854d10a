"""Memoize: cache values that follow from content alone, per content object instead of per open."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

REMEMBERED = 2_000
"""Calls whose results are cached. Beyond that, the cache is emptied."""


def memoize(work: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
    """Cache the results of a pure function by the identity of its arguments, which must never change.

    Arguments that contain a dict have no hash, so their IDs are the key. The cache keeps the arguments alive, so that
    no other object gets their ID.

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
