"""An open that fails leaves nothing: with its error, all that it had read would wait for a garbage collection."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from tests.asgi import ask
from tests.web.test_open import House
from wetink.core.errors import BadContent

FEW, MANY = 5, 40


def left_by(opens: int, house: House, paths: list[str]) -> int:
    """Return how many unreachable objects so many opens leave to the collector."""

    async def story() -> None:
        for number in range(opens):
            answer = await ask(house.door, "GET", paths[number], headers={"user-agent": "Mozilla/5.0 (Macintosh)"})
            assert answer.status == 200
        await asyncio.sleep(0.05)

    gc.collect()
    asyncio.run(story())
    return gc.collect()


@pytest.fixture(params=["drawing", "shared"])
def failing(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A server whose opens fail, at their drawing or in a shared task of the renderer."""
    house = House(tmp_path / "data", draws=False)

    async def refuse(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(0)
        raise BadContent("it cannot be drawn")

    renderer = house.wetink.renderer
    if request.param == "drawing":
        monkeypatch.setattr(renderer, "render", refuse)
    else:
        monkeypatch.setattr(renderer, "_rendered", lambda scene, **_: renderer._once(scene.template.encode(), refuse))
    return house


def test_a_failed_open_leaves_no_cycle(failing: House) -> None:
    who = [failing.url("picture", "hello") for _ in range(MANY)]
    gc.disable()
    try:
        left_by(FEW, failing, who)
        few, many = left_by(FEW, failing, who), left_by(MANY, failing, who)
    finally:
        gc.enable()
    assert many < few + MANY - FEW, "less than an object an open"
