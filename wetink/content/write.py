"""Write: what is made on pages, into the content folder as its author would have written it, and taken in at once."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from wetink.content.check import never_works, problems_of, unusable
from wetink.content.folder import Content, shortened
from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.errors import BadContent
from wetink.core.outbound.feed import Feed
from wetink.core.rules.format import spell_all
from wetink.core.signals.audience import Audience, rules_of, spelled, usable

NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")


def save(
    folder: Path, block: Block, apps: Mapping[str, App], templates: Collection[str], images: Collection[str]
) -> Path:
    """Write a new block; a reader never sees half of it. Return its file.

    Raises BadContent when it means nothing, or when there is a block of this name already.
    """
    wrong = [*problems_of(block, apps, templates, images), *never_works(block, apps)]
    if wrong:
        raise BadContent(wrong[0])
    return _write(folder / "blocks" / f"{block.name}.yaml", text_of(block))


def _write(target: Path, text: str, *, new: bool = True) -> Path:
    """Write a file whole. Saying the same twice, as a second click does, is saying it once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    other = target.with_suffix(".yml")
    there = other if other.exists() else target
    draft = target.with_name(f".{target.stem}.{secrets.token_hex(6)}")
    try:
        draft.write_text(text, encoding="utf-8")
        try:
            if not new:
                draft.replace(there)
            elif there is other or not _linked(draft, target):
                _refuse_another(there, text)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise BadContent(f"{target.name} cannot be written: {error.strerror}") from error
    return there


def _linked(draft: Path, target: Path) -> bool:
    """Give a file the name of a new one; whether nobody else was first."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        return False
    return True


def _refuse_another(there: Path, text: str) -> None:
    """Raise BadContent unless a file says just this."""
    if there.read_text(encoding="utf-8", errors="replace") != text:
        kind = there.parent.name.removesuffix("s")
        article = "an" if kind[0] in "aeiou" else "a"
        raise BadContent(f"there is already {article} {kind} called {there.stem}", hint="choose another name")


def save_feed(folder: Path, feed: Feed) -> Path:
    """Write a new feed; return its file. Raises BadContent when there is one of this name already."""
    said = msgspec.to_builtins(feed)
    del said["name"]
    return _write(folder / "feeds" / f"{feed.name}.yaml", yaml.safe_dump(said, sort_keys=False, allow_unicode=True))


def save_audience(folder: Path, audience: Audience, others: Mapping[str, Audience], *, new: bool) -> Path:
    """Write an audience, in place of the one of this name unless it is `new`; return its file.

    Raises BadContent when it, or another that names it, could not be used any more.
    """
    if not NAME.fullmatch(audience.name):
        raise BadContent(
            f"{audience.name[:64]!r} is no name", hint="lowercase letters, digits and dashes: big-spenders"
        )
    _, wrong = usable({**others, audience.name: audience})
    if wrong:
        name, problems = next(iter(wrong.items()))
        raise BadContent(problems[0] if name == audience.name else f"{name}: {problems[0]}")
    return _write(folder / "audiences" / f"{audience.name}.yaml", audience_text(spelled(audience)), new=new)


def audience_text(said: Any) -> str:
    """Return what the file of an audience says as YAML."""
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=88, default_flow_style=None)


def text_of(block: Block) -> str:
    """Return a block as YAML, without what is the default."""
    said = msgspec.to_builtins(block)
    del said["name"]
    for variant, written in zip(block.variants, said.get("variants", ()), strict=False):
        if variant.when:
            written["when"] = spell_all(variant.when)
    order = ("title", "email", "place", "width", "height", "recipients", "variants", "fallback")
    known = {name: said.pop(name) for name in order if name in said}
    return yaml.safe_dump({**known, **said}, sort_keys=False, allow_unicode=True, width=100)


class Author:
    """Writes content as its author would have."""

    def __init__(
        self,
        folder: Path,
        content: Callable[[], Content],
        apps: Mapping[str, App],
        look_again: Callable[[], Awaitable[None]],
        rehearsed: Callable[[Block], Awaitable[list[str]]],
    ) -> None:
        """Write into a folder whose `content` there is a look at; `look_again` takes in what was written.

        `rehearsed` says what is wrong with a block once it is drawn.
        """
        self._folder, self._content, self._apps, self._look_again = folder, content, apps, look_again
        self._rehearsed = rehearsed

    async def block(self, block: Block) -> None:
        """Put a new block on the shelf. Raises BadContent."""
        content = self._content()
        others = [each for each in content.blocks.values() if each.name != block.name]
        stock = content.templates, content.images, content.feeds, rules_of(content.audiences)
        if wrong := [*unusable(block, self._apps, *stock, others), *await self._rehearsed(block)]:
            raise BadContent(shortened(wrong[0]))
        await asyncio.to_thread(save, self._folder, block, self._apps, [*content.templates], [*content.images])
        await self._look_again()

    async def audience(self, audience: Audience, *, new: bool) -> None:
        """Keep an audience, in place of the one of its name unless it is `new`. Raises BadContent."""
        await asyncio.to_thread(save_audience, self._folder, audience, self._content().audiences, new=new)
        await self._look_again()

    async def feed(self, feed: Feed) -> None:
        """Keep a new feed. Raises BadContent."""
        await asyncio.to_thread(save_feed, self._folder, feed)
        await self._look_again()
