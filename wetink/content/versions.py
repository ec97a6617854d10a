"""Versions: what the content folder was, who changed it when, and the way back.

versions/
├── 000007.json           one version: its number, time, author, message and files by content
└── objects/SHA256        the content of files, each once
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from wetink.content.swap import exchange
from wetink.content.tree import Tree, check_paths, digest, names, read_tree, write_tree
from wetink.core.errors import BadContent, Conflict, Held, NotFound, Unavailable
from wetink.core.text.characters import problem_in_text
from wetink.ports.leases import Leases

T = TypeVar("T")

BY_HAND = "edited in the folder"
LONGEST_MESSAGE, LONGEST_NAME = 200, 60
PATIENCE_SECONDS, TTL_SECONDS = 10.0, 5.0
"""How long to wait for another process that changes content, and how long one that was killed still counts."""


class Version(msgspec.Struct, frozen=True):
    """One state of the content. `at` is Unix ms; `files` are digests by path."""

    number: int
    at: int
    by: str
    message: str
    files: dict[str, str]


class Pushed(msgspec.Struct, frozen=True):
    """What became of a push: the version that stands now, or what is wrong with it."""

    version: int
    problems: tuple[str, ...] = ()


class Versions:
    """The content folder with its past. Any process may use it; they take turns."""

    def __init__(self, folder: Path, content: Path, leases: Leases, check: Callable[[Path], Sequence[str]]) -> None:
        """Keep versions in `folder` of what is in `content`; `check` says what is wrong with a folder of content.

        `check` is called in a thread.
        """
        self._folder, self._content, self._leases, self._check = folder, content, leases, check

    async def current(self, now: int) -> tuple[Version, dict[str, bytes]]:
        """Return the version that stands, with its files; what was edited in the folder becomes one first."""
        return await self._alone(lambda: self._noted(now))

    async def listed(self, now: int) -> list[Version]:
        """Return all versions, the newest first."""

        def listed() -> list[Version]:
            self._noted(now)
            return [self._version(number) for number in reversed(self._numbers())]

        return await self._alone(listed)

    async def push(self, tree: Tree, base: int | None, *, by: str, message: str, now: int) -> Pushed:
        """Put `tree` in the place of the content, in one step, unless something is wrong with it: then nothing changes.

        `base` is the version it was made from, None to replace whatever there is. Raises Conflict when another stands
        by now, BadContent for what is no content, OSError.
        """
        check_paths(tree)
        _check_words(by=by, message=message)

        def pushed() -> Pushed:
            version, there = self._noted(now)
            if base is not None and base != version.number:
                raise Conflict(
                    f"version {version.number} is current ({version.by}: {version.message})",
                    hint="pull again, merge your changes, then push",
                )
            return self._put(tree, there, version, by, message, now)

        return await self._alone(pushed)

    async def rollback(self, number: int, *, by: str, now: int) -> Pushed:
        """Let an earlier version stand again, as a new one. Raises NotFound, BadContent, OSError."""
        _check_words(by=by)

        def rolled_back() -> Pushed:
            version, there = self._noted(now)
            return self._put(self._tree(self._version(number)), there, version, by, f"restored version {number}", now)

        return await self._alone(rolled_back)

    async def tree(self, number: int) -> dict[str, bytes]:
        """Return the files of a version. Raises NotFound."""
        return await asyncio.to_thread(lambda: self._tree(self._version(number)))

    def _put(self, tree: Tree, there: Tree, version: Version, by: str, message: str, now: int) -> Pushed:
        if dict(tree) == dict(there):
            return Pushed(version.number)
        self._content.parent.mkdir(parents=True, exist_ok=True)
        draft = self._content.parent / f".{self._content.name}.{secrets.token_hex(6)}"
        draft.mkdir()
        try:
            write_tree(draft, tree)
            problems = tuple(self._check(draft))
            if problems:
                return Pushed(version.number, problems)
            exchange(draft, self._content)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return Pushed(self._note(tree, version.number + 1, by, message, now).number)

    def _noted(self, now: int) -> tuple[Version, dict[str, bytes]]:
        """Return the newest version; if the folder is not what it says, the folder becomes one."""
        for left in self._content.parent.glob(f".{self._content.name}.*"):
            shutil.rmtree(left, ignore_errors=True)  # of somebody who was killed
        there = read_tree(self._content)
        numbers = self._numbers()
        newest = self._version(numbers[-1]) if numbers else None
        if newest is not None and newest.files == names(there):
            return newest, there
        message = "first" if newest is None else BY_HAND
        return self._note(there, (newest.number if newest is not None else 0) + 1, "", message, now), there

    def _note(self, tree: Tree, number: int, by: str, message: str, now: int) -> Version:
        objects = self._folder / "objects"
        objects.mkdir(parents=True, exist_ok=True, mode=0o700)
        for body in tree.values():
            if not (kept := objects / digest(body)).exists():
                _write(kept, body)
        version = Version(number, now, by.strip()[:LONGEST_NAME], message.strip()[:LONGEST_MESSAGE], names(tree))
        _write(self._path(number), msgspec.json.encode(version))
        return version

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self._folder.glob("*.json") if path.stem.isdecimal())

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.json"

    def _version(self, number: int) -> Version:
        try:
            return msgspec.json.decode(self._path(number).read_bytes(), type=Version)
        except FileNotFoundError:
            raise NotFound(f"there is no version {number}", hint="wetink versions lists them") from None
        except msgspec.DecodeError as error:
            raise BadContent(f"version {number} cannot be read: {error}") from error

    def _tree(self, version: Version) -> dict[str, bytes]:
        objects = self._folder / "objects"
        return {path: (objects / name).read_bytes() for path, name in version.files.items()}

    async def _alone(self, work: Callable[[], T]) -> T:
        """Return what `work` does in a thread, while nobody else changes content. Raises Unavailable."""
        try:
            async with self._leases.hold("content", TTL_SECONDS, PATIENCE_SECONDS):
                return await asyncio.to_thread(work)
        except Held as error:
            raise Unavailable("another process is changing the content", hint="try again") from error


def _check_words(**words: str) -> None:
    """Raise BadContent for words that cannot be kept, naming them."""
    for name, text in words.items():
        if problem := problem_in_text(text):
            raise BadContent(f"{name}: {problem}", where=name)


def _write(path: Path, body: bytes) -> None:
    """Write a file that is there whole, also after a power cut, or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
