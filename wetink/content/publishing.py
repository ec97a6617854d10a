"""Publishing: drafts of content files, the review of what publishing them changes, and the step that publishes them.

Nobody receives a draft. It is laid over the published content for previews, counts and checks, and it is published only
over the file that it was made from: a file that somebody else has published since is merged or decided by a person.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal

import msgspec

from wetink.content.author import Author
from wetink.content.changes import FileChange, file_changes, merged_text
from wetink.content.content import Content, load
from wetink.content.tree import LARGEST_FONT, Tree, check_paths
from wetink.content.versions import LONGEST_MESSAGE, Versions
from wetink.core.app.app import App
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.ports.content import Draft, Drafts, Version, digest

ANY = 0
"""The revision of a draft that may be whichever there is."""


class Switch(msgspec.Struct, frozen=True):
    """The number of people who will see one variant instead of another; empty names are the fallback.

    Equal names are people whose variant stays, with other content.
    """

    now: str
    instead: str
    people: int
    who: str = ""
    """One of them, as `kind:value`."""


class Count(msgspec.Struct, frozen=True):
    """The effect of publishing on one block, among the `people` that were tried. `new` blocks show nothing so far."""

    block: str
    title: str
    people: int
    switches: tuple[Switch, ...] = ()
    new: bool = False
    note: str = ""
    """The time that the count is for, if that is not now; or why nobody sees a variant."""

    @property
    def different(self) -> int:
        """The number of people who will see something else."""
        return sum(each.people for each in self.switches)

    @property
    def sorted(self) -> list[Switch]:
        """The switches, the largest first."""
        return sorted(self.switches, key=lambda each: (-each.people, each.now, each.instead))

    @property
    def words(self) -> tuple[str, ...]:
        """The switches in words, the largest first."""
        return tuple(map(self.said, self.sorted))

    def said(self, switch: Switch) -> str:
        """Return a switch in words."""
        now, instead = (f"“{name}”" if name else "the fallback" for name in (switch.now, switch.instead))
        who = f"{switch.people:,} of {self.people:,}"
        if self.new:
            return f"{who} will see {now}"
        if switch.now == switch.instead:
            return f"{who} will see other content in {now}"
        return f"{who} will see {now} instead of {instead}"


class Check(msgspec.Struct, frozen=True):
    """One check of the drafts. `wrong` keeps them from being published; `doubt` is for a person to judge."""

    name: str
    title: str
    state: Literal["good", "doubt", "wrong"]
    words: tuple[str, ...]

    @property
    def rank(self) -> int:
        """Its place in a list: what needs a person comes first."""
        return ("wrong", "doubt", "good").index(self.state)


class Clash(msgspec.Struct, frozen=True):
    """A draft whose published file has changed since: the version that did, and whether both changes can be merged."""

    path: str
    version: Version
    mergeable: bool


class Review(msgspec.Struct, frozen=True):
    """What publishing some drafts would change. `version` is the current one."""

    version: int
    drafts: tuple[Draft, ...]
    changes: tuple[FileChange, ...]
    counts: tuple[Count, ...]
    checks: tuple[Check, ...]
    clashes: tuple[Clash, ...]

    @property
    def ready(self) -> bool:
        """Whether the drafts can be published."""
        return not self.clashes and all(each.state != "wrong" for each in self.checks)


class Stage(msgspec.Struct, frozen=True):
    """Published content and the content with drafts laid over it, as files and as loaded."""

    before: Content
    after: Content
    old: Tree
    new: Tree
    changes: tuple[FileChange, ...]


Tried = tuple[tuple[Count, ...], tuple[Check, ...]]


class Publishing:
    """Keeps, reviews and publishes drafts."""

    def __init__(
        self,
        drafts: Drafts,
        versions: Versions,
        author: Author,
        apps: Mapping[str, App],
        tried: Callable[[Stage], Awaitable[Tried]],
        clock_ms: Callable[[], int],
    ) -> None:
        """Publish with `author`. `apps` are those that content does not declare; `tried` counts people and checks."""
        self._drafts, self._versions, self._author, self._apps = drafts, versions, author, apps
        self._tried, self._clock = tried, clock_ms
        self._loaded: tuple[object, Content] = None, Content()
        self._before: tuple[object, Content] = None, Content()

    async def save(self, path: str, body: bytes | None, *, base: str, expected: int, by: str) -> Draft:
        """Save the draft of a file; None deletes the file. Returns it with its revision.

        `base` is the digest of the published file that it was made from, "" for none, and `expected` the revision of
        the draft that it replaces, 0 for none. Raises Conflict if another draft is there, BadContent, Unavailable.
        """
        check_paths([path])
        if body is not None and len(body) > LARGEST_FONT:
            raise BadContent(f"larger than {LARGEST_FONT >> 20} MB", where=path)
        return await self._drafts.put(path, body, base, expected, by, self._clock())

    async def discard(self, path: str, expected: int) -> None:
        """Forget a draft. Raises Conflict if another is there, Unavailable."""
        await self._drafts.drop(path, expected)

    async def pending(self) -> list[Draft]:
        """Return the drafts that differ from the published files, by path. Raises StoreUnavailable."""
        found = await self._drafts.all()
        if not found:
            return []
        version = await self._versions.newest()
        return [each for each in found if not _published(each, version)]

    async def draft(self, *paths: str) -> Draft | None:
        """Return the draft of the first of these paths that differs from the published file; None without one."""
        return next((each for each in await self.pending() if each.path in paths), None)

    async def preview(
        self, paths: Iterable[str] | None = None, extra: Mapping[str, bytes | None] | None = None
    ) -> Content:
        """Return the published content with drafts laid over it: those of `paths`, else all; and `extra` files.

        Nobody receives it. Parts that cannot be used are left out and named in `problems`. Raises StoreUnavailable.
        """
        wanted = set(paths) if paths is not None else None
        drafts = [each for each in await self._drafts.all() if wanted is None or each.path in wanted]
        revisions = tuple((each.path, each.revision) for each in drafts)
        if not extra and self._loaded[0] == ((await self._versions.newest()).number, revisions):
            return self._loaded[1]
        version, tree = await self._versions.current()
        changes = {**{each.path: each.body for each in drafts}, **(extra or {})}
        content = await asyncio.to_thread(load, laid_over(tree, changes), self._apps)
        if not extra:
            self._loaded = (version.number, revisions), content
        return content

    async def outline(self, paths: Iterable[str]) -> Review:
        """Return what publishing the drafts of these paths would change in words, at once: nobody is counted.

        Raises NotFound, StoreUnavailable.
        """
        return (await self._outlined(paths))[0]

    async def review(self, paths: Iterable[str]) -> Review:
        """Return what publishing the drafts of these paths would change. Raises NotFound, Unavailable.

        People are counted, and pictures are drawn, for a few seconds at most.
        """
        found, stage = await self._outlined(paths)
        counts, checks = await self._tried(stage)
        return msgspec.structs.replace(found, counts=counts, checks=checks)

    async def _outlined(self, paths: Iterable[str]) -> tuple[Review, Stage]:
        drafts = await self._all(dict.fromkeys(paths, ANY))
        version, tree = await self._versions.current()
        new = laid_over(tree, {each.path: each.body for each in drafts})
        stage = await asyncio.to_thread(self._staged, version.number, tree, new)
        clashes = [clash for each in drafts if (clash := await self._clash(each, version, tree)) is not None]
        return Review(version.number, tuple(drafts), stage.changes, (), (), tuple(clashes)), stage

    async def publish(self, paths: Iterable[str] | Mapping[str, int], *, by: str, message: str = "") -> int:
        """Publish the drafts of these paths in one version, and return its number.

        A mapping has the revisions that were reviewed. Without a message, the version gets the changes in words.
        Raises NotFound for a path without a draft; Conflict if a published file has changed since its draft was made,
        or a draft since its review; BadContent for a problem that they would make; Unavailable. Then nothing changes.
        """
        drafts = await self._all(paths if isinstance(paths, Mapping) else dict.fromkeys(paths, ANY))
        changes = {each.path: each.body for each in drafts}
        if not message.strip():
            _, tree = await self._versions.current()
            message = await asyncio.to_thread(self._summary, tree, laid_over(tree, changes))
        expected = {each.path: each.base for each in drafts}
        number = await self._author.change(changes, expected, by=by, message=message)
        for each in drafts:
            try:
                await self._drafts.drop(each.path, each.revision)
            except Conflict:  # somebody went on editing meanwhile, and keeps that
                continue
        return number

    async def merge(self, path: str, *, by: str) -> Draft:
        """Bring a draft up to date with its published file, with the changes of both. Returns the draft.

        Raises Conflict if their changes touch, or the draft was saved meanwhile; NotFound, Unavailable.
        """
        [draft] = await self._all({path: ANY})
        version, tree = await self._versions.current()
        body = await self._merged(draft, version, tree)
        if body is None:
            last = await self._versions.last_change(path)
            raise Conflict(
                f"{(last.by if last is not None else '') or 'somebody'} changed the same places of {path}",
                hint="take one of both, or edit the file by hand",
            )
        base = version.files.get(path, "")
        return await self._drafts.put(path, body, base, draft.revision, by, self._clock())

    async def take_over(self, path: str, *, by: str) -> Draft:
        """Let a draft replace the published file as it is now, whatever changed there. Raises NotFound, Conflict."""
        [draft] = await self._all({path: ANY})
        base = (await self._versions.newest()).files.get(path, "")
        return await self._drafts.put(path, draft.body, base, draft.revision, by, self._clock())

    async def _all(self, wanted: Mapping[str, int]) -> list[Draft]:
        """Return the drafts of these paths and revisions. Raises NotFound, Conflict."""
        found: list[Draft] = []
        for path, revision in wanted.items():
            draft = await self._drafts.get(path)
            if draft is None:
                raise NotFound(
                    f"there is no draft of {path[:200]}", hint="it was published or discarded: reload the page"
                )
            if revision not in (ANY, draft.revision):
                raise Conflict(
                    f"{draft.by or 'somebody'} has changed the draft of {path} since you looked",
                    hint="look at it again",
                )
            found.append(draft)
        if not found:
            raise NotFound("there is no draft to publish", hint="save a draft first")
        return found

    async def _clash(self, draft: Draft, version: Version, tree: Tree) -> Clash | None:
        if version.files.get(draft.path, "") == draft.base or tree.get(draft.path) == draft.body:
            return None
        last = await self._versions.last_change(draft.path) or version
        return Clash(draft.path, last, await self._merged(draft, version, tree) is not None)

    async def _merged(self, draft: Draft, version: Version, tree: Tree) -> bytes | None:
        """Return the text with the draft's changes and those that were published since; None if they touch."""
        theirs = tree.get(draft.path)
        if draft.body is None or theirs is None or version.files[draft.path] == draft.base:
            return draft.body if version.files.get(draft.path, "") == draft.base else None
        base = await self._versions.body(draft.path, draft.base)
        return merged_text(base, draft.body, theirs) if base is not None else None

    def _staged(self, number: int, old: Tree, new: Tree) -> Stage:
        if self._before[0] != number:
            self._before = number, load(old, self._apps)
        before, after = self._before[1], load(new, self._apps)
        apps = {**after.apps, **self._apps}
        return Stage(before, after, old, new, tuple(file_changes(old, new, apps)))

    def _summary(self, old: Tree, new: Tree) -> str:
        found = [each.sentence for each in file_changes(old, new, self._apps)]
        return "; ".join(found)[:LONGEST_MESSAGE]


def laid_over(tree: Tree, changes: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """Return a tree with changed files; None deletes one.

    >>> laid_over({"a": b"1", "b": b"2"}, {"b": None, "c": b"3"})
    {'a': b'1', 'c': b'3'}
    """
    return {path: body for path, body in {**tree, **changes}.items() if body is not None}


def _published(draft: Draft, version: Version) -> bool:
    return version.files.get(draft.path, "") == (digest(draft.body) if draft.body is not None else "")
