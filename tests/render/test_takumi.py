"""Takumi: formats, sizes, photos, and what happens when something is missing."""

import asyncio
from pathlib import Path

import pytakumi
import pytest

from tests.render.renderer import PRODUCTS, Album, near, photo, plain, scene, seen, shot
from wetink.core.errors import BadContent, BadSettings
from wetink.ports import Picture
from wetink.render import Renderer, blank, fonts
from wetink.render.takumi import Takumi

URL = "https://cdn.example/a.jpg?w=1&h=2"
FULL = '<img src="{{ url }}" style="width: 100px; height: 50px; object-fit: cover">'


def test_an_opaque_scene_is_a_jpeg_on_white_at_twice_the_size() -> None:
    picture = shot(plain("<p></p>"))
    image = seen(picture)
    assert (picture.content_type, image.format, image.size) == ("image/jpeg", "JPEG", (200, 100))
    assert near(image.getpixel((5, 5)), (255, 255, 255))


def test_a_transparent_scene_is_a_png_that_keeps_what_is_clear() -> None:
    box = '<div style="width: 50px; height: 50px; background-color: #ff0000"></div>'
    picture = shot(plain(box, transparent=True))
    image = seen(picture)
    assert (picture.content_type, image.format, image.mode, image.size) == ("image/png", "PNG", "RGBA", (200, 100))
    assert image.getpixel((50, 50)) == (255, 0, 0, 255)
    assert image.getpixel((150, 50))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_scale_is_device_pixels_for_each_css_pixel(scale: int) -> None:
    half = '<div style="width: 50px; height: 50px; background-color: #0000ff"></div>'
    image = seen(shot(plain(half, scale=scale)))
    assert image.size == (100 * scale, 50 * scale)
    assert near(image.getpixel((45 * scale, 45 * scale)), (0, 0, 255))
    assert near(image.getpixel((55 * scale, 45 * scale)), (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_photos_are_drawn(kind: str) -> None:
    album = Album({URL: photo("#008000", kind=kind)})
    image = seen(shot(plain(FULL, data={"url": URL}, photos=(URL,)), album))
    assert near(image.getpixel((100, 50)), (0, 128, 0))


def test_a_huge_photo_is_drawn_from_a_smaller_one() -> None:
    album = Album({URL: photo("#008000", (4000, 3000))})
    image = seen(shot(plain(FULL, data={"url": URL}, photos=(URL,)), album))
    assert near(image.getpixel((100, 50)), (0, 128, 0))


@pytest.mark.parametrize("body", [None, b"", b"no photo", photo("#008000")[:40]], ids=["none", "empty", "text", "cut"])
def test_a_missing_photo_is_a_quiet_placeholder(body: bytes | None) -> None:
    album = Album({URL: body} if body is not None else {})
    image = seen(shot(plain(FULL, data={"url": URL}, photos=(URL,)), album))
    assert near(image.getpixel((5, 5)), (0xEC, 0xEE, 0xF1))


def test_a_product_without_a_photo_is_a_placeholder_too() -> None:
    image = seen(shot(plain(FULL, data={"url": ""})))
    assert near(image.getpixel((5, 5)), (0xEC, 0xEE, 0xF1))


def test_the_same_address_with_another_photo_is_drawn_anew() -> None:
    async def twice() -> list[Picture]:
        album = Album({URL: photo("#ff0000")})
        renderer = Renderer(album)
        first = await renderer.render(plain(FULL, data={"url": URL}, photos=(URL,)))
        album.photos[URL] = photo("#0000ff")
        second = await renderer.render(plain(FULL, data={"url": URL}, photos=(URL,)))
        renderer.close()
        return [first, second]

    red, blue = asyncio.run(twice())
    assert near(seen(red).getpixel((100, 50)), (254, 0, 0))
    assert near(seen(blue).getpixel((100, 50)), (0, 0, 254))


class Afar(Album):
    """Photos that all have to be fetched: none is at hand."""

    def at_hand(self, url: str) -> bytes | None:
        return None


def test_only_photos_that_are_allowed_and_drawn_are_fetched() -> None:
    drawn, undrawn, forbidden = (f"https://cdn.example/{name}.jpg" for name in ("drawn", "undrawn", "forbidden"))
    album = Afar({url: photo("#ff0000") for url in (drawn, undrawn, forbidden)})
    template = f'<img src="{drawn}"><img src="{forbidden}">'
    shot(plain(template, photos=(drawn, undrawn)), album)
    assert album.asked == [drawn]


def test_a_product_name_cannot_inject_markup() -> None:
    evil = "https://evil.example/x.jpg"
    album = Album({evil: photo("#ff0000")})
    template = '<div style="color: #ffffff">{{ name }}</div>'
    name = f'<img src={evil} style="width: 100px; height: 50px">'
    image = seen(shot(plain(template, data={"name": name}, photos=(URL,)), album))
    assert album.asked == []
    assert not image.convert("L").point(lambda level: 255 if level < 240 else 0).getbbox(), "only white words on white"


def test_styles_in_the_html_are_applied() -> None:
    template = "<style>.a { width: 100px; height: 50px; background-color: #008000; }</style><div class='a'></div>"
    assert near(seen(shot(plain(template))).getpixel((100, 50)), (0, 128, 0))


@pytest.mark.parametrize(
    "template",
    ["<div>" * 400, "<b>x</b>" * 2500, "{% if %}", '{{ (1..1000000000) | join: "" }}'],
    ids=["nested too deeply", "too many elements", "not Liquid", "a bomb"],
)
def test_what_cannot_be_drawn_is_bad_content(template: str) -> None:
    with pytest.raises(BadContent):
        shot(plain(template))


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    with pytest.raises(BadContent, match="pixels"):
        shot(plain("x", 4000, 4000))


@pytest.mark.parametrize("template", ["", "   ", "words", "<b>open", "</div></div>", "<!doctype html><html><body>x"])
def test_untidy_html_is_drawn_all_the_same(template: str) -> None:
    assert seen(shot(plain(template))).size == (200, 100)


def test_many_scenes_at_once_come_out_right() -> None:
    async def many() -> list[Picture]:
        renderer = Renderer(Album())
        colors = [f"#{value:02x}0000" for value in range(0, 240, 20)]
        box = '<div style="width: 100px; height: 50px; background-color: {{ color }}"></div>'
        drawn = await asyncio.gather(*(renderer.render(plain(box, data={"color": color})) for color in colors))
        renderer.close()
        renderer.close()
        return drawn

    for number, picture in enumerate(asyncio.run(many())):
        assert near(seen(picture).getpixel((50, 50)), (number * 20, 0, 0))


def test_letters_of_the_extended_latin_files_are_drawn() -> None:
    words = '<div style="font-family: Poppins; font-size: 30px; line-height: 50px">{{ word }}</div>'
    drawn = {word: shot(plain(words, data={"word": word})).body for word in ("Ł", "Č", "ż", "L", "A")}
    assert len(set(drawn.values())) == len(drawn), "letters that are not there all look like the same box"


def test_emoji_are_drawn() -> None:
    assert shot(plain("Lamp 🎁")).body != shot(plain("Lamp ")).body


def test_missing_fonts_are_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as caught:
        fonts.register(pytakumi.Renderer(), fonts.files(large=False, folder=tmp_path))
    assert "make assets" in caught.value.hint


def test_a_broken_font_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "inter-latin-400-normal.woff2").write_bytes(b"no font")
    with pytest.raises(BadSettings, match="inter-latin-400"):
        fonts.register(pytakumi.Renderer(), fonts.files(large=False, folder=tmp_path))


def test_the_blank_picture_is_valid_and_clear() -> None:
    image = seen(blank())
    assert blank().content_type == "image/png"
    assert image.mode == "RGBA"
    assert image.getchannel("A").getextrema() == (0, 0)


def test_the_same_scene_gives_the_same_bytes() -> None:
    it = scene("{{ items[0].name }} {{ item.price | money: item.currency }}", PRODUCTS)
    assert shot(it) == shot(it)


def test_large_fonts_are_loaded_when_their_letters_come() -> None:
    engine = Takumi()
    latin = engine.draw("<b>Lamp</b>", (), {}, 100, 50, 1)
    assert not any(family.endswith("Jp") for family in engine.families)
    engine.draw("<b>\u6696</b>", (), {}, 100, 50, 1)
    assert any(family.endswith("Jp") for family in engine.families)
    assert (engine.draw("<b>Lamp</b>", (), {}, 100, 50, 1) == latin).all()
