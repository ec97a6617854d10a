"""Fonts: the engine knows only what is registered here, from the files that `make assets` puts in `fonts/`."""

import re
from collections.abc import Sequence
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
    r"|devanagari|thai|armenian|bengali|ethiopic|georgian|gujarati|gurmukhi|kannada|khmer|lao|malayalam|myanmar|sinhala"
    r"|tamil|telugu|thaana|symbols|japanese|korean|chinese-simplified|chinese-traditional|emoji)"
    r"-(?P<weight>[1-9]00)-(?P<style>normal|italic)"
)


LAST = ("twemoji", "noto-sans-symbols", "noto-sans-math", "dejavu-sans")
"""The beginnings of fonts that have a bit of everything, in this order: what another font has is drawn by that one."""


def files(*, large: bool | None, folder: Path = FOLDER) -> list[Path]:
    """Return the font files of a folder: those for scripts of thousands of letters, all others, or all."""
    there = (path for path in folder.glob("*.*") if path.suffix in {".woff2", ".ttf", ".otf"})
    found = sorted(there, key=lambda path: (_rank(path), path))
    if large is None:
        return found
    return [path for path in found if any(f"-{script}-" in path.name for script in SCRIPTS) == large]


def _rank(path: Path) -> int:
    return next((rank for rank, name in enumerate(LAST, 1) if path.name.startswith(name)), 0)


def stamp() -> list[str]:
    """Return what changes when other fonts are there."""
    return [f"{path.name} {path.stat().st_size}" for path in files(large=None)]


def present(found: Sequence[Path] | None = None) -> None:
    """Raise BadSettings when there are no fonts, of these files or at all."""
    if not (files(large=False) if found is None else found):
        raise BadSettings("there are no fonts", hint="run `make assets`", where=str(FOLDER))


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
