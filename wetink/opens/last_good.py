"""Last good: the newest picture each recipient was shown, for when a new one cannot be had in time."""

import asyncio
from collections import OrderedDict

from wetink.ports import Picture
from wetink.ports.pictures import LastPictures, Place

__all__ = ["LastGood", "Place"]

MOST = 16 << 20
"""Bytes of pictures that are kept in memory."""

PATIENCE = 0.2
"""Seconds that what outlived the process may take to be found: somebody waits who has waited before."""


class LastGood:
    """Pictures by where and to whom they were shown; the one kept longest ago goes first."""

    def __init__(self, lasting: LastPictures | None = None, most: int = MOST) -> None:
        """Keep up to `most` bytes here, and more where it outlives the process and others find it."""
        self._lasting, self._most, self._bytes = lasting, most, 0
        self._kept: OrderedDict[Place, tuple[int, Picture]] = OrderedDict()

    async def get(self, place: Place) -> Picture | None:
        """Return the last good picture, None if there is none any more. Never raises."""
        kept = self._kept.get(place)
        if self._lasting is not None:
            try:
                async with asyncio.timeout(PATIENCE):
                    shown = await self._lasting.get(place)
            except TimeoutError:
                shown = None
            if shown is not None and (kept is None or shown[0] > kept[0]):
                kept = shown
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
        if self._lasting is not None and (old is None or old[1] is not picture):
            self._lasting.put(place, at, picture)
