"""Author: saves the changes made on pages as content files, publishes them and makes wetink use them at once."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from wetink.content.changes import title_of
from wetink.content.content import Content
from wetink.content.versions import Versions
from wetink.core.errors import BadContent, NotFound
from wetink.core.signals.audience import Audience, spelled, usable

PAGES = "dashboard"
"""Who makes a version on a page that names nobody."""
NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")


def audience_text(data: Any) -> str:
    """Return an audience's file as YAML."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=88, default_flow_style=None)


def block_text(data: Mapping[str, Any]) -> str:
    """Return the mapping of a block as YAML, in the usual order."""
    order = ("title", "email", "place", "width", "height", "recipients", "variants", "fallback")
    known = {name: data[name] for name in order if name in data}
    return yaml.safe_dump({**known, **data}, sort_keys=False, allow_unicode=True, width=100)


class Author:
    """Writes the content files that users edit on pages."""

    def __init__(
        self,
        versions: Versions,
        follow: Callable[[], Awaitable[None]],
        clock_ms: Callable[[], int],
    ) -> None:
        """Write new `versions`; `follow` makes this process use the newest one."""
        self._versions, self._follow, self._clock = versions, follow, clock_ms

    async def save(self, path: str, body: bytes, *, by: str, message: str = "", expected: str | None = None) -> int:
        """Write a content file and publish it. Returns the current version.

        `expected` is the digest of the file that this one replaces, "" for a new one; None replaces any. Raises
        Conflict, which names who changed it in between, BadContent if it cannot be used, Unavailable.
        """
        base = {} if expected is None else {path: expected}
        return await self.change({path: body}, base, by=by, message=message or f"{title_of(path, body)} saved")

    async def delete(
        self, paths: Iterable[str], *, by: str, message: str = "", expected: Mapping[str, str] | None = None
    ) -> int:
        """Delete content files in one version, and return its number.

        `expected` has the digests of the files that the user has seen. Raises Conflict, BadContent if others need the
        files, Unavailable.
        """
        gone = dict.fromkeys(paths)
        return await self.change(
            gone,
            expected or {},
            by=by,
            message=message or f"{', '.join(title_of(path, None) for path in gone)} deleted",
        )

    async def rename(self, old: str, new: str, *, by: str, message: str = "", expected: str | None = None) -> int:
        """Give a content file another path in one version. Returns it.

        `expected` is the digest of the file that the user has seen. Raises NotFound, Conflict if it is another or there
        is one at the new path, BadContent if others need it, Unavailable.
        """
        version, files = await self._versions.read()
        if old not in files:
            raise NotFound(f"there is no {old}", hint="reload the page")
        base = {old: version.files[old] if expected is None else expected, new: ""}
        message = message or f"{title_of(old, None)} renamed to {PurePosixPath(new).stem}"
        return await self.change({old: None, new: files[old]}, base, by=by, message=message)

    async def change(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, str], *, by: str, message: str
    ) -> int:
        """Write files, and delete those that are None, in one version. Returns it.

        `expected` has the digests of the files that they replace, "" for none. Raises Conflict, BadContent and
        Unavailable.
        """
        now = self._clock()
        done = await self._versions.change(changes, expected, by=by, message=message, now=now)
        if done.problems:
            raise BadContent(done.problems[0])
        await self._follow()
        return done.version

    async def audience(self, content: Content, audience: Audience, *, expected: str | None, by: str = PAGES) -> int:
        """Save an audience and return the version.

        `expected` is the digest of its file as read, "" for a new one, None for any.
        Raises BadContent if it, or another audience that names it, could no longer be used, Conflict if somebody else
        saved it in between, Unavailable.
        """
        if not NAME.fullmatch(audience.name):
            raise BadContent(
                f"{audience.name[:64]!r} is not a name", hint="lowercase letters, digits and dashes: big-spenders"
            )
        _, wrong = usable({**content.audiences, audience.name: audience})
        if wrong:
            name, problems = next(iter(wrong.items()))
            raise BadContent(problems[0] if name == audience.name else f"{name}: {problems[0]}")
        path, _ = await self.audience_file(audience.name)
        message = f"{'saved' if expected else 'created'} the audience {audience.called}"
        return await self.save(
            path, audience_text(spelled(audience)).encode(), by=by, message=message, expected=expected
        )

    async def audience_file(self, name: str) -> tuple[str, str]:
        """Return the path of an audience's file and its digest, "" if there is none. Raises StoreUnavailable."""
        files = (await self._versions.newest()).files
        paths = [path for suffix in (".yaml", ".yml") if (path := f"audiences/{name}{suffix}") in files]
        return (paths[0], files[paths[0]]) if paths else (f"audiences/{name}.yaml", "")
