"""Takumi: pytakumi turns HTML and style sheets into pixels, within limits, inside of this process."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import pytakumi

from wetink.core.errors import BadContent
from wetink.render import fonts
from wetink.render.compose import Pixels

MOST_DEPTH = 128
"""Levels of nested elements."""
MOST_ELEMENTS = 2000
"""Elements of one page: the engine's time grows with the square of their number if they are on one line."""


class Takumi:
    """Draws pages, without network and files; other threads run while it draws."""

    def __init__(self) -> None:
        """Load the fonts except the large ones. Raises BadSettings if there are none."""
        self._complete, self._changing = not fonts.files(large=True), threading.Lock()
        self._own: Mapping[str, bytes] = {}
        self.faces: dict[str, fonts.Face] = {}
        self._engine, self.families, _ = self._made()

    def complete(self) -> None:
        """Load the large fonts. It takes half a second."""
        with self._changing:
            if not self._complete:
                self._complete = True
                self._engine, self.families, _ = self._made()

    def use(self, own: Mapping[str, bytes]) -> list[str]:
        """Add these fonts; return the problems with the unusable ones."""
        with self._changing:
            if own == self._own:
                return []
            self._own = dict(own)
            self._engine, self.families, problems = self._made()
        return problems

    def _made(self) -> tuple[pytakumi.Renderer, list[str], list[str]]:
        """Return an engine of its own, since others draw with the one there is, with the fonts' families and faults."""
        engine = pytakumi.Renderer()
        self.faces = {}
        files = fonts.files(large=None if self._complete else False)
        families, problems = fonts.register(engine, files), []
        for name, body in self._own.items():
            try:
                for each in engine.register_font(body):
                    families += [each["name"]] if each["name"] not in families else []
                    for face in each["faces"]:
                        self.faces[name] = fonts.Face(each["name"], float(face["weight"]), str(face["style"]))
            except (RuntimeError, ValueError) as error:
                problems.append(f"fonts/{name}: it cannot be read: {error}")
        return engine, families, problems

    def draw(
        self, page: str, styles: Sequence[str], images: Mapping[str, bytes], width: int, height: int, scale: int
    ) -> Pixels:
        """Return a page of `width` by `height` device pixels. Raises BadContent if it cannot be drawn."""
        if page.count("<") - page.count("</") > MOST_ELEMENTS:
            raise BadContent(f"the template makes more than {MOST_ELEMENTS} elements", hint="use fewer elements")
        if not self._complete and fonts.LARGE.search(page):
            self.complete()
        try:
            drawn = self._engine.render_html(
                page,
                width=width,
                height=height,
                format="raw",
                stylesheets=styles,
                images=images,
                device_pixel_ratio=float(scale),
                font_families=self.families,
                max_depth=MOST_DEPTH,
            )
        except BaseException as error:  # a panic of the engine is no Exception, and this thread gets no interrupts
            raise BadContent(f"the template's HTML cannot be rendered: {error}") from error
        return np.frombuffer(drawn, np.uint8).reshape(height, width, 4)
