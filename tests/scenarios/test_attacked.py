"""Opens while the engine is attacked: each is answered in time, the next with its picture; memory is bounded."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.test_pool import MEGABYTE, resident
from tests.web.test_open import House
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.render import renderer
from wetink.sandbox import Pool


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(renderer, "DRAW_SECONDS", 1.5)
    made = House(tmp_path / "data")
    made.wetink.opens._deadline = 0.7
    made.wetink.renderer.pool.close()
    made.wetink.renderer._pool = Pool("tests.render.wild", 2)
    yield made
    asyncio.run(made.wetink.close())


@pytest.mark.parametrize("what", ["HANG", "SPIN", "CRASH", "EAT"])
def test_the_open_is_answered_and_so_is_the_next(house: House, what: str) -> None:
    house.saw("lamp", who="ada")
    house.saw("mug", who="jane", name=f"A mug that says {what}")

    async def opened(name: str) -> tuple[bytes, float]:
        house.now += 100_000
        begun = time.monotonic()
        picture = await house.wetink.opens.open(
            house.wetink.content, "hero", 1, Identifier("user", name), Moment(house.now)
        )
        return picture.body, time.monotonic() - begun

    async def story() -> None:
        fallback = house.wetink.fallbacks.of(house.wetink.content.block("hero")).body
        first, _ = await opened("ada")
        assert first != fallback
        [before] = [resident(pid) for pid in house.wetink.renderer.pool.pids]
        for name in ("jane", "ada", "jane", "ada"):
            body, seconds = await opened(name)
            assert body == (fallback if name == "jane" else first)
            assert seconds < 20, "the deadline, and what a busy machine adds: the engine alone would take a minute"
        assert all(resident(pid) - before < 200 * MEGABYTE for pid in house.wetink.renderer.pool.pids)

    asyncio.run(story())
