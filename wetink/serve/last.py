"""Last good: the newest picture each recipient was shown, for when a new one cannot be had in time."""

from collections import OrderedDict

from wetink.ports import Picture

MOST = 48 << 20
"""Bytes of pictures that are kept."""

Place = tuple[str, int, str, str]
"""Block, slot, recipient, and whatever else makes another picture."""


class LastGood:
    """Pictures by where and to whom they were shown; the one kept longest ago goes first."""

    def __init__(self, most: int = MOST) -> None:
        """Keep up to `most` bytes."""
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[Place, tuple[int, Picture]] = OrderedDict()

    def get(self, place: Place) -> Picture | None:
        """Return the last good picture, None if there is none any more."""
        kept = self._kept.get(place)
        return kept[1] if kept is not None else None

    def put(self, place: Place, picture: Picture, at: int) -> None:
        """Keep a picture of an open at `at` (Unix ms), unless a newer one is kept."""
        old = self._kept.get(place)
        if old is not None:
            if old[0] > at:
                return
            self._bytes -= len(old[1].body)
            del self._kept[place]
        self._bytes += len(picture.body)
        self._kept[place] = at, picture
        while self._bytes > self._most:
            self._bytes -= len(self._kept.popitem(last=False)[1][1].body)
