"""`make readme-picture`: the animated picture of the README, recorded on the real demo in a real browser.

A visitor looks at products in the shop on the left and opens the email on the right again and again.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page
from rich.console import Console

from tests.browser import chromium
from wetink.demo.run import fill, prepare, serving
from wetink.demo.shop import BY_SKU

PICTURE = Path("docs/pictures/demo.webp")
WIDTH, HEIGHT, SCALE = 1180, 780, 1.18
FRAME_MS = 40
STEPS = 13
"""Frames of one movement of the mouse."""
LOOP_MS = (8_000, 15_000)
LIMIT = 2_500_000
"""Bytes that the picture may have, so that a README on a phone shows it soon."""
ARROW = ((0, 0), (0, 17), (4.2, 13.4), (7.2, 20.2), (10, 19), (7.1, 12.4), (12.4, 12))


class Recorder:
    """Takes pictures of a page and puts a mouse on them; `frames` are pictures with how long each stays, in ms."""

    def __init__(self, page: Page) -> None:
        self.frames: list[tuple[Image.Image, int]] = []
        self._page = page
        self._at = (WIDTH * 0.36, HEIGHT * 0.9)
        self._still = self._shoot()

    def hold(self, ms: int) -> None:
        """Show the page as it is now for `ms`."""
        self._still = self._shoot()
        self._add(self._at, ms)

    def click(self, target: Locator) -> None:
        """Move the mouse to the middle of `target`, press it there, and let the page follow."""
        box = target.bounding_box()
        assert box is not None, f"{target} is not on the page"
        (x, y), to = self._at, (box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.55)
        for step in range(1, STEPS + 1):
            share = step / STEPS
            eased = share * share * (3 - 2 * share)
            self._add((x + (to[0] - x) * eased, y + (to[1] - y) * eased), FRAME_MS)
        self._at = to
        self._page.mouse.move(*to)
        self.hold(4 * FRAME_MS)
        for ring in (6.0, 11.0, 16.0):
            self._add(to, FRAME_MS, ring)
        self._page.mouse.click(*to)

    def _shoot(self) -> Image.Image:
        return Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")

    def _add(self, at: tuple[float, float], ms: int, ring: float = 0) -> None:
        frame = self._still.copy()
        mouse = _mouse(ring)
        frame.paste(mouse, (round(at[0] * SCALE) - mouse.width // 2, round(at[1] * SCALE) - mouse.height // 2), mouse)
        self.frames.append((frame, ms))


def _mouse(ring: float) -> Image.Image:
    """Draw the pointer with its tip in the middle, and a ring of that radius around it while it is pressed."""
    fine = 4 * SCALE
    side = round(48 * fine)
    drawn = Image.new("RGBA", (side, side))
    pen, middle = ImageDraw.Draw(drawn), side / 2
    if ring:
        reach = ring * fine
        edges = (middle - reach, middle - reach, middle + reach, middle + reach)
        pen.ellipse(edges, fill=(176, 82, 45, 60), outline=(176, 82, 45, 210), width=round(1.6 * fine))
    shape = [(middle + x * fine, middle + y * fine) for x, y in ARROW]
    pen.polygon(shape, fill=(24, 30, 29, 255))
    pen.line([*shape, shape[0]], fill=(255, 255, 255, 255), width=round(1.5 * fine), joint="curve")
    return drawn.resize((round(48 * SCALE), round(48 * SCALE)), Image.Resampling.LANCZOS)


def record(page: Page, address: str) -> Recorder:
    """Play the story of the README: a mug, a lamp, a cart; the email is opened after each."""
    page.goto(f"{address}/demo")
    shop, opened = page.frame_locator("#shop"), page.frame_locator("#email")
    again = page.locator("#again")

    def settled() -> None:
        page.wait_for_load_state("networkidle")
        opened.locator("body").evaluate("Promise.all([...document.images].map(image => image.decode()))")
        opened.locator("body").evaluate("scrollTo(0, 84)")
        page.wait_for_timeout(300)

    def look(sku: str) -> None:
        recorder.click(shop.locator(f'a[href="{BY_SKU[sku].path}"]'))
        shop.locator(".detail h1").get_by_text(BY_SKU[sku].name).wait_for()
        page.locator("#news:not([hidden])").wait_for()
        page.wait_for_load_state("networkidle")
        recorder.hold(500)

    def open_email(shown: str, ms: int) -> None:
        recorder.click(again)
        page.locator("#reason").get_by_text(shown).wait_for()
        settled()
        recorder.hold(ms)

    page.locator("#reason").get_by_text("shows").wait_for()
    settled()
    recorder = Recorder(page)
    recorder.hold(1_200)
    look("TW-102")
    open_email("Ember Mug", 1_300)
    recorder.click(shop.get_by_role("link", name="Light", exact=True))
    shop.locator("h1").get_by_text("Light").wait_for()
    page.wait_for_load_state("networkidle")
    recorder.hold(200)
    look("TW-201")
    open_email("Moth Table Lamp", 1_300)
    recorder.click(shop.get_by_role("button", name="Add to cart"))
    shop.locator("#many").get_by_text("1").wait_for()
    page.wait_for_load_state("networkidle")
    recorder.hold(500)
    open_email("Moth Table Lamp", 2_000)
    return recorder


def main(target: Path = PICTURE) -> None:
    """Start the demo in a folder that goes away, record it, and write the picture."""
    with tempfile.TemporaryDirectory() as place:
        settings = prepare(Path(place) / "data", "127.0.0.1", 0)
        with serving(settings):
            fill(settings, Console(stderr=True))
            with chromium() as browser:
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
                frames = record(page, settings.address).frames
    lasts = sum(ms for _, ms in frames)
    if not LOOP_MS[0] <= lasts <= LOOP_MS[1]:
        raise SystemExit(f"the loop lasts {lasts / 1000:g} s; change STEPS or the holds")
    pictures = [frame for frame, _ in frames]
    pictures[0].save(
        target,
        save_all=True,
        append_images=pictures[1:],
        duration=[ms for _, ms in frames],
        loop=0,
        quality=84,
        method=4,
    )
    size = target.stat().st_size
    Console().print(f"{target}: {len(frames)} frames, {lasts / 1000:g} s, {pictures[0].size}, {size / 1e6:.2f} MB")
    if size > LIMIT:
        raise SystemExit(f"{target} is larger than {LIMIT / 1e6:g} MB")


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:]))
