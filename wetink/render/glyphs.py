"""Letters: which characters our fonts have, so that one that none has is told, and never drawn as nothing.

`make assets` notes them beside the fonts.
"""

import io
import re
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from html import unescape
from pathlib import Path

import msgspec

from wetink.core.text.characters import controls
from wetink.render import fonts

NOTED = fonts.FOLDER / "letters.json"
STAND_IN = "\u25a1"
"""Drawn for a character that no font has, as a phone does."""
Range = tuple[int, int]
"""The first and the last character."""

_KEPT = ((0, 0x1F), (0x34F, 0x34F), (0x200C, 0x200D), (0x2028, 0x2029), (0xFE00, 0xFE0F), (0xE0000, 0xE01EF))
"""What shows nothing by itself and is needed all the same: joiners of scripts and emoji, and variants of letters."""


_ENTITY = re.compile(r"&#(?:x[0-9a-f]{2,6}|[0-9]{3,7});", re.IGNORECASE)


def _char(entity: str) -> str:
    """Return what an entity stands for, itself where that has a meaning in HTML."""
    char = unescape(entity)
    return entity if char.isascii() else char


class Letters:
    """Characters that can be drawn."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        """Take them as ranges in any order; none at all means that nobody has noted them, and then nothing lacks."""
        ranges = tuple(ranges)
        self._known = bool(ranges)
        self._ranges: list[list[int]] = []
        for first, last in sorted((*ranges, *_KEPT)):
            if self._ranges and first <= self._ranges[-1][1] + 1:
                self._ranges[-1][1] = max(last, self._ranges[-1][1])
            else:
                self._ranges.append([first, last])
        self._firsts = [first for first, _ in self._ranges]

    def has(self, char: str) -> bool:
        """Whether a character can be drawn. What shows nothing by itself can."""
        code = ord(char)
        place = bisect_right(self._firsts, code) - 1
        return (place >= 0 and code <= self._ranges[place][1]) or char.isspace()

    def missing(self, text: str) -> str:
        """Return the characters of a text that cannot be drawn, each once, in the order of the text."""
        if text.isascii() or not self._known:
            return ""
        return "".join(char for char in dict.fromkeys(controls(text)) if not self.has(char) and not self._made_of(char))

    def drawable(self, text: str) -> str:
        """Return a text with what is drawn in place of characters that no font has: what they are made of, or a box."""
        if text.isascii() and "&#" not in text:
            return text
        text = controls(_ENTITY.sub(lambda found: _char(found[0]), text))
        if not self._known:
            return text
        lacking = {ord(char): self._made_of(char) or STAND_IN for char in set(text) if not self.has(char)}
        return text.translate(lacking) if lacking else text

    def _made_of(self, char: str) -> str:
        """Return the same in plainer characters that can be drawn, empty when there are none."""
        plain = unicodedata.normalize("NFKC", char)
        return plain if plain != char and all(map(self.has, plain)) else ""


def ranges_of(codes: Iterable[int]) -> list[Range]:
    """Return characters as ranges.

    >>> ranges_of([67, 65, 66, 70])
    [(65, 67), (70, 70)]
    """
    found: list[Range] = []
    for code in sorted(set(codes)):
        if found and code == found[-1][1] + 1:
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return found


def ranges_in(body: bytes) -> list[Range]:
    """Return the characters a font has. Raises whatever its reader does for one that is broken."""
    from fontTools.ttLib import TTFont  # only fonts of one's own are looked at after the start

    with TTFont(io.BytesIO(body), lazy=True) as font:
        return ranges_of(font.getBestCmap() or ())


@cache
def noted() -> tuple[Range, ...]:
    """Return the characters that our own fonts have; nothing when that was never noted."""
    try:
        return tuple(msgspec.json.decode(NOTED.read_bytes(), type=tuple[Range, ...]))
    except (OSError, msgspec.MsgspecError):
        return ()


def write(files: Sequence[Path]) -> None:
    """Note which characters these fonts have."""
    found = [each for path in files for each in ranges_in(path.read_bytes())]
    merged = ranges_of(code for first, last in found for code in range(first, last + 1))
    NOTED.write_bytes(msgspec.json.encode(merged))


def main() -> None:
    """Note the ranges beside the fonts, and say how many characters they have."""
    write(fonts.files(large=None))
    sys.stdout.write(f"{sum(last - first + 1 for first, last in noted()):,} characters can be drawn\n")
