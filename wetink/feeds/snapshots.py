"""Shelf: the fetched data of feeds, in a folder that processes share and that outlives them.

NAME.json          time and source of the fetch, and later failures; written last, replaced whole
NAME.HASH.body     the body as received; NAME.json names it
NAME.fetches       the last fetches, with their durations and errors
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from wetink.core.outbound.feed import Feed, Fetch, Item, Snapshot
from wetink.feeds.guard import Refused
from wetink.feeds.parse import Readers, Tally, Unreadable, read, whole

logger = logging.getLogger(__name__)

FETCHES = 60
"""Fetches of a feed to remember."""

Stamp = tuple[int, int, int]
"""A value that changes whenever a file is replaced."""


class _Note(msgspec.Struct, frozen=True):
    """NAME.json: a snapshot without its items, the body they are in, its source and how it was read."""

    source: str
    shape: str
    body: str
    snapshot: Snapshot


class Draft:
    """A body that is being written. Nothing reads it before `Shelf.adopt`."""

    def __init__(self, path: Path) -> None:
        """Write to a file that does not exist yet."""
        self.path = path
        self._file: BinaryIO = path.open("xb")
        self._digest = hashlib.sha256()

    def write(self, part: bytes) -> None:
        """Append bytes. Raises Refused if the disk is full."""
        try:
            self._file.write(part)
        except OSError as error:
            raise Refused(f"it cannot be stored: {error.strerror}") from error
        self._digest.update(part)

    def finish(self) -> str:
        """Finish the body and return its hash. Raises Refused if the disk is full."""
        try:
            self._file.close()
        except OSError as error:
            raise Refused(f"it cannot be stored: {error.strerror}") from error
        return self._digest.hexdigest()[:24]

    def discard(self) -> None:
        """Remove the file, unless it was adopted."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class SnapshotFolder:
    """Snapshots by feed name. It blocks: use it from threads."""

    def __init__(self, folder: Path) -> None:
        """Keep snapshots in a folder. It is created if missing."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._drafts = 0
        self._readers = Readers()

    def close(self) -> None:
        """Stop reading, so that a long catalog does not keep the process alive."""
        self._readers.close()

    def stamps(self, names: Iterable[str]) -> Mapping[str, Stamp | None]:
        """Return the stamp of each feed, which changes with each snapshot that is kept; None for a feed without one."""
        return {name: self.stamp(name) for name in names}

    def stamp(self, name: str) -> Stamp | None:
        """Return a value that changes whenever another snapshot of a feed is kept; None if there is none."""
        try:
            status = self._note(name).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def load(self, feed: Feed, now: int) -> Snapshot | None:
        """Return the snapshot of a feed; None if there is none from its current source.

        A snapshot that cannot be read in the feed's current way has the reason and no data.
        """
        note = self._read(feed)
        if note is None or not note.body:
            return None if note is None else note.snapshot
        if feed.purpose == "catalog" and note.shape == shape_of(feed) and (self._folder / note.body).exists():
            return note.snapshot
        try:
            return self._filled(note.snapshot, feed, self._folder / note.body, now)
        except (OSError, Unreadable) as error:
            return Snapshot(feed.name, trouble=str(error))

    def stream(self, feed: Feed, now: int) -> Iterator[Item]:
        """Return the items of the newest body, one by one."""
        path = self._body(feed)
        if path is not None:
            with path.open("rb") as raw:
                yield from read(feed, raw, Tally(), now)

    def body(self, feed: Feed, most: int) -> bytes:
        """Return up to `most` bytes of the newest body; none without one."""
        path = self._body(feed)
        if path is None:
            return b""
        try:
            with path.open("rb") as raw:
                return raw.read(most)
        except OSError:
            return b""

    def note(self, name: str, fetch: Fetch) -> None:
        """Remember a fetch, in place of the oldest. Call it with the feed's lease. A full disk forgets it."""
        draft = self._folder / f"{name}.{os.getpid()}.note"
        try:
            draft.write_bytes(msgspec.json.encode([*self.fetches(name)[1 - FETCHES :], fetch]))
            draft.replace(self._folder / f"{name}.fetches")
        except OSError:
            draft.unlink(missing_ok=True)

    def fetches(self, name: str) -> list[Fetch]:
        """Return the last fetches of a feed, oldest first."""
        try:
            return msgspec.json.decode((self._folder / f"{name}.fetches").read_bytes(), type=list[Fetch])
        except (OSError, msgspec.DecodeError):
            return []

    def draft(self, name: str) -> Draft:
        """Return a new file for a body. Call it with the feed's lease: it removes the drafts of killed processes.

        Raises Refused if the disk is full.
        """
        self._drafts += 1
        try:
            for path in (*self._folder.glob(f"{name}.*.draft"), *self._folder.glob(f"{name}.*.note")):
                path.unlink(missing_ok=True)
            return Draft(self._folder / f"{name}.{os.getpid()}-{self._drafts}.draft")
        except OSError as error:
            raise Refused(f"it cannot be stored: {error.strerror}") from error

    def adopt(self, feed: Feed, draft: Draft, etag: str, last_modified: str, now: int) -> Snapshot:
        """Read a finished body and replace the previous one with it.

        Raises Unreadable or Refused; then nothing has changed.
        """
        body = f"{feed.name}.{draft.finish()}.body"
        fresh = Snapshot(feed.name, checked_at=now, etag=etag, last_modified=last_modified)
        snapshot = self._filled(fresh, feed, draft.path, now)
        try:
            draft.path.replace(self._folder / body)
        except OSError as error:
            raise Refused(f"it cannot be stored: {error.strerror}") from error
        self._write(feed, body, snapshot)
        for path in self._folder.glob(f"{feed.name}.*.body"):
            if path.name != body:
                path.unlink(missing_ok=True)
        return snapshot

    def renew(self, feed: Feed, snapshot: Snapshot, now: int) -> Snapshot:
        """Record that the source has not changed. The body is read again if a sale has begun or ended."""
        known = replace(snapshot, checked_at=now, failures=0, trouble="")
        if snapshot.until and now >= snapshot.until and (path := self._body(feed)) is not None:
            known = self._filled(known, feed, path, now)
        return self._again(feed, known)

    def fail(self, feed: Feed, snapshot: Snapshot | None, trouble: str, now: int) -> Snapshot:
        """Record that a refresh failed; the data stays."""
        before = snapshot or Snapshot(feed.name)
        return self._again(feed, replace(before, failures=before.failures + 1, tried_at=now, trouble=trouble))

    def _again(self, feed: Feed, snapshot: Snapshot) -> Snapshot:
        note = self._read(feed)
        self._write(feed, note.body if note is not None and snapshot.checked_at else "", snapshot)
        return snapshot

    def _body(self, feed: Feed) -> Path | None:
        note = self._read(feed)
        return self._folder / note.body if note is not None and note.body else None

    def _filled(self, snapshot: Snapshot, feed: Feed, path: Path, now: int) -> Snapshot:
        if feed.purpose == "catalog":
            found = self._readers.read(feed, path, now)
        else:
            with path.open("rb") as raw:
                found = whole(feed, raw, now)
        return replace(
            snapshot,
            items=found.items,
            count=found.count,
            left_out=found.left_out,
            problems=found.problems,
            version=found.version,
            until=found.until,
        )

    def _note(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _read(self, feed: Feed) -> _Note | None:
        try:
            note = msgspec.json.decode(self._note(feed.name).read_bytes(), type=_Note)
        except (OSError, msgspec.DecodeError):
            return None
        return note if note.source == source_of(feed) else None

    def _write(self, feed: Feed, body: str, snapshot: Snapshot) -> None:
        """Write NAME.json. If the disk is full, the data in memory is still used."""
        note = _Note(source_of(feed), shape_of(feed), body, replace(snapshot, items=()))
        draft = self._folder / f"{feed.name}.{os.getpid()}.note"
        try:
            draft.write_bytes(msgspec.json.encode(note))
            draft.replace(self._note(feed.name))
        except OSError as error:
            draft.unlink(missing_ok=True)
            logger.warning("the state of feed %s cannot be stored: %s", feed.name, error)


def source_of(feed: Feed) -> str:
    """Return the source of a feed: a snapshot from another source is not its data."""
    return feed.url or f"file:{feed.file}"


def shape_of(feed: Feed) -> str:
    """Return a hash of all fields that decide how a feed is read."""
    way = (feed.format, feed.root, feed.fields, feed.key, feed.encoding, feed.most_bytes, feed.most_items, feed.purpose)
    return hashlib.sha256(msgspec.json.encode(way)).hexdigest()[:24]
