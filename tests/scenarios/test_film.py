"""A film in an email: asked for as a GIF it moves as soon as it is made; until then, and as a JPEG, it stands still."""

import asyncio
import io
from pathlib import Path

from PIL import Image

from tests.web.test_open import JANE, House
from wetink.cli.common import catch_up
from wetink.core.profile.person import Moment

FILM = """
moving: true
kilobytes: 60
variants:
  - {name: strip, app: filmstrip, settings: {items: 3, seconds: 1, fill: [viewed]}}
fallback: {link: "https://shop.example/", title: Come in}
width: 300
height: 200
"""


def test_a_film_moves_and_weighs_what_it_may(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "content" / "blocks"
    folder.mkdir(parents=True)
    (folder / "strip.yaml").write_text(FILM)
    house = House(tmp_path / "data")
    try:
        for name in ("mug", "lamp", "bowl"):
            house.saw(name)
            house.saw(name, who="ada")
        asyncio.run(_caught_up(house))
        still = house.get(house.url("picture", "strip"))
        assert still.headers["content-type"] == "image/jpeg"
        pictures = [_opened(house) for _ in range(1)]
        body, kind = pictures[-1]
        assert kind == "image/gif"
        assert len(body) <= 150_000
        with Image.open(io.BytesIO(body)) as image:
            assert getattr(image, "n_frames", 1) == 3
            assert image.info["duration"] == 1_000
    finally:
        asyncio.run(house.wetink.close())


def _opened(house: House) -> tuple[bytes, str]:
    """Open it until it moves: an open does not wait long for a film, and the next one finds it."""

    async def opened() -> tuple[bytes, str]:
        for _ in range(40):
            house.now += 1_000
            picture = await house.wetink.opens.open(
                house.wetink.content, "strip", 1, JANE, Moment(house.now, moving=True)
            )
            if picture.content_type == "image/gif":
                break
            assert picture.content_type == "image/jpeg"
            await asyncio.sleep(0.1)
        return picture.body, picture.content_type

    return asyncio.run(opened())


async def _caught_up(house: House) -> None:
    await catch_up(house.wetink, "strip")
