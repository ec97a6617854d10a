"""The seam of the outside: data that feeds fetch, and messages that hooks send."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Protocol

import msgspec

from wetink.core.outbound.feed import Feed, Item, Supply
from wetink.core.outbound.webhook import Answer, Post


class Uploaded(msgspec.Struct, frozen=True, rename="camel"):
    """What became of an uploaded file: its items, how many were left out, and why, with the line."""

    items: int
    left_out: int = 0
    problems: tuple[str, ...] = ()


class Feeds(Protocol):
    """Data from outside, fetched ahead of need. What it gives always says how old it is, and why."""

    def declared(self, feed: str) -> Feed | None:
        """Return how a feed is declared, None when there is none of this name."""
        ...

    def give(self, feed: str) -> Supply:
        """Return what a scheduled or uploaded feed holds, from memory: never waits, never raises."""
        ...

    async def ask(self, feed: str, parameters: Mapping[str, str], deadline_ms: int) -> Supply:
        """Return a per-person feed's data for these parameters, within the deadline and the feed's own.

        What is known is given at once while it is fresh; else the newest that can be had by then, or nothing. Never
        raises; one call is in flight per address.
        """
        ...

    def warm(self, feed: str, parameters: Mapping[str, str]) -> None:
        """Start to fetch a per-person feed's data in the background, if it is not there already; never raises."""
        ...

    async def upload(self, feed: Feed, parts: AsyncIterator[bytes]) -> Uploaded:
        """Take the file of an uploaded feed in, in the place of the one before.

        Raises BadContent, with the line, for what the feed cannot read, TooLarge over the feed's limit, and
        Unavailable when the disk takes no more: then nothing has changed.
        """
        ...

    def stream(self, feed: str) -> Iterator[Item]:
        """Return all items of a feed from the disk, one by one, also of a catalog. Blocks: call it in a thread."""
        ...


class Posts(Protocol):
    """Sends messages to public hosts, and says how they answered."""

    async def send(self, post: Post) -> Answer:
        """Return how the receiver answered; never raises, follows no redirect, waits ten seconds at most."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
