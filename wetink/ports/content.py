"""Ports of content: versions of blocks, templates and pictures, and uploaded files of feeds."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec


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


def digest(body: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()
