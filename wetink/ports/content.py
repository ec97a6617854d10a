"""The seam of content: the files of blocks, templates and pictures, version by version; and uploaded files of feeds."""

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
        """Let go of everything. Calling it twice is fine."""
        ...


class UploadedFiles(Protocol):
    """Keeps files by name, gigabytes each if need be. The last one of a name counts, in every process at once."""

    async def revisions(self) -> Mapping[str, str]:
        """Return a text for each file that is another after every `put`. Cheap. Raises StoreUnavailable."""
        ...

    async def put(self, name: str, parts: Iterator[bytes], at: int) -> str:
        """Keep a file whole in the place of the one of its name, at `at` (Unix ms); return its revision.

        `parts` of a megabyte or so are read in a thread; what that raises is raised. On disk (fsync) on return. Raises
        StoreUnavailable: then nothing has changed.
        """
        ...

    def read(self, name: str, revision: str) -> AsyncIterator[bytes]:
        """Yield the parts of a file. Raises NotFound if another is in its place, also meanwhile; StoreUnavailable."""
        ...

    async def remove(self, name: str, revision: str) -> None:
        """Remove a file, unless another is in its place. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...


def digest(body: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()
