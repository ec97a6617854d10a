"""Block drafts: blocks as they are edited, which nobody receives before they are published."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from wetink.content.author import block_text
from wetink.content.check import never_works, unusable
from wetink.content.content import Content, block_of, dates_as_text
from wetink.content.publishing import Publishing
from wetink.content.strict_yaml import parse_yaml
from wetink.content.versions import Versions
from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.errors import BadContent, NotFound
from wetink.core.signals.audience import rules_of
from wetink.core.text.characters import problem_in
from wetink.ports.content import Draft, Drafts, digest

_NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")
_PLACE = re.compile(r"^([\w.\[\]-]+): (.*)$", re.DOTALL)
_CONVERTED = re.compile(r"^(?P<what>.*?) - at `\$\.?(?P<path>[^`]*)`$", re.DOTALL)


class Opened(msgspec.Struct, frozen=True):
    """A block in the editor: its file as a mapping, and the draft, None while it is as published.

    `base` is the digest of the published file, "" if there is none.
    """

    name: str
    path: str
    raw: dict[str, Any]
    base: str
    draft: Draft | None

    @property
    def revision(self) -> int:
        """The revision of the draft, 0 without one."""
        return self.draft.revision if self.draft is not None else 0


class BlockDrafts:
    """Opens and saves the drafts of blocks."""

    def __init__(self, drafts: Drafts, versions: Versions, publishing: Publishing) -> None:
        """Read `drafts` beside the published `versions`, and save them for `publishing`."""
        self._drafts, self._versions, self._publishing = drafts, versions, publishing

    async def open(self, name: str) -> Opened:
        """Return the draft of a block, else the published block. Raises NotFound, BadContent, StoreUnavailable.

        BadContent: the file is no YAML, so no form can show it.
        """
        path, published = await self._place(name)
        draft = await self._drafts.get(path)
        if draft is not None and draft.body is not None:
            return Opened(name, path, mapping_in(draft.body), published, draft)
        if not published or not _NAME.fullmatch(name):
            raise NotFound(f"there is no block called {name[:64]!r}")
        _, files = await self._versions.current()
        return Opened(name, path, mapping_in(files[path]), digest(files[path]), draft)

    async def save(self, name: str, raw: Mapping[str, Any], base: str, revision: int, by: str) -> Draft:
        """Save a block's draft in place of the one with `revision`, 0 if there was none.

        Raises Conflict if somebody else has saved another, BadContent for values that no file can hold,
        StoreUnavailable.
        """
        body = written(raw)
        path, _ = await self._place(name)
        return await self._publishing.save(path, body, base=base, expected=revision, by=by)

    async def drop(self, name: str, revision: int) -> None:
        """Discard a block's draft. Raises Conflict if it is another by now, StoreUnavailable."""
        path, _ = await self._place(name)
        await self._publishing.discard(path, revision)

    async def taken(self) -> set[str]:
        """Return the names of all blocks and of all drafts of blocks."""
        paths = [*(await self._versions.newest()).files, *(draft.path for draft in await self._drafts.all())]
        return {path[7:].rpartition(".")[0] for path in paths if path.startswith("blocks/")}

    async def _place(self, name: str) -> tuple[str, str]:
        """Return the path of a block's file, and the digest of the published one, "" if there is none."""
        files = (await self._versions.newest()).files
        path = f"blocks/{name}.yml" if f"blocks/{name}.yml" in files else f"blocks/{name}.yaml"
        return path, files.get(path, "")


def written(raw: Mapping[str, Any]) -> bytes:
    """Return a block's mapping as its file. Raises BadContent for values that no file can hold."""
    place, why = problem_in(raw)
    if why:
        raise BadContent(f"{place}: {why}", where=place)
    body = block_text(raw).encode()
    mapping_in(body)
    return body


def mapping_in(body: bytes) -> dict[str, Any]:
    """Return the mapping in a block's file. Raises BadContent."""
    raw = parse_yaml(body.decode("utf-8", "replace").replace("\r\n", "\n"))
    if not isinstance(raw, dict):
        raise BadContent("a block must be a mapping")
    plain: dict[str, Any] = dates_as_text(raw)
    return plain


def title_in(body: bytes) -> str:
    """Return the title in a block's file; empty if there is none, or if the file cannot be read."""
    try:
        title = mapping_in(body).get("title", "")
    except BadContent:
        return ""
    return title if isinstance(title, str) else ""


def checked(
    name: str, raw: Mapping[str, Any], content: Content, apps: Mapping[str, App]
) -> tuple[Block | None, list[tuple[str, str]]]:
    """Return the block of a draft, None if it cannot be drawn, and its problems: the place and the reason."""
    found = list(_numbers(raw))
    if found:
        return None, found
    try:
        block, wrong = block_of(name, dict(raw))
    except BadContent as error:
        return None, [_converted(str(error))]
    stock = content.templates, content.images, content.feeds, rules_of(content.audiences)
    others = [each for each in content.blocks.values() if each.name != name]
    wrong += [*unusable(block, apps, *stock, others)]
    placed = [_placed(each) for each in dict.fromkeys([*wrong, *never_works(block, apps)])]
    broken = any(re.match(r"variants\[\d+\]\.(app|template)$|width|height", place) for place, _ in placed)
    return (None if broken else block), placed


def _placed(problem: str) -> tuple[str, str]:
    found = _PLACE.match(problem)
    return (found[1], found[2]) if found else ("", problem)


def _converted(message: str) -> tuple[str, str]:
    found = _CONVERTED.match(message)
    return (found["path"], found["what"]) if found else ("", message)


def _numbers(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each number of a block that is none, or out of range, in a marketer's words."""
    described = inspect.type_info(Block)
    assert isinstance(described, inspect.StructType)  # noqa: S101 (a block is a struct)
    for field in described.fields:
        if isinstance(field.type, inspect.IntType) and field.name in raw:
            value, least, most = raw[field.name], field.type.ge, field.type.le
            if type(value) is not int or not (least or 0) <= value <= (most or 0):
                yield field.name, f"enter a whole number from {least} to {most}"
