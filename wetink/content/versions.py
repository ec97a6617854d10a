"""Versions: the past states of the content, who changed it and when, and how to restore one.

The versions in the store are authoritative, and every process follows them. People edit in the content folder: a
change there becomes a version, and wetink writes versions published elsewhere to the folder.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from wetink.content.tree import (
    Origin,
    Tree,
    check_paths,
    check_size,
    keep_origin,
    merged,
    names,
    origin_in,
    origin_path,
    read_tree,
    stamp,
    write_tree,
)  # fmt: skip
from wetink.core.errors import BadContent, Conflict, Held, Unavailable
from wetink.core.text.characters import problem_in_text
from wetink.ports.content import ContentVersions, Version, at_utc
from wetink.ports.storage import Leases

logger = logging.getLogger(__name__)

BY_HAND = "edited in the folder"
LONGEST_MESSAGE, LONGEST_NAME = 200, 60
PATIENCE_SECONDS, TTL_SECONDS = 10.0, 5.0
"""How long to wait for another process that changes content, and how long the lease of a killed process lasts."""
PAGE = 100
NONE = Version(0, 0, "", "", {})


class Pushed(msgspec.Struct, frozen=True):
    """The result of a push: the current version, or the problems of the pushed content."""

    version: int
    problems: tuple[str, ...] = ()


class Versions:
    """The content and its history. Processes take turns to change it."""

    def __init__(
        self,
        store: ContentVersions,
        leases: Leases,
        folder: Path,
        check: Callable[[Tree], Sequence[str]],
    ) -> None:
        """Keep versions in `store`, and `folder` in step with them. `check` returns problems; it runs in a thread."""
        self._store, self._leases, self._folder, self._check = store, leases, folder, check
        self._known: object = None

    async def take_in(self, now: int) -> None:
        """Make a version of the edits in the folder, and write versions published elsewhere to the folder.

        A missing folder is not created, and the current version stays. Raises Unavailable, BadContent.
        """
        before = await asyncio.to_thread(stamp, self._folder)
        if before is None or self._known == (before, await self._store.revision()):
            return
        newest = await self.newest()
        if newest.number < 1 or not await asyncio.to_thread(self._in_step, newest):
            async with self._alone():
                newest, _ = await self._reconciled(now)
        self._known = before, newest.number

    async def current(self) -> tuple[Version, dict[str, bytes]]:
        """Return the current version with its files; number 0, without files, if none. Raises StoreUnavailable."""
        return await self._store.read() if await self._store.revision() else (NONE, {})

    async def newest(self) -> Version:
        """Return the current version without its files; number 0 if there is none. Raises StoreUnavailable."""
        [newest] = await self._store.versions(1) or [NONE]
        return newest

    async def some(self, limit: int, before: int | None = None) -> Sequence[Version]:
        """Return up to `limit` versions below number `before`, newest first. Raises StoreUnavailable."""
        return await self._store.versions(limit, before)

    async def listed(self) -> list[Version]:
        """Return all versions, newest first. Raises StoreUnavailable."""
        found = [*await self._store.versions(PAGE)]
        while found and found[-1].number > 1:
            found += await self._store.versions(PAGE, before=found[-1].number)
        return found

    async def read(self, number: int = 0) -> tuple[Version, dict[str, bytes]]:
        """Return a version with its files; 0 is the current one. Raises NotFound, StoreUnavailable."""
        return await self._store.read(number)

    async def push(self, tree: Tree, base: int | None, *, by: str, message: str, now: int) -> Pushed:
        """Replace the content with `tree` in one step, unless `tree` has a problem: then nothing changes.

        `base` is the version that `tree` was made from; None replaces any version. Raises Conflict if another version
        is current, BadContent if `tree` is not content, Unavailable.
        """
        check_paths(tree)
        check_size(tree)
        _check_words(by=by, message=message)
        async with self._alone():
            version, there = await self._reconciled(now)
            if base is not None and base != version.number:
                raise Conflict(
                    f"version {version.number} is current ({version.by}: {version.message})",
                    hint="pull again, merge your changes, then push",
                )
            return await self._checked(tree, version, there, by, message, now)

    async def rollback(self, number: int, *, by: str, now: int) -> Pushed:
        """Restore an earlier version as a new one. Raises NotFound, BadContent, Unavailable."""
        _check_words(by=by)
        async with self._alone():
            version, there = await self._reconciled(now)
            _, tree = await self._store.read(number)
            return await self._changed(tree, version, there, by, f"restored version {number}", now)

    async def change(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, str], *, by: str, message: str, now: int
    ) -> Pushed:
        """Write files, and delete those that are None, in one step, unless it makes a problem: then nothing changes.

        `expected` has the digest of the file that a change replaces, "" for none; without one it replaces any. Problems
        that the content has already keep nobody from changing it. Raises Conflict, which names who changed a file in
        between, BadContent for paths and sizes, Unavailable.
        """
        check_paths(changes)
        _check_words(by=by, message=message)
        async with self._alone():
            version, there = await self._reconciled(now)
            for path, base in expected.items():
                if version.files.get(path, "") != base and there.get(path) != changes.get(path):
                    raise await self._overtaken(path)
            tree = {path: body for path, body in {**there, **changes}.items() if body is not None}
            check_size(tree)
            return await self._changed(tree, version, there, by, message, now)

    async def last_change(self, path: str) -> Version | None:
        """Return the version that changed a file last, None if no version ever had it. Raises StoreUnavailable."""
        found: Sequence[Version] = await self._store.versions(PAGE)
        newer = found[0] if found else NONE
        current = newer.files.get(path)
        while found:
            for each in found:
                if each.files.get(path) != current:
                    return newer
                newer = each
            found = await self._store.versions(PAGE, before=newer.number)
        return newer if current is not None else None

    async def body(self, path: str, name: str) -> bytes | None:
        """Return a file as a version had it, by its digest, None if no version did. Raises StoreUnavailable."""
        found: Sequence[Version] = await self._store.versions(PAGE)
        while found:
            for each in found:
                if each.files.get(path) == name:
                    return (await self._store.read(each.number))[1][path]
            found = await self._store.versions(PAGE, before=found[-1].number)
        return None

    async def _overtaken(self, path: str) -> Conflict:
        last = await self.last_change(path)
        if last is None:
            return Conflict(f"{path} is not there", hint="reload the page")
        what = "changed" if path in last.files else "deleted"
        return Conflict(
            f"{last.by or 'somebody'} {what} {path} on {at_utc(last.at)}{f': {last.message}' if last.message else ''}",
            hint="look at both, then publish again",
        )

    async def _changed(self, tree: Tree, version: Version, there: Tree, by: str, message: str, now: int) -> Pushed:
        """Publish a tree without new problems: those that the content has already keep nobody from changing it."""
        done = await self._checked(tree, version, there, by, message, now)
        if not done.problems:
            return done
        old = await asyncio.to_thread(self._check, there)
        if problems := tuple(each for each in done.problems if each not in old):
            return Pushed(version.number, problems)
        return Pushed((await self._publish(tree, version, there, by, message, now)).number)

    async def _checked(self, tree: Tree, version: Version, there: Tree, by: str, message: str, now: int) -> Pushed:
        if dict(tree) == dict(there):
            return Pushed(version.number)
        if problems := tuple(await asyncio.to_thread(self._check, tree)):
            return Pushed(version.number, problems)
        return Pushed((await self._publish(tree, version, there, by, message, now)).number)

    async def _publish(self, tree: Tree, version: Version, there: Tree, by: str, message: str, now: int) -> Version:
        by, message = by.strip()[:LONGEST_NAME], message.strip()[:LONGEST_MESSAGE]
        published = await self._store.publish(tree, version.number, by=by, message=message, at=now)
        if self._folder.is_dir() and self._noted(version):  # else the outdated files would look like edits
            await asyncio.to_thread(self._write_back, published, tree, there)
        return published

    async def _reconciled(self, now: int) -> tuple[Version, dict[str, bytes]]:
        """Return the current version and its files, with the folder in step with it."""
        version, files = await self.current()
        origin, there = await asyncio.to_thread(self._edited)
        if there is not None:
            base = origin.files if origin is not None else await self._like(names(there)) or version.files
            mine = merged(base, there, files) if version.number else there
            if not version.number or mine != files:
                message = BY_HAND if version.number else "first"
                version, files = await self._store.publish(mine, version.number, by="", message=message, at=now), mine
            await asyncio.to_thread(self._write_back, version, files, there)
        return version, files

    async def _like(self, files: dict[str, str]) -> dict[str, str]:
        """Return `files` if a recent version had exactly these, else none: the folder may hold no edit."""
        return files if any(each.files == files for each in await self._store.versions(PAGE)) else {}

    def _edited(self) -> tuple[Origin | None, dict[str, bytes] | None]:
        """Return the folder's state when it last matched a version, and its files. Reads the state first."""
        origin, problems = origin_in(origin_path(self._folder)), list[str]()
        there = read_tree(self._folder, problems) if self._folder.is_dir() else None
        for problem in problems:
            logger.warning("content: %s", problem)
        return origin, there

    def _in_step(self, newest: Version) -> bool:
        """Whether the folder holds a version, and its origin file names that version."""
        return self._noted(newest) and names(read_tree(self._folder, [])) == newest.files

    def _noted(self, version: Version) -> bool:
        """Whether the folder's origin file names this version and its files."""
        return origin_in(origin_path(self._folder)) == Origin(version.number, version.files)

    def _write_back(self, version: Version, tree: Tree, there: Tree) -> None:
        """Bring the folder, which holds the files `there`, up to date. Only log a folder that cannot be written.

        Files that a process wrote before it was killed are no edit: they are in the version that it published.
        """
        try:
            write_tree(self._folder, tree, there)
            keep_origin(origin_path(self._folder), Origin(version.number, version.files))
        except OSError as error:
            logger.warning("version %d cannot be written to the content folder: %s", version.number, error.strerror)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep others from changing content inside the context. Raises Unavailable."""
        try:
            async with self._leases.hold("content", TTL_SECONDS, PATIENCE_SECONDS):
                yield
        except Held as error:
            raise Unavailable("another process is changing the content", hint="try again") from error


def _check_words(**words: str) -> None:
    """Raise BadContent for texts that a store cannot keep, naming them."""
    for name, text in words.items():
        if problem := problem_in_text(text):
            raise BadContent(f"{name}: {problem}", where=name)
