"""Ports of templates: the mistakes of a template with their places, and the words that it may use."""

from typing import Protocol

import msgspec


class Flaw(msgspec.Struct, frozen=True):
    """A mistake from character `start` up to `end` of a template."""

    start: int
    end: int
    message: str


class Mention(msgspec.Struct, frozen=True):
    """A name that a template reads from its values, such as `person.traits.plan`, and the character where it begins."""

    path: tuple[str, ...]
    start: int


class Inspection(msgspec.Struct, frozen=True):
    """The mistakes of a template's Liquid, and the values that it reads; none of those with a mistake."""

    flaws: tuple[Flaw, ...] = ()
    mentions: tuple[Mention, ...] = ()


class Word(msgspec.Struct, frozen=True, rename="camel"):
    """A filter or a tag: its name, its arguments or its end, and one sentence about it."""

    name: str
    detail: str = ""
    about: str = ""


class Language(Protocol):
    """Reads templates, within limits on time and memory."""

    async def inspect(self, template: str) -> Inspection:
        """Return the mistakes of a template. Raises BadContent for one that cannot be read within the limits."""
        ...
