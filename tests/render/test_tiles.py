"""Tiles: what is drawn apart and put together is what would have been drawn at once, and is not drawn twice."""

import asyncio
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from tests.render.renderer import ALBUM, PRODUCTS, Album, Here, near, plain, seen
from tests.render.test_templates import APPS, BARE, LONG, app
from tests.render.tile_flaws import FAR_APART, far_apart, flaws, patches
from wetink.core.events.event import Product
from wetink.ports import Picture, Scene
from wetink.render import Renderer
from wetink.render.compose import cut, lay
from wetink.render.tiles import Refused, layered


def album() -> Album:
    """Return photos with something in them: every shift of a pixel shows."""
    photos = {}
    for number, url in enumerate(ALBUM):
        noise = np.random.default_rng(number).integers(0, 255, (20, 24, 3), np.uint8)
        kept = io.BytesIO()
        Image.fromarray(noise).resize((600, 500), Image.Resampling.BICUBIC).save(kept, "JPEG")
        photos[url] = kept.getvalue()
    return Album(photos)


PHOTOS = album()


@pytest.fixture(scope="module")
def renderer() -> Any:
    """Return one renderer for all, with what it keeps."""
    made = Renderer(album())
    yield made
    made.close()


SHOWN: Mapping[str, tuple[Product, ...]] = {
    "one": PRODUCTS[:1],
    "two": PRODUCTS[:2],
    "three": PRODUCTS,
    "five": PRODUCTS + PRODUCTS[:2],
    "bare and long": (BARE, LONG, BARE),
}


@pytest.mark.parametrize("size", [(600, 300), (300, 250), (440, 260), (801, 403)])
@pytest.mark.parametrize("items", SHOWN.values(), ids=SHOWN.keys())
@pytest.mark.parametrize("name", APPS)
def test_every_app_is_equal_put_together_and_drawn_at_once(
    name: str, items: tuple[Product, ...], size: tuple[int, int]
) -> None:
    it = app(name, items, width=size[0], height=size[1])
    assert "data-tile" in it.template
    assert flaws(it, PHOTOS) == []


@pytest.mark.parametrize("fields", [{"scale": 1}, {"scale": 3}, {"scheme": "dark"}, {"transparent": True}])
@pytest.mark.parametrize("name", APPS)
def test_tiles_have_no_flaws_at_any_scale_or_scheme(name: str, fields: dict[str, Any]) -> None:
    assert flaws(replace(app(name, PRODUCTS), **fields), PHOTOS) == []


PAGE = """<style>.page { position: relative; width: 100px; height: 50px; background-color: #ffffff; color: #cc0000 }
.page .box { background-color: #0000ff } p { margin: 0 }</style>
<div class="page">
  <p>words</p>
  %s
</div>"""
TILE = '<div data-tile="a" class="box" style="left: 10px; top: 10px; width: 30px; height: 20px">x</div>'
OTHER = '<div data-tile="b" class="box" style="left: 40px; top: 10px; width: 30px; height: 20px">x</div>'


@pytest.mark.parametrize(
    "tiles",
    [
        TILE,
        TILE + OTHER,
        TILE.replace("data-tile", "data-bleed='8' data-tile").replace('px">', 'px; box-shadow: 0 2px 4px #000">'),
        TILE.replace("left: 10px", "left: 0px").replace("data-tile", "data-bleed=4 data-tile"),
        TILE.replace("background-color", "none").replace("class", "lang='en' class"),
        TILE.replace(
            ">x<", '><img src="" alt="a > b" width="9" height="9"><br><svg><path d=""/></svg><!-- </div> --><'
        ),
    ],
    ids=["one", "side by side", "with a shadow", "at the edge", "clear", "with all sorts of things in it"],
)
def test_a_tidy_page_can_be_drawn_from_tiles(tiles: str) -> None:
    assert flaws(plain(PAGE % tiles), PHOTOS) == []


@pytest.mark.parametrize(
    ("tiles", "said"),
    [
        (TILE.replace("left: 10px", "left: 10.3px"), "the tile `a` does not lie at whole device pixels at 1x"),
        (TILE.replace("left: 10px", "left: 10.5px"), "at 1x"),
        (TILE.replace("left: 10px;", ""), "the tile `a` needs left, top, width and height in px in its style"),
        (TILE.replace("left: 10px", "left: 10%"), "needs left, top, width and height"),
        (TILE.replace("left: 10px", "margin-left: 10px"), "needs left, top, width and height"),
        (TILE.replace("left: 10px", "left: 80px"), "is not on the page"),
        (TILE.replace("left: 10px", "left: -1px"), "is not on the page"),
        (TILE.replace("width: 30px", "width: 0px"), "is not on the page"),
        (TILE.replace("class", "data-bleed='2px' class"), "data-bleed that is not a whole number"),
        (TILE + "\n" + OTHER.replace("40px", "39px"), "the tile `b` lies over the tile `a`"),
        (TILE + OTHER.replace("data-tile", "data-bleed='1' data-tile"), "the tile `b` lies over the tile `a`"),
        (f"<div>{TILE}</div>", "must stand right inside"),
        (f"</div>{TILE}<div>", "must stand right inside"),
        (f"{TILE}</div><div>", "a page of one element"),
        (f"{TILE}<b>", "closes an element that is not open"),
        (f"{TILE}<div>", "is not closed"),
        ("<style>p { margin: 9px }</style>" + TILE, "the tile `a` looks different when drawn separately"),
        (TILE * 41, "is one of more than 40"),
        ("<style>.page p ~ .box { background-color: #00ff00 }</style>" + TILE, "the tile `a` looks differ"),
        (
            TILE
            + "<i style='position:absolute;left:0;top:0;z-index:5;width:99px;height:40px;background-color:red'></i>",
            "the tile `a` looks different when drawn separately",
        ),
        (
            "<style>.box ~ i { color: #00ff00 }</style>" + TILE + "<i style='font-size:30px'>IIII</i>",
            "around the tiles",
        ),
    ],
)
def test_what_cannot_be_drawn_from_tiles_is_told(tiles: str, said: str) -> None:
    told = flaws(plain(PAGE % tiles), PHOTOS)
    assert len(told) == 1
    assert said in told[0]


@pytest.mark.parametrize("tile", [TILE.replace("left: 10px", "left: 10.3px"), f"<div>{TILE}</div>", TILE + TILE])
def test_what_cannot_be_drawn_from_tiles_is_drawn_at_once(renderer: Renderer, tile: str) -> None:
    image = seen(asyncio.run(renderer.render(plain(PAGE % tile))))
    assert near(image.getpixel((70, 50)), (0, 0, 255))
    assert near(image.getpixel((150, 50)), (255, 255, 255))


def test_a_template_without_tiles_has_no_flaws() -> None:
    assert flaws(plain("<p>words"), PHOTOS) == []


def test_a_tile_is_the_same_wherever_it_lies_and_whatever_it_is_called() -> None:
    parts = layered(f'<div class="page">{TILE}{OTHER}</div>', 100, 50, 2)
    first, second = parts.tiles
    assert parts.layer == '<div class="page"></div>'
    assert first.body == second.body
    assert (first.left, first.top, first.width, first.height) == (20, 20, 60, 40)
    assert second.left == 80


def test_text_about_a_tile_is_no_tile() -> None:
    words = '<p title="data-tile=1 &gt; style=left">data-tile</p>'
    parts = layered(f'<div title="</div>">{words}</div>', 100, 50, 2)
    assert parts.tiles == ()
    with pytest.raises(Refused):
        layered("data-tile", 100, 50, 2)


def watched(renderer: Renderer) -> list[str]:
    """Return a list in which all that the engine draws from now on will stand."""
    here = Here()
    renderer._pool = here  # type: ignore[assignment]
    return here.drawn


def greeted(it: Scene, name: str) -> Scene:
    """Return a scene for somebody else."""
    return replace(it, data={**it.data, "person": {**it.data["person"], "traits": {"firstName": name}}})


def test_only_what_is_new_is_drawn() -> None:
    async def story() -> None:
        renderer = Renderer(album())
        drawn = watched(renderer)
        await renderer.warm(app("last_viewed", PRODUCTS))
        assert len(drawn) == 5, "the layer, a greeting and three cards"
        drawn.clear()
        ada = await renderer.render(app("last_viewed", PRODUCTS))
        assert drawn == [], "all of it was warm"
        bea = await renderer.render(greeted(app("last_viewed", PRODUCTS), "Bea"))
        assert len(drawn) == 1, "a greeting"
        assert "Bea?" in drawn[0]
        assert "data-tile" in drawn[0]
        assert "<img" not in drawn[0]
        drawn.clear()
        turned = await renderer.render(greeted(app("last_viewed", PRODUCTS[::-1]), "Bea"))
        assert drawn == [], "the same products in other places"
        assert await renderer.render(app("last_viewed", PRODUCTS)) is ada, "the very same picture"
        assert len({ada.body, bea.body, turned.body}) == 3
        renderer.close()

    asyncio.run(story())


def test_what_is_kept_is_not_given_for_something_else() -> None:
    url = next(iter(ALBUM))
    tile = (
        f'<div data-tile="a" style="left:0px;top:0px;width:50px;height:50px"><img src="{url}" width="50" height="50">'
    )
    base = plain(f'<div class="p">{tile}</div></div>', 50, 50, photos=(url,))
    dark = "<style>.dark img { opacity: 0 }</style>" + base.template
    scenes = (
        base,
        replace(base, scale=1),
        replace(base, scale=3),
        replace(base, transparent=True),
        replace(base, template=dark),
        replace(base, template=dark, scheme="dark"),
        replace(base, width=60),
        replace(base, photos=()),
    )

    async def story() -> list[Picture]:
        photos = album()
        renderer = Renderer(photos)
        pictures = [await renderer.render(it) for it in scenes]
        photos.photos[url] = photos.photos[list(ALBUM)[1]]
        pictures.append(await renderer.render(base))
        renderer.close()
        return pictures

    pictures = asyncio.run(story())
    assert len({picture.body for picture in pictures} - {pictures[0].body}) == len(scenes) - 1, "but for the style"
    assert pictures[4] == pictures[0]


def test_many_who_want_the_same_at_once_have_it_drawn_once() -> None:
    async def story() -> list[str]:
        renderer = Renderer(album())
        drawn = watched(renderer)
        it = app("last_viewed", PRODUCTS)
        await asyncio.gather(*(renderer.render(greeted(it, f"N{number}")) for number in range(12)))
        renderer.close()
        return drawn

    assert len(asyncio.run(story())) == 4 + 12


def test_warming_says_nothing_of_a_template_that_cannot_be_drawn(renderer: Renderer) -> None:
    asyncio.run(renderer.warm(plain("{% if %}")))


@pytest.mark.parametrize("opaque", [True, False])
def test_laying_over_is_what_pillow_does(opaque: bool) -> None:
    chance = np.random.default_rng(3)
    ground, above = (chance.integers(0, 256, (40, 60, 4), np.uint8) for _ in range(2))
    above[:10, :, 3], above[10:20, :, 3], ground[:, :20, 3], ground[:, 20:40, 3] = 0, 255, 255, 0
    if opaque:
        ground[..., 3] = 255
    canvas = ground.copy()
    lay(canvas, cut(above), 0, 0, opaque=opaque)
    ours = Image.fromarray(canvas).convert("RGBa")
    theirs = Image.alpha_composite(Image.fromarray(ground), Image.fromarray(above)).convert("RGBa")
    assert not far_apart(np.asarray(ours), np.asarray(theirs)).any()


def test_a_patch_is_told_from_scattered_rims() -> None:
    apart = np.zeros((100, 100), np.bool_)
    apart[::13, ::13] = True
    assert patches(apart) == 0
    apart[10:20, 10:20] = True
    assert patches(apart) > 0
    assert FAR_APART < 0.01
