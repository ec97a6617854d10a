"""Uploads: the file of a feed that somebody brings by hand, of one that is declared or of a new one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from wetink.core.errors import BadContent
from wetink.core.outbound.feed import Feed, feed_of
from wetink.ports.outside import Feeds, Uploaded

EVERY = "365d"
"""How long a file counts as fresh when nobody says otherwise: until another comes."""


class Uploads:
    """Takes files in."""

    def __init__(self, feeds: Feeds, save: Callable[[Feed], Awaitable[None]]) -> None:
        """Hand files to `feeds`; `save` puts a new feed into the content."""
        self._feeds, self._save = feeds, save

    async def take(
        self, declared: Mapping[str, Feed], name: str, parts: AsyncIterator[bytes], kind: str, purpose: str
    ) -> Uploaded:
        """Take the file of an uploaded feed in; of one that is not `declared` yet, of this format and purpose.

        Raises BadContent, TooLarge and Unavailable: then nothing has changed.
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
