"""Engines: what turns HTML and CSS into pixels, one file each. `ENGINES` lists those that draw inside of a worker.

The operator's browser is one more, with processes of its own.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from wetink.core.errors import BadContent
from wetink.render.fonts import Face

if TYPE_CHECKING:
    from wetink.render.compose import Pixels

ENGINES = {
    "takumi": "wetink.render.engines.takumi:Takumi",
    "dynimg": "wetink.render.engines.dynimg:Dynimg",
}
DEFAULT, BROWSER = "takumi", "chromium"
"""The one that draws whatever names no other, and the browser."""

_HEADER = re.compile(r"\s*\{%-?\s*comment\s*-?%\}\s*engine:\s*([\w-]+)\s*\{%-?\s*endcomment\s*-?%\}")


class Engine(Protocol):
    """Draws pages inside of this process. It has no network and no files."""

    families: list[str]
    """The names of the fonts it has, the default one first."""

    faces: dict[str, Face]
    """What CSS calls the fonts of one's own, by file name."""

    def draw(
        self, page: str, styles: Sequence[str], images: Mapping[str, bytes], width: int, height: int, scale: int
    ) -> "Pixels":
        """Return a page of `width` by `height` device pixels. Raises BadContent when it cannot be drawn."""
        ...

    def complete(self) -> None:
        """Load what takes long, if there is anything."""
        ...

    def use(self, own: Mapping[str, bytes]) -> list[str]:
        """Draw with these fonts, too, from now on; return what is wrong with those that cannot be used."""
        ...


def named(template: str) -> str:
    """Return the engine that a template asks for in its first words, the usual one when it asks for none.

    Raises BadContent when there is no such engine.

    >>> named("{% comment %} engine: chromium {% endcomment %}<p>"), named("<p>")
    ('chromium', 'takumi')
    """
    found = _HEADER.match(template)
    name = found[1] if found else DEFAULT
    if name not in (*ENGINES, BROWSER):
        raise BadContent(f"there is no engine called {name!r}", hint=f"engines: {', '.join((*ENGINES, BROWSER))}")
    return name


def made(name: str) -> Engine:
    """Return an engine. Raises BadContent when what it draws with is not installed."""
    module, _, kind = ENGINES[name].partition(":")
    try:
        engine: Engine = getattr(import_module(module), kind)()
    except ImportError as error:
        raise BadContent(f"the engine {name} is not installed", hint=f"pip install 'wetink[{name}]'") from error
    return engine
