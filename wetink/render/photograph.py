"""Photographs: uploaded pictures are decoded and encoded anew, so that nothing but their pixels is kept.

A camera's file also has the place where it was taken, a smaller copy of the picture, and whatever a program added.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from wetink.core.errors import BadContent
from wetink.ports.media import Limits, Prepared

MOST_PIXELS = 50_000_000
"""Pixels of the largest picture that is decoded: a telephone's largest photo has 48 million."""
SIDES = (2_400, 1_800, 1_200, 800, 500, 300, 200)
"""Longer sides, in pixels, to which a large picture is scaled until it fits."""
FAR_ABOVE = 4
"""A file of so many times the limit is not even tried without scaling."""
QUALITY = 88
ORIENTATION = 0x0112
"""The number of the EXIF field that says which side is up."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
JPEG, PNG = "image/jpeg", "image/png"

_SAVE = "save it as JPEG or PNG and upload that"
_KINDS: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftyphei", "a HEIC photo, which mail clients do not show", "export it as JPEG and upload that"),
    (4, b"ftyphev", "a HEIC photo, which mail clients do not show", "export it as JPEG and upload that"),
    (4, b"ftypmif1", "a HEIC photo, which mail clients do not show", "export it as JPEG and upload that"),
    (4, b"ftypavif", "an AVIF picture, which few mail clients show", _SAVE),
    (4, b"ftyp", "a video", "upload a still picture: JPEG or PNG"),
    (0, b"%PDF", "a PDF", _SAVE),
    (0, b"8BPS", "a Photoshop file", _SAVE),
    (0, b"II*\0", "a TIFF picture, which mail clients do not show", _SAVE),
    (0, b"MM\0*", "a TIFF picture, which mail clients do not show", _SAVE),
    (0, b"BM", "a BMP picture, which mail clients do not show", _SAVE),
    (0, b"PK\3\4", "an archive", "unpack it and upload the picture"),
)
"""Files that people take for pictures: where their first bytes are, the bytes, the name, and the way out."""


def prepared(path: Path, limits: Limits, *, shrink: bool, content_type: str = "") -> Prepared:
    """Return the picture in a file (see `ports.media.Darkroom`). Raises BadContent."""
    size = path.stat().st_size
    with path.open("rb") as file:
        recognized(file.read(512))
    try:
        with Image.open(path, formats=FORMATS) as photo:
            return _prepared(photo, size, limits, shrink=shrink, content_type=content_type)
    except Image.DecompressionBombError:
        raise _too_many_pixels("more") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, OverflowError) as error:
        raise BadContent("the picture is broken or ends early", hint="export it again and upload that") from error


def recognized(start: bytes) -> None:
    """Raise BadContent that names the kind of a file that is no JPEG, PNG, WebP or GIF. `start` is its first bytes."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise BadContent("the file is empty", hint="upload a JPEG or PNG picture")
    if text.startswith((b"<svg", b"<?xml")) or b"<svg" in text:
        raise BadContent("this is an SVG drawing, which mail clients do not show", hint="export it as PNG")
    if text.startswith((b"<!doctype", b"<html")):
        raise BadContent("this is a web page, not a picture", hint="open the picture itself and save that")
    for at, mark, kind, hint in _KINDS:
        if start.startswith(mark, at):
            raise BadContent(f"this is {kind}", hint=hint)
    webp = start.startswith(b"RIFF") and start.startswith(b"WEBP", 8)
    if not (webp or start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"))):
        raise BadContent("this is not a picture", hint="upload a JPEG or PNG picture")


def _prepared(photo: Image.Image, size: int, limits: Limits, *, shrink: bool, content_type: str) -> Prepared:
    width, height = photo.size  # from the header: nothing is decoded yet
    _check(photo)
    large = max(width, height) > limits.longest or size > FAR_ABOVE * limits.most_bytes
    if large and not shrink:
        raise _above(width, height, size, limits)
    kind = content_type or _kind_of(photo)
    if large:
        photo.draft("RGB", (SIDES[0], SIDES[0]))
    photo.load()
    same = photo.format == "JPEG" and kind == JPEG and photo.mode in ("RGB", "L") and not large
    same = same and photo.getexif().get(ORIENTATION, 1) == 1
    ImageOps.exif_transpose(photo, in_place=True)
    shown = _in_mode(_in_srgb(photo), kind)
    if not large:
        body = _encoded(shown, kind, keep=same and shown is photo)
        if len(body) <= limits.most_bytes:
            return Prepared(body, kind, *shown.size)
        if not shrink:
            raise _above(width, height, len(body), limits)
    if not content_type and kind == PNG and _opaque(shown):
        kind, shown = JPEG, _in_mode(shown, JPEG)  # a photo: as PNG it would have to be tiny
    for small in _smaller(shown):
        body = _encoded(small, kind)
        if len(body) <= limits.most_bytes:
            return Prepared(body, kind, *small.size)
    raise BadContent("the picture cannot be made small enough", hint="upload a smaller one")


def _check(photo: Image.Image) -> None:
    """Raise BadContent for a picture that must not be decoded, by its header."""
    if photo.width * photo.height > MOST_PIXELS:
        raise _too_many_pixels(f"{photo.width * photo.height:,}")
    if photo.format != "MPO" and getattr(photo, "n_frames", 1) > 1:
        raise BadContent("the picture moves", hint="upload a still one; the Filmstrip app makes moving ones")


def _kind_of(photo: Image.Image) -> str:
    """Return the content type that suits a picture."""
    photographic = photo.format in ("JPEG", "MPO") or (photo.format == "WEBP" and _opaque(photo))
    return JPEG if photographic else PNG


def _smaller(photo: Image.Image) -> Iterator[Image.Image]:
    """Yield a picture at its own size if that is allowed, then smaller and smaller."""
    for side in SIDES:
        share = min(1.0, side / max(photo.size))
        size = max(1, round(photo.width * share)), max(1, round(photo.height * share))
        photo = photo.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0) if share < 1 else photo
        yield photo


def _too_many_pixels(count: str) -> BadContent:
    return BadContent(
        f"the picture has {count} pixels, and wetink reads at most {MOST_PIXELS:,}",
        hint="make it smaller and upload that",
    )


def _above(width: int, height: int, size: int, limits: Limits) -> BadContent:
    most = f"at most {limits.most_bytes >> 20} MB and {limits.longest:,} pixels a side are kept"
    megabytes = f"{size / (1 << 20):.1f}".removesuffix(".0")
    return BadContent(
        f"the picture has {width:,} × {height:,} pixels and {megabytes} MB: {most}",  # noqa: RUF001
        hint=f"scale it down to {SIDES[0]:,} pixels",
        where="scale",
    )


def _opaque(photo: Image.Image) -> bool:
    """Return whether no pixel of a picture is transparent."""
    if not photo.has_transparency_data:
        return True
    alpha = photo if photo.mode in ("LA", "RGBA") else photo.convert("RGBA")
    return alpha.getchannel("A").getextrema()[0] == 255


def _in_srgb(photo: Image.Image) -> Image.Image:
    """Return a picture with its colors as in sRGB: without their profile, those of a telephone look pale."""
    profile = photo.info.get("icc_profile")
    if not profile or photo.mode not in ("RGB", "RGBA", "CMYK"):
        return photo
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(given).lower():
            return photo
        mode = "RGBA" if photo.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(photo, given, ImageCms.createProfile("sRGB"), outputMode=mode) or photo
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a broken profile says nothing about the colors
        return photo


def _in_mode(photo: Image.Image, kind: str) -> Image.Image:
    """Return a picture in a mode that its type can have. A transparent one is put on white for JPEG."""
    if photo.mode.startswith(("I", "F")):  # sixteen bits of gray
        photo = photo.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if kind == PNG:
        return photo if photo.mode in ("1", "L", "LA", "P", "RGB", "RGBA") else photo.convert("RGB")
    if photo.has_transparency_data:
        clear = photo.convert("RGBA")
        white = Image.new("RGB", photo.size, "#ffffff")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    return photo if photo.mode in ("L", "RGB") else photo.convert("RGB")


def _encoded(photo: Image.Image, kind: str, *, keep: bool = False) -> bytes:
    """Return a picture's file, without anything but pixels. With `keep`, a JPEG loses nothing that is seen."""
    kept = io.BytesIO()
    if kind == PNG:
        photo.save(kept, "PNG", optimize=photo.width * photo.height < 2_000_000, icc_profile=None)
    elif keep:
        photo.save(kept, "JPEG", quality="keep", optimize=True, comment=b"")
    else:
        photo.save(kept, "JPEG", quality=QUALITY, optimize=True, progressive=True, comment=b"")
    return kept.getvalue()


def thumbnail(body: bytes, side: int) -> tuple[bytes, str]:
    """Return a picture at most `side` pixels wide and high, and its content type. Raises BadContent."""
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG", "PNG")) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise _too_many_pixels(f"{photo.width * photo.height:,}")
            photo.draft("RGB", (side, side))
            kind = JPEG if photo.format == "JPEG" else PNG
            small = photo.convert("RGBA") if kind == PNG else _in_mode(ImageOps.exif_transpose(photo), JPEG)
            small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
            return _encoded(small, kind), kind
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadContent("the picture is broken", hint="upload it again") from error
