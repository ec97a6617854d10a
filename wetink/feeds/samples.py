"""Samples: the photos of the sample shop, served from files before any other photo is fetched."""

from pathlib import Path

from wetink.core.app.sample import PHOTOS
from wetink.ports import Photos

FOLDER = Path(__file__).parent / "samples"
"""The sample products in 480 pixels; the demo has all of its shop's in 800, in `demo/photos`."""


class WithSamples:
    """Photos, and those of the sample shop beside them. Implements `ports.Photos`."""

    def __init__(self, photos: Photos) -> None:
        """Ask `photos` for all others."""
        self._photos = photos
        self._bodies = {f"{PHOTOS}{path.name}": path.read_bytes() for path in FOLDER.glob("*.jpg")}

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        """Return a photo's bytes, None when it cannot be had within the deadline."""
        if url.startswith(PHOTOS):
            return self._bodies.get(url)
        return await self._photos.get(url, deadline_ms)

    def at_hand(self, url: str) -> bytes | None:
        """Return a photo's bytes if that needs no waiting."""
        return self._bodies.get(url) if url.startswith(PHOTOS) else self._photos.at_hand(url)

    def warm(self, url: str) -> None:
        """Start to fetch it, if it is not there already; never raises."""
        if not url.startswith(PHOTOS):
            self._photos.warm(url)
