"""Files of other people: pictures with a past, and whatever is taken for a picture or a font."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageCms

OSLO = {1: "N", 2: (59.0, 54.0, 0.0), 3: "E", 4: (10.0, 44.0, 0.0)}
"""The place in EXIF: latitude and longitude."""
TAKEN = b"Taken at home"


def saved(picture: Image.Image, format: str, **more: Any) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, format, **more)
    return kept.getvalue()


def photo(width: int = 60, height: int = 40, **more: Any) -> bytes:
    """Return a JPEG with a red left half, and with `more` parameters of Pillow."""
    picture = Image.new("RGB", (width, height), "#2040c0")
    picture.paste("#c02020", (0, 0, width // 2, height))
    return saved(picture, "JPEG", quality=92, **more)


def exif(orientation: int = 1) -> Image.Exif:
    """Return what a telephone writes: the place, the camera, and which side is up."""
    found = Image.Exif()
    found[0x010F], found[0x0112], found[0x010E] = "Acme Phone", orientation, TAKEN.decode()
    found.get_ifd(0x8825).update(OSLO)
    return found


def noise(width: int, height: int, format: str = "JPEG", **more: Any) -> bytes:
    """Return a picture that hardly gets smaller by encoding."""
    return saved(Image.effect_noise((width, height), 90).convert("RGB"), format, **more)


def png(width: int = 30, height: int = 20, color: str = "#20804080") -> bytes:
    return saved(Image.new("RGBA", (width, height), color), "PNG")


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes whose header promises so many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def moving(format: str) -> bytes:
    frames = [Image.new("RGB", (20, 20), color) for color in ("#ff0000", "#00ff00")]
    return saved(frames[0], format, save_all=True, append_images=frames[1:], duration=100)


def profiled() -> bytes:
    """Return a JPEG whose colors are those of another profile than sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return photo(icc_profile=profile)


@cache
def font(family: str = "Acme Sans", letters: str = "ABCabcHamburgevons0123") -> bytes:
    """Return a TTF whose letters are boxes."""
    names = [".notdef", *(f"g{ord(char)}" for char in dict.fromkeys(letters))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(char): f"g{ord(char)}" for char in letters})
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (500, 700), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    kept = io.BytesIO()
    builder.save(kept)
    return kept.getvalue()


@cache
def flavored(flavor: str) -> bytes:
    """Return that font as `woff` or `woff2`."""
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(font())) as made:
        made.flavor = flavor
        kept = io.BytesIO()
        made.save(kept)
        return kept.getvalue()


def ours() -> bytes:
    """Return a font of ours as WOFF2."""
    folder = Path(__file__).parents[3] / "wetink" / "render" / "fonts"
    return (folder / "inter-latin-400-normal.woff2").read_bytes()
