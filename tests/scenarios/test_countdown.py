"""A countdown in an email: it ticks as a GIF, and an end once given never moves."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ImageSequence

from tests.web import test_open
from tests.web.test_open import JANE, House, image
from wetink.core.identifier import Identifier
from wetink.core.person import Moment

HOUR = 3_600_000
BLOCK = """
moving: true
width: 600
height: 130
variants: [{name: offer, app: countdown, settings: {ends: after_first_open, hours: 48, title: Just for you}}]
fallback: {link: "https://shop.example/", title: Too late}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(test_open, "BLOCKS", {"offer": BLOCK})
    made = House(tmp_path / "data")
    yield made
    asyncio.run(made.wetink.close())


def end_of(house: House, who: Identifier = JANE) -> int | None:
    decision = asyncio.run(house.wetink.preview("offer", who, Moment(house.now)))
    return decision.facts.get("ends_at")


def test_an_end_once_given_never_moves_whatever_is_set_later(house: House) -> None:
    first = house.now
    house.get(house.url("picture", "offer"))
    house.now += 5 * HOUR
    assert end_of(house) == first + 48 * HOUR
    assert end_of(house, Identifier("user", "bob")) == house.now + 48 * HOUR, "his own begins when he opens"
    (house.wetink.settings.content / "blocks" / "offer.yaml").write_text(BLOCK.replace("hours: 48", "hours: 7"))
    asyncio.run(house.wetink.look_again())
    house.get(house.url("picture", "offer"))
    assert end_of(house) == first + 48 * HOUR
    house.now = first + 49 * HOUR
    assert end_of(house) is None


def test_what_a_machine_fetches_ahead_promises_nothing(house: House) -> None:
    for machine in ("Mozilla/5.0", "Barracuda Sentinel"):
        house.get(house.url("picture", "offer"), agent=machine)
    house.now += 5 * HOUR
    assert end_of(house) == house.now + 48 * HOUR, "it begins when somebody looks"


def test_as_a_gif_it_ticks_and_as_a_jpeg_it_stands_still(house: House) -> None:
    url = house.url("picture", "offer")
    moving = house.get(url.replace(".jpg", ".gif"))
    assert moving.headers["content-type"] == "image/gif"
    frames = list(ImageSequence.Iterator(image(moving)))
    assert len(frames) >= 60
    assert image(moving).size == (1200, 260)
    assert len(moving.body) < 60_000
    still = image(house.get(url))
    assert (still.format, still.size) == ("JPEG", (1200, 260))
    assert image(house.get(f"{url}?r=1")).size == (600, 130)
    over = house.now + 49 * HOUR
    house.now = over
    assert house.get(url.replace(".jpg", ".gif")).headers["content-type"] == "image/jpeg", "the fallback stands still"


def test_the_snippet_asks_for_a_picture_that_moves(house: House) -> None:
    assert ".gif" in house.wetink.snippet("offer", JANE, "https://ink.example")
