"""Poll: votes as shares of a whole, and who has voted for what."""

from collections.abc import Mapping, Sequence

import msgspec


class Tally(msgspec.Struct, frozen=True):
    """How a poll stands: votes by option, the first being 1, and this person's own option, 0 for none."""

    votes: Mapping[int, int] = {}
    own: int = 0


def shares(votes: Sequence[int]) -> list[int]:
    """Return whole per cents that add up to 100, or all 0 without a vote: the largest rests are rounded up.

    >>> shares([1, 1, 1]), shares([0, 0]), shares([2, 1, 5])
    ([34, 33, 33], [0, 0], [25, 13, 62])
    """
    total = sum(votes)
    if not total:
        return [0 for _ in votes]
    found = [100 * each // total for each in votes]
    rests = sorted(range(len(votes)), key=lambda index: (-(100 * votes[index] % total), index))
    for index in rests[: 100 - sum(found)]:
        found[index] += 1
    return found
