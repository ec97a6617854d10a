"""Every app shows the sample shopper something, has a template that draws, and looks as it was meant to."""

import asyncio
import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.gallery import APPS, NOW, SCRIPTS, NoPhotos, scene
from tests.render.tile_flaws import flaws
from wetink.core.profile.person import Moment
from wetink.feeds.photos import WithSamples
from wetink.opens.audit import sample_decision
from wetink.ports import Scene
from wetink.render import Renderer

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def draw():
    renderer = Renderer(WithSamples(NoPhotos()))

    def drawn(scene: Scene) -> Image.Image:
        return Image.open(io.BytesIO(asyncio.run(renderer.render(scene)).body))

    yield drawn
    renderer.close()


@pytest.mark.parametrize("name", APPS)
def test_an_app_shows_the_sample_shopper_something(name: str) -> None:
    _, decision = sample_decision(APPS[name], Moment(NOW))
    assert decision.variant == "sample", decision.trace
    assert APPS[name].about


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", APPS)
def test_the_picture_of_an_app_equals_its_golden_picture(name: str, scheme: str, draw) -> None:
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
def test_the_template_of_an_app_can_be_drawn_from_tiles(name: str) -> None:
    assert flaws(scene(APPS[name]), WithSamples(NoPhotos())) == []


@pytest.mark.parametrize("script", [each for each in SCRIPTS if SCRIPTS[each]])
def test_every_app_can_be_read_in_every_script(script: str, draw) -> None:
    """One golden sheet for each script, with every app on it."""
    sheet = Image.new("RGB", (4 * 300, -(-len(APPS) // 4) * 150), "white")
    for place, app in enumerate(APPS.values()):
        image = draw(scene(app, script=script)).convert("RGB")
        sheet.paste(image.resize((300, 150), Image.Resampling.BOX), (place % 4 * 300, place // 4 * 150))
    kept = GOLDEN / "scripts" / f"{script}.png"
    if os.environ.get("WETINK_GOLDEN"):
        kept.parent.mkdir(exist_ok=True)
        sheet.quantize(64, dither=Image.Dither.NONE).save(kept, optimize=True)
    with Image.open(kept) as golden:
        assert sheet.size == golden.size
        assert max(ImageStat.Stat(ImageChops.difference(sheet, golden.convert("RGB"))).mean) < 5.0
