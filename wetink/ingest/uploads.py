"""Uploads: a feed's file sent by hand, for a declared feed or a new one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from wetink.core.errors import BadContent
from wetink.core.outbound.feed import Feed, feed_of
from wetink.ports.outside import Feeds, Uploaded

EVERY = "365d"
"""Default freshness of an uploaded file: until the next upload."""


class Uploads:
    """Stores uploaded files."""

    def __init__(self, feeds: Feeds, save: Callable[[Feed], Awaitable[None]]) -> None:
        """Pass files to `feeds`. `save` adds a new feed to the content."""
        self._feeds, self._save = feeds, save

    async def take(
        self, declared: Mapping[str, Feed], name: str, parts: AsyncIterator[bytes], kind: str, purpose: str
    ) -> Uploaded:
        """Store the file of an uploaded feed. A feed that is not `declared` is created with this format and purpose.

        Raises BadContent, TooLarge and Unavailable. Then nothing has changed.
        """
        feed = declared.get(name)
        if feed is not None and not feed.file:
            raise BadContent(f"the feed {name} comes from {feed.url}", hint="only a feed with a file can be uploaded")
        if feed is None and not kind:
            raise BadContent(f"there is no feed called {name[:64]!r}", hint="add the format to create it: ?format=csv")
        made = feed or feed_of(name, {"format": kind, "file": f"{name}.{kind}", "every": EVERY, "purpose": purpose})
        done = await self._feeds.upload(made, parts)
        if feed is None:
            await self._save(made)
        return done
