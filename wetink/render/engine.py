"""Engine: HTML and style sheets into pixels, within bounds, by pytakumi inside of this process."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import pytakumi

from wetink.core.errors import BadContent
from wetink.render import fonts
from wetink.render.compose import Pixels

MOST_DEPTH = 128
"""Levels of elements in elements."""
MOST_ELEMENTS = 2000
"""Elements of one page: the engine's time grows with the square of their number when they stand in one line."""


class Engine:
    """Draws pages. It has no network and no files; other threads run while it draws."""

    def __init__(self) -> None:
        """Load the fonts, but for the large ones. Raises BadSettings when there are none."""
        self._engine = pytakumi.Renderer()
        self.families = fonts.register(self._engine, fonts.files(large=False))
        self._complete, self._completing = not fonts.files(large=True), threading.Lock()

    def complete(self) -> None:
        """Load the large fonts as well, which takes half a second. They are used from then on."""
        with self._completing:
            if not self._complete:
                engine = pytakumi.Renderer()  # of its own, since others draw with the one there is
                families = fonts.register(engine, [*fonts.files(large=False), *fonts.files(large=True)])
                self._engine, self.families, self._complete = engine, families, True

    def draw(
        self, page: str, styles: Sequence[str], images: Mapping[str, bytes], width: int, height: int, scale: int
    ) -> Pixels:
        """Return a page of `width` by `height` device pixels. Raises BadContent when it cannot be drawn."""
        if page.count("<") - page.count("</") > MOST_ELEMENTS:
            raise BadContent(f"the template makes more than {MOST_ELEMENTS} elements", hint="draw fewer of them")
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
            raise BadContent(f"the template's HTML cannot be drawn: {error}") from error
        return np.frombuffer(drawn, np.uint8).reshape(height, width, 4)
