"""Last good: the newest picture each recipient was shown, for when a new one cannot be had in time."""

from collections import OrderedDict

from wetink.ports import Picture

MOST = 48 << 20
"""Bytes of pictures that are kept."""

Place = tuple[str, int, str, str]
"""Block, slot, recipient, campaign."""


class LastGood:
    """Pictures by where and to whom they were shown; the one kept longest ago goes first."""

    def __init__(self, most: int = MOST) -> None:
        """Keep up to `most` bytes."""
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[Place, Picture] = OrderedDict()

    def get(self, place: Place) -> Picture | None:
        """Return the last good picture, None if there is none any more."""
        return self._kept.get(place)

    def put(self, place: Place, picture: Picture) -> None:
        """Keep a picture that was drawn."""
        old = self._kept.pop(place, None)
        self._bytes += len(picture.body) - (len(old.body) if old is not None else 0)
        self._kept[place] = picture
        while self._bytes > self._most:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)
