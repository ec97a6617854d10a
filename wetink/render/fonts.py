"""Fonts: the engine has only the fonts registered here, from the files that `make assets` puts in `fonts/`.

`make assets` also saves the list of their characters beside them, so that a character without a font is reported and
never drawn as nothing. The script of a font comes from its file name, for engines that get their fonts page by page.
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
from typing import TYPE_CHECKING

import msgspec

from wetink.core.errors import BadSettings
from wetink.core.text.characters import controls

if TYPE_CHECKING:  # only workers use the engine: other processes do not import it
    from pytakumi import Renderer


class Face(msgspec.Struct, frozen=True):
    """A font's name and properties in CSS."""

    family: str
    weight: float = 400.0
    style: str = "normal"


FOLDER = Path(__file__).parent / "fonts"

SCRIPTS = ("japanese", "korean", "chinese-simplified", "chinese-traditional")
LARGE = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
"""Scripts with thousands of letters, and their letters. Their fonts are loaded when needed."""

RANGES = {
    "latin": "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+2000-206F, U+20AC, U+2122, "
    "U+2191, U+2193, U+2212, U+2215, U+FEFF, U+FFFD",
    "latin-ext": "U+0100-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, U+02DD-02FF, U+0304, U+0308, U+0329, "
    "U+1D00-1DBF, U+1E00-1E9F, U+1EF2-1EFF, U+2020, U+20A0-20AB, U+20AD-20C0, U+2113, U+2C60-2C7F, U+A720-A7FF",
    "vietnamese": "U+0102-0103, U+0110-0111, U+0128-0129, U+0168-0169, U+01A0-01A1, U+01AF-01B0, U+0300-0301, "
    "U+1EA0-1EF9, U+20AB",
    "cyrillic": "U+0301, U+0400-045F, U+0490-0491, U+04B0-04B1, U+2116",
    "cyrillic-ext": "U+0460-052F, U+1C80-1C8A, U+20B4, U+2DE0-2DFF, U+A640-A69F, U+FE2E-FE2F",
    "greek": "U+0370-0377, U+037A-037F, U+0384-038A, U+038C, U+038E-03A1, U+03A3-03FF",
    "greek-ext": "U+1F00-1FFF",
    "arabic": "U+0600-06FF, U+0750-077F, U+0870-08FF, U+200C-200F, U+FB50-FDFF, U+FE70-FEFC",
    "hebrew": "U+0590-05FF, U+200C-2010, U+20AA, U+25CC, U+FB1D-FB4F",
    "thai": "U+0E01-0E5B, U+200C-200D, U+25CC",
    "devanagari": "U+0900-097F, U+1CD0-1CF9, U+200C-200D, U+20A8, U+20B9, U+25CC, U+A830-A839, U+A8E0-A8FF",
    "armenian": "U+0530-058F, U+FB13-FB17",
    "bengali": "U+0980-09FF, U+200C-200D, U+25CC",
    "ethiopic": "U+1200-139F, U+2D80-2DDF, U+AB01-AB2E",
    "georgian": "U+10A0-10FF, U+1C90-1CBF, U+2D00-2D2D",
    "gujarati": "U+0A80-0AFF, U+200C-200D, U+25CC",
    "gurmukhi": "U+0A00-0A7F, U+200C-200D, U+25CC",
    "kannada": "U+0C80-0CFF, U+200C-200D, U+25CC",
    "khmer": "U+1780-17FF, U+19E0-19FF, U+200C-200D, U+25CC",
    "lao": "U+0E80-0EFF, U+25CC",
    "malayalam": "U+0D00-0D7F, U+200C-200D, U+25CC",
    "myanmar": "U+1000-109F, U+A9E0-A9FE, U+AA60-AA7F, U+25CC",
    "sinhala": "U+0D80-0DFF, U+200C-200D, U+25CC",
    "tamil": "U+0B80-0BFF, U+200C-200D, U+25CC",
    "telugu": "U+0C00-0C7F, U+200C-200D, U+25CC",
    "thaana": "U+0780-07BF",
    "symbols": "U+02B0-036F, U+1D00-1DFF, U+2000-2BFF, U+2E00-2E7F, U+FB00-FB06, U+1D400-1D7FF, U+1F000-1FAFF",
    "japanese": "U+2E80-2FFF, U+3000-30FF, U+31F0-31FF, U+3400-9FFF, U+F900-FAFF, U+FF00-FFEF",
    "korean": "U+1100-11FF, U+3130-318F, U+A960-A97F, U+AC00-D7FF",
    "chinese-simplified": "U+2E80-2FFF, U+3000-303F, U+3400-9FFF, U+F900-FAFF, U+FF00-FFEF, U+20000-3FFFF",
    "chinese-traditional": "U+2E80-2FFF, U+3000-303F, U+3100-312F, U+3400-9FFF, U+F900-FAFF, U+FF00-FFEF",
    "emoji": "U+00A9, U+00AE, U+200D, U+203C, U+2049, U+20E3, U+2139, U+2194-21AA, U+231A-23FF, U+25AA-27BF, "
    "U+2934-2935, U+2B05-2B55, U+3030, U+303D, U+3297, U+3299, U+FE0F, U+1F000-1FAFF, U+E0020-E007F",
}
"""Ranges as in CSS's `unicode-range`. If two families have a letter, the engine takes the one named first."""

_NAME = re.compile(
    rf"(?P<family>[a-z0-9-]+?)-(?P<script>{'|'.join(RANGES)})-(?P<weight>[1-9]00)-(?P<style>normal|italic)"
)

LAST = ("twemoji", "noto-sans-symbols", "noto-sans-math", "dejavu-sans")
"""Name prefixes of general fonts, in this order: they draw only the characters that no other font has."""


@cache
def files(*, large: bool | None, folder: Path = FOLDER) -> tuple[Path, ...]:
    """Return the font files of a folder: those of scripts with thousands of letters, all others, or all."""
    there = (path for path in folder.glob("*.*") if path.suffix in {".woff2", ".ttf", ".otf"})
    found = sorted(there, key=lambda path: (_rank(path), path))
    return tuple(
        path for path in found if large is None or any(f"-{script}-" in path.name for script in SCRIPTS) == large
    )


def _rank(path: Path) -> int:
    return next((rank for rank, name in enumerate(LAST, 1) if path.name.startswith(name)), 0)


def stamp() -> list[str]:
    """Return a value that changes when the fonts change."""
    return [f"{path.name} {path.stat().st_size}" for path in files(large=None)]


def present(found: Sequence[Path] | None = None) -> None:
    """Raise BadSettings if there are no fonts."""
    if not (files(large=False) if found is None else found):
        raise BadSettings("there are no fonts", hint="run `make assets`", where=str(FOLDER))


def register(engine: "Renderer", files: Sequence[Path]) -> list[str]:
    """Register font files; return the names of the families for CSS, the default one first.

    A file is named like `poppins-latin-ext-600-normal.woff2`. Raises BadSettings if there is none, or one is broken.
    """
    present(files)
    families: dict[str, None] = {}
    for path in files:
        try:
            families[_register(engine, path)] = None
        except (RuntimeError, ValueError) as error:
            raise BadSettings(
                f"the font {path.name} cannot be read: {error}", hint="run `make assets` again", where=path.name
            ) from error
    return list(families)


def family_of(path: Path) -> str:
    """Return the family of a font file by its name.

    >>> family_of(Path("noto-sans-thai-thai-700-normal.woff2"))
    'Noto Sans Thai'
    """
    parts = _NAME.fullmatch(path.stem)
    return parts["family"].replace("-", " ").title() if parts is not None else path.stem


def _register(engine: "Renderer", path: Path) -> str:
    body = path.read_bytes()
    parts = _NAME.fullmatch(path.stem)
    if parts is None:
        return engine.register_font(body)[0]["name"]
    family = family_of(path)
    # Every script is a part of the family: the engine then finds a letter in the file that has it.
    engine.register_font(
        body,
        name=f"{family} {parts['script']}",
        weight=float(parts["weight"]),
        style=parts["style"],
        subset_of=family,
    )
    return family


_INDIC = ("bengali", "gujarati", "gurmukhi", "kannada", "malayalam", "sinhala", "tamil", "telugu")
_SAMPLES = {
    **{script: RANGES[script].partition(",")[0] for script in (*_INDIC, "khmer", "lao", "myanmar")},
    "latin-ext": "U+0100-02BA, U+1E00-1E9F, U+20A0-20AB",
    "arabic": "U+0600-06FF, U+0750-077F, U+FB50-FDFF, U+FE70-FEFC",
    "hebrew": "U+0590-05FF, U+FB1D-FB4F",
    "thai": "U+0E01-0E5B",
    "devanagari": "U+0900-097F",
    "symbols": "U+2070-20A0, U+2100-218F, U+2190-2BFF, U+FB00-FB06, U+1D400-1D7FF",
    "emoji": "U+2600-27BF, U+2B05-2B55, U+FE0F, U+1F000-1FAFF",
}
"""Letters that show that a page needs a script, for scripts that share some letters with all others."""

_FAMILY = re.compile(r"(?<![-\w])font(?:-family)?\s*:\s*[^;}\"'&{]*[^;}\"'&{\s][^;}\"'&{]*", re.IGNORECASE)


def script_of(path: Path) -> str:
    """Return the script of a font file such as `inter-latin-ext-400-normal.woff2`, empty for another kind of name."""
    if path.name.startswith(("noto-sans-math", "dejavu-sans")):  # general fonts
        return "symbols"
    found = _NAME.fullmatch(path.stem)
    return found["script"] if found else ""


def naming(css: str, families: Iterable[str]) -> str:
    """Return CSS, or HTML with CSS in it, with these families added after every font.

    A browser tries only the named families and those of the machine.

    >>> naming("a { font-family: Inter } b { font: 9px Inter; }", ["Noto Sans Thai"])
    'a { font-family: Inter , Noto Sans Thai} b { font: 9px Inter, Noto Sans Thai; }'
    """
    more = "".join(f", {family}" for family in families)
    return _FAMILY.sub(lambda found: found[0] + more, css)


def needs(text: str, path: Path) -> bool:
    """Whether a text has letters of a script that has a font file; Latin is always needed."""
    script = script_of(path)
    return script in ("", "latin") or _letters(script).search(text) is not None


@cache
def _letters(script: str) -> re.Pattern[str]:
    parts = []
    for each in _SAMPLES.get(script, RANGES[script]).split(", "):
        first, _, last = each.removeprefix("U+").partition("-")
        parts.append(f"{re.escape(chr(int(first, 16)))}-{re.escape(chr(int(last or first, 16)))}")
    return re.compile(f"[{''.join(parts)}]")


NOTED = FOLDER / "letters.json"
STAND_IN = "\u25a1"
"""The box that replaces a character that no font has, as on a phone."""
Range = tuple[int, int]
"""The first and the last character."""

_KEPT = ((0, 0x1F), (0x34F, 0x34F), (0x200C, 0x200D), (0x2028, 0x2029), (0xFE00, 0xFE0F), (0xE0000, 0xE01EF))
"""Characters that show nothing alone but are needed: joiners of scripts and emoji, and variants of letters."""


_ENTITY = re.compile(r"&#(?:x[0-9a-f]{2,6}|[0-9]{3,7});", re.IGNORECASE)


def _char(entity: str) -> str:
    """Return the character of an HTML entity, or the entity itself if the character has a meaning in HTML."""
    char = unescape(entity)
    return entity if char.isascii() else char


class Letters:
    """Characters that can be drawn."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        """Take ranges in any order. Without ranges, every character counts as available."""
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
        """Whether a character can be drawn. A character that shows nothing alone can."""
        code = ord(char)
        place = bisect_right(self._firsts, code) - 1
        return (place >= 0 and code <= self._ranges[place][1]) or char.isspace()

    def missing(self, text: str) -> str:
        """Return the characters of a text that cannot be drawn, each once, in the order of the text."""
        if text.isascii() or not self._known:
            return ""
        return "".join(char for char in dict.fromkeys(controls(text)) if not self.has(char) and not self._made_of(char))

    def drawable(self, text: str) -> str:
        """Return a text in which plainer characters or a box replace the characters that no font has."""
        if text.isascii() and "&#" not in text:
            return text
        text = controls(_ENTITY.sub(lambda found: _char(found[0]), text))
        if not self._known:
            return text
        lacking = {ord(char): self._made_of(char) or STAND_IN for char in set(text) if not self.has(char)}
        return text.translate(lacking) if lacking else text

    def _made_of(self, char: str) -> str:
        """Return the same text in plainer characters that can be drawn, empty if there are none."""
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
    """Return the characters of a font. A broken font raises any error of its reader."""
    from fontTools.ttLib import TTFont  # needed after the start only for a shop's own fonts

    with TTFont(io.BytesIO(body), lazy=True) as font:
        return ranges_of(font.getBestCmap() or ())


@cache
def noted() -> tuple[Range, ...]:
    """Return the saved characters of our own fonts; none if they were never saved."""
    try:
        return tuple(msgspec.json.decode(NOTED.read_bytes(), type=tuple[Range, ...]))
    except (OSError, msgspec.MsgspecError):
        return ()


@cache
def own_letters() -> Letters:
    """Return the characters that our own fonts draw."""
    return Letters(noted())


def write(files: Sequence[Path]) -> None:
    """Save the characters of these fonts."""
    found = [each for path in files for each in ranges_in(path.read_bytes())]
    merged = ranges_of(code for first, last in found for code in range(first, last + 1))
    NOTED.write_bytes(msgspec.json.encode(merged))


def main() -> None:
    """Save the ranges next to the fonts, and print the number of characters."""
    write(files(large=None))
    sys.stdout.write(f"{sum(last - first + 1 for first, last in noted()):,} characters can be drawn\n")
