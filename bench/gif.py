"""Countdowns: 60 frames of 600x130 at 2x, beside Pillow's best way to make the same GIF, and how much it weighs.

Pillow gets all that can be ready before: the ground and the pictures of every digit, in one palette of 128 colors.
What is timed is pasting digits on 60 copies of the ground and saving them, deltas and all, without `optimize`. Both on
one core, turn by turn.
"""

import io
import time
from statistics import median

import numpy as np
from PIL import Image

from bench.figure import Figure
from bench.server import one_core
from wetink.render.drawing import Drawing
from wetink.render.fonts import Letters, noted
from wetink.render.gif.countdown import DAY, Look, gif
from wetink.render.gif.face import drawn
from wetink.render.takumi import Takumi

TURNS, FRAMES, MOST_BYTES = 15, 60, 60_000
LOOK = Look("Midsummer sale ends in")


def measure() -> list[Figure]:
    """Return the figures: GIFs a second to Pillow's, and the bytes one may have to those it has."""
    with one_core():
        return _measured()


def _measured() -> list[Figure]:
    ready = drawn(Drawing(Takumi()), Letters(noted()), LOOK, 600, 130, 2)
    ground, numbers, places = _parts(ready)
    ours: list[float] = []
    theirs: list[float] = []
    heaviest = 0
    for turn in range(TURNS):
        seconds = 3 * DAY + 47 * 60 + 20 + turn * 7_919
        begun = time.perf_counter()
        body = gif(ready, seconds * 1000, FRAMES)
        ours.append(time.perf_counter() - begun)
        heaviest = max(heaviest, len(body))
        begun = time.perf_counter()
        _pillows(seconds, ground, numbers, places)
        theirs.append(time.perf_counter() - begun)
    quick, slow = median(ours), median(theirs)
    return [
        Figure(
            "countdown: 60 frames to Pillow's best way",
            slow / quick, 15.0, f"{quick * 1000:.2f} ms to {slow * 1000:.0f} ms",
        ),
        Figure("countdown: 60 KB to its weight", MOST_BYTES / heaviest, 1.0, f"{heaviest:,} bytes"),
    ]  # fmt: skip


def _parts(ready: object) -> tuple[Image.Image, list[Image.Image], list[int]]:
    """Return the ground, the pictures of the numbers from 0 to 99, and where they go, as Pillow wants them."""
    frames = []
    for number in range(100):
        seconds = number * DAY + number % 24 * 3600 + number % 60 * 61
        with Image.open(io.BytesIO(gif(ready, seconds * 1000, 1))) as image:  # type: ignore[arg-type]
            frames.append(np.asarray(image.convert("RGB")))
    whole = Image.fromarray(np.concatenate(frames[:24])).quantize(128, dither=Image.Dither.NONE)
    paletted = [Image.fromarray(frame).quantize(palette=whole, dither=Image.Dither.NONE) for frame in frames]
    box = (90, 70, 266, 180)  # around the days; every unit has the same size
    places = [90 + 282 * unit for unit in range(4)]
    return paletted[0], [frame.crop(box) for frame in paletted], places


def _pillows(seconds: int, ground: Image.Image, numbers: list[Image.Image], places: list[int]) -> bytes:
    frames = []
    for left in range(seconds, seconds - FRAMES, -1):
        frame = ground.copy()
        shown = left // DAY % 100, left // 3600 % 24, left // 60 % 60, left % 60
        for place, number in zip(places, shown, strict=True):
            frame.paste(numbers[number], (place, 70))
        frames.append(frame)
    body = io.BytesIO()
    frames[0].save(body, "GIF", save_all=True, append_images=frames[1:], duration=1000, optimize=False, disposal=1)
    return body.getvalue()
