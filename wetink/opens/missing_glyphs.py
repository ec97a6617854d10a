"""Letters that no font has, told by their names: where content says them, and for how many people data does."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from wetink.core.blocks.block import Block

WORDS = ("title", "alt", "fallback", "variants")
"""What of a block is shown, or may be."""


def named(char: str) -> str:
    """Return a character with its name.

    >>> named("\u2713")
    '✓ (U+2713 check mark)'
    """
    return f"{char} (U+{ord(char):04X}{f' {unicodedata.name(char, str()).lower()}'.rstrip()})"


def notes(blocks: Mapping[str, Block], templates: Mapping[str, str], missing: Callable[[str], str]) -> Iterator[str]:
    """Yield each place of the content with characters that no font has. A box is drawn for them."""
    for name, text in templates.items():
        if missing(text):
            for number, line in enumerate(text.splitlines(), 1):
                if lacking := missing(line):
                    yield f"templates/{name}: line {number}: no font has {_all(lacking)}"
    for block in blocks.values():
        plain = msgspec.to_builtins(block)
        for field in WORDS:
            for place, said in _strings(plain.get(field), field):
                if lacking := missing(said):
                    yield f"blocks/{block.name}.yaml: {place}: no font has {_all(lacking)}"


def _all(chars: str) -> str:
    return ", ".join(map(named, chars[:5])) + (" and more" if len(chars) > 5 else "")


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield the texts in a value, each with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _strings(each, f"{place}[{number}]")
