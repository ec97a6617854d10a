"""Ports of content: versions of blocks, templates and pictures, drafts of their files, and uploaded files of feeds."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from wetink.core.errors import Conflict


class Version(msgspec.Struct, frozen=True):
    """One state of the content. `at` is Unix ms; `files` are digests by path."""

    number: int
    at: int
    by: str
    message: str
    files: dict[str, str]


class ContentVersions(Protocol):
    """Keeps every version, numbered from 1. The last one published is current, in every process at once."""

    async def revision(self) -> int:
        """Return the number of the current version, 0 if there is none. Cheap. Raises StoreUnavailable."""
        ...

    async def read(self, number: int = 0) -> tuple[Version, dict[str, bytes]]:
        """Return a version with its files; 0 is the current one. Raises NotFound, StoreUnavailable."""
        ...

    async def versions(self, limit: int, before: int | None = None) -> Sequence[Version]:
        """Return up to `limit` versions, newest first, of those below number `before`. Raises StoreUnavailable."""
        ...

    async def publish(self, files: Mapping[str, bytes], expected: int, *, by: str, message: str, at: int) -> Version:
        """Make `files` the version after `expected`, in one step that is on disk (fsync) on return.

        Raises Conflict if another version than `expected` is current, StoreUnavailable: then nothing has changed.
        """
        ...

    async def close(self) -> None:
        """Close everything. A second call does nothing."""
        ...


class Draft(msgspec.Struct, frozen=True):
    """The unpublished text of one content file. `at` is Unix ms.

    `body` is None for a file to delete. `base` is the digest of the published file it was made from, "" for a new file.
    """

    path: str
    body: bytes | None
    base: str
    revision: int
    by: str
    at: int


class Drafts(Protocol):
    """Keeps the drafts of content files, one for each path. A revision of a path never comes again."""

    async def get(self, path: str) -> Draft | None:
        """Return the draft of a file, None if there is none. Raises StoreUnavailable."""
        ...

    async def all(self) -> Sequence[Draft]:
        """Return all drafts, by path. Raises StoreUnavailable."""
        ...

    async def put(self, path: str, body: bytes | None, base: str, expected_revision: int, by: str, at: int) -> Draft:
        """Save a draft in place of the one with `expected_revision`, 0 if there was none. On disk (fsync) on return.

        Raises Conflict, which names who saved another and when, and StoreUnavailable: then nothing has changed.
        """
        ...

    async def drop(self, path: str, expected_revision: int) -> None:
        """Forget a draft. One that is gone is no error. Raises Conflict if another is there, StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Close everything. A second call does nothing."""
        ...


class UploadedFiles(Protocol):
    """Keeps files by name, up to gigabytes each. The last upload of a name is current, in every process at once."""

    async def revisions(self) -> Mapping[str, str]:
        """Return a revision for each file, which every `put` changes. Cheap. Raises StoreUnavailable."""
        ...

    async def put(self, name: str, parts: Iterator[bytes], at: int) -> str:
        """Store a whole file at `at` (Unix ms) in place of the one with its name. Returns its revision.

        `parts` of about a megabyte are read in a thread; their errors are passed on. On disk (fsync) on return. Raises
        StoreUnavailable: then nothing has changed.
        """
        ...

    def read(self, name: str, revision: str) -> AsyncIterator[bytes]:
        """Yield the parts of a file. Raises StoreUnavailable, and NotFound once another has replaced it."""
        ...

    async def remove(self, name: str, revision: str) -> None:
        """Remove a file unless another has replaced it. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Close everything. A second call does nothing."""
        ...


def saved_by(draft: Draft) -> str:
    """Return who saved a draft and when, as an error says it.

    >>> saved_by(Draft("blocks/hero.yaml", b"", "", 3, "ida", 1_700_000_000_000))
    'ida saved blocks/hero.yaml on 2023-11-14 at 22:13 UTC'
    """
    return f"{draft.by or 'somebody'} saved {draft.path} on {at_utc(draft.at)}"


def at_utc(at: int) -> str:
    """Return a time (Unix ms) as an error says it: `2023-11-14 at 22:13 UTC`."""
    return f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d at %H:%M} UTC"


def overtaken(there: Draft | None, path: str) -> Conflict:
    """Return the error of somebody who saves or drops a draft that is another one by now, None if it is gone."""
    if there is None:
        return Conflict(f"the draft of {path} was published or discarded", hint="reload, then save again")
    return Conflict(saved_by(there), hint="look at both, then save again")


def digest(body: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()
