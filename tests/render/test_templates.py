"""The templates that come with wetink: every one draws, whatever the data lacks, and looks as it was meant to."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image, ImageChops, ImageStat

import wetink
from tests.render.renderer import PRODUCTS, plain, scene, seen, shot
from wetink.apps import load
from wetink.content import content as contents
from wetink.content.tree import read_tree
from wetink.core.events.event import Product
from wetink.ports import Scene

HOME = Path(wetink.__file__).parent
GOLDEN = Path(__file__).parent / "golden"
APPS = ("last_viewed", "abandoned_cart", "shelf")
BARE = Product(sku="S9")
LONG = replace(PRODUCTS[0], name="Donaudampfschifffahrtsgesellschaft" * 6, variant="x" * 300, quantity=12, price=1e9)


def read(name: str) -> str:
    """Return a template of wetink's own."""
    return (HOME / name).read_text(encoding="utf-8")


def app(name: str, items: tuple[Product, ...], **fields: Any) -> Scene:
    """Return a scene of a Behavioral App's template."""
    return scene(read(f"apps/{name}.liquid"), items, **fields)


def fallback(width: int, height: int, **words: str) -> Scene:
    """Return the scene of a block's fallback."""
    said = {"title": "", "text": "", "button": ""} | words
    data = {"fallback": said, "block": {"name": "b", "width": width, "height": height}}
    return plain(read("render/fallback.liquid"), width, height, data=data)


@pytest.mark.parametrize("size", [(600, 300), (300, 250), (440, 260), (800, 400), (600, 120), (40, 20)])
@pytest.mark.parametrize(
    "items",
    [PRODUCTS[:1], PRODUCTS[:2], PRODUCTS, PRODUCTS + PRODUCTS[:2], (BARE,), (BARE, LONG, BARE), (LONG,), ()],
    ids=["one", "two", "three", "five", "bare", "bare and long", "long", "none"],
)
@pytest.mark.parametrize("name", APPS)
def test_an_app_draws_whatever_there_is(name: str, items: tuple[Product, ...], size: tuple[int, int]) -> None:
    width, height = size
    picture = shot(app(name, items, width=width, height=height))
    assert seen(picture).size == (2 * width, 2 * height)


@pytest.mark.parametrize("name", APPS)
def test_an_app_obeys_its_settings(name: str) -> None:
    usual = shot(app(name, PRODUCTS))
    assert shot(app(name, PRODUCTS, settings={"title": "Only today"})) != usual
    assert shot(app(name, PRODUCTS, settings={"accent": "#c2410c"})) != usual


@pytest.mark.parametrize("name", APPS[:2])
def test_an_app_greets_by_either_spelling_of_the_name(name: str) -> None:
    usual = app(name, PRODUCTS)
    person: Mapping[str, Any] = usual.data["person"]
    other = {**usual.data, "person": {**person, "traits": {"first_name": "Ada"}}}
    nobody = {**usual.data, "person": {**person, "traits": {}}}
    assert shot(replace(usual, data=other)) == shot(usual) != shot(replace(usual, data=nobody))


@pytest.mark.parametrize("place", ["content/starter", "demo/content"])
def test_every_block_of_a_content_folder_can_be_used_and_draws(place: str) -> None:
    content = contents.load(read_tree(HOME / place), load())
    assert content.problems == ()
    assert content.blocks
    for block in content.blocks.values():
        fields = {"width": block.width, "height": block.height, "transparent": block.transparent}
        for variant in block.variants:
            own = f"apps/{variant.app.replace('-', '_')}.liquid"
            template = content.templates[variant.template] if variant.template else read(own)
            picture = shot(scene(template, PRODUCTS, slot=block.slots, settings=variant.settings, **fields))
            assert seen(picture).size == (2 * block.width, 2 * block.height)
            assert picture.content_type == ("image/png" if block.transparent else "image/jpeg")
            channel = seen(picture).getchannel("A") if block.transparent else seen(picture).convert("L")
            assert channel.entropy() > 0.2, f"{block.name}: there is something to see"


PICTURES = {
    "last-viewed-1": lambda: app("last_viewed", PRODUCTS[:1]),
    "last-viewed-2": lambda: app("last_viewed", PRODUCTS[:2]),
    "last-viewed-3": lambda: app("last_viewed", PRODUCTS),
    "abandoned-cart-1": lambda: app("abandoned_cart", PRODUCTS[1:2]),
    "abandoned-cart-3": lambda: app("abandoned_cart", PRODUCTS),
    "picks": lambda: scene(read("content/starter/templates/picks.liquid"), slot=2, width=184, height=260),
    "fallback": lambda: fallback(600, 300, title="New every week", text="Come in and see.", button="Have a look"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_was_meant_to(name: str) -> None:
    """Compare with a golden picture; `WETINK_GOLDEN=1` makes them anew: look at them before you keep them."""
    image = seen(shot(PICTURES[name]())).convert("RGB")
    drawn = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    kept = GOLDEN / f"{name}.png"
    if os.environ.get("WETINK_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        drawn.save(kept, optimize=True)
    with Image.open(kept) as golden:
        assert drawn.size == golden.size
        difference = ImageChops.difference(drawn, golden.convert("RGB"))
    assert max(ImageStat.Stat(difference).mean) < 1.0, "mean difference of 255 levels"
    changed = difference.convert("L").point(lambda level: 255 if level > 40 else 0)
    assert ImageStat.Stat(changed).mean[0] / 255 < 0.01, "share of pixels that are clearly different"


@pytest.mark.parametrize("size", [(600, 300), (184, 260), (600, 90), (40, 20), (1200, 1600)])
def test_a_fallback_draws_at_every_size(size: tuple[int, int]) -> None:
    wordy = fallback(*size, title="Long words " * 20, text="and more of them " * 30, button="Go")
    assert seen(shot(wordy)).size == (2 * size[0], 2 * size[1])
    assert seen(shot(fallback(*size))).size == (2 * size[0], 2 * size[1])
