"""Apps whose picture is not a shelf draw at every size a block may have, with whatever the data lacks."""

import asyncio
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

import wetink
from tests.render.renderer import Album
from wetink.apps import load
from wetink.core.profile.person import Moment
from wetink.opens.audit import sample_scene
from wetink.ports import Scene
from wetink.render import Renderer

HOME = Path(wetink.__file__).parent / "apps"
NAMES = ("nearest-store", "reveal")
LONG = "Donaudampfschifffahrtsgesellschaft " * 6
FACTS: dict[str, Any] = {
    "as told": {},
    "next to nothing": {"facts": {}, "settings": {}, "person": {}},
    "wordy": {
        "facts": {"revealed": True, "name": LONG, "address": LONG, "hours": LONG, "distance": "9,999.9 km"},
        "settings": {"title": LONG, "prize": LONG, "code": "X" * 24, "button": LONG, "accent": "#ffd54a"},
        "person": {"traits": {"firstName": LONG}},
    },
}


@pytest.fixture(scope="module")
def draw() -> Iterator[Callable[[Scene], Image.Image]]:
    renderer = Renderer(Album())
    yield lambda scene: Image.open(io.BytesIO(asyncio.run(renderer.render(scene)).body))
    renderer.close()


@pytest.mark.parametrize("size", [(600, 300), (300, 250), (440, 260), (800, 400), (600, 120), (40, 20), (1200, 1600)])
@pytest.mark.parametrize("said", FACTS)
@pytest.mark.parametrize("name", NAMES)
def test_an_app_draws_at_every_size(
    name: str, said: str, size: tuple[int, int], draw: Callable[[Scene], Image.Image]
) -> None:
    app = load()[name]
    scene = sample_scene(app, (HOME / app.template).read_text(encoding="utf-8"), Moment(1_800_000_000_000), size=size)
    picture = draw(replace(scene, data={**scene.data, **FACTS[said]}))
    assert picture.size == (2 * size[0], 2 * size[1])
