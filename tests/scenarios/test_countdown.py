"""A countdown in an email: it ticks as a GIF, and an end once given never moves."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ImageSequence

from tests.web import test_open
from tests.web.test_open import JANE, House, image
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.ports import Picture
from wetink.store.sqlite.leases import SQLiteLeases

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
    decision = asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block("offer"), who, Moment(house.now))
    )
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


def test_a_countdown_ticks_as_a_gif_and_stands_still_as_a_jpeg(house: House) -> None:
    url = house.url("picture", "offer")
    assert ticks(house)
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
    assert ".gif" in house.wetink.embed.snippet(house.wetink.content, "offer", JANE, "https://ink.example")


SMALL = BLOCK.replace("width: 600\nheight: 130", "width: 200\nheight: 60")


def moving(house: House, scheme: str = "light", ratio: int = 2) -> Picture:
    moment = Moment(house.now, scheme=scheme, ratio=ratio, moving=True)
    return asyncio.run(house.wetink.opens.open(house.wetink.content, "offer", 1, JANE, moment))


def test_a_countdown_that_is_not_ready_stands_still_at_the_time_that_remains(house: House) -> None:
    url = house.url("picture", "offer")
    leases = SQLiteLeases(house.wetink.settings.data, lambda: time.time_ns() // 1_000_000)
    with asyncio.Runner() as another:  # as if another process were making it
        lease = leases.hold("countdowns")
        another.run(lease.__aenter__())
        still = house.get(url.replace(".jpg", ".gif"))
        assert image(still).format == "JPEG"
        assert still.body == house.get(url).body, "no fallback: what is asked for as a picture that stands still"
        decision = asyncio.run(
            house.wetink.opens.preview(
                house.wetink.content, house.wetink.content.block("offer"), JANE, Moment(house.now)
            )
        )
        shown = asyncio.run(
            house.wetink.opens.picture(house.wetink.content, decision, 1, Moment(house.now, moving=True))
        )
        assert shown.note == "it is a still picture until the animation is ready"
        another.run(lease.__aexit__(None, None, None))
        another.run(leases.close())
    assert ticks(house)


def ticks(house: House) -> bool:
    """Open it until it ticks: the very first opens may come before it is ready."""

    async def opened() -> bool:
        for _ in range(100):
            picture = await house.wetink.opens.open(
                house.wetink.content, "offer", 1, JANE, Moment(house.now, moving=True)
            )
            if picture.content_type == "image/gif":
                return True
            await asyncio.sleep(0.1)
        return False

    return asyncio.run(opened())


def test_a_block_that_cannot_tick_stands_still_and_the_trace_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_open, "BLOCKS", {"offer": BLOCK.replace("width: 600", "width: 100")})
    house = House(tmp_path / "data")
    try:
        decision = asyncio.run(
            house.wetink.opens.preview(
                house.wetink.content, house.wetink.content.block("offer"), JANE, Moment(house.now)
            )
        )
        for _ in range(2):
            shown = asyncio.run(
                house.wetink.opens.picture(house.wetink.content, decision, 1, Moment(house.now, moving=True))
            )
            assert shown.note == "it is a still picture: a countdown needs 120 by 32 pixels"
        assert moving(house).content_type == "image/jpeg"
    finally:
        asyncio.run(house.wetink.close())


async def made_ready(house: House) -> None:
    while await house.wetink.animations.step(house.wetink.content):
        pass


def test_saving_a_block_makes_its_countdown_for_every_screen_and_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_open, "BLOCKS", {"offer": SMALL})
    house = House(tmp_path / "data")
    try:
        asyncio.run(made_ready(house))
        kept = set(ready(house))
        assert len(kept) == 6
        for scheme in ("light", "dark"):
            for ratio in (1, 2, 3):
                assert moving(house, scheme, ratio).content_type == "image/gif"
        assert ready(house) == kept, "nothing was made for the opens"
    finally:
        asyncio.run(house.wetink.close())


def ready(house: House) -> set[str]:
    folder = house.wetink.settings.data / "countdowns"
    return {path.name for path in folder.iterdir() if path.name != "lock"}
