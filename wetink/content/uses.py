"""Uses: the parts of the content that use a picture, a font or a template, and the change of a name in all of them."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.errors import NotFound
from wetink.core.rules.check import names_of
from wetink.core.text.titled import Titled

Room = Literal["images", "fonts"]


class Use(Titled, msgspec.Struct, frozen=True):
    """A part of the content that uses a file: its kind, its name, the place in it, and its title if it has one."""

    kind: Literal["block", "template", "app", "audience"]
    name: str
    place: str = ""
    title: str = ""


def uses(content: Content, room: Room, name: str, families: Mapping[str, str]) -> list[Use]:
    """Return the parts of the content that use a file. `families` are the CSS families of the fonts, by file name.

    A family that several files have is used by each of them.
    """
    if room == "images":
        return [
            Use("block", block.name, "fallback", block.title)
            for block in content.blocks.values()
            if block.fallback.image == name
        ]
    family = families.get(name, "")
    if not family:
        return []
    named = re.compile(rf"(?<![\w-]){re.escape(family)}(?![\w-])", re.IGNORECASE)
    found = [Use("template", each) for each, text in content.templates.items() if named.search(text)]
    for block in content.blocks.values():
        found += [
            Use("block", block.name, variant.name, block.title)
            for variant in block.variants
            if any(named.search(text) for text in _texts(variant.settings))
        ]
    return found


def uses_with_drafts(
    content: Content, drafted: Content, room: Room, name: str, families: Mapping[str, str]
) -> list[Use]:
    """Return the parts that use a file, also those that will once their drafts are published.

    `drafted` is the content with all drafts laid over it.
    """
    live = uses(content, room, name, families)
    known = {(each.kind, each.name) for each in live}
    coming = [each for each in uses(drafted, room, name, families) if (each.kind, each.name) not in known]
    return [*live, *(replace(each, place=f"{each.place}, draft".removeprefix(", ")) for each in coming)]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def audience_uses(content: Content, name: str) -> list[Use]:
    """Return the blocks and audiences whose rules name an audience."""
    found = [
        Use("block", block.name, variant.name, block.title)
        for block in content.blocks.values()
        for variant in block.variants
        if any(name in names_of(rule) for rule in variant.when)
    ]
    others = [each for each in content.audiences.values() if each.name != name and name in names_of(each.rule)]
    return [*found, *(Use("audience", each.name, title=each.title) for each in others)]


def listed(used: Collection[Use]) -> str:
    """Return who uses a file, in words.

    >>> listed([Use("block", "hero", "fallback"), Use("template", "sale.liquid")])
    'block hero (fallback) and template sale.liquid'
    """
    words = [f"{each.kind} {each.called}{f' ({each.place})' if each.place else ''}" for each in used]
    if len(words) > 4:
        words = [*words[:3], f"{len(words) - 3} more"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def block_file(texts: Mapping[str, bytes], block: str) -> tuple[str, bytes]:
    """Return the path and the text of a block's file. Raises NotFound."""
    for suffix in (".yaml", ".yml"):
        if (path := f"blocks/{block}{suffix}") in texts:
            return path, texts[path]
    raise NotFound(f"there is no block called {block[:64]!r}", hint="reload the page")


def template_uses(content: Content, name: str) -> list[Use]:
    """Return the variants of blocks that use a template, by its name without a suffix: as one, or as the app it is."""
    own = name in content.apps
    return [
        Use("block", block.name, variant.name, block.title)
        for block in content.blocks.values()
        for variant in block.variants
        if variant.template == f"{name}.liquid" or (own and variant.app == name)
    ]


def with_value(text: bytes, key: str, old: str, new: str) -> bytes:
    """Return a block's YAML with another value under each `key` that is `old`; everything else stays, with comments.

    >>> with_value(b"fallback: {image: a.jpg, link: 'https://x.example/a.jpg'}", "image", "a.jpg", "b.jpg")
    b"fallback: {image: b.jpg, link: 'https://x.example/a.jpg'}"
    """
    name, value = key.encode(), re.escape(old.encode())
    pattern = rb"(?<![\w-])(['\"]?" + name + rb"['\"]?\s*:\s*)(['\"]?)" + value + rb"\2(?=[\s,}#]|$)"
    return re.sub(pattern, lambda found: found[1] + found[2] + new.encode() + found[2], text)
