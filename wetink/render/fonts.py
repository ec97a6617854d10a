"""Fonts: the engine knows only what is registered here, from the files that `make assets` puts in `fonts/`."""

import re
from collections.abc import Collection
from pathlib import Path

from pytakumi import Renderer

from wetink.core.errors import BadSettings

FOLDER = Path(__file__).parent / "fonts"

_NAME = re.compile(
    r"(?P<family>[a-z0-9-]+?)-(?P<script>latin|latin-ext|cyrillic|cyrillic-ext|greek|greek-ext|vietnamese|arabic|hebrew"
    r"|devanagari|thai|japanese|korean|emoji)-(?P<weight>[1-9]00)-(?P<style>normal|italic)"
)


_EMOJI = re.compile("[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]+ ?")


def drawable(text: str, families: Collection[str]) -> str:
    """Return text without emoji and arrows, unless there is a font for them: better none than an empty box."""
    return text if any("emoji" in family.lower() for family in families) else _EMOJI.sub("", text)


def register(engine: Renderer, folder: Path = FOLDER) -> list[str]:
    """Register every font file of a folder; return the names of the families for CSS, the default one first.

    A file is named like `poppins-latin-ext-600-normal.woff2`. Raises BadSettings when there is none, or one is broken.
    """
    files = sorted(path for path in folder.glob("*.*") if path.suffix in {".woff2", ".ttf", ".otf"})
    if not files:
        raise BadSettings("there are no fonts to draw pictures with", hint="run `make assets`", where=str(folder))
    families: dict[str, None] = {}
    for path in files:
        try:
            families[_register(engine, path)] = None
        except (RuntimeError, ValueError) as error:
            raise BadSettings(
                f"the font {path.name} cannot be read: {error}", hint="run `make assets` again", where=path.name
            ) from error
    return list(families)


def _register(engine: Renderer, path: Path) -> str:
    body = path.read_bytes()
    parts = _NAME.fullmatch(path.stem)
    if parts is None:
        return engine.register_font(body)[0]["name"]
    family = parts["family"].replace("-", " ").title()
    # Every script is a part of the family: the engine then finds a letter in whichever file has it.
    engine.register_font(
        body,
        name=f"{family} {parts['script']}",
        weight=float(parts["weight"]),
        style=parts["style"],
        subset_of=family,
    )
    return family
