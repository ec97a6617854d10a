"""Thumbnail: a picture in a list, small enough that a page of them loads at once."""

import io

from PIL import Image

from wetink.ports import Picture

WIDTH, HEIGHT = 200, 150
"""Largest size in device pixels: twice the CSS pixels of a list."""


def thumbnail(picture: Picture) -> Picture:
    """Return a picture within WIDTH and HEIGHT. An animation gives its first frame. Takes some milliseconds."""
    with Image.open(io.BytesIO(picture.body)) as image:
        image.draft("RGB", (WIDTH, HEIGHT))
        clear = "A" in image.getbands() or "transparency" in image.info
        small = image.convert("RGBA" if clear else "RGB")
    small.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    body = io.BytesIO()
    if clear:
        small.save(body, "PNG", optimize=True)
        return Picture(body.getvalue(), "image/png")
    small.save(body, "JPEG", quality=78, optimize=True)
    return Picture(body.getvalue(), "image/jpeg")
