"""Pictures: a photo of every product, drawn by us on first use and kept."""

import os
from collections.abc import Iterable
from pathlib import Path

from wetink.demo.drawing import FRAMES, SHAPES, Canvas
from wetink.demo.shop import ITEMS, Item

QUALITY = 88


def draw(item: Item, target: Path) -> None:
    """Draw an item's picture into `target`, a JPEG of 800 x 800; a reader never sees half of it."""
    canvas = Canvas(item.palette[2])
    SHAPES[item.shape](canvas, item.palette)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    picture = canvas.finish(FRAMES[item.shape]) if item.shape in FRAMES else canvas.finish()
    picture.save(draft, "JPEG", quality=QUALITY, subsampling=0)
    draft.replace(target)


def photo(item: Item, folder: Path) -> Path:
    """Return the file with an item's picture, drawn now if it is not there yet."""
    target = folder / f"{item.sku}.jpg"
    if not target.exists():
        draw(item, target)
    return target


def photos(folder: Path, items: Iterable[Item] = ITEMS) -> Iterable[Path]:
    """Yield the file of each item's picture, one after the other."""
    for item in items:
        yield photo(item, folder)
