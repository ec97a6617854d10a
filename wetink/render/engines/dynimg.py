"""Dynimg: HTML and style sheets into pixels by dynimg (Blitz), for whoever installs it: `pip install wetink[dynimg]`.

It draws some of CSS that the usual engine lacks, and lacks more: no emoji, no ellipsis, no fonts of one's own. Where
the machine has fonts, they stand in for letters that ours have not.
"""

import base64
import re
from collections.abc import Mapping, Sequence

import dynimg
import numpy as np

from wetink.core.errors import BadContent
from wetink.render import fonts
from wetink.render.compose import Pixels
from wetink.render.markup import BORDER_BOX
from wetink.render.scripts import naming, needs, script_of

MOST_DEPTH, MOST_ELEMENTS = 100, 2000
"""Elements in elements, and elements of a page: beyond some thousand levels it crashes."""

_TAG = re.compile(r"<(/?)([a-z][\w-]*)[^>]*?(/?)>", re.IGNORECASE)
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))


class Dynimg:
    """Draws pages. Implements `engines.Engine`."""

    def __init__(self) -> None:
        """Look which fonts there are."""
        found = (*fonts.files(large=False), *fonts.files(large=True))
        self._files = [path for path in found if script_of(path) != "emoji"]
        self.families, self.faces = ["Inter"], dict[str, fonts.Face]()

    def complete(self) -> None:
        """There is nothing to load: fonts are read for each page."""

    def use(self, own: Mapping[str, bytes]) -> list[str]:
        """Say of each font that it is not used."""
        return [f"fonts/{name}: the engine dynimg does not draw with fonts of one's own" for name in own]

    def draw(
        self, page: str, styles: Sequence[str], images: Mapping[str, bytes], width: int, height: int, scale: int
    ) -> Pixels:
        """Return a page of `width` by `height` device pixels. Raises BadContent when it cannot be drawn."""
        _check(page)
        css = "\n".join(styles)
        for url in sorted(images, key=len, reverse=True):
            kind = "png" if images[url].startswith(b"\x89PNG") else "jpeg"
            inside = f"data:image/{kind};base64,{base64.b64encode(images[url]).decode()}"
            for written in {url, url.replace("&", "&amp;")}:
                page, css = page.replace(written, inside), css.replace(written, inside)
        files = [path for path in self._files if needs(page, path)]
        # It looks no further than the families that are named: so those of other scripts are named everywhere.
        families = list(dict.fromkeys(map(fonts.family_of, files)))
        base = f"{BORDER_BOX} html, body {{ margin: 0; font-family: {', '.join(families)} }}"
        page, css = naming(page, families), naming(css, families)
        html = f"<!doctype html><html><head><style>{base}\n{css}</style></head><body>{page}</body></html>"
        options = dynimg.RenderOptions(
            width=-(-width // scale),
            height=-(-height // scale),
            scale=float(scale),
            fonts=[{fonts.family_of(path): str(path)} for path in files],
        )
        try:
            drawn = dynimg.render(html, options)
        except BaseException as error:  # a panic of the engine is no Exception
            raise BadContent(f"the template's HTML cannot be drawn: {error}") from error
        pixels = np.frombuffer(drawn.data, np.uint8).reshape(drawn.height, drawn.width, 4)
        return np.ascontiguousarray(pixels[:height, :width])


def _check(page: str) -> None:
    """Raise BadContent for a page that the engine would crash on."""
    depth = most = count = 0
    for each in _TAG.finditer(page):
        count += not each[1]
        if each[2].lower() not in _VOID and not each[3]:
            depth += -1 if each[1] else 1
            most = max(most, depth)
    if most > MOST_DEPTH or count > MOST_ELEMENTS:
        raise BadContent(
            f"the template makes more than {MOST_ELEMENTS} elements, or {MOST_DEPTH} in one another",
            hint="draw fewer of them",
        )
