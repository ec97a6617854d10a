"""Ports of outside services: data that feeds fetch, webhooks, and mail."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Protocol

import msgspec

from wetink.core.outbound.feed import Feed, Format, Item, Supply
from wetink.core.outbound.letter import Letter
from wetink.core.outbound.webhook import Answer, Post


class Uploaded(msgspec.Struct, frozen=True, rename="camel"):
    """The result of an uploaded file: its items, the number left out, and the reasons with their lines."""

    items: int
    left_out: int = 0
    problems: tuple[str, ...] = ()


class Sample(msgspec.Struct, frozen=True):
    """The beginning of a feed's body, to look at.

    `root` is the place of its `items`, which are the first ones as they are in it; `read` are the first ones as the
    feed reads them. `known` are the names from which a product's fields are taken without a mapping. `lists` are the
    places of lists of objects in JSON, or the names of repeated elements in XML, with their numbers of items.
    `problem` is why nothing can be read, empty if something can.
    """

    format: Format | None = None
    root: str = ""
    items: tuple[Item, ...] = ()
    read: tuple[Item, ...] = ()
    left_out: int = 0
    problems: tuple[str, ...] = ()
    known: Mapping[str, str] = {}
    lists: tuple[tuple[str, int], ...] = ()
    problem: str = ""


class Feeds(Protocol):
    """Outside data, fetched ahead of need. Each result has its age and the reason for its state."""

    def declared(self, feed: str) -> Feed | None:
        """Return the declaration of a feed; None for an unknown name."""
        ...

    def give(self, feed: str) -> Supply:
        """Return the items of a scheduled or uploaded feed from memory. Never waits, never raises."""
        ...

    async def ask(self, feed: str, parameters: Mapping[str, str], deadline_ms: int) -> Supply:
        """Return a per-person feed's data for these parameters, within this deadline and the feed's own.

        Fresh data is returned at once. Otherwise, the newest data available by the deadline is returned, or none. Never
        raises. An address gets one call at a time.
        """
        ...

    def warm(self, feed: str, parameters: Mapping[str, str]) -> None:
        """Start fetching a per-person feed's data in the background unless it is cached. Never raises."""
        ...

    async def upload(self, feed: Feed, parts: AsyncIterator[bytes], *, whole: bool = True) -> Uploaded:
        """Store an uploaded feed's file in place of the previous one.

        Unless it is read `whole`, only its beginning is checked, before the fields of its items are mapped.

        Raises BadContent with the line if the feed cannot read it, TooLarge over the feed's limit, and Unavailable if
        the disk rejects the write. Then nothing has changed.
        """
        ...

    def stream(self, feed: str) -> Iterator[Item]:
        """Return all items of a feed from disk, one by one, including a catalog's. Blocks: call it in a thread."""
        ...


class Posts(Protocol):
    """Sends messages to public hosts and returns their answers."""

    async def send(self, post: Post) -> Answer:
        """Return the receiver's answer. Never raises, follows no redirect, waits up to ten seconds."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Mail(Protocol):
    """Sends emails to the team."""

    async def send(self, letter: Letter) -> None:
        """Send a letter. Raises Unavailable with the reason; then some receivers may have it nevertheless."""
        ...
