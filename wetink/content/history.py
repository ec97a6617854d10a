"""History: the versions of the content in words, and the way back: of one file, of one version, of everything."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from wetink.content.author import Author
from wetink.content.changes import FileChange, file_changes, merged_text
from wetink.content.tree import Tree
from wetink.content.versions import Versions
from wetink.core.app.app import App
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.ports.content import Version, digest


class Entry(msgspec.Struct, frozen=True):
    """A version with the paths that it changed: added, changed or removed."""

    version: Version
    paths: Mapping[str, str]


class History:
    """Reads versions, and takes changes back. Nothing is lost: each step back is a new version."""

    def __init__(self, versions: Versions, author: Author, apps: Mapping[str, App]) -> None:
        """Read `versions`, and write with `author`. `apps` give settings their names."""
        self._versions, self._author, self._apps = versions, author, apps

    async def page(self, limit: int, before: int | None = None) -> list[Entry]:
        """Return up to `limit` versions below number `before`, newest first. Raises StoreUnavailable."""
        found = list(await self._versions.some(limit + 1, before))
        older = [*found[1:], Version(0, 0, "", "", {})]
        return [Entry(one, _differing(other, one)) for one, other in zip(found, older, strict=False)][:limit]

    async def changes(self, number: int) -> tuple[Version, Sequence[FileChange]]:
        """Return a version with its changes, in words. Raises NotFound, StoreUnavailable."""
        version, old, new = await self._around(number)
        return version, await asyncio.to_thread(lambda: list(file_changes(old, new, self._apps)))

    async def undo(self, number: int, *, by: str) -> int:
        """Take the changes of one version back, and leave what came later. Returns the new version.

        Raises Conflict, which names who changed the same places since; NotFound, BadContent, Unavailable.
        """
        if number == 1:
            raise BadContent("nothing was before the first version", hint="restore or delete single files")
        _, old, new = await self._around(number)
        paths = [path for path in {*old, *new} if old.get(path) != new.get(path)]
        _, current = await self._versions.current()
        changes: dict[str, bytes | None] = {}
        for path in sorted(paths):
            before, after, now = old.get(path), new.get(path), current.get(path)
            if now == before:
                continue
            if now == after:
                changes[path] = before
                continue
            merged = merged_text(after, before, now) if None not in (before, after, now) else None  # type: ignore[arg-type]
            if merged is None:
                raise await self._since(path, number)
            if merged != now:
                changes[path] = merged
        return await self._write(changes, current, by, f"undid version {number}")

    async def restore(self, number: int, path: str = "", *, by: str) -> int:
        """Bring a file, or everything, back to what it was in a version. Returns the new version.

        Raises NotFound, BadContent if it cannot be used now, Unavailable.
        """
        _, tree = await self._versions.read(number)
        _, current = await self._versions.current()
        paths = [path] if path else sorted({*tree, *current})
        if path and path not in tree and path not in current:
            raise NotFound(f"there is no {path[:200]} in version {number}", hint="reload the page")
        changes = {each: tree.get(each) for each in paths if tree.get(each) != current.get(each)}
        what = f"restored {path} as in version {number}" if path else f"restored version {number}"
        return await self._write(changes, current, by, what)

    async def _write(self, changes: dict[str, bytes | None], current: Tree, by: str, message: str) -> int:
        if not changes:
            raise BadContent("the content is like this already", hint="reload the page")
        expected = {path: digest(current[path]) if path in current else "" for path in changes}
        return await self._author.change(changes, expected, by=by, message=message)

    async def _around(self, number: int) -> tuple[Version, Tree, Tree]:
        """Return a version with the files before it, and its own."""
        version, new = await self._versions.read(number)
        old: Tree = (await self._versions.read(number - 1))[1] if number > 1 else {}
        return version, old, new

    async def _since(self, path: str, number: int) -> Conflict:
        last = await self._versions.last_change(path)
        who = (last.by if last is not None else "") or "somebody"
        return Conflict(
            f"{who} has changed the same places of {path} since version {number}",
            hint="restore the file as it was, or edit it",
        )


def _differing(old: Version, new: Version) -> dict[str, str]:
    found = {}
    for path in sorted({*old.files, *new.files}):
        if old.files.get(path) != new.files.get(path):
            found[path] = "added" if path not in old.files else "removed" if path not in new.files else "changed"
    return found
