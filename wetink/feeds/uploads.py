"""Uploads: files that somebody brings by hand. None takes the place of the one before unless it can be read."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from wetink.core.errors import BadContent, TooLarge, Unavailable
from wetink.core.outbound.feed import Feed
from wetink.feeds.parse import Readers, Reading, Unreadable, whole
from wetink.ports.outside import Uploaded


class Uploads:
    """A folder of uploaded files, which processes share."""

    def __init__(self, folder: Path, clock: Callable[[], int]) -> None:
        """Keep files in a folder, which is made when the first comes. `clock` says the time in Unix ms."""
        self._folder, self._clock = folder, clock
        self._readers = Readers()

    async def take(self, feed: Feed, parts: AsyncIterator[bytes]) -> Uploaded:
        draft = self._folder / f".{feed.file}.{os.getpid()}-{secrets.token_hex(4)}"
        try:
            await self._write(draft, parts, feed.most_bytes)
            reading = await asyncio.to_thread(self._read, feed, draft)
            if not reading.count:
                raise BadContent("the file has no items", hint=f"the feed {feed.name} reads {feed.format}")
            draft.replace(self._folder / feed.file)
        except Unreadable as error:
            raise BadContent(str(error), hint=f"the feed {feed.name} reads {feed.format}") from error
        except OSError as error:
            raise Unavailable(f"{feed.file} cannot be stored: {error.strerror}") from error
        finally:
            draft.unlink(missing_ok=True)
        return Uploaded(reading.count, reading.left_out, reading.problems)

    async def _write(self, draft: Path, parts: AsyncIterator[bytes], most: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        size = 0
        with draft.open("wb") as file:
            async for part in parts:
                size += len(part)
                if size > most:
                    raise TooLarge(f"more than {most} bytes", hint="a feed's limit says how many items are read")
                await asyncio.to_thread(file.write, part)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())

    def _read(self, feed: Feed, path: Path) -> Reading:
        """Read it as the feed will. Raises Unreadable."""
        if feed.purpose == "catalog":  # which may take a minute: not in this process
            return self._readers.read(feed, path, self._clock())
        with path.open("rb") as raw:
            return whole(feed, raw, self._clock())

    def close(self) -> None:
        """End what is being read."""
        self._readers.close()
