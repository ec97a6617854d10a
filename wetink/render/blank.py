"""Blank: the picture of nothing."""

import io

from PIL import Image

from wetink.ports import Picture


def blank() -> Picture:
    """Return a small picture of nothing, for places where no block is: clear, so it suits any email."""
    clear = io.BytesIO()
    Image.new("RGBA", (16, 8), (255, 255, 255, 0)).save(clear, "PNG")
    return Picture(clear.getvalue(), "image/png")
