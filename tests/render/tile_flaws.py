"""Flaws of tiles: why a page that is put together from its tiles is not the page that is drawn at once."""

from functools import cache

import numpy as np
import numpy.typing as npt

from wetink.ports import Photos, Scene
from wetink.render import liquid
from wetink.render.cache import key_of
from wetink.render.compose import Pixels, window
from wetink.render.drawing import Drawing
from wetink.render.fonts import Letters, noted
from wetink.render.page import Sheet, photo, sheet, taken_apart
from wetink.render.takumi import Takumi
from wetink.render.tiles import Refused, layered

SCALES = (1, 2, 3)
ROUNDING = 2
"""Levels of 255 by which two ways to draw the same thing may differ."""
PATCH = 8
"""Pixels along a side of the squares in which differences are looked at."""
FAR_APART = 0.001
"""Share of a picture's pixels that may differ by more than rounding: a letter's rim here and there."""


@cache
def _engine() -> Takumi:
    return Takumi()


def _page(scene: Scene, photos: Photos) -> Sheet:
    markup = taken_apart(Letters(noted()).drawable(liquid.html(scene.template, scene.data)))
    bodies = {url: photos.at_hand(url) or b"" for url in markup.mentioned(scene.photos)}
    drawn = {url: photo(body, key_of(body), markup.boxes.get(url), scene.scale) for url, body in bodies.items()}
    return sheet(scene, markup, drawn)


def flaws(scene: Scene, photos: Photos) -> list[str]:
    """Return what is wrong with the tiles of a scene; nothing when all is well.

    They must lie at whole device pixels at every scale and share no pixel, and the page put together from them must
    be equal to the page drawn at once.
    """
    page, drawing = _page(scene, photos), Drawing(_engine())
    body = page.markup.body
    if "data-tile" not in body:
        return []
    try:
        parts = {scale: layered(body, page.width, page.height, scale) for scale in {*SCALES, page.scale}}
    except Refused as refused:
        return [str(refused)]
    tiles = parts[page.scale]
    apart = far_apart(drawing.whole(page), drawing.composed(page, tiles))
    if apart.mean() <= FAR_APART and not patches(apart):
        return []
    told = []
    for tile in tiles.tiles:
        part = window(apart, tile.left, tile.top, tile.width, tile.height)
        if part.mean() > FAR_APART or patches(part):
            told.append(f"the tile `{tile.name}` looks different when drawn separately")
        part[:] = False
    if apart.any() and not told:
        told.append("the page around the tiles looks different without them")
    return told


def far_apart(one: Pixels, other: Pixels) -> npt.NDArray[np.bool_]:
    """Return which pixels of two pictures differ by more than rounding."""
    apart: npt.NDArray[np.bool_] = (np.maximum(one, other) - np.minimum(one, other)).max(axis=2) > ROUNDING
    return apart


def patches(apart: npt.NDArray[np.bool_]) -> int:
    """Return how many squares of a picture differ in more than a quarter of their pixels."""
    height, width = (side - side % PATCH for side in apart.shape)
    squares = apart[:height, :width].reshape(height // PATCH, PATCH, width // PATCH, PATCH)
    return int((squares.sum(axis=(1, 3)) > PATCH * PATCH / 4).sum())
