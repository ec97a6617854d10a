"""Uploads: files that people upload with a program, or put into a folder, and that the store keeps.

A file uploaded with a program replaces the previous one only if wetink can read it.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from wetink.core.errors import BadContent, TooLarge, Unavailable
from wetink.core.outbound.feed import Feed
from wetink.feeds.parse import Readers, Reading, Unreadable, raw_items
from wetink.feeds.parse import whole as read_whole
from wetink.ports.content import UploadedFiles
from wetink.ports.outside import Uploaded

logger = logging.getLogger(__name__)

PART = 1024 * 1024
"""Bytes of a file to read at once."""
BEGINNING = 25
"""Items of a file that are read before its fields are mapped."""


class Taken(msgspec.Struct, frozen=True):
    """A file of the folder that the store has: a stamp that changes when it is replaced, and its revision there."""

    stamp: str
    revision: str


class Uploads:
    """A folder in which people put files, and the store that keeps them. A note beside it lists the files taken in."""

    def __init__(self, folder: Path, store: UploadedFiles, clock: Callable[[], int]) -> None:
        """Take files from a folder; the first upload creates it. `clock` returns the time in Unix ms."""
        self._folder, self._store, self._clock = folder, store, clock
        self._note = folder.with_name(f"{folder.name}.json")
        self._readers = Readers()

    async def take(self, feed: Feed, parts: AsyncIterator[bytes], *, whole: bool = True) -> Uploaded:
        draft = self._folder / f".{feed.file}.{os.getpid()}-{secrets.token_hex(4)}"
        try:
            await self._write(draft, parts, feed.most_bytes)
            reading = await asyncio.to_thread(self._read if whole else _beginning, feed, draft)
            if not reading.count:
                raise BadContent("the file has no items", hint=f"the feed {feed.name} reads {feed.format}")
            revision = await self._store.put(feed.file, _parts(draft, feed.most_bytes), self._clock())
            await asyncio.to_thread(self._show, draft, feed.file, revision)
        except Unreadable as error:
            raise BadContent(str(error), hint=f"the feed {feed.name} reads {feed.format}") from error
        except OSError as error:
            raise Unavailable(f"{feed.file} cannot be stored: {error.strerror}") from error
        finally:
            draft.unlink(missing_ok=True)
        return Uploaded(reading.count, reading.left_out, reading.problems)

    async def take_in(self, feeds: Sequence[Feed]) -> None:
        """Import the files put into the folder, and remove from the store those that were removed from the folder."""
        for feed, stamp, taken in await asyncio.to_thread(self._changed, feeds):
            if stamp:
                try:
                    parts = _parts(self._folder / feed.file, feed.most_bytes)
                    taken = Taken(stamp, await self._store.put(feed.file, parts, self._clock()))
                    await asyncio.to_thread(self._keep, feed.file, taken)
                except OSError as error:  # removed since the look, or unreadable: take the other files
                    logger.warning("the upload %s cannot be taken in: %s", feed.file, error.strerror)
            elif taken is not None:
                await self._store.remove(feed.file, taken.revision)
                await asyncio.to_thread(self._keep, feed.file, None)

    async def _write(self, draft: Path, parts: AsyncIterator[bytes], most: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        size = 0
        with draft.open("wb") as file:
            async for part in parts:
                size += len(part)
                if size > most:
                    raise TooLarge(f"more than {most} bytes", hint="a feed's limit says how many items are read")
                await asyncio.to_thread(file.write, part)

    def _read(self, feed: Feed, path: Path) -> Reading:
        """Read a file as its feed will. Raises Unreadable."""
        if feed.purpose == "catalog":  # which may take a minute: not in this process
            return self._readers.read(feed, path, self._clock())
        with path.open("rb") as raw:
            return read_whole(feed, raw, self._clock())

    def _changed(self, feeds: Sequence[Feed]) -> list[tuple[Feed, str, Taken | None]]:
        """Return each feed whose file differs from the one taken in, with the file's stamp and the one taken in."""
        notes = self._notes()
        seen = ((feed, self._stamp(feed.file), notes.get(feed.file)) for feed in feeds)
        return [(feed, stamp, taken) for feed, stamp, taken in seen if stamp != (taken.stamp if taken else "")]

    def _stamp(self, name: str) -> str:
        """Return a value that changes with a file of the folder; empty if the folder itself has no such file."""
        path = self._folder / name
        try:
            status = path.stat()
            inside = path.resolve().parent == self._folder.resolve()
        except OSError:
            return ""
        return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}" if inside and path.is_file() else ""

    def _notes(self) -> dict[str, Taken]:
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=dict[str, Taken])
        except (OSError, msgspec.DecodeError):
            return {}

    def _show(self, draft: Path, name: str, revision: str) -> None:
        """Put a file that the store has taken into the folder, and replace an older one."""
        try:
            draft.replace(self._folder / name)
            self._keep(name, Taken(self._stamp(name), revision))
        except OSError as error:
            logger.warning("the upload %s is not in the folder: %s", name, error.strerror)

    def _keep(self, name: str, taken: Taken | None) -> None:
        """Note the file taken in; without a note it is taken in again, which does no harm."""
        notes = {**self._notes(), name: taken}
        draft = self._note.with_name(f".{self._note.name}.{secrets.token_hex(4)}")
        draft.write_bytes(msgspec.json.encode({name: each for name, each in notes.items() if each is not None}))
        draft.replace(self._note)

    def close(self) -> None:
        """End all reading."""
        self._readers.close()


def _beginning(feed: Feed, path: Path) -> Reading:
    """Read the first items of a file as they are. Raises Unreadable."""
    with path.open("rb") as raw:
        items, problems = raw_items(feed, raw, BEGINNING)
    return Reading((), len(items), 0, tuple(problems), "")


def _parts(path: Path, most: int) -> Iterator[bytes]:
    """Yield a file in parts; of one with more than `most` bytes, only enough bytes to show that."""
    with path.open("rb") as file:
        while most >= 0 and (part := file.read(min(PART, most + 1))):
            yield part
            most -= len(part)
