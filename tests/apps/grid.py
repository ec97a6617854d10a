"""`python -m tests.apps.grid`: every app at every size, sharpness and scheme, as a still and, where it moves, moving.

It is a part of `make gallery`. The tests try a few of each.
"""

import asyncio
import io
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from PIL import Image

from tests.gallery import APPS, NoPhotos, scene
from wetink.apps import countdown
from wetink.core.errors import WetinkError
from wetink.feeds.photos import WithSamples
from wetink.opens.drawing import MOVING_SHARE
from wetink.ports import Film, Picture, Ticking
from wetink.render import Renderer

SIZES = ((200, 60), (320, 100), (300, 250), (600, 120), (600, 300), (640, 800))
RATIOS, SCHEMES = (1, 2, 3), ("light", "dark")
GRID = tuple(product(SIZES, RATIOS, SCHEMES))
MOVES = tuple(name for name, app in APPS.items() if app.moves)
MOST_BYTES = 200_000

Case = tuple[tuple[int, int], int, str]


def moving(name: str, case: Case) -> Ticking | Film:
    """Return what an app shows the sample shopper, as it is asked for to move."""
    (width, height), ratio, scheme = case
    if APPS[name].moves == "countdown":
        face = countdown.face(countdown.Settings(title="Your cart is kept for"))
        return Ticking(face["title"], tuple(face["labels"]), face["accent"], width, height, 90_000_000, ratio, scheme)
    shown = scene(APPS[name], scheme, size=(width, height), scale=ratio)
    return Film(shown, shown.data["facts"]["frames"], 1_000, most_bytes=round(MOST_BYTES * MOVING_SHARE))


def wrong_with(name: str, case: Case, picture: Picture, *, moves: bool) -> str:
    """Return what is wrong with a picture, empty for nothing."""
    (width, height), ratio, _ = case
    with Image.open(io.BytesIO(picture.body)) as image:
        image.load()
        frames, size = getattr(image, "n_frames", 1), image.size
        if image.convert("L").getextrema() == (255, 255):
            return "it is blank"
    if moves != (frames > 1):
        return f"it has {frames} pictures"
    # A film that would weigh too much gives up sharpness, and keeps its shape.
    fewer = (1, 2, 3) if APPS[name].moves == "film" and moves else (1,)
    sizes = [(width * scale // less, height * scale // less) for scale in {1, ratio} for less in fewer]
    return "" if size in (sizes if moves else [(width * ratio, height * ratio)]) else f"it is of {size}"


async def tried(names: Sequence[str], cases: Sequence[Case], folder: Path) -> list[str]:
    """Return what is wrong with these apps' pictures. What moves is made ready, and then taken by a new start."""
    wrong = []
    studio = Renderer(WithSamples(NoPhotos()), shared=folder)
    for name, case in product(names, cases):
        try:
            said = await _wrong(studio, name, case, folder)
        except (WetinkError, TimeoutError) as error:
            said = f"{type(error).__name__}: {error}"
        wrong += [f"{name} {case}: {said}"] if said else []
    studio.close()
    return wrong


async def _wrong(studio: Renderer, name: str, case: Case, folder: Path) -> str:
    (width, height), ratio, scheme = case
    still = await studio.render(scene(APPS[name], scheme, size=(width, height), scale=ratio))
    said = wrong_with(name, case, still, moves=False)
    if said or name not in MOVES:
        return said
    what = moving(name, case)
    if isinstance(what, Ticking):
        await studio.prepare_countdown(what)
        begun = Renderer(WithSamples(NoPhotos()), shared=folder, workers=0)  # nobody is there to draw
        picture = await begun.countdown(what)
        begun.close()
    else:
        await studio.film(what)
        picture = await asyncio.wait_for(studio.film(what), 5)  # it is kept
    return wrong_with(name, case, picture, moves=True)


def main() -> None:
    """Try them all."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        wrong = asyncio.run(tried(tuple(APPS), GRID, Path(folder)))
    sys.stdout.write("".join(f"{each}\n" for each in wrong))
    sys.stdout.write(f"{len(APPS) * len(GRID)} pictures, {len(MOVES) * len(GRID)} moving, {len(wrong)} wrong, "
                     f"{time.monotonic() - begun:.0f} s\n")  # fmt: skip
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
