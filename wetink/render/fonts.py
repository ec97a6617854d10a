"""Fonts: the engine knows only what is registered here, from the files that `make assets` puts in `fonts/`."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from wetink.core.errors import BadSettings

if TYPE_CHECKING:  # the engine is for workers: who only looks whether there are fonts needs none
    from pytakumi import Renderer


class Face(msgspec.Struct, frozen=True):
    """What CSS calls a font."""

    family: str
    weight: float = 400.0
    style: str = "normal"


FOLDER = Path(__file__).parent / "fonts"

SCRIPTS = ("japanese", "korean", "chinese-simplified", "chinese-traditional")
LARGE = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
"""Scripts with thousands of letters, whose fonts are loaded when they are needed, and their letters."""

_NAME = re.compile(
    r"(?P<family>[a-z0-9-]+?)-(?P<script>latin|latin-ext|cyrillic|cyrillic-ext|greek|greek-ext|vietnamese|arabic|hebrew"
    r"|devanagari|thai|japanese|korean|chinese-simplified|chinese-traditional|emoji)-(?P<weight>[1-9]00)-(?P<style>normal|italic)"
)


_PICTURES = (
    "\u2194-\u2199\u21a9\u21aa\u2600-\u2604\u260e\u2611\u2614\u2615\u2618\u261d\u2620\u2622\u2623\u2626"
    "\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f\u2660\u2663\u2665\u2666\u2668\u267b"
    "\u267e\u267f\u2692-\u2697\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1\u26bd\u26be"
    "\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702"
    "\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e"
    "\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55"
)
"""The emoji among arrows, symbols and dingbats (Unicode's UTS 51, emoji-data)."""

_SYMBOL = re.compile(f"(?![{_PICTURES}])[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff]\ufe0f? ?")
_EMOJI = re.compile("[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]+ ?")


def drawable(text: str, families: Collection[str]) -> str:
    """Return text without arrows and symbols that no font has, nor emoji if there are none: better than empty boxes.

    >>> drawable("A \u2192 B \u2764\ufe0f", ["Inter", "Twemoji"]), drawable("A \u2192 B \u2764\ufe0f", ["Inter"])
    ('A B \u2764\ufe0f', 'A B ')
    """
    return (_SYMBOL if any("emoji" in family.lower() for family in families) else _EMOJI).sub("", text)


def files(*, large: bool, folder: Path = FOLDER) -> list[Path]:
    """Return the font files of a folder: those for scripts of thousands of letters, or all others."""
    found = sorted(path for path in folder.glob("*.*") if path.suffix in {".woff2", ".ttf", ".otf"})
    return [path for path in found if any(f"-{script}-" in path.name for script in SCRIPTS) == large]


def stamp() -> list[str]:
    """Return what changes when other fonts are there."""
    return [f"{path.name} {path.stat().st_size}" for large in (False, True) for path in files(large=large)]


def present(found: Sequence[Path] | None = None) -> None:
    """Raise BadSettings when there are no fonts, of these files or at all."""
    if not (files(large=False) if found is None else found):
        raise BadSettings("there are no fonts to draw pictures with", hint="run `make assets`", where=str(FOLDER))


def register(engine: "Renderer", files: Sequence[Path]) -> list[str]:
    """Register font files; return the names of the families for CSS, the default one first.

    A file is named like `poppins-latin-ext-600-normal.woff2`. Raises BadSettings when there is none, or one is broken.
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
    # Every script is a part of the family: the engine then finds a letter in whichever file has it.
    engine.register_font(
        body,
        name=f"{family} {parts['script']}",
        weight=float(parts["weight"]),
        style=parts["style"],
        subset_of=family,
    )
    return family
