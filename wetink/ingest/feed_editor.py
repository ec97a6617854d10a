"""Feed editor: the changes that people make to feeds on pages, with the values of their headers and what uses them."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
import yaml

from wetink.content.author import Author
from wetink.content.check import feeds_of
from wetink.content.content import Content
from wetink.content.versions import Versions
from wetink.core.app.app import App
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.core.outbound.feed import Feed
from wetink.feeds import credentials
from wetink.ports.content import digest
from wetink.ports.keys import Secrets

ORDER = ("title", "url", "file", "format", "every")
"""The first fields of a feed's file, in this order."""


def text_of(feed: Feed) -> str:
    """Return a feed's file as YAML, without the default values."""
    data = msgspec.to_builtins(feed)
    del data["name"]
    known = {name: data.pop(name) for name in ORDER if name in data}
    return yaml.safe_dump({**known, **data}, sort_keys=False, allow_unicode=True, width=100)


def users_of(feed: str, content: Content, apps: Mapping[str, App]) -> list[tuple[str, str]]:
    """Return what uses a feed, as kind (`block`, `audience`) and name: apps by their settings, and rules."""
    rules = content.rules
    found = [
        ("block", name)
        for name, block in sorted(content.blocks.items())
        if feed in feeds_of(block, apps)
        or any(feed in rules.of(rule).needs.feeds for variant in block.variants for rule in variant.when)
    ]
    audiences = sorted(content.audiences.items())
    return found + [("audience", name) for name, each in audiences if feed in rules.of(each.rule).needs.feeds]


class FeedEditor:
    """Saves, renames and deletes feeds."""

    def __init__(
        self, author: Author, versions: Versions, secrets: Secrets, follow: Callable[[], Awaitable[None]]
    ) -> None:
        """Write files by `author`, and values of headers to `secrets`. `follow` makes this process use both."""
        self._author, self._versions, self._secrets, self._follow = author, versions, secrets, follow

    async def save(self, feed: Feed, values: Mapping[str, str], *, by: str, expected: str) -> None:
        """Save a feed, and the given values of its headers beside those that it has.

        `expected` is the digest of the file that the user has seen, "" for a new feed. Raises Conflict, BadContent and
        Unavailable.
        """
        path, known = await self._file(feed.name)
        if not expected and known:
            raise BadContent(f"there is already a feed called {feed.name}", hint="choose another name", where="name")
        await self._keep(feed.name, values, feed.headers)
        await self._author.save(path, text_of(feed).encode(), by=by, expected=expected)

    async def delete(self, name: str, *, by: str) -> None:
        """Delete a feed and its secrets. Raises NotFound, BadContent if a block needs it, Unavailable."""
        path, known = await self._file(name)
        if not known:
            raise NotFound(f"there is no feed called {name[:64]!r}")
        await self._author.delete([path], by=by, message=f"deleted the feed {name}")
        await self._keep(name, {}, ())

    async def rename(self, old: str, new: str, *, by: str) -> None:
        """Give a feed another name. Raises NotFound, Conflict, BadContent if a block needs it, Unavailable."""
        path, known = await self._file(old)
        if not known:
            raise NotFound(f"there is no feed called {old[:64]!r}")
        if (await self._file(new))[1]:
            raise BadContent(f"there is already a feed called {new}", hint="choose another name", where="name")
        kept = credentials.credentials_in(await self._secrets.all()).get(old, {})
        await self._keep(new, kept, tuple(kept))
        await self._author.rename(path, f"feeds/{new}.yaml", by=by, message=f"renamed the feed {old} to {new}")
        await self._keep(old, {}, ())

    async def digest(self, name: str) -> str:
        """Return the digest of a feed's file, "" without one. Raises StoreUnavailable."""
        return (await self._file(name))[1]

    async def _file(self, name: str) -> tuple[str, str]:
        """Return the path of a feed's file, and its digest, "" without one."""
        _, files = await self._versions.read()
        path = next((each for each in (f"feeds/{name}.yaml", f"feeds/{name}.yml") if each in files), "")
        return path or f"feeds/{name}.yaml", digest(files[path]) if path else ""

    async def _keep(self, name: str, values: Mapping[str, str], headers: tuple[str, ...]) -> None:
        """Store the values of a feed's headers, and drop those of other headers."""
        secret = f"{credentials.PREFIX}{name}"
        stored = (await self._secrets.all()).get(secret)
        before = credentials.credentials_in({secret: stored}).get(name, {}) if stored is not None else {}
        kept = {header: value for header in headers if (value := values.get(header) or before.get(header, ""))}
        text = msgspec.json.encode(kept).decode()
        if stored is None and kept:
            await self._secrets.keep(secret, text)
        elif stored is not None and stored != text:
            try:
                await self._secrets.replace(secret, stored, text)
            except Conflict as error:
                raise Conflict("somebody else has just changed this feed's headers", hint="reload the page") from error
        else:
            return
        await self._follow()
