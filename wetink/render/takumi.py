"""Takumi: the renderer on the engine of that name, which lays out HTML and CSS inside of this process."""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytakumi

from wetink.core.errors import BadContent
from wetink.ports import Photos, Picture, Scene
from wetink.render import encode, fonts, liquid
from wetink.render.markup import Markup, taken_apart
from wetink.render.photo import fitted, placeholder

PHOTO_MS = 600
"""How long a photo may keep a picture waiting; then a placeholder is drawn."""
MOST_PHOTOS = 24
"""Photos of one picture; the rest are drawn as placeholders."""
MOST_DEPTH = 128
"""Levels of elements in elements."""
MOST_ELEMENTS = 2000
"""Elements of one picture: the engine's time grows with the square of their number when they stand in one line."""
MOST_PIXELS = 12_000_000
"""Device pixels of one picture."""


class Takumi:
    """Draws scenes, as many at a time as there are cores. Implements `ports.Renderer`."""

    def __init__(self, photos: Photos) -> None:
        """Load the fonts. Raises BadSettings when there are none."""
        self._photos = photos
        self._engine = pytakumi.Renderer()
        self._families = fonts.register(self._engine)
        # The engine lets other threads run while it draws, so threads are enough to use every core.
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "wetink-render")

    async def render(self, scene: Scene) -> Picture:
        """Return the picture. Raises BadContent for a template that cannot be drawn; bounded in time and memory."""
        if scene.width * scene.height * scene.scale**2 > MOST_PIXELS:
            raise BadContent(f"the picture has more than {MOST_PIXELS:,} pixels", hint="make the block smaller")
        loop = asyncio.get_running_loop()
        markup = await loop.run_in_executor(self._threads, self._written, scene)
        images = await self._images(markup, scene)
        return await loop.run_in_executor(self._threads, self._drawn, markup, images, scene)

    def close(self) -> None:
        """Finish what is being drawn, and take no more. Calling it twice is fine."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _images(self, markup: Markup, scene: Scene) -> dict[str, bytes]:
        """Return the pictures a piece of markup draws: only of addresses the scene allows, else the placeholder."""
        wanted = [url for url in scene.photos if markup.mentions(url)][:MOST_PHOTOS]
        bodies = await asyncio.gather(*(self._photos.get(url, PHOTO_MS) for url in wanted))
        images = dict.fromkeys((source for source in markup.sources if not source.startswith("data:")), b"")
        images.update({url: body or b"" for url, body in zip(wanted, bodies, strict=True)})
        return images

    def _written(self, scene: Scene) -> Markup:
        html = fonts.drawable(liquid.html(scene.template, scene.data), self._families)
        if html.count("<") - html.count("</") > MOST_ELEMENTS:
            raise BadContent(f"the template makes more than {MOST_ELEMENTS} elements", hint="draw fewer of them")
        return taken_apart(html, scene.width, scene.height, transparent=scene.transparent)

    def _drawn(self, markup: Markup, images: Mapping[str, bytes], scene: Scene) -> Picture:
        width, height = scene.width * scene.scale, scene.height * scene.scale
        try:
            pixels = self._engine.render_html(
                markup.body,
                width=width,
                height=height,
                format="png" if scene.transparent else "raw",
                stylesheets=markup.styles,
                images={url: (body and fitted(body)) or placeholder() for url, body in images.items()},
                device_pixel_ratio=float(scene.scale),
                font_families=self._families,
                max_depth=MOST_DEPTH,
            )
        except BaseException as error:  # a panic of the engine is no Exception, and this thread gets no interrupts
            raise BadContent(f"the template's HTML cannot be drawn: {error}") from error
        return encode.png(pixels) if scene.transparent else encode.jpeg(pixels, width, height)
