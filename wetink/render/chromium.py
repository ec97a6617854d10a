"""Chromium: the operator's browser, for templates that name it and to compare Takumi's pictures with.

It runs beside this process, driven by Playwright. It draws one page at a time, without network and without the
page's scripts, and is killed when a page takes too much time or memory.
"""

import asyncio
import base64
import contextlib
import os
import re
import secrets
import signal
from collections.abc import Coroutine, Iterable, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Error, Page, Playwright, async_playwright

from wetink.core.errors import BadContent
from wetink.render.fonts import RANGES, Face, family_of, files, naming, needs, script_of
from wetink.render.page import BORDER_BOX

START_SECONDS, DRAW_SECONDS, END_SECONDS = 20.0, 6.0, 5.0
"""Seconds for the browser to start, to draw a page, and for Playwright to notice that it is dead."""
MOST_BYTES, LOOK_SECONDS = 1 << 30, 0.1
"""Bytes of private memory that all its processes may have, and the interval between measurements while it draws."""
PAGE_BYTES = os.sysconf("SC_PAGESIZE")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no host that a page names resolves
)
META = re.compile("<(?=meta)", re.IGNORECASE)
"""The start of an element that could point the browser elsewhere, even to a file of this machine."""
_READY = """async () => {
  await Promise.all([...document.fonts].map(each => each.load().catch(() => 0)));
  await Promise.all([...document.images].map(each => each.decode().catch(() => 0)));
}"""


class Chromium:
    """Draws pages with the browser at a path. It starts at the first page."""

    def __init__(self, path: Path, home: Path) -> None:
        self._path, self._home = path, home
        self._own = ""
        self._mark = f"--wetink-{secrets.token_hex(8)}"  # a flag for finding the browser's processes
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._pages: dict[int, Page] = {}
        self._session = 0
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
                simpler = "make the template simpler"
                if isinstance(error, TimeoutError):
                    raise BadContent("the browser takes too long to render it", hint=simpler) from None
                if isinstance(error, MemoryError):
                    raise BadContent("the browser takes too much memory to render it", hint=simpler) from None
                if isinstance(error, OSError | Error):
                    why = str(error).partition("\n")[0]
                    raise BadContent(f"the browser cannot render it: {why}", hint="see the setting chromium") from error
                raise

    def use(self, fonts: Iterable[tuple[Face, bytes]]) -> None:
        """Add these fonts to the built-in ones."""
        self._own = "\n".join(_face(face, "", body) for face, body in fonts)

    async def close(self) -> None:
        """End the browser. You can call it twice."""
        async with self._turn:
            await self._end()

    async def _start(self) -> None:
        if not os.access(self._path, os.X_OK):
            raise FileNotFoundError(f"there is no browser at {self._path}")
        await asyncio.to_thread(self._home.mkdir, parents=True, exist_ok=True)
        try:
            self._driver = await async_playwright().start()
        except Exception as error:  # Playwright raises a bare one, and uvloop another, if its own process ends at once
            raise OSError("Playwright does not start; the log has its reason") from error
        self._browser = await self._driver.chromium.launch(
            executable_path=self._path,
            args=[*FLAGS, self._mark],
            chromium_sandbox=os.geteuid() != 0,  # its sandbox does not start as root
        )
        self._session = await asyncio.to_thread(_session_of, self._mark)

    async def _bounded(self, drawing: Coroutine[Any, Any, bytes]) -> bytes:
        """Wait for a page; raise MemoryError if it takes too much memory."""
        page = asyncio.ensure_future(drawing)
        try:
            while not (await asyncio.wait([page], timeout=LOOK_SECONDS))[0]:
                if await asyncio.to_thread(_memory, self._session) > MOST_BYTES:
                    raise MemoryError
            return page.result()
        finally:
            page.cancel()
            await asyncio.wait([page])

    async def _drawn(self, html: str, size: tuple[int, int], scale: int, *, clear: bool) -> bytes:
        assert self._browser is not None  # noqa: S101 (it was started just now)
        if (page := self._pages.get(scale)) is None:
            page = await self._browser.new_page(device_scale_factor=scale, java_script_enabled=False, offline=True)
            self._pages[scale] = page
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        path = self._home / "page.html"  # many times as fast as set_content for a page with megabytes of fonts
        await asyncio.to_thread(path.write_text, html, "utf-8")
        await page.goto(path.absolute().as_uri())
        await page.evaluate(_READY)
        return await page.screenshot(omit_background=clear)

    async def _end(self) -> None:
        driver, session = self._driver, self._session
        self._driver, self._browser, self._session = None, None, 0
        self._pages.clear()
        if session:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(session, signal.SIGKILL)
        if driver is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.shield(asyncio.wait_for(driver.stop(), END_SECONDS))


def _session_of(mark: str) -> int:
    """Return the session in which Playwright started the browser, found by a flag on its command line.

    Raises OSError if there is none, since without it nothing limits the browser's memory.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended since
            session = os.getsid(int(folder.name))
            if mark.encode() in (folder / "cmdline").read_bytes() and session != os.getsid(0):
                return session
    raise OSError("its memory cannot be limited: its processes are not in /proc")


def _memory(session: int) -> int:
    """Return the bytes of private memory of a session's processes: resident and not shared (see proc(5))."""
    own = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended since
            if os.getsid(int(folder.name)) == session:
                resident, shared = (folder / "statm").read_text().split()[1:3]
                own += (int(resident) - int(shared)) * PAGE_BYTES
    return own


def _document(page: str, styles: str, photos: Mapping[str, bytes], own: str) -> str:
    """Return a whole page with its photos embedded."""
    for url in sorted(photos, key=len, reverse=True):  # one address may be the start of another
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
    css, markup = (META.sub("<x-", naming(each, families)) for each in (styles, page))
    style = f"<style>{own}\n{faces}\n{base}\n{css}</style>"
    return f"<!doctype html><html><head>{head}{style}</head><body>{markup}</body></html>"


@lru_cache(maxsize=512)
def _ours(path: Path) -> str:
    weight = next((part for part in path.stem.split("-") if part.isdecimal()), "400")
    face = Face(family_of(path), float(weight), "italic" if path.stem.endswith("italic") else "normal")
    return _face(face, script_of(path), path.read_bytes())


def _face(face: Face, script: str, body: bytes) -> str:
    """Return a font as a CSS declaration that contains all of it."""
    inside = base64.b64encode(body).decode()
    letters = f"; unicode-range: {RANGES[script]}" if script else ""
    family = re.sub(r"[^\w -]", "", face.family)
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {face.weight:g}; font-style: {face.style}{letters}; '
        f"src: url(data:font/woff2;base64,{inside}) }}"
    )
