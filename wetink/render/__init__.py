"""Renders decided scenes: Liquid makes HTML, an engine draws pixels, an encoder writes the bytes of the picture."""

from pathlib import Path
from typing import TYPE_CHECKING

from wetink.core.errors import BadSettings
from wetink.render.media import Darkroom as Darkroom
from wetink.render.photo import blank as blank
from wetink.render.renderer import Renderer as Renderer

if TYPE_CHECKING:
    from wetink.render.chromium import Chromium


def browser(path: Path, home: Path) -> "Chromium":
    """Return the operator's browser, with a folder for its pages. Raises BadSettings if Playwright is missing."""
    try:
        from wetink.render.chromium import Chromium
    except ImportError as error:
        install = "pip install 'wetink[chromium]'"
        raise BadSettings(
            "Playwright, which drives the browser, is not installed", where="chromium", hint=install
        ) from error
    return Chromium(path, home)
