"""Uploads: a feed's file sent by hand, for a declared feed or a new one."""

from collections.abc import AsyncIterator, Mapping

from wetink.core.errors import BadContent
from wetink.core.outbound.declaration import feed_of
from wetink.core.outbound.feed import Feed
from wetink.ingest.feed_editor import FeedEditor
from wetink.ports.outside import Feeds, Uploaded

EVERY = "365d"
"""Default freshness of an uploaded file: until the next upload."""


class Uploads:
    """Stores uploaded files."""

    def __init__(self, feeds: Feeds, editor: FeedEditor) -> None:
        """Pass files to `feeds`. `editor` adds a new feed to the content."""
        self._feeds, self._editor = feeds, editor

    async def take(
        self,
        declared: Mapping[str, Feed],
        name: str,
        parts: AsyncIterator[bytes],
        kind: str,
        purpose: str,
        *,
        by: str,
        title: str = "",
        whole: bool = True,
    ) -> Uploaded:
        """Store the file of an uploaded feed. A feed that is not `declared` is created with this format and purpose.

        Unless the file is read `whole`, the new feed is disabled until its fields are mapped.

        Raises BadContent, TooLarge and Unavailable. Then nothing has changed.
        """
        feed = declared.get(name)
        if feed is not None and not feed.file:
            raise BadContent(f"the feed {name} comes from {feed.url}", hint="only a feed with a file can be uploaded")
        if feed is None and not kind:
            raise BadContent(f"there is no feed called {name[:64]!r}", hint="add the format to create it: ?format=csv")
        if feed is not None and not whole:
            raise BadContent(f"there is already a feed called {name}", hint="choose another name")
        raw = {"format": kind, "file": f"{name}.{kind}", "every": EVERY, "purpose": purpose, "title": title}
        made = feed or feed_of(name, raw if whole else {**raw, "disabled": True})
        done = await self._feeds.upload(made, parts, whole=whole)
        if feed is None:
            await self._editor.save(made, {}, by=by, expected="")
        return done
