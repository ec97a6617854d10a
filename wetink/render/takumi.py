"""Takumi: the renderer on the engine of that name. What was drawn before is not drawn again.

In this order: the same picture as before → the layer of the page and its tiles, as far as they were drawn before →
the whole page.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from msgspec.structs import replace

from wetink.core.errors import BadContent
from wetink.ports import Photos, Picture, Scene, Ticking
from wetink.render import check, encode, fonts, liquid
from wetink.render.drawing import Drawing, Photo, Sheet, sheet
from wetink.render.engine import Engine
from wetink.render.gif.countdown import gif
from wetink.render.gif.face import Faces, Look
from wetink.render.kept import Kept, key_of
from wetink.render.markup import Markup, taken_apart

T = TypeVar("T")

PHOTO_MS, WARM_PHOTO_MS = 400, 5_000
"""How long a photo may keep a picture waiting, then a placeholder is drawn; and how long when nobody waits for it."""
MOST_PHOTOS = 24
"""Photos of one picture; the rest are drawn as placeholders."""
MOST_PIXELS = 12_000_000
"""Device pixels of one picture."""
PICTURES, HASHED = 32 << 20, 32 << 20
"""Bytes that are kept of finished pictures, and of photos whose hash is known."""


class Takumi:
    """Draws scenes, as many at a time as there are cores. Implements `ports.Renderer`."""

    def __init__(self, photos: Photos) -> None:
        """Load the fonts. Raises BadSettings when there are none."""
        self._photos = photos
        self._engine = Engine()
        self._fonts: dict[str, bytes] = {}
        self._drawing = Drawing(self._engine)
        self._faces = Faces(self._drawing, self._engine.families)
        # The engine lets other threads run while it draws, so threads are enough to use every core.
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "wetink-render")
        self._warming = asyncio.Semaphore(1)
        self._pictures = Kept[Picture](PICTURES, lambda picture: len(picture.body))
        self._hashed = Kept[tuple[bytes, bytes]](HASHED, lambda known: len(known[0]))

    async def prepare(self) -> None:
        """Load what takes long, so that no open has to wait for it."""
        await self._in_thread(self._engine.complete)

    def use(self, fonts: Mapping[str, bytes]) -> Sequence[str]:
        """Draw with these fonts (by file name), too; return what is wrong with them. What was drawn is forgotten.

        Blocks: call it in a thread.
        """
        problems = self._engine.use(fonts)
        if fonts != self._fonts:
            self._fonts = dict(fonts)
            self._forget()
        return problems

    def _forget(self) -> None:
        self._drawing = Drawing(self._engine)
        self._pictures = Kept[Picture](PICTURES, lambda picture: len(picture.body))

    async def render(self, scene: Scene) -> Picture:
        """Return the picture. Raises BadContent for a template that cannot be drawn; bounded in time and memory."""
        page = await self._sheet(scene, PHOTO_MS)
        kept = self._pictures.get(page.key)
        if kept is not None:
            return kept
        return await self._in_thread(lambda: self._pictures.made(page.key, lambda: self._encoded(page)))

    async def countdown(self, ticking: Ticking) -> Picture:
        """Return an animated GIF whose first picture is complete. Raises BadContent for a size it cannot have."""
        look = Look(ticking.title, ticking.labels, ticking.accent, scheme=ticking.scheme)

        def drawn() -> Picture:
            ready = self._faces.drawn(look, ticking.width, ticking.height, ticking.scale)
            return Picture(gif(ready, ticking.remaining_ms), "image/gif")

        return await self._in_thread(drawn)

    async def warm(self, scene: Scene) -> None:
        """Draw the layer and the tiles of a scene ahead of need, one scene at a time. Never raises BadContent."""
        async with self._warming:
            try:
                page = await self._sheet(scene, WARM_PHOTO_MS)
                await self._in_thread(lambda: self._drawing.drawn(page))
            except BadContent:
                return  # the open will say so, where somebody sees it

    async def check_tiles(self, scene: Scene) -> Sequence[str]:
        """Return what is wrong with the tiles of a template, with the line. Raises BadContent if it cannot be drawn."""
        page = await self._sheet(replace(scene, template=check.numbered(scene.template)), WARM_PHOTO_MS)
        return await self._in_thread(lambda: check.flaws(self._drawing, page))

    def close(self) -> None:
        """Finish what is being drawn, and take no more. Calling it twice is fine."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _sheet(self, scene: Scene, photo_ms: int) -> Sheet:
        """Return a scene filled in, with its photos."""
        if scene.width * scene.height * scene.scale**2 > MOST_PIXELS:
            raise BadContent(f"the picture has more than {MOST_PIXELS:,} pixels", hint="make the block smaller")
        markup = await self._in_thread(lambda: self._written(scene))
        wanted = [url for url in scene.photos if markup.mentions(url)][:MOST_PHOTOS]
        # Only addresses the scene allows are fetched; whatever else the page draws is a placeholder.
        bodies = dict.fromkeys((source for source in markup.sources if not source.startswith("data:")), b"")
        bodies.update(await self._bodies(wanted, photo_ms))
        return sheet(scene, markup, {url: self._photo(url, body, markup, scene) for url, body in bodies.items()})

    async def _bodies(self, urls: Sequence[str], photo_ms: int) -> dict[str, bytes]:
        """Return photos by address, empty if they cannot be had in time. They are fetched at the same time."""
        for url in urls:
            self._photos.warm(url)
        # Most are at hand, and asking for one after the other spares a task for each.
        until = time.monotonic() + photo_ms / 1000
        return {
            url: await self._photos.get(url, max(0, round((until - time.monotonic()) * 1000))) or b"" for url in urls
        }

    def _written(self, scene: Scene) -> Markup:
        return taken_apart(fonts.drawable(liquid.html(scene.template, scene.data), self._engine.families))

    def _photo(self, url: str, body: bytes, markup: Markup, scene: Scene) -> Photo:
        box = markup.boxes.get(url)
        if box is not None:
            box = (box[0] * scene.scale, box[1] * scene.scale)
        known = self._hashed.get(url.encode())
        if known is None or known[0] is not body:  # the very object that was hashed before need not be hashed again
            known = body, key_of(body)
            self._hashed.put(url.encode(), known)
        return Photo(body, box, key_of(known[1], *(box or ())))

    def _encoded(self, page: Sheet) -> Picture:
        pixels = self._drawing.drawn(page)
        return encode.png(pixels) if page.scene.transparent else encode.jpeg(pixels)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
