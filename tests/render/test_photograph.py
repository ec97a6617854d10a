"""Uploaded pictures: each odd file is kept as pixels alone, or refused in words that say what to do."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from tests.web.dashboard import files
from wetink.core.errors import BadContent
from wetink.ports.media import Limits, Prepared
from wetink.render.photograph import prepared

LIMITS = Limits(200_000, 900)
JPEG, PNG = "image/jpeg", "image/png"


def kept(folder: Path, body: bytes, *, shrink: bool = False, content_type: str = "") -> Prepared:
    path = folder / "given"
    path.write_bytes(body)
    return prepared(path, LIMITS, shrink=shrink, content_type=content_type)


def opened(found: Prepared) -> Image.Image:
    return Image.open(io.BytesIO(found.body))


def refusal(folder: Path, body: bytes, **more: Any) -> BadContent:
    with pytest.raises(BadContent) as refused:
        kept(folder, body, **more)
    return refused.value


@pytest.mark.parametrize(
    ("body", "kind", "size"),
    [
        (files.photo(), JPEG, (60, 40)),
        (files.photo(progressive=True), JPEG, (60, 40)),
        (files.photo(exif=files.exif(6)), JPEG, (40, 60)),
        (files.saved(Image.new("L", (9, 9)), "JPEG"), JPEG, (9, 9)),
        (files.saved(Image.new("CMYK", (9, 9)), "JPEG"), JPEG, (9, 9)),
        (files.png(), PNG, (30, 20)),
        (files.saved(Image.new("P", (9, 9)), "PNG"), PNG, (9, 9)),
        (files.saved(Image.new("1", (9, 9)), "PNG"), PNG, (9, 9)),
        (files.saved(Image.new("LA", (9, 9)), "PNG"), PNG, (9, 9)),
        (files.saved(Image.new("I;16", (9, 9), 40_000), "PNG"), PNG, (9, 9)),
        (files.saved(Image.new("RGB", (9, 9)), "WEBP"), JPEG, (9, 9)),
        (files.saved(Image.new("RGBA", (9, 9)), "WEBP"), PNG, (9, 9)),
        (files.saved(Image.new("P", (9, 9)), "GIF"), PNG, (9, 9)),
        (files.profiled(), JPEG, (60, 40)),
        (files.photo(icc_profile=b"no profile"), JPEG, (60, 40)),
        (files.photo() + b"a film behind the picture" * 1_000, JPEG, (60, 40)),
    ],
)
def test_a_picture_of_any_kind_is_kept_as_jpeg_or_png(
    tmp_path: Path, body: bytes, kind: str, size: tuple[int, int]
) -> None:
    found = kept(tmp_path, body)
    assert (found.content_type, (found.width, found.height)) == (kind, size)
    with opened(found) as picture:
        assert (picture.size, picture.format) == (size, kind.rpartition("/")[2].upper())
        picture.load()


@pytest.mark.parametrize(
    "body",
    [
        files.photo(exif=files.exif(), comment=files.TAKEN),
        files.photo(exif=files.exif(3), xmp=b"<x>Taken at home</x>"),
        files.saved(Image.new("RGB", (9, 9)), "PNG", exif=files.exif()),
        files.saved(Image.new("RGB", (9, 9)), "WEBP", exif=files.exif()),
        files.photo() + files.TAKEN,
    ],
)
def test_where_a_photo_was_taken_is_removed(tmp_path: Path, body: bytes) -> None:
    assert files.TAKEN in body
    found = kept(tmp_path, body)
    assert files.TAKEN not in found.body
    assert b"Exif" not in found.body
    with opened(found) as picture:
        assert not picture.getexif()
        assert "comment" not in picture.info


def test_a_photo_lies_upright_after_its_exif_is_gone(tmp_path: Path) -> None:
    with opened(kept(tmp_path, files.photo(exif=files.exif(6)))) as picture:  # turned by 90 degrees
        top, bottom = picture.getpixel((20, 5)), picture.getpixel((20, 55))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 150 > bottom[0], "its left half is above now"


def test_a_small_jpeg_keeps_its_pixels(tmp_path: Path) -> None:
    body = files.saved(Image.radial_gradient("L").convert("RGB"), "JPEG", quality=60)
    with opened(kept(tmp_path, body)) as after, Image.open(io.BytesIO(body)) as before:
        apart = [abs(one - other) for one, other in zip(after.tobytes(), before.tobytes(), strict=True)]
    assert sum(apart) / len(apart) < 0.5, "only rounding"


@pytest.mark.parametrize("space", ["sRGB", "LAB", "XYZ"])
def test_no_color_profile_is_left(tmp_path: Path, space: Any) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()
    with opened(kept(tmp_path, files.saved(Image.new("RGB", (9, 9)), "PNG", icc_profile=profile))) as picture:
        assert "icc_profile" not in picture.info


REFUSED = [
    (b"", "empty", "JPEG or PNG"),
    (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "SVG", "PNG"),
    (b'\xef\xbb\xbf<?xml version="1.0"?><svg/>', "SVG", "PNG"),
    (b"<!-- x --><svg/>", "SVG", "PNG"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "JPEG"),
    (b"\0\0\0\x1cftypmif1", "HEIC", "JPEG"),
    (b"\0\0\0\x1cftypavif", "AVIF", "JPEG or PNG"),
    (b"\0\0\0\x1cftypisom", "video", "still"),
    (b"%PDF-1.7", "PDF", "JPEG or PNG"),
    (files.saved(Image.new("RGB", (9, 9)), "TIFF"), "TIFF", "JPEG or PNG"),
    (files.saved(Image.new("RGB", (9, 9)), "BMP"), "BMP", "JPEG or PNG"),
    (b"PK\3\4rest", "archive", "unpack"),
    (b"<!DOCTYPE html><p>Not found", "web page", "itself"),
    (b"hello", "not a picture", "JPEG or PNG"),
    (b"\xff\xd8\xff\xe0 and then nothing", "broken", "again"),
    (files.photo(400, 400)[:-900], "broken", "again"),
    (files.noise(60, 60, "PNG")[:-2_000], "broken", "again"),
    (files.saved(Image.new("RGB", (50, 50)), "WEBP")[:-20], "broken", "again"),
    (files.bomb(60_000, 60_000), "pixels", "smaller"),
    (files.bomb(8_000, 8_000), "64,000,000 pixels", "smaller"),
    (files.bomb(500, 500), "broken", "again"),
    (files.moving("GIF"), "moves", "still"),
    (files.moving("WEBP"), "moves", "still"),
    (files.moving("PNG"), "moves", "still"),
]


@pytest.mark.parametrize(("body", "why", "hint"), REFUSED)
def test_what_is_no_picture_is_refused_with_a_way_out(tmp_path: Path, body: bytes, why: str, hint: str) -> None:
    for shrink in (False, True):
        error = refusal(tmp_path, body, shrink=shrink)
        assert why in str(error)
        assert hint in error.hint
        assert error.where == ""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (files.photo(1_000, 20), JPEG),
        (files.noise(800, 800, quality=95), JPEG),
        (files.noise(2_400, 1_200, quality=95), JPEG),
        (files.noise(800, 800, "PNG"), JPEG),
        (files.saved(Image.effect_noise((800, 800), 90).convert("RGBA").rotate(45), "PNG"), PNG),
    ],
)
def test_a_picture_above_the_limit_may_be_scaled_down(tmp_path: Path, body: bytes, kind: str) -> None:
    error = refusal(tmp_path, body)
    assert (error.where, "scale it down" in error.hint) == ("scale", True)
    found = kept(tmp_path, body, shrink=True)
    assert found.content_type == kind
    assert len(found.body) <= LIMITS.most_bytes
    assert max(found.width, found.height) <= 2_400


def test_a_replaced_picture_keeps_the_type_of_its_name(tmp_path: Path) -> None:
    assert kept(tmp_path, files.png(), content_type=JPEG).content_type == JPEG
    with opened(kept(tmp_path, files.png(color="#00000000"), content_type=JPEG)) as picture:
        assert picture.getpixel((5, 5)) == (255, 255, 255), "clear ground becomes white"
    assert kept(tmp_path, files.photo(), content_type=PNG).content_type == PNG
