"""Every app shows the sample shopper something, has a template that draws, and looks as it was meant to."""

import asyncio
import io
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image, ImageChops, ImageStat

import wetink
from wetink.apps import load
from wetink.core.app import App
from wetink.core.person import Moment
from wetink.feeds.samples import WithSamples
from wetink.ports import Scene
from wetink.render import Studio
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

    def at_hand(self, url: str) -> bytes | None:
        return None

    def warm(self, url: str) -> None:
        """There is nothing to fetch."""


@pytest.fixture(scope="module")
def draw():
    renderer = Studio(WithSamples(NoPhotos()))

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
    renderer = Studio(WithSamples(NoPhotos()))
    try:
        assert list(asyncio.run(renderer.check_tiles(scene(APPS[name])))) == []
    finally:
        renderer.close()


SCRIPTS = {
    "cyrillic": "Тёплая лампа", "greek": "Ζεστό φωτιστικό", "arabic": "مصباح دافئ", "hebrew": "מנורה חמה",
    "thai": "โคมไฟอบอุ่น", "devanagari": "गर्म दीपक",
    "japanese": "暖かいランプ", "korean": "따뜻한 램프", "chinese": "温暖的台灯",
    "emoji": "Lamp 💡🎁",
}  # fmt: skip
"""The same lamp, in letters of the world."""


def said_in(value: Any, words: str) -> Any:
    """Return a template's data with every product and person called so."""
    if isinstance(value, dict):
        return {
            key: words if key in ("name", "firstName", "title", "text") and isinstance(each, str) and each
            else said_in(each, words)
            for key, each in value.items()
        }  # fmt: skip
    return [said_in(each, words) for each in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_app_can_be_read_in_every_script(script: str, draw) -> None:
    """One golden sheet for each script, with every app on it."""
    sheet = Image.new("RGB", (4 * 300, -(-len(APPS) // 4) * 150), "white")
    for place, app in enumerate(APPS.values()):
        one = scene(app)
        image = draw(replace(one, data=said_in(one.data, SCRIPTS[script]))).convert("RGB")
        sheet.paste(image.resize((300, 150), Image.Resampling.BOX), (place % 4 * 300, place // 4 * 150))
    kept = GOLDEN / "scripts" / f"{script}.png"
    if os.environ.get("WETINK_GOLDEN"):
        kept.parent.mkdir(exist_ok=True)
        sheet.quantize(64, dither=Image.Dither.NONE).save(kept, optimize=True)
    with Image.open(kept) as golden:
        assert sheet.size == golden.size
        assert max(ImageStat.Stat(ImageChops.difference(sheet, golden.convert("RGB"))).mean) < 5.0
