"""Photos: in the size they are drawn in, and something in place of none."""

import io

import pytest
from PIL import Image

from tests.render.renderer import Album, near, photo, plain, seen, shot
from wetink.render.photo import LONGEST, fitted


def size(body: bytes | None) -> tuple[int, int]:
    """Return the size of a photo in pixels."""
    assert body is not None
    with Image.open(io.BytesIO(body)) as image:
        return image.size


@pytest.mark.parametrize(
    ("given", "box", "made"),
    [
        ((1200, 1200), (340, 280), (340, 340)),
        ((1200, 600), (100, 100), (200, 100)),
        ((600, 600), (340, 280), (600, 600)),
        ((100, 100), (340, 280), (100, 100)),
        ((3200, 400), None, (LONGEST, 200)),
        ((1000, 800), None, (1000, 800)),
    ],
    ids=["smaller", "it covers the box", "hardly larger", "never larger", "no box", "no box, small"],
)
def test_a_photo_is_made_to_cover_its_box(
    given: tuple[int, int], box: tuple[int, int] | None, made: tuple[int, int]
) -> None:
    assert size(fitted(photo("#2a5a5c", given), box)) == made


def test_a_clear_photo_stays_clear() -> None:
    kept = io.BytesIO()
    Image.new("RGBA", (2000, 2000), (255, 0, 0, 0)).save(kept, "PNG")
    body = fitted(kept.getvalue(), (100, 100))
    assert body is not None
    with Image.open(io.BytesIO(body)) as image:
        assert image.getpixel((50, 50))[3] == 0  # type: ignore[index]


def test_a_photo_scaled_from_a_large_file_looks_the_same() -> None:
    url = "https://cdn.example/a.jpg"
    template = f'<img src="{url}" width="100" height="50" style="object-fit: cover; display: block">'
    halves = Image.new("RGB", (2400, 1200), "#cc0000")
    halves.paste("#0000cc", (1200, 0, 2400, 1200))
    kept = io.BytesIO()
    halves.save(kept, "JPEG", quality=95)
    image = seen(shot(plain(template, photos=(url,)), Album({url: kept.getvalue()})))
    assert near(image.getpixel((90, 50)), (204, 0, 0), 9)
    assert near(image.getpixel((110, 50)), (0, 0, 204), 9)


def test_the_placeholder_suits_the_scheme() -> None:
    template = '<img src="" width="100" height="50" style="object-fit: cover; display: block">'
    assert near(seen(shot(plain(template))).getpixel((5, 5)), (0xEC, 0xEE, 0xF1))
    assert near(seen(shot(plain(template, scheme="dark"))).getpixel((5, 5)), (0x2C, 0x30, 0x3A))


def test_style_sheets_can_tell_the_scheme() -> None:
    template = "<style>.dark .a { background-color: #000000 } .light .a { background-color: #ff0000 }</style>"
    template += '<div class="a" style="width: 100px; height: 50px"></div>'
    colors = {scheme: seen(shot(plain(template, scheme=scheme))).getpixel((50, 50)) for scheme in ("light", "dark")}
    assert near(colors["light"], (254, 0, 0))
    assert near(colors["dark"], (0, 0, 0))
