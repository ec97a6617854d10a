"""Pictures: 600x300 at 2x with three photos, drawn in process, beside a warm Chromium's screenshots of the same HTML.

The drawing side begins with the template and its data and ends with the bytes that are served; the browser gets the
finished HTML, with the photos inside. All turn by turn, each time with other words and other photos. The browser rests
after each screenshot: for up to 60 ms after its answer it goes on working, on the core that the next turn needs.

- all new: not one part of the picture was drawn before, and no photo was decoded;
- from tiles: the products were seen before, each by somebody; they stand together for the first time, under the name
  of somebody new.

Both sides have one core, the same: a picture that takes two of them is no cheaper for it.
"""

import base64
import io
import random
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from statistics import median
from typing import Any

import numpy as np
import uvloop
from PIL import Image

from bench.figure import Figure
from bench.server import one_core
from tests.browser import chromium
from wetink.ports import Scene
from wetink.render import Renderer
from wetink.render.liquid import html

TURNS, PRODUCTS, WIDTH, HEIGHT, SCALE = 40, 48, 600, 300, 2
REST_SECONDS = 0.3
PHOTOS = {"all new": "that are all new", "from tiles": "that other pictures had"}
TEMPLATE = files("wetink.apps").joinpath("last_viewed.liquid").read_text(encoding="utf-8")


class Album:
    """Photos that are at hand. Implements `ports.Photos`."""

    def __init__(self) -> None:
        self.photos: dict[str, bytes] = {}

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        return self.photos[url]

    def at_hand(self, url: str) -> bytes | None:
        return self.photos.get(url)

    def warm(self, url: str) -> None: ...


def measure() -> list[Figure]:
    """Return the figures: pictures a second to the browser's JPEG and PNG screenshots a second."""
    with one_core():
        return _measured()


def _measured() -> list[Figure]:
    album = Album()
    chance = random.Random(9)
    shop = [product(number, album, chance) for number in range(PRODUCTS)]
    new: list[float] = []
    tiles: list[float] = []
    theirs: dict[str, list[float]] = {"jpeg": [], "png": []}
    renderer = Renderer(album)
    loop = uvloop.new_event_loop()  # as in the server
    # Beside the browser's driver, which keeps a loop of its own in this thread.
    with chromium() as browser, ThreadPoolExecutor(1) as thread:

        def timed(work: Coroutine[Any, Any, object]) -> float:
            begun = time.perf_counter()
            thread.submit(loop.run_until_complete, work).result()
            return time.perf_counter() - begun

        for first in range(0, PRODUCTS, 3):
            timed(renderer.warm(scene(f"Viewer {first}", shop[first : first + 3])))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
        for turn in range(TURNS):
            unseen = [product(f"{turn}-{number}", album, chance) for number in range(3)]
            drawn = scene(f"Jane {turn}", unseen, accent=f"#3451{turn:02x}")
            markup = html(drawn.template, _with_photos_inside(drawn.data, album))
            for kind, options in (("jpeg", {"type": "jpeg", "quality": 82}), ("png", {"type": "png"})):
                begun = time.perf_counter()
                page.set_content(f"<body style='margin:0'>{markup}", wait_until="load")
                page.screenshot(**options)
                theirs[kind].append(time.perf_counter() - begun)
                time.sleep(REST_SECONDS)
            new.append(timed(renderer.render(drawn)))
            tiles.append(timed(renderer.render(scene(f"Mary {turn}", chance.sample(shop, 3)))))
    loop.close()
    renderer.close()
    mine = {"all new": (new, 1.7, 2.8), "from tiles": (tiles, 14, 20)}
    figures = []
    for name, (times, *goals) in mine.items():
        own = median(times[5:]) * 1000
        for (kind, others), goal in zip(theirs.items(), goals, strict=True):
            other = median(others[5:]) * 1000
            told = f"{own:.1f} ms to {other:.1f} ms"
            cells = {
                "measured": f"a picture with photos {PHOTOS[name]}",
                "wetink": f"p50 {own:.1f} ms",
                "Chromium": f"p50 {other:.1f} ms as {kind.upper()}",
                "ratio": f"{other / own:.1f}",
            }
            figures.append(Figure(f"picture {name}: to Chromium's {kind.upper()}", other / own, goal, told, cells))
    return figures


def product(name: object, album: Album, chance: random.Random) -> dict[str, Any]:
    """Return a product with a photo of its own in the album."""
    url = f"https://shop.example/{name}.jpg"
    album.photos[url] = _photo(chance)
    return {"name": f"Mug {name}", "currency": "USD", "photo": url, "key": url, "price": chance.randrange(5, 200) + 0.5}


def scene(who: str, items: list[dict[str, Any]], accent: str = "#3451d1") -> Scene:
    """Return the products that somebody viewed last, ready to be drawn."""
    data: dict[str, Any] = {
        "items": items,
        "item": items[0],
        "person": {"traits": {"firstName": who}},
        "moment": {"now": 1_790_000_000_000, "scheme": "light"},
        "settings": {"title": "", "accent": accent, "items": 3, "days": 30},
        "block": {"name": "hero", "width": WIDTH, "height": HEIGHT, "title": ""},
        "slot": 1,
        "catalog": {},
    }
    return Scene(TEMPLATE, data, WIDTH, HEIGHT, SCALE, photos=tuple(str(item["photo"]) for item in items))


def _photo(chance: random.Random) -> bytes:
    """Return a photo of 600 x 600 pixels with detail at every size, half as strong at half the size, as real ones."""
    numbers = np.random.default_rng(chance.randrange(1 << 30))
    pixels = np.full((600, 600, 3), 128.0)
    for octave in range(7):
        grid = numbers.integers(0, 255, (5 << octave, 5 << octave, 3), np.uint8)
        detail = Image.fromarray(grid).resize((600, 600), Image.Resampling.BICUBIC)
        pixels += (np.asarray(detail, np.float64) - 128) * 0.8 * 0.5**octave
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def _with_photos_inside(data: Any, album: Album) -> dict[str, Any]:
    items = []
    for item in data["items"]:
        coded = base64.b64encode(album.photos[item["photo"]]).decode()
        items.append({**item, "photo": f"data:image/jpeg;base64,{coded}"})
    return {**data, "items": items, "item": items[0]}
