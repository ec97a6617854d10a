"""Every app shows the sample shopper something, has a template that draws, and looks as it was meant to."""

import asyncio
import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

import wetink
from wetink.apps import load
from wetink.core.app import App
from wetink.core.person import Moment
from wetink.feeds.samples import WithSamples
from wetink.ports import Scene
from wetink.render import Takumi
from wetink.serve.gallery import sample_decision, sample_scene

HOME = Path(wetink.__file__).parent
GOLDEN = Path(__file__).parent / "golden"
NOW = 1_800_000_000_000
"""A Friday morning in January."""
APPS = {name: app for name, app in load().items() if app.template}


class NoPhotos:
    """What the sample shop does not have, nobody has."""

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        return None

    def warm(self, url: str) -> None:
        """There is nothing to fetch."""


@pytest.fixture(scope="module")
def draw():
    renderer = Takumi(WithSamples(NoPhotos()))

    def drawn(scene: Scene) -> Image.Image:
        return Image.open(io.BytesIO(asyncio.run(renderer.render(scene)).body))

    yield drawn
    renderer.close()


def scene(app: App, scheme: str = "light", **more: int) -> Scene:
    template = (HOME / "apps" / app.template).read_text(encoding="utf-8")
    return sample_scene(app, template, Moment(NOW, scheme=scheme), **more)


@pytest.mark.parametrize("name", APPS)
def test_an_app_shows_the_sample_shopper_something(name: str) -> None:
    _, decision = sample_decision(APPS[name], Moment(NOW))
    assert decision.variant == "sample", decision.trace
    assert APPS[name].about


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", APPS)
def test_its_picture_looks_as_it_was_meant_to(name: str, scheme: str, draw) -> None:
    """Compare with a golden picture; `WETINK_GOLDEN=1` makes them anew: look at them before you keep them."""
    image = draw(scene(APPS[name], scheme)).convert("RGB")
    drawn = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    kept = GOLDEN / f"{name}-{scheme}.png"
    if os.environ.get("WETINK_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        drawn.quantize(256, dither=Image.Dither.NONE).save(kept, optimize=True)
    with Image.open(kept) as golden:
        assert drawn.size == golden.size
        difference = ImageChops.difference(drawn, golden.convert("RGB"))
    assert max(ImageStat.Stat(difference).mean) < 4.0, "mean difference of 255 levels"
    changed = difference.convert("L").point(lambda level: 255 if level > 48 else 0)
    assert ImageStat.Stat(changed).mean[0] / 255 < 0.01, "share of pixels that are clearly different"


@pytest.mark.parametrize("name", APPS)
def test_its_template_can_be_drawn_from_tiles(name: str) -> None:
    renderer = Takumi(WithSamples(NoPhotos()))
    try:
        assert list(asyncio.run(renderer.check_tiles(scene(APPS[name])))) == []
    finally:
        renderer.close()
