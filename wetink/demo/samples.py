"""Samples: the photos of the sample shop's products, drawn into wetink's own folder when it is built.

python -m wetink.demo.samples
"""

import tempfile
from pathlib import Path

from PIL import Image

from wetink.core.sample import GOODS
from wetink.demo.pictures import draw
from wetink.demo.shop import BY_SKU

FOLDER = Path(__file__).parents[1] / "feeds" / "samples"
SIDE = 480
"""Pixels."""


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as drafts:
        for sku in GOODS:
            large = Path(drafts) / f"{sku}.jpg"
            draw(BY_SKU[sku], large)
            with Image.open(large) as picture:
                small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            small.save(FOLDER / f"{sku}.jpg", "JPEG", quality=88, optimize=True)


if __name__ == "__main__":
    main()
