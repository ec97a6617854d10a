"""Chromium: the browser of the operator's, for templates that ask for it and to hold other engines' pictures against.

It runs beside this process, draws one page at a time, reaches nothing, runs no script of a page, and is ended when a
page takes too long or too much memory.
"""

import asyncio
import base64
import re
from collections.abc import Coroutine, Iterable, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from wetink.core.errors import BadContent
from wetink.render.engines.devtools import DevTools
from wetink.render.fonts import Face, family_of, files
from wetink.render.markup import BORDER_BOX
from wetink.render.scripts import RANGES, naming, needs, script_of

START_SECONDS, DRAW_SECONDS = 20.0, 6.0
"""What the browser may take to start, and to draw a page."""
MOST_BYTES, LOOK_SECONDS = 1 << 30, 0.1
"""Memory that all its processes may have to themselves, and how often that is looked at while it draws."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
_READY = """(async () => {
  await Promise.all([...document.fonts].map(each => each.load().catch(() => 0)));
  await Promise.all([...document.images].map(each => each.decode().catch(() => 0)));
})()"""


class Chromium:
    """Draws pages with the browser at a path. Nothing is started before the first page."""

    def __init__(self, path: Path, home: Path) -> None:
        """Take the browser, and a folder for its pages."""
        self._path, self._home = path, home
        self._own = ""
        self._browser: DevTools | None = None
        self._session = ""
        self._turn = asyncio.Lock()

    async def draw(
        self, page: str, styles: str, photos: Mapping[str, bytes], size: tuple[int, int], scale: int, *, clear: bool
    ) -> bytes:
        """Return a page as PNG; `size` is in CSS pixels, and `photos` are by address. Raises BadContent."""
        html = _document(page, styles, photos, self._own)
        async with self._turn:
            try:
                if self._browser is None:
                    async with asyncio.timeout(START_SECONDS):
                        await self._start()
                async with asyncio.timeout(DRAW_SECONDS):
                    return await self._bounded(self._drawn(html, size, scale, clear=clear))
            except BaseException as error:
                await self._end()
                if isinstance(error, TimeoutError):
                    raise BadContent(
                        "the browser takes too long to draw it", hint="make the template simpler"
                    ) from None
                if isinstance(error, MemoryError):
                    raise BadContent(
                        "the browser takes too much memory to draw it", hint="make the template simpler"
                    ) from None
                if isinstance(error, OSError | ValueError):
                    raise BadContent(f"the browser cannot draw it: {error}", hint="see the setting chromium") from error
                raise

    def use(self, fonts: Iterable[tuple[Face, bytes]]) -> None:
        """Draw with these fonts, too."""
        self._own = "\n".join(_face(face, "", body) for face, body in fonts)

    async def close(self) -> None:
        """End the browser. Calling it twice is fine."""
        async with self._turn:
            await self._end()

    async def _start(self) -> None:
        await asyncio.to_thread(self._home.mkdir, parents=True, exist_ok=True)
        self._browser = await DevTools.started(self._path)
        target = await self._browser.ask("Target.createTarget", url="about:blank")
        attached = await self._browser.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        await self._browser.ask("Page.enable", self._session)

    async def _bounded(self, drawing: Coroutine[Any, Any, bytes]) -> bytes:
        """Wait for a page; raise MemoryError when it takes too much."""
        browser, page = self._browser, asyncio.ensure_future(drawing)
        assert browser is not None  # noqa: S101 (it was started just now)
        try:
            while not (await asyncio.wait([page], timeout=LOOK_SECONDS))[0]:
                if await asyncio.to_thread(browser.memory) > MOST_BYTES:
                    raise MemoryError
            return page.result()
        finally:
            page.cancel()
            await asyncio.wait([page])

    async def _drawn(self, html: str, size: tuple[int, int], scale: int, *, clear: bool) -> bytes:
        browser, session = self._browser, self._session
        assert browser is not None  # noqa: S101 (it was started just now)
        width, height = size
        look = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        await browser.ask("Emulation.setDeviceMetricsOverride", session, **look)
        color = {"r": 255, "g": 255, "b": 255, "a": 0} if clear else {"r": 255, "g": 255, "b": 255, "a": 1}
        await browser.ask("Emulation.setDefaultBackgroundColorOverride", session, color=color)
        path = self._home / "page.html"
        await asyncio.to_thread(path.write_text, html, "utf-8")
        await browser.ask("Page.navigate", session, url=path.absolute().as_uri())
        await browser.news("Page.loadEventFired")
        await browser.ask("Runtime.evaluate", session, expression=_READY, awaitPromise=True)
        shot = await browser.ask("Page.captureScreenshot", session, format="png", optimizeForSpeed=True)
        return base64.b64decode(shot["data"])

    async def _end(self) -> None:
        browser, self._browser = self._browser, None
        if browser is not None:
            await asyncio.shield(browser.kill())


def _document(page: str, styles: str, photos: Mapping[str, bytes], own: str) -> str:
    """Return a whole page with its photos in it."""
    for url in sorted(photos, key=len, reverse=True):  # one address may begin another
        body = photos[url]
        kind = "png" if body.startswith(b"\x89PNG") else "jpeg"
        inside = f"data:image/{kind};base64,{base64.b64encode(body).decode()}"
        for written in {url, escape(url), url.replace("&", "&amp;")}:
            page, styles = page.replace(written, inside), styles.replace(written, inside)
    needed = [path for path in (*files(large=False), *files(large=True)) if needs(page, path)]
    families = list(dict.fromkeys(map(family_of, needed)))
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    faces = "\n".join(map(_ours, needed))
    base = f"{BORDER_BOX} html, body {{ margin: 0; font-family: {', '.join(families)} }}"
    css = f"{own}\n{faces}\n{base}\n{naming(styles, families)}"
    return f"<!doctype html><html><head>{head}<style>{css}</style></head><body>{naming(page, families)}</body></html>"


@lru_cache(maxsize=512)
def _ours(path: Path) -> str:
    weight = next((part for part in path.stem.split("-") if part.isdecimal()), "400")
    face = Face(family_of(path), float(weight), "italic" if path.stem.endswith("italic") else "normal")
    return _face(face, script_of(path), path.read_bytes())


def _face(face: Face, script: str, body: bytes) -> str:
    """Return a font as CSS declares it, with all of it inside."""
    inside = base64.b64encode(body).decode()
    letters = f"; unicode-range: {RANGES[script]}" if script else ""
    family = re.sub(r"[^\w -]", "", face.family)
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {face.weight:g}; font-style: {face.style}{letters}; '
        f"src: url(data:font/woff2;base64,{inside}) }}"
    )
