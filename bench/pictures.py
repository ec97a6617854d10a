"""Pictures: 600x300 at 2x with three photos, drawn in process, beside a warm Chromium's screenshots of the same HTML.

The drawing side begins with the template and its data and ends with the bytes that are served; the browser gets the
finished HTML, with the photos inside. Both turn by turn, each time with other photos and other words.
"""

import asyncio
import base64
import io
import random
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from statistics import median
from typing import Any

from PIL import Image, ImageFilter

from bench.figure import Figure
from tests.browser import chromium
from wetink.ports import Scene
from wetink.render import Takumi
from wetink.render.liquid import html

TURNS, WIDTH, HEIGHT, SCALE = 40, 600, 300, 2
TEMPLATE = files("wetink.apps").joinpath("last_viewed.liquid").read_text(encoding="utf-8")


class Album:
    """Photos that are at hand. Implements `ports.Photos`."""

    def __init__(self) -> None:
        self.photos: dict[str, bytes] = {}

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        return self.photos[url]

    def warm(self, url: str) -> None: ...


def measure() -> list[Figure]:
    """Return the figures: pictures a second to the browser's JPEG and PNG screenshots a second."""
    album = Album()
    chance = random.Random(9)
    scenes = [_scene(turn, album, chance) for turn in range(TURNS)]
    ours: list[float] = []
    theirs: dict[str, list[float]] = {"jpeg": [], "png": []}
    renderer = Takumi(album)
    loop = asyncio.new_event_loop()  # beside the browser's driver, which keeps a loop of its own
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
        for scene in scenes:
            markup = html(scene.template, _with_photos_inside(scene.data, album))
            for kind, options in (("jpeg", {"type": "jpeg", "quality": 82}), ("png", {"type": "png"})):
                begun = time.perf_counter()
                page.set_content(f"<body style='margin:0'>{markup}", wait_until="load")
                page.screenshot(**options)
                theirs[kind].append(time.perf_counter() - begun)
            ours.append(_drawn(loop, renderer, scene))
    loop.close()
    renderer.close()
    own, jpeg, png = (median(times[5:]) * 1000 for times in (ours, theirs["jpeg"], theirs["png"]))
    return [
        Figure("picture: three photos at 2x, to Chromium's JPEG", jpeg / own, 1.7, f"{own:.1f} ms to {jpeg:.1f} ms"),
        Figure("picture: three photos at 2x, to Chromium's PNG", png / own, 2.8, f"{own:.1f} ms to {png:.1f} ms"),
    ]


def _drawn(loop: asyncio.AbstractEventLoop, renderer: Takumi, scene: Scene) -> float:
    """Return the seconds of one picture, in a thread of its own: this one's loop is the browser driver's."""
    with ThreadPoolExecutor(1) as thread:
        begun = time.perf_counter()
        thread.submit(loop.run_until_complete, renderer.render(scene)).result()
        return time.perf_counter() - begun


def _scene(turn: int, album: Album, chance: random.Random) -> Scene:
    items = []
    for number in range(3):
        url = f"https://shop.example/{turn}-{number}.jpg"
        album.photos[url] = _photo(chance)
        words = {"name": f"Mug {turn}-{number}", "currency": "USD", "photo": url, "key": url}
        items.append({**words, "price": 9.5 + turn})
    data: dict[str, Any] = {
        "items": items,
        "item": items[0],
        "person": {"traits": {"firstName": f"Jane {turn}"}},
        "moment": {"now": 1_790_000_000_000, "scheme": "light"},
        "settings": {"title": "", "accent": "#3451d1", "items": 3, "days": 30},
        "block": {"name": "hero", "width": WIDTH, "height": HEIGHT, "title": ""},
        "slot": 1,
        "catalog": {},
    }
    return Scene(TEMPLATE, data, WIDTH, HEIGHT, SCALE, photos=tuple(str(item["photo"]) for item in items))


def _photo(chance: random.Random) -> bytes:
    """Return a photo of 600 x 600 pixels with something in it: soft blots of color."""
    small = Image.new("RGB", (12, 12))
    small.putdata([tuple(chance.randrange(256) for _ in range(3)) for _ in range(144)])
    out = io.BytesIO()
    small.resize((600, 600), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(3)).save(out, "JPEG", quality=88)
    return out.getvalue()


def _with_photos_inside(data: Any, album: Album) -> dict[str, Any]:
    items = []
    for item in data["items"]:
        coded = base64.b64encode(album.photos[item["photo"]]).decode()
        items.append({**item, "photo": f"data:image/jpeg;base64,{coded}"})
    return {**data, "items": items, "item": items[0]}
