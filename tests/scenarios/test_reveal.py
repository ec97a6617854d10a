"""A surprise in an email: covered when it is first opened, there when the same person opens it again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web import test_open
from tests.web.test_open import JANE, House
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment

MINUTE = 60_000
BLOCK = """
variants: [{name: offer, app: reveal, settings: {wait: 5m, prize: Tea for two}}]
fallback: {link: "https://shop.example/", title: Come in}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(test_open, "BLOCKS", {"offer": BLOCK})
    made = House(tmp_path / "data")
    yield made
    asyncio.run(made.wetink.close())


def revealed(house: House, who: Identifier = JANE) -> object:
    return asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block("offer"), who, Moment(house.now))
    ).facts["revealed"]


def test_what_was_covered_at_the_first_open_is_there_at_a_later_one(house: House) -> None:
    covered = house.get(house.url("picture", "offer")).body
    house.now += 4 * MINUTE
    assert house.get(house.url("picture", "offer")).body == covered
    house.now += MINUTE
    assert revealed(house) is True
    assert house.get(house.url("picture", "offer")).body != covered
    assert revealed(house, Identifier("user", "bob")) is False, "he has not opened it"


def test_a_preview_takes_nothing_off_the_cover(house: House) -> None:
    assert revealed(house) is False
    house.now += 60 * MINUTE
    assert revealed(house) is False


def test_a_reveal_by_opens_shows_at_the_second_open(house: House) -> None:
    rewrite(house, "by: opens")
    covered = house.get(house.url("picture", "offer")).body
    house.get(house.url("picture", "offer"), agent="Barracuda Sentinel")
    assert revealed(house) is True, "the second open shows it"
    house.now += 5 * MINUTE
    assert house.get(house.url("picture", "offer")).body != covered


def test_a_reveal_by_click_shows_at_the_next_open(house: House) -> None:
    rewrite(house, "by: click")
    covered = house.get(house.url("picture", "offer")).body
    house.get(house.url("click", "offer"), agent="Barracuda Sentinel")
    assert revealed(house) is False, "scanners follow every link"
    house.get(house.url("click", "offer"))
    assert house.get(house.url("picture", "offer")).body != covered


def rewrite(house: House, settings: str) -> None:
    (house.wetink.settings.content / "blocks" / "offer.yaml").write_text(BLOCK.replace("wait: 5m", settings))
    asyncio.run(house.wetink.look_again())
